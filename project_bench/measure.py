"""Runs the processes of one contender and measures them: wall clock, processor time, memory."""

import os
import resource
import select
import signal
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from time import monotonic

from clean_environment import clean_environment

KEPT_OF_STDERR = 2000


@dataclass(frozen=True)
class Usage:
    wall: float
    cpu: float
    peak_bytes: int


class ContenderFailed(Exception):
    """What the contender itself said about it."""


def measure(commands: list[list[str]], folder: Path, deadline: float) -> Usage:
    """Runs the commands at once in the folder. Memory and processor time are sums over them."""
    started = monotonic()
    processes: list[subprocess.Popen[bytes]] = []
    with TemporaryFile() as stderr:
        try:
            for command in commands:
                processes.append(start(command, folder, stderr.fileno()))
            spent = [wait(process, started + deadline, deadline) for process in processes]
            wall = monotonic() - started
        finally:
            for process in processes:
                kill(process)
        for process in processes:
            if process.returncode != 0:
                raise ContenderFailed(last_words(process.returncode, stderr.fileno()))
    return Usage(wall, sum(one.ru_utime + one.ru_stime for one in spent), sum(one.ru_maxrss for one in spent) * 1024)


def smallest_peak() -> int:
    """A child begins as this process, and Linux counts that into its peak: a smaller one cannot be seen."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def start(command: list[str], folder: Path, stderr: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env=clean_environment(),
        )
    except OSError as error:
        raise ContenderFailed(f"{command[0]} cannot be started: {error.strerror}") from error


def wait(process: subprocess.Popen[bytes], end: float, deadline: float) -> resource.struct_rusage:
    handle = os.pidfd_open(process.pid)
    try:
        ended, _, _ = select.select([handle], [], [], max(0.0, end - monotonic()))
    finally:
        os.close(handle)
    if not ended:
        raise ContenderFailed(f"it was not done after {deadline:.0f} s")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage


def kill(process: subprocess.Popen[bytes]) -> None:
    """Popen's own poll() would take the usage away from wait4, so only what was never waited for comes here."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.wait()


def last_words(code: int, stderr: int) -> str:
    size = os.fstat(stderr).st_size
    text = os.pread(stderr, KEPT_OF_STDERR, max(0, size - KEPT_OF_STDERR)).decode(errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    return f"{how}: {lines[-1] if lines else 'it said nothing'}"
