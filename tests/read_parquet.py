"""Reads Parquet by an engine that shares no code with ours, and prints what it found as JSON.

  read_parquet.py --engine duckdb|pyarrow PATH_OR_FOLDER [--sum COLUMN]... [--rows ORDER_COLUMN]
                  [--key-values]

Prints {"rows", "columns": [{"name", "type"}], "nulls": {column: count}, "sums": {column: exact text}}, for a folder
with `key=value` folders also "partitions": {"key=value/...": rows}, and with --rows "values": every row in that order
as texts (null is null); with --key-values "key_values": what the footer of every file says beside the schema. A folder is read without the files whose names begin with `_` or `.`.
"""

import argparse
import datetime
import decimal
import json
import sys
from pathlib import Path

decimal.getcontext().prec = 400  # every sum is exact


def find_files(place):
    """Each file, and the `key=value` folders between the place and it."""
    if place.is_file():
        return {place: ""}
    files = sorted(file for file in place.rglob("*.parquet") if file.is_file())
    inner = {file: file.relative_to(place).parts for file in files}
    shown = {file: parts for file, parts in inner.items() if not any(part.startswith(("_", ".")) for part in parts)}
    return {file: "/".join(part for part in parts[:-1] if "=" in part) for file, parts in shown.items()}


class DuckdbFile:
    def __init__(self, file):
        import duckdb

        self.engine = duckdb.connect(config={"threads": 2})
        self.engine.execute("SET TimeZone = 'UTC'")
        self.engine.execute(f"CREATE VIEW file AS FROM read_parquet({literal(file)}, hive_partitioning = false)")
        self.columns = [(name, str(typ)) for name, typ, *_ in self.engine.execute("FROM file").description]
        counts = ", ".join(["count(*)", *(f"count({identifier(name)})" for name, _ in self.columns)])
        self.count, *present = self.engine.execute(f"SELECT {counts} FROM file").fetchone()
        self.nulls = [self.count - there for there in present]

        said = self.engine.execute(f"SELECT key, value FROM parquet_kv_metadata({literal(file)})").fetchall()
        self.key_values = {key.decode(): value.decode() for key, value in said}

    def rows(self, names):
        found = self.engine.execute(f"SELECT {', '.join(map(identifier, names))} FROM file")
        while batch := found.fetchmany(10_000):
            yield from batch


class PyarrowFile:
    def __init__(self, file):
        import pyarrow.parquet

        self.parquet = pyarrow.parquet.ParquetFile(file)
        self.columns = [(field.name, str(field.type)) for field in self.parquet.schema_arrow]
        said = self.parquet.metadata.metadata or {}
        self.key_values = {key.decode(): value.decode() for key, value in said.items()}
        self.count, self.nulls = 0, [0] * len(self.columns)
        for batch in self.parquet.iter_batches():  # read, not taken from the footer
            self.count += batch.num_rows
            self.nulls = [nulls + column.null_count for nulls, column in zip(self.nulls, batch.columns, strict=True)]

    def rows(self, names):
        for batch in self.parquet.iter_batches(columns=names):
            yield from zip(*(batch.column(name).to_pylist() for name in names), strict=True)


def literal(text):
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name):
    return '"' + name.replace('"', '""') + '"'


def as_text(value):
    """One form for a value, whichever engine read it."""
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    if isinstance(value, datetime.datetime):
        utc = value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo else value
        return utc.isoformat(sep=" ", timespec="microseconds")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return value.hex() if isinstance(value, bytes) else None if value is None else str(value)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=("duckdb", "pyarrow"), required=True)
    parser.add_argument("place", type=Path)
    parser.add_argument("--sum", action="append", default=[], metavar="COLUMN")
    parser.add_argument("--rows", metavar="ORDER_COLUMN")
    parser.add_argument("--key-values", action="store_true")
    args = parser.parse_args()
    files = find_files(args.place)
    if not files:
        sys.exit(f"there is no Parquet file at {args.place}")

    engine = {"duckdb": DuckdbFile, "pyarrow": PyarrowFile}[args.engine]
    columns, count, nulls, partitions, values, key_values = None, 0, None, {}, [], None
    sums = dict.fromkeys(args.sum, decimal.Decimal(0))
    for file, partition in files.items():
        opened = engine(file)
        if columns not in (None, opened.columns):
            sys.exit(f"{file} has the columns {opened.columns}, the files before it have {columns}")
        columns = opened.columns
        if args.key_values and key_values not in (None, opened.key_values):
            sys.exit(f"{file} says {opened.key_values}, the files before it say {key_values}")
        key_values = opened.key_values
        names = [name for name, _ in columns]
        for wanted in [*args.sum, *([args.rows] if args.rows else [])]:
            if wanted not in names:
                sys.exit(f"there is no column {wanted} in {file}, only {', '.join(names)}")
        count += opened.count
        nulls = [a + b for a, b in zip(nulls or [0] * len(names), opened.nulls, strict=True)]
        partitions[partition] = partitions.get(partition, 0) + opened.count
        for name in args.sum:  # a float counts by its exact binary value
            sums[name] += sum(decimal.Decimal(value) for (value,) in opened.rows([name]) if value is not None)
        values += opened.rows(names) if args.rows else []

    report = {
        "rows": count,
        "columns": [{"name": name, "type": typ} for name, typ in columns],
        "nulls": dict(zip(names, nulls, strict=True)),
        "sums": {name: f"{total:f}" for name, total in sums.items()},
    }
    if any(partitions):
        report["partitions"] = partitions
    if args.rows:
        key = names.index(args.rows)
        values.sort(key=lambda row: (row[key] is None, row[key]))
        report["values"] = [[as_text(value) for value in row] for row in values]
    if args.key_values:
        report["key_values"] = key_values
    print(json.dumps(report))


if __name__ == "__main__":
    main()
