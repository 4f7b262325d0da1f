"""The peer DuckDB: copies a table of Postgres into one Parquet file.

  peer_duckdb.py POSTGRES-URI TABLE OUTPUT-FILE
"""

import sys
from importlib.resources import files

import duckdb


def main(uri: str, table: str, output: str) -> None:
    extension = files("duckdb_extension_postgres_scanner") / f"extensions/v{duckdb.__version__}"
    engine = duckdb.connect(config={"autoinstall_known_extensions": False})
    engine.execute(f"LOAD '{extension / 'postgres_scanner.duckdb_extension'}'")
    engine.execute(f"ATTACH '{uri}' AS pg (TYPE postgres, READ_ONLY)")
    # Every type of the tables is read natively. The gzip level cannot be set; threads are DuckDB's default.
    engine.execute(f"COPY (SELECT * FROM pg.public.{table}) TO '{output}' (FORMAT parquet, COMPRESSION gzip)")


if __name__ == "__main__":
    main(*sys.argv[1:])
