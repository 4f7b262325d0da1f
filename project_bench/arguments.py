"""The command line of the benchmark."""

import argparse
import re
from decimal import Decimal
from pathlib import Path

from folders import TARGET

SECTIONS = ("lineitem", "wide", "typed", "workers")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The benchmark, end to end.", allow_abbrev=False)
    parser.add_argument("--scale", type=scale, default="1", help="of TPC-H: 1 is 6 million rows (default: 1)")
    parser.add_argument("--runs", type=rounds, default=5, help="rounds; the figures are their medians (default: 5)")
    parser.add_argument("--only", type=section_names, default=SECTIONS, help=f"some of {','.join(SECTIONS)}")
    parser.add_argument("--peers", action="store_true", help="measure the peers at a scale above 1 as well")
    parser.add_argument("--binary", type=Path, default=TARGET / "release/project")
    parser.add_argument("--typed-path", type=Path, default=TARGET / "release/typed_path")
    parser.add_argument("--load-only", action="store_true", help="fill the database and exit")
    parser.add_argument("--write-readme", action="store_true", help="put the table into README.md")
    return parser.parse_args()


def scale(text: str) -> str:
    """The same scale always has the same text, because folders are named after it."""
    if not re.fullmatch(r"\d{1,3}(\.\d{1,3})?", text) or not (number := Decimal(text)):
        raise argparse.ArgumentTypeError("a scale is a number such as 1, 10 or 0.05")
    return f"{number.normalize():f}"


def rounds(text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError("the number of rounds is a whole number from 1")
    return int(text)


def section_names(text: str) -> tuple[str, ...]:
    wanted = text.split(",")
    if unknown := [name for name in wanted if name not in SECTIONS]:
        raise argparse.ArgumentTypeError(f"there is no section {', '.join(unknown)}, only {', '.join(SECTIONS)}")
    return tuple(name for name in SECTIONS if name in wanted)
