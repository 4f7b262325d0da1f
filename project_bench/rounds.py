"""Runs the contenders of a section in turn, and proves what ours wrote."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from contenders import Contender, Role, Section
from measure import ContenderFailed, Usage, measure
from parquet_files import parquet_files, total_bytes
from proof import Proof


@dataclass(frozen=True)
class Run:
    usage: Usage
    output_bytes: int


@dataclass
class Outcome:
    """Everything that one contender did. With an error it has no result, whatever its other runs were."""

    contender: Contender
    runs: list[Run] = field(default_factory=list)
    error: str | None = None


def run_section(section: Section, runs: int, out: Path, proof: Proof, deadline: float) -> list[Outcome]:
    outcomes = [Outcome(contender) for contender in section.contenders]
    for number in range(runs):
        # Another contender begins each round, so that none always has the same neighbour before it.
        first = number % len(outcomes)
        for outcome in outcomes[first:] + outcomes[:first]:
            if outcome.error is None:
                place = f"{section.name}, round {number + 1} of {runs}, {outcome.contender.name}"
                seen = run_once(outcome, place, out, proof, deadline)
                print(f"{place}: {seen if section.timed or outcome.error else 'proven'}", flush=True)
    return outcomes


def run_once(outcome: Outcome, place: str, out: Path, proof: Proof, deadline: float) -> str:
    """Adds one run to the outcome and says what was seen."""
    contender = outcome.contender
    with fresh_folder(out) as folder:
        try:
            usage = measure(contender.commands(folder), folder, deadline)
            run = Run(usage, total_bytes(folder))
            verdict = judge(contender, folder, run, place, proof)
        except ContenderFailed as failed:
            outcome.error = str(failed)
            return f"FAILED, {failed}"
    outcome.runs.append(run)
    return f"{usage.wall:.2f} s, {usage.cpu:.2f} s CPU{verdict}"


def judge(contender: Contender, folder: Path, run: Run, place: str, proof: Proof) -> str:
    if contender.role == Role.RAW:
        return ""
    written = f", {run.usage.peak_bytes / 1e6:.0f} MB of memory, {run.output_bytes / 1e6:.1f} MB out"
    if not parquet_files(folder):
        raise ContenderFailed("it wrote no Parquet file")
    if contender.proven:
        proof.check(folder, place)
        return f"{written}, proven"
    if (rows := proof.count(folder, place)) != proof.rows:
        raise ContenderFailed(f"it wrote {rows} rows, public.{proof.table.name} has {proof.rows}")
    return f"{written}, all rows"


@contextmanager
def fresh_folder(out: Path) -> Iterator[Path]:
    folder = out / "run"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
