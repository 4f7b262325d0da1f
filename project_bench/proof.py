"""Proves that what was written is what Postgres holds, by an engine that shares no code with ours."""

import json
import subprocess
import sys
from pathlib import Path

from canonical import postgres_column_proofs, postgres_proof
from clean_environment import clean_environment
from database import Database
from failure import BenchError
from tables import Table

HASH_PARQUET = Path(__file__).with_name("hash_parquet.py")


class Proof:
    """The rows and the hash of one table, computed once by Postgres."""

    def __init__(self, database: Database, table: Table) -> None:
        self.database = database
        self.table = table
        print(f"hashing public.{table.name} in Postgres ...", flush=True)
        self.rows, self.hash = database.query("SET TimeZone = 'UTC'", postgres_proof(table)).split("|")

    def check(self, folder: Path, run: str) -> None:
        """Ends the benchmark when the Parquet files in the folder do not hold exactly the table's rows."""
        rows, found = self.read(folder, run)
        if rows != self.rows:
            raise BenchError(f"{run}: the files hold {rows} rows, public.{self.table.name} has {self.rows}.")
        if found != self.hash:
            raise BenchError(
                f"{run}: the files differ from public.{self.table.name} in {', '.join(self.differing(folder, run))}."
            )

    def count(self, folder: Path, run: str) -> str:
        (rows,) = self.read(folder, run, "--rows")
        return rows

    def differing(self, folder: Path, run: str) -> list[str]:
        wanted = self.database.query("SET TimeZone = 'UTC'", postgres_column_proofs(self.table)).split("|")
        found = self.read(folder, run, "--columns")
        columns = zip(self.table.columns, wanted, found, strict=True)
        # Each column alone may be right when the values of two rows were exchanged.
        return [column.name for column, a, b in columns if a != b] or ["how the values of its rows belong together"]

    def read(self, folder: Path, run: str, *options: str) -> list[str]:
        command = [sys.executable, HASH_PARQUET, *options, self.table.name, folder]
        done = subprocess.run(command, capture_output=True, text=True, env=clean_environment())
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise BenchError(f"{run}: the files cannot be compared with public.{self.table.name}: {lines[-1]}")
        return json.loads(done.stdout)
