"""target/bench-results-<scale>.json: what was measured last, section by section."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from failure import BenchError
from machine import About
from measure import smallest_peak
from rounds import Outcome
from summary import as_json


def read_results(file: Path) -> dict[str, Any]:
    if not file.exists():
        return {}
    try:
        return json.loads(file.read_text())["sections"]
    except (ValueError, KeyError, TypeError) as error:
        raise BenchError(f"{file} was not written by this benchmark; remove it.") from error


def write_section(file: Path, name: str, about: About, rows: int, outcomes: list[Outcome]) -> None:
    """Takes the place of an older result of this section; the others stay, each with its own date and machine."""
    sections = read_results(file)
    sections[name] = {
        "about": asdict(about),
        "rows": rows,
        # A peak of memory that is not above this one is an upper bound.
        "smallest_peak_bytes": smallest_peak(),
        "contenders": as_json(outcomes),
    }
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps({"sections": sections}, indent=2) + "\n")
    partial.rename(file)
