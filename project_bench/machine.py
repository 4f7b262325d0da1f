"""Where the figures come from: the machine, the programs and their versions."""

import os
import platform
import re
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path

from database import Database


@dataclass(frozen=True)
class About:
    date: str
    cores: int
    cpu: str
    memory_gib: int
    postgres: str
    duckdb: str
    chdb: str
    scale: str
    rounds: int

    def sentence(self) -> str:
        return (
            f"{self.date}, {self.cores} cores of {self.cpu}, {self.memory_gib} GiB, Postgres {self.postgres} on the"
            f" same machine; DuckDB {self.duckdb}, chdb {self.chdb}; scale {self.scale}, {self.medians()}."
        )

    def medians(self) -> str:
        return "one round" if self.rounds == 1 else f"medians of {self.rounds} rounds"


def look_around(database: Database, scale: str, rounds: int) -> About:
    return About(
        date=date.today().isoformat(),
        cores=len(os.sched_getaffinity(0)),
        cpu=cpu_model(),
        memory_gib=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        postgres=database.query("SHOW server_version").split()[0],
        duckdb=version("duckdb"),
        chdb=version("chdb"),
        scale=scale,
        rounds=rounds,
    )


def cpu_model() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1] if found else platform.machine()
