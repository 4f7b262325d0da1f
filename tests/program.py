"""The binary under test, and what its own help text says of its flags, variables and exit codes."""

import os
import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
USAGE = (REPOSITORY / "project_cli/src/usage.txt").read_text()
SOURCES = REPOSITORY / "project_cli/src"
CONFIG = "".join(file.read_text() for file in (SOURCES / "config.rs", *sorted((SOURCES / "config").glob("*.rs"))))


def binary() -> Path:
    """What `cargo test` has just built."""
    target = REPOSITORY / os.environ.get("CARGO_TARGET_DIR", "target")
    program = target / "debug/project"
    if not program.exists():
        raise FileNotFoundError(f"{program} is missing; `make test` builds it, and so does `cargo build`")
    return program


def flags() -> set[str]:
    """Every long flag, with its dashes."""
    options = re.findall(r"^  (?:-\w )?(?:-\w \.\.\.)?(--[a-z0-9-]+)", USAGE, re.MULTILINE)
    return set(options)


def variables() -> set[str]:
    """Every variable: that of each flag, and those with names of their own."""
    of_flags = {"PROJECT_" + flag.removeprefix("--").replace("-", "_").upper() for flag in flags()}
    own = set(re.findall(r'variable\("([A-Z_]+)"\)', CONFIG))
    listed = re.findall(r"(?:first_of\(settings, &|of_variables\(settings, )\[(.*?)\]", CONFIG)
    own |= {name for names in listed for name in re.findall(r'"([A-Z_]+)"', names)}
    return of_flags | own | {"PROJECT_VERBOSE"}


def exit_codes() -> set[int]:
    """Every code that the help text names, 0 included."""
    text = USAGE[USAGE.index("Exit codes:") :]
    return {int(code) for code in re.findall(r"\b\d+\b", text)}
