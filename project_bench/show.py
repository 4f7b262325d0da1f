"""The tables for people, on the terminal and in Markdown."""

from typing import Any

from machine import About
from measure import smallest_peak
from summary import Line

FIGURES = ["× raw COPY", "× best peer", "CPU s", "peak MB", "MB out"]
# For readers who do not know the names of the sections and contenders.
TITLES = {"lineitem": "TPC-H lineitem", "wide": "orders_wide", "typed": "lineitem through a struct"}
LABELS = {
    "raw-2": "COPY to nowhere, 2 connections",
    "raw-1": "COPY to nowhere, 1 connection",
    "duckdb": "DuckDB",
    "first-version": "its first version",
}


def terminal_table(section: str, lines: list[Line], about: About) -> str:
    rows = [["contender", "wall s", "min..max", *FIGURES]]
    for line in lines:
        wall, *others = figures(line)
        spread = "" if line.error else f"{line.wall_min:.2f}..{line.wall_max:.2f}"
        rows.append([line.contender, wall, spread, *others])
    errors = "".join(f"  {line.contender}: {line.error}\n" for line in lines if line.error)
    return f"\n== {section}, {about.medians()}\n{aligned(rows)}\n{errors}"


def markdown_table(sections: dict[str, list[Line]], about: About) -> str:
    rows = [["table", "contender", "wall s", *FIGURES], ["---", "---", *["---:"] * 6]]
    for section, lines in sections.items():
        for line in lines:
            rows.append([TITLES[section], LABELS.get(line.contender, line.contender), *figures(line)])
    table = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return f"Measured {about.sentence()}\n\n{table}"


def beside_scale_1(section: str, small: dict[str, Any], rows: int, lines: list[Line]) -> str:
    """Whether speed and memory stay what they are when the table grows."""
    table = [["contender", "rows/s at 1", "rows/s now", "peak MB at 1", "peak MB now"]]
    before = {line["contender"]: line for line in small["contenders"] if line["error"] is None}
    for line in lines:
        old = before.get(line.contender)
        if line.error is None and old is not None:
            speeds = [f"{small['rows'] / old['wall']:,.0f}", f"{rows / line.wall:,.0f}"]
            table.append([line.contender, *speeds, megabytes(old["peak_bytes"], 0), megabytes(line.peak_bytes, 0)])
    return f"{section} beside scale 1, measured {small['about']['date']}\n{aligned(table)}\n"


def figures(line: Line) -> list[str]:
    if line.error is not None:
        return ["failed", *[""] * len(FIGURES)]
    bound = "≤ " if line.peak_bytes is not None and line.peak_bytes <= smallest_peak() else ""
    return [
        f"{line.wall:.2f}",
        ratio(line.against_raw),
        ratio(line.against_peer),
        f"{line.cpu:.1f}",
        bound + megabytes(line.peak_bytes, 0),
        megabytes(line.output_bytes, 1),
    ]


def ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def megabytes(value: int | None, digits: int) -> str:
    return "" if value is None else f"{value / 1e6:.{digits}f}"


def aligned(rows: list[list[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  " + row[0].ljust(widths[0]) + "".join(cell.rjust(width + 2) for cell, width in zip(row[1:], widths[1:]))
        for row in rows
    )
