"""Reads the Parquet files below a folder by DuckDB and prints their rows and their hash as a JSON array of texts.

  hash_parquet.py [--columns | --rows] TABLE FOLDER    --columns: a hash for each column; --rows: only the rows
"""

import argparse
import json
from pathlib import Path

import duckdb

from canonical import duckdb_column_proofs, duckdb_proof
from parquet_files import parquet_files
from tables import LINEITEM, ORDERS_WIDE, Table

TABLES = {table.name: table for table in (LINEITEM, ORDERS_WIDE)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--columns", action="store_true")
    parser.add_argument("--rows", action="store_true")
    parser.add_argument("table", choices=TABLES)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    engine = duckdb.connect(config={"autoinstall_known_extensions": False})
    engine.execute("SET TimeZone = 'UTC'")
    query = choose_query(engine, args, TABLES[args.table])
    print(json.dumps([str(value) for value in engine.execute(query).fetchone()]))


def choose_query(engine: duckdb.DuckDBPyConnection, args: argparse.Namespace, table: Table) -> str:
    files = ", ".join(f"'{file}'" for file in parquet_files(args.folder))
    source = f"read_parquet([{files}], hive_partitioning = false)"
    if args.rows:
        return f"SELECT count(*) FROM {source}"
    types = {name: kind for name, kind, *_ in engine.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    if list(types) != [column.name for column in table.columns]:
        raise SystemExit(f"their columns are {', '.join(types)}")
    return (duckdb_column_proofs if args.columns else duckdb_proof)(table, types, source)


if __name__ == "__main__":
    main()
