"""One text for each value, written alike by Postgres and by DuckDB: the ground on which the two are compared.

Both sides of a rule stand together in this file. The texts of a row are joined and hashed, and the hashes summed, so
the order of the rows does not matter while a lost, doubled or changed row shows.
"""

import re

from tables import Column, Table

SEPARATOR = "chr(31)"
NULL = "chr(92) || 'N'"
# 15 hex digits are 60 bits: a positive bigint for both.
HEX_DIGITS = 15


def postgres_proof(table: Table) -> str:
    """A query for the rows and the hash of a table."""
    texts = ", ".join(map(postgres_text, table.columns))
    return f"SELECT count(*), sum({postgres_hash(f'concat_ws({SEPARATOR}, {texts})')}) FROM public.{table.name}"


def postgres_column_proofs(table: Table) -> str:
    """A query for one hash of each column, to find the one that differs."""
    sums = (f"sum({postgres_hash(postgres_text(column))})" for column in table.columns)
    return f"SELECT {', '.join(sums)} FROM public.{table.name}"


def duckdb_proof(table: Table, types: dict[str, str], source: str) -> str:
    texts = ", ".join(duckdb_text(column, types[column.name]) for column in table.columns)
    return f"SELECT count(*), sum({duckdb_hash(f'concat_ws({SEPARATOR}, {texts})')}) FROM {source}"


def duckdb_column_proofs(table: Table, types: dict[str, str], source: str) -> str:
    sums = (f"sum({duckdb_hash(duckdb_text(column, types[column.name]))})" for column in table.columns)
    return f"SELECT {', '.join(sums)} FROM {source}"


def postgres_hash(text: str) -> str:
    return f"('x' || substr(md5({text}), 1, {HEX_DIGITS}))::bit({4 * HEX_DIGITS})::bigint"


def duckdb_hash(text: str) -> str:
    return f"('0x' || substr(md5({text}), 1, {HEX_DIGITS}))::BIGINT"


def postgres_text(column: Column) -> str:
    name = column.name
    match column.type:
        case "timestamptz" | "timestamp":
            # Postgres 13 has a double here; the rounding gives it back its milliseconds.
            text = f"round(extract(epoch FROM {name}) * 1000)::bigint::text"
        case "double precision":
            text = f"('x' || encode(float8send({name}), 'hex'))::bit(64)::text"
        case kind if width := re.fullmatch(r"char\((\d+)\)", kind):
            # A cast to text would cut the blanks that belong to the value and that every binary reader gets.
            text = f"rpad({name}::text, {width[1]})"
        case _:
            text = f"{name}::text"
    return f"coalesce({text}, {NULL})"


def duckdb_text(column: Column, found: str) -> str:
    """`found` is DuckDB's type for the column in the file."""
    return f"coalesce({duckdb_value(column, found)}, {NULL})"


def duckdb_value(column: Column, found: str) -> str:
    name = column.name
    match column.type:
        case "timestamptz" | "timestamp":
            return f"epoch_ms({name})::VARCHAR"
        case "double precision":
            return f"{name}::BIT::VARCHAR"
        case kind if kind.startswith("numeric") and found == "DOUBLE":
            # The first version of the typed path has money in doubles: proven to the scale of its column, no further.
            return f"{name}::{kind.replace('numeric', 'DECIMAL')}::VARCHAR"
        case "text[]" if found == "VARCHAR[]":
            return list_as_postgres_text(name)
        case _:
            return f"{name}::VARCHAR"


def list_as_postgres_text(name: str) -> str:
    """As Postgres' array_out writes an array of one dimension, quotes included."""
    quoted = rf"""'"' || replace(replace(e, '\', '\\'), '"', '\"') || '"'"""
    needs_quotes = rf"""e = '' OR upper(e) = 'NULL' OR regexp_matches(e, '[{{}},"\\\s]')"""
    element = f"CASE WHEN e IS NULL THEN 'NULL' WHEN {needs_quotes} THEN {quoted} ELSE e END"
    return f"'{{' || array_to_string(list_transform({name}, lambda e: {element}), ',') || '}}'"
