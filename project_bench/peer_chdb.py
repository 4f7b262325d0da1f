"""The peer chdb (ClickHouse as a library): copies a table of Postgres into one Parquet file.

  peer_chdb.py POSTGRES-URI TABLE OUTPUT-FILE
"""

import sys
from urllib.parse import urlsplit

import chdb


def main(uri: str, table: str, output: str) -> None:
    at = urlsplit(uri)
    source = f"postgresql('{at.hostname}:{at.port}', '{at.path[1:]}', '{table}', '{at.username}', '')"
    chdb.query(
        f"INSERT INTO FUNCTION file('{output}', Parquet) SELECT * FROM {source}"
        " SETTINGS output_format_parquet_compression_method = 'gzip', output_format_compression_level = 6"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
