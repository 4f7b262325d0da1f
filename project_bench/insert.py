"""What a way back into Postgres costs: `project --file` beside `psql \\copy` of the same rows, into a table with a key.

Started by `make bench-insert`, which builds the program first. Prints a table.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from clean_environment import clean_environment
from database import Database
from failure import BenchError
from folders import ROOT, TARGET
from server import running_server

DEADLINE = 900.0
COLUMNS = """l_orderkey bigint NOT NULL, l_partkey bigint, l_suppkey bigint, l_linenumber integer NOT NULL,
    l_quantity numeric(15,2), l_extendedprice numeric(15,2), l_discount numeric(15,2), l_tax numeric(15,2),
    l_returnflag char(1), l_linestatus char(1), l_shipdate date, l_commitdate date, l_receiptdate date,
    l_shipinstruct text, l_shipmode text, l_comment text"""
# Values of the ranges and lengths of TPC-H, the same on every machine.
ROWS = """SELECT n / 4, n * 7919 % 200000, n * 104729 % 10000, n % 4, n % 50 + 1, (n * 31 % 10000000) / 100.0,
    n % 11 / 100.0, n % 9 / 100.0, substr('ANR', (n % 3 + 1)::int, 1), substr('OF', (n % 2 + 1)::int, 1),
    date '1992-01-01' + (n % 2500)::int, date '1992-02-01' + (n % 2400)::int, date '1992-01-10' + (n % 2500)::int,
    (ARRAY['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'])[n % 4 + 1],
    (ARRAY['AIR', 'TRUCK', 'MAIL', 'SHIP', 'RAIL'])[n % 5 + 1], left(md5(n::text) || md5((-n)::text), (n % 30 + 10)::int)
FROM generate_series(1, {rows}::bigint) AS n"""

Contender = Callable[[], list[str]]


def main() -> int:
    args = parse_arguments()
    signal.signal(signal.SIGTERM, lambda received, _: sys.exit(128 + received))
    try:
        if not args.binary.is_file():
            raise BenchError(f"{args.binary} does not exist; build it with `make build`, or name it with --binary=.")
        with running_server(TARGET / "bench-postgres-insert") as postgres, tempfile.TemporaryDirectory() as folder:
            Benchmark(postgres, args.binary.resolve(), Path(folder), args.rows).run(args.runs)
        return 0
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--runs", type=int, default=3, help="rounds, each of every contender in turn")
    parser.add_argument("--binary", type=Path, default=ROOT / "target/release/project")
    return parser.parse_args()


class Benchmark:
    def __init__(self, database: Database, binary: Path, folder: Path, rows: int) -> None:
        self.database = database
        self.binary = binary
        self.folder = folder
        self.rows = rows

    def run(self, rounds: int) -> None:
        self.prepare()
        contenders: dict[str, Contender] = {
            "psql \\copy (csv) straight into the table": lambda: self.copy("target"),
            "psql \\copy (csv) into a temporary table, then INSERT": self.copy_and_insert,
            "project --file=rows.csv": lambda: self.project("rows.csv"),
            "project --file=rows.parquet": lambda: self.project("parquet/public_rows"),
            "project --file=rows.parquet --mode=upsert, all rows there": lambda: self.project("parquet/public_rows", "upsert"),
        }
        seconds: dict[str, list[float]] = {name: [] for name in contenders}
        for number in range(rounds):
            for name, contender in contenders.items():
                if "all rows there" not in name:
                    self.database.query("TRUNCATE target", "CHECKPOINT")
                seconds[name].append(self.measure(name, contender()))
                print(f"round {number + 1}: {name}: {seconds[name][-1]:.2f} s", file=sys.stderr)
        self.show(seconds)

    def prepare(self) -> None:
        self.database.query(
            "DROP TABLE IF EXISTS rows, target",
            f"CREATE TABLE rows ({COLUMNS})",
            f"INSERT INTO rows {ROWS.format(rows=self.rows)}",
            f"CREATE TABLE target ({COLUMNS}, PRIMARY KEY (l_orderkey, l_linenumber))",
            "ANALYZE rows",
        )
        self.finish(self.database.psql(f"\\copy rows TO '{self.folder}/rows.csv' (FORMAT csv, HEADER)"))
        export = [str(self.binary), self.database.uri(), "--table=public.rows", f"--upload={self.folder}/parquet"]
        self.finish([*export, "--quiet"])

    def copy(self, table: str) -> list[str]:
        return self.database.psql(f"\\copy {table} FROM '{self.folder}/rows.csv' (FORMAT csv, HEADER)")

    def copy_and_insert(self) -> list[str]:
        return self.database.psql(
            "CREATE TEMPORARY TABLE staging (LIKE target)",
            f"\\copy staging FROM '{self.folder}/rows.csv' (FORMAT csv, HEADER)",
            "INSERT INTO target SELECT * FROM staging",
        )

    def project(self, file: str, mode: str = "insert") -> list[str]:
        return [str(self.binary), f"--file={self.folder}/{file}", "--into=public.target", f"--mode={mode}", "--quiet"]

    def measure(self, name: str, command: list[str]) -> float:
        start = time.monotonic()
        self.finish(command)
        seconds = time.monotonic() - start
        if (found := self.database.query("SELECT count(*) FROM target")) != str(self.rows):
            raise BenchError(f"{name}: the table has {found} rows and not {self.rows}.")
        return seconds

    def finish(self, command: list[str]) -> None:
        environment = clean_environment() | {"TARGET_DATABASE_URL": self.database.uri(), "TMPDIR": str(self.folder)}
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, timeout=DEADLINE
        )
        if done.returncode != 0:
            raise BenchError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")

    def show(self, seconds: dict[str, list[float]]) -> None:
        print("| contender | wall s | rows per s |\n| --- | ---: | ---: |")
        for name, walls in seconds.items():
            print(f"| {name} | {median(walls):.2f} | {self.rows / median(walls):,.0f} |")


if __name__ == "__main__":
    sys.exit(main())
