"""The programs that scripts/install_operations_tools.sh builds."""

from pathlib import Path

from program import REPOSITORY


def tool(name: str) -> Path:
    path = REPOSITORY / "target/tools" / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; `make test-setup` builds it")
    return path
