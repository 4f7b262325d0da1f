"""One database of the benchmark's Postgres, spoken to through psql."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from clean_environment import clean_environment
from failure import BenchError


@dataclass(frozen=True)
class Database:
    """Everybody on 127.0.0.1 is let in without a password."""

    programs: Path
    host: str
    port: int
    name: str

    def uri(self) -> str:
        return f"postgres://postgres@{self.host}:{self.port}/{self.name}"

    def psql(self, *statements: str) -> list[str]:
        """The command line of one psql that runs these statements."""
        command = [str(self.programs / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", self.uri()]
        return command + [part for statement in statements for part in ("-c", statement)]

    def query(self, *statements: str) -> str:
        """Runs the statements and returns what they print, columns divided by `|`."""
        done = subprocess.run(
            self.psql(*statements), stdin=subprocess.DEVNULL, capture_output=True, text=True, env=clean_environment()
        )
        if done.returncode != 0:
            raise BenchError(f"Postgres refused a statement in the database {self.name}: {done.stderr.strip()}")
        return done.stdout.strip()
