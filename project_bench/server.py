"""The benchmark's own Postgres: a throw-away server whose data is kept for the next run."""

import select
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clean_environment import clean_environment
from database import Database
from failure import BenchError
from folders import SCRIPTS

START_DEADLINE = 120.0
STOP_DEADLINE = 60.0

# Nothing of the server's own works beside the contenders. The data can be made again, so nothing is synced.
SETTINGS = {
    "shared_buffers": "2GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "1h",
    "maintenance_work_mem": "512MB",
    "fsync": "off",
    "jit": "off",
    "autovacuum": "off",
}


@contextmanager
def running_server(directory: Path) -> Iterator[Database]:
    """Starts the server with SETTINGS and stops it at the end; gives its database `postgres`."""
    programs = find_programs()
    with started(directory, programs) as postgres:
        wrong = wrong_settings(postgres)
        if not wrong:
            yield postgres
            return
        postgres.query(*(f"ALTER SYSTEM SET {name} = '{SETTINGS[name]}'" for name in wrong))
    with started(directory, programs) as postgres:
        if wrong := wrong_settings(postgres):
            raise BenchError(f"Postgres in {directory} did not take {', '.join(wrong)}; remove the folder.")
        yield postgres


def wrong_settings(postgres: Database) -> list[str]:
    return [name for name, value in SETTINGS.items() if postgres.query(f"SHOW {name}") != value]


def find_programs() -> Path:
    """The folder of Postgres' programs; installs them when they are missing, and says so."""
    done = subprocess.run([SCRIPTS / "install_postgres.sh", "--bindir"], stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise BenchError("the server programs of Postgres were not found; see above.")
    return Path(done.stdout.strip())


@contextmanager
def started(directory: Path, programs: Path) -> Iterator[Database]:
    """The server lives as long as the script's standard input is open, so it ends even when this process is killed."""
    script = subprocess.Popen(
        [SCRIPTS / "throwaway_postgres.sh", "--keep", directory],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=clean_environment(),
        # Ctrl-C on the terminal is for this process alone, which then stops the server in good order.
        start_new_session=True,
    )
    try:
        host, port = read_address(script)
        yield Database(programs, host, port, "postgres")
    finally:
        script.stdin.close()
        script.wait(STOP_DEADLINE)


def read_address(script: subprocess.Popen[bytes]) -> tuple[str, int]:
    """The script prints one line: `ready 127.0.0.1:PORT PID`."""
    readable, _, _ = select.select([script.stdout], [], [], START_DEADLINE)
    words = script.stdout.readline().decode().split() if readable else []
    if len(words) != 3 or words[0] != "ready":
        raise BenchError("the throw-away Postgres did not start; see above.")
    host, _, port = words[1].rpartition(":")
    return host, int(port)
