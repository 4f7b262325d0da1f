"""A real Postgres of the tests' own; scripts/throwaway_postgres.sh runs it and removes it."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from program import REPOSITORY
from ready_process import ready_process

SCRIPTS, DEMO = REPOSITORY / "scripts", REPOSITORY / "demo"
SMALL_SHOP = {"users": 20, "orders": 50, "products": 10, "events": 100, "days": 3}


class Server:
    """Everybody on 127.0.0.1 is let in; the superuser is `postgres`."""

    def __init__(self, address: str) -> None:
        self.address = address
        programs = subprocess.run(
            [SCRIPTS / "install_postgres.sh", "--bindir"], capture_output=True, check=True, text=True
        )
        self.programs = Path(programs.stdout.strip())

    def uri(self, role: str, database: str) -> str:
        return f"postgres://{role}@{self.address}/{database}"

    def psql(self, role: str, database: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Runs psql, which stops at the first error."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        command = [self.programs / "psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *arguments, self.uri(role, database)]
        nothing = subprocess.DEVNULL
        return subprocess.run(command, env=environment, stdin=nothing, capture_output=True, text=True, timeout=120)

    def must(self, role: str, database: str, *arguments: str | Path) -> str:
        """As `psql`, but a failure is the test's."""
        done = self.psql(role, database, *arguments)
        if done.returncode != 0:
            raise AssertionError(f"psql {arguments}: {done.stderr}")
        return done.stdout + done.stderr

    def load_shop(self, owner: str = "postgres") -> None:
        """The sample shop, small, in a database of its own."""
        self.must("postgres", "postgres", "-c", f'CREATE DATABASE shop OWNER "{owner}"')
        sizes = [word for name, size in SMALL_SHOP.items() for word in ("-v", f"{name}={size}")]
        self.must(owner, "shop", "-f", DEMO / "schema.sql", *sizes, "-f", DEMO / "shop.sql")


@contextmanager
def running_server() -> Iterator[Server]:
    """A server that ends with the block, or with this process."""
    with tempfile.TemporaryDirectory(prefix="project-postgres-") as folder:
        # The server's user must get in.
        os.chmod(folder, 0o755)
        command = [SCRIPTS / "throwaway_postgres.sh", Path(folder) / "server"]
        with ready_process(command, "the throw-away Postgres", 30) as address:
            yield Server(address)
