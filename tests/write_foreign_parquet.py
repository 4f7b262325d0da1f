"""Writes Parquet files as other programs do, for tests of what is read back.

usage: write_foreign_parquet.py pyarrow|int96|duckdb|nested|no_columns|no_rows FILE
"""

import sys
from collections.abc import Callable
from datetime import date, datetime, time, timezone
from decimal import Decimal

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq


def write_pyarrow(path: str) -> None:
    columns = {
        "id": pa.array([1, 2, 3], pa.int8()),
        "big": pa.array([2**64 - 1, 0, None], pa.uint64()),
        "half": pa.array([0.5, float("nan"), None], pa.float32()).cast(pa.float16()),
        "dictionary": pa.array(["a", "b", None]).dictionary_encode(),
        "large": pa.array(["große", "", None], pa.large_string()),
        "day": pa.array([date(1582, 10, 14), date(1, 1, 1), None]),
        "second": pa.array([datetime(1970, 1, 1, 0, 0, 1), datetime(9999, 12, 31, 23, 59, 59), None], pa.timestamp("s")),
        "zoned": pa.array(
            [datetime(2026, 1, 2, 2, 4, 5, 123457, timezone.utc), datetime(1, 1, 1, tzinfo=timezone.utc), None],
            pa.timestamp("us", "Europe/Berlin"),
        ),
        "wide": pa.array([Decimal("-1234567890123456789012345678901234567890.12345"), Decimal(0), None], pa.decimal256(60, 5)),
        "list": pa.array([["a", None, 'b \\"'], [], None], pa.large_list(pa.string())),
        "fixed": pa.array([bytes(range(16)), None, None], pa.binary(16)),
        "nothing": pa.nulls(3),
        "clock": pa.array([time(12, 34, 56, 1), time(0), None], pa.time64("us")),
        "small": pa.array([-7, 32767, None], pa.int64()),
    }
    # Several row groups, one of them without rows.
    table = pa.table(columns)
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        writer.write_table(table.slice(0, 2))
        writer.write_table(table.slice(2, 0))
        writer.write_table(table.slice(2, 1))


def write_int96(path: str) -> None:
    times = [datetime(2026, 1, 2, 3, 4, 5, 678901), datetime(9999, 12, 31, 23, 59, 59)]
    table = pa.table({"id": [1, 2], "at": pa.array(times, pa.timestamp("us"))})
    pq.write_table(table, path, use_deprecated_int96_timestamps=True)


def write_duckdb(path: str) -> None:
    duckdb.sql("SET TimeZone = 'UTC'")
    duckdb.sql(
        f"""COPY (SELECT 1 AS id, 170141183460469231::DECIMAL(38,0) AS total, 1.5::DECIMAL(4,1) AS amount,
            '12345678-1234-1234-1234-123456789abc'::UUID AS u, TIMESTAMPTZ '2026-01-02 03:04:05+00' AS at,
            TIMESTAMP '2026-01-02 03:04:05.6' AS ts, ['a', 'b'] AS tags, '{{"a": 1}}'::JSON AS j)
        TO '{path}' (FORMAT parquet, COMPRESSION snappy)"""
    )


def write_nested(path: str) -> None:
    columns = {
        "id": pa.array([1]),
        "s": pa.array([{"a": 1}]),
        "m": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int32())),
        "f": pa.array([0.1]),
        "b": pa.array([b"canary"]),
        "l": pa.array([[[1], [2, 3]]]),
    }
    pq.write_table(pa.table(columns), path)


def write_no_columns(path: str) -> None:
    pq.write_table(pa.table({}), path)


def write_no_rows(path: str) -> None:
    pq.write_table(pa.table({"id": pa.array([], pa.int32())}), path)


WRITERS: dict[str, Callable[[str], None]] = {
    "pyarrow": write_pyarrow,
    "int96": write_int96,
    "duckdb": write_duckdb,
    "nested": write_nested,
    "no_columns": write_no_columns,
    "no_rows": write_no_rows,
}


def main() -> None:
    if len(sys.argv) != 3 or sys.argv[1] not in WRITERS:
        sys.exit(__doc__)
    WRITERS[sys.argv[1]](sys.argv[2])


if __name__ == "__main__":
    main()
