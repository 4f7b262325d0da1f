"""The programs that scripts/install_operations_tools.sh builds."""

import subprocess
from pathlib import Path

from program import REPOSITORY


def tool(name: str) -> Path:
    path = REPOSITORY / "target/tools" / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; `make test-setup` builds it")
    return path


def promtool(*arguments: str | Path, input: str = "") -> str:
    """What it says; a complaint of it is the test's failure."""
    command = [tool("promtool"), *arguments]
    done = subprocess.run(command, input=input, capture_output=True, text=True, timeout=120)
    # "check metrics" ends with 0 when it only has something to remark.
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"promtool {arguments}:\n{done.stdout}{done.stderr}\n{input}")
    return done.stdout
