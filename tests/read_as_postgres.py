"""Reads tables of a lake by an engine that shares no code with ours, and prints every value as Postgres does.

  read_as_postgres.py --engine duckdb|pyarrow --key COLUMN FOLDER...

Prints a list with, for each folder, {"columns": [{"name", "athena"}], "rows": [[text or null]]}, the rows in the order
of the key.
"""

import argparse
import json
import sys
from pathlib import Path

import pyarrow

from athena_type import athena_type
from postgres_text import writer
from read_parquet import find_files, literal


def by_duckdb(files: list[Path]) -> pyarrow.Table:
    import duckdb

    engine = duckdb.connect(config={"threads": 2})
    engine.execute("SET TimeZone = 'UTC'")
    names = ", ".join(map(literal, files))
    return engine.sql(f"FROM read_parquet([{names}], hive_partitioning = false)").to_arrow_table()


def by_pyarrow(files: list[Path]) -> pyarrow.Table:
    import pyarrow.parquet

    return pyarrow.concat_tables(pyarrow.parquet.ParquetFile(file).read() for file in files)


def report(folder: Path, engine: str, key: str) -> dict[str, object]:
    files = list(find_files(folder))
    if not files:
        sys.exit(f"there is no Parquet file at {folder}")
    table = {"duckdb": by_duckdb, "pyarrow": by_pyarrow}[engine](files).sort_by(key)
    columns = [texts(table.column(at)) for at in range(table.num_columns)]
    return {
        "columns": [{"name": field.name, "athena": athena_type(field.type)} for field in table.schema],
        "rows": list(zip(*columns, strict=True)),
    }


def texts(column: pyarrow.ChunkedArray) -> list[str | None]:
    write = writer(column.type)
    return [None if value is None else write(value) for value in column.to_pylist()]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", choices=("duckdb", "pyarrow"), required=True)
    parser.add_argument("--key", required=True, metavar="COLUMN")
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    args = parser.parse_args()
    print(json.dumps([report(folder, args.engine, args.key) for folder in args.folders]))


if __name__ == "__main__":
    main()
