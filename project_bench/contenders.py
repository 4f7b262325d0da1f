"""Who is measured: the sections of the benchmark, and the command lines of their contenders."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from database import Database
from tables import LINEITEM, ORDERS_WIDE, Table

HERE = Path(__file__).resolve().parent
# The same for both: it is the way of reading and writing that is compared, not the effort of the compressor.
TYPED_GZIP_LEVEL = 2
PROVEN_WORKERS = (1, 3, 7)


class Role(StrEnum):
    OURS = "ours"
    PEER = "peer"  # what ours is compared with
    RAW = "raw"  # only reads: the floor that no tool can go below


@dataclass(frozen=True)
class Contender:
    name: str
    role: Role
    # Its files must hold exactly what Postgres holds. Of the others only the rows are counted: each of them changes
    # something, such as the blanks of char(n).
    proven: bool
    # The commands that run at once, for the folder of the output.
    commands: Callable[[Path], list[list[str]]]


@dataclass(frozen=True)
class Section:
    name: str
    table: Table
    contenders: list[Contender]
    timed: bool = True


@dataclass(frozen=True)
class Programs:
    project: Path
    typed_path: Path


def section_lineitem(database: Database, programs: Programs, peers: bool) -> Section:
    contenders = [
        raw_copy(database, connections=2),
        raw_copy(database, connections=1),
        project("project", database, programs, LINEITEM),
        project("project --workers=1", database, programs, LINEITEM, "--workers=1"),
    ]
    return Section("lineitem", LINEITEM, contenders + (peers_on(database, LINEITEM) if peers else []))


def section_wide(database: Database, programs: Programs, peers: bool) -> Section:
    ours = project("project", database, programs, ORDERS_WIDE)
    return Section("wide", ORDERS_WIDE, [ours] + (peers_on(database, ORDERS_WIDE) if peers else []))


def section_typed(database: Database, programs: Programs) -> Section:
    """The first version is what the typed path is compared with; its files are proven as well."""
    ours = typed_path("project", Role.OURS, database, programs)
    return Section("typed", LINEITEM, [ours, typed_path("first-version", Role.PEER, database, programs)])


def section_workers(database: Database, programs: Programs) -> Section:
    """The files must be right with any number of workers, also more than there are cores."""
    options = [f"--workers={number}" for number in PROVEN_WORKERS]
    contenders = [project(f"project {option}", database, programs, LINEITEM, option) for option in options]
    return Section("workers", LINEITEM, contenders, timed=False)


def project(name: str, database: Database, programs: Programs, table: Table, *options: str) -> Contender:
    command = [str(programs.project), database.uri(), f"--table=public.{table.name}", "--quiet", *options]
    return Contender(name, Role.OURS, True, lambda folder: [[*command, f"--upload={folder / 'lake'}"]])


def typed_path(which: str, role: Role, database: Database, programs: Programs) -> Contender:
    command = [str(programs.typed_path), which, database.uri()]
    level = str(TYPED_GZIP_LEVEL)
    return Contender(which, role, True, lambda folder: [[*command, str(folder / "lineitem.parquet"), level]])


def peers_on(database: Database, table: Table) -> list[Contender]:
    def peer(name: str) -> Contender:
        command = [sys.executable, str(HERE / f"peer_{name}.py"), database.uri(), table.name]
        return Contender(name, Role.PEER, False, lambda folder: [[*command, str(folder / f"{table.name}.parquet")]])

    return [peer("chdb"), peer("duckdb")]


def raw_copy(database: Database, connections: int) -> Contender:
    """What the server needs to send lineitem, with a client that throws it away."""
    if connections == 1:
        filters = [""]
    else:
        size = "pg_relation_size('public.lineitem') / current_setting('block_size')::int"
        middle = f"'({database.query(f'SELECT {size} / 2')},0)'"
        filters = [f"WHERE ctid < {middle}", f"WHERE ctid >= {middle}"]
    commands = [
        database.psql(f"COPY (SELECT * FROM public.lineitem {where}) TO STDOUT (FORMAT binary)") for where in filters
    ]
    return Contender(f"raw-{connections}", Role.RAW, False, lambda folder: commands)
