"""A server of the tests' own that says `ready ADDRESS` and ends when nobody holds its input open any more."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def ready_process(command: Sequence[str | Path], name: str, end_deadline: int) -> Iterator[str]:
    """Its address; it ends with the block, or with this process, within so many seconds."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            word, address = (process.stdout.readline().split() + ["", ""])[:2]
            if word != "ready":
                raise AssertionError(f"{name} did not start; it says why above")
            yield address
        finally:
            process.stdin.close()
            process.wait(end_deadline)
