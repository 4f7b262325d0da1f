"""Fills the benchmark's database, once: a marker for each table tells what is in it."""

import hashlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from time import monotonic

from clean_environment import clean_environment
from database import Database
from failure import BenchError
from tables import LINEITEM, ORDERS_WIDE, Table, fill_orders_wide

DATABASE = "bench"
CREATE_MARKER = """
CREATE SCHEMA IF NOT EXISTS bench;
CREATE TABLE IF NOT EXISTS bench.loaded (table_name text PRIMARY KEY, rows bigint, scale numeric, definition text)
"""


def load_tables(postgres: Database, scale: Decimal) -> Database:
    """Loads what is not there yet; gives the database."""
    if not postgres.query(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'"):
        postgres.query(f"CREATE DATABASE {DATABASE}")
    database = replace(postgres, name=DATABASE)
    database.query("SET client_min_messages = warning", CREATE_MARKER)
    load_once(database, LINEITEM, scale, lineitem_recipe(), copy_lineitem)
    load_once(database, ORDERS_WIDE, scale, fill_orders_wide(scale), insert_orders_wide)
    return database


def rows_of(database: Database, table: Table) -> int:
    return int(database.query(f"SELECT rows FROM bench.loaded WHERE table_name = '{table.name}'"))


def load_once(
    database: Database, table: Table, scale: Decimal, recipe: str, fill: Callable[[Database, Decimal], None]
) -> None:
    # Line breaks are not part of what a recipe makes.
    definition = hashlib.sha256(" ".join(f"{table.definition()} {recipe}".split()).encode()).hexdigest()
    mark = f"table_name = '{table.name}' AND scale = {scale} AND definition = '{definition}'"
    if database.query(f"SELECT 1 FROM bench.loaded WHERE {mark} AND to_regclass('public.{table.name}') IS NOT NULL"):
        return
    print(f"loading public.{table.name} at scale {scale} ...", flush=True)
    started = monotonic()
    database.query(f"DELETE FROM bench.loaded WHERE table_name = '{table.name}'")
    fill(database, scale)
    # Frozen and analysed, so that no reader writes hint bits and every run finds the same pages.
    database.query(f"VACUUM (FREEZE, ANALYZE) public.{table.name}", "CHECKPOINT")
    rows = database.query(
        f"INSERT INTO bench.loaded SELECT '{table.name}', count(*), {scale}, '{definition}' FROM public.{table.name}"
        " RETURNING rows"
    )
    print(f"loading public.{table.name}: {int(rows):,} rows in {monotonic() - started:.0f} s", flush=True)


def recreate(table: Table) -> str:
    """In the transaction of the fill, which then skips the write-ahead log."""
    return f"BEGIN; DROP TABLE IF EXISTS public.{table.name}; {table.definition()}"


def insert_orders_wide(database: Database, scale: Decimal) -> None:
    database.query("SET client_min_messages = warning", recreate(ORDERS_WIDE), fill_orders_wide(scale), "COMMIT")


def lineitem_recipe() -> str:
    return f"tpchgen-cli {version('tpchgen-cli')}"


def copy_lineitem(database: Database, scale: Decimal) -> None:
    """The generator writes into COPY, so no file of this size is needed."""
    program = Path(sys.executable).parent / "tpchgen-cli"
    arguments = ["csv", f"--scale-factor={scale}", "--tables=lineitem", "--stdout", "--quiet"]
    generator = subprocess.Popen([program, *arguments], stdout=subprocess.PIPE, env=clean_environment())
    copy = "COPY public.lineitem FROM STDIN (FORMAT csv, HEADER, FREEZE)"
    # psql cannot know whether the generator ended well: what counts is the marker, written when both have succeeded.
    statements = database.psql("SET client_min_messages = warning", recreate(LINEITEM), copy, "COMMIT")
    try:
        loaded = subprocess.run(
            statements, stdin=generator.stdout, capture_output=True, text=True, env=clean_environment()
        )
        generator.stdout.close()
        ended = generator.wait()
    finally:
        generator.kill()
        generator.wait()
    if loaded.returncode != 0:
        raise BenchError(f"Postgres did not take the rows of lineitem: {loaded.stderr.strip()}")
    if ended != 0:
        raise BenchError(f"tpchgen-cli ended with {ended} before lineitem was complete; see above.")
