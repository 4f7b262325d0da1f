"""The benchmark, end to end: a Postgres of its own, the tables, the contenders in turn, the proof, the report.

Started by `make bench`, which makes the environment and builds the programs first.
"""

import argparse
import shutil
import signal
import sys
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from arguments import parse_arguments
from contenders import Programs, Section, section_lineitem, section_typed, section_wide, section_workers
from database import Database
from failure import BenchError
from folders import ROOT, TARGET
from load import load_tables
from machine import look_around
from proof import Proof
from readme import BEGIN, write_readme
from results_file import read_results, write_section
from rounds import Outcome, run_section
from server import running_server
from show import beside_scale_1, markdown_table, terminal_table
from summary import Line, summarise

PACKAGES = ("duckdb", "duckdb-extension-postgres-scanner", "chdb", "tpchgen-cli")
# For one contender at scale 1. The slowest needs a minute where others compute as well.
DEADLINE = 900.0


def main() -> int:
    args = parse_arguments()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: sys.exit(128 + received))
    try:
        require_packages()
        programs = Programs(args.binary.resolve(), args.typed_path.resolve())
        if not args.load_only:
            require_programs(args.only, programs)
        with running_server(TARGET / f"bench-postgres-{args.scale}") as postgres:
            database = load_tables(postgres, Decimal(args.scale))
            return 0 if args.load_only else Benchmark(args, database, programs).run()
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def require_packages() -> None:
    try:
        for package in PACKAGES:
            version(package)
    except PackageNotFoundError as error:
        raise BenchError(
            f"the package {error.name} is missing; run `make bench-setup` and then"
            " target/bench-venv/bin/python project_bench/run.py."
        ) from error


def require_programs(sections: tuple[str, ...], programs: Programs) -> None:
    if sections != ("typed",) and not programs.project.is_file():
        raise BenchError(f"{programs.project} does not exist; build it with `make build`, or name it with --binary=.")
    if "typed" in sections and not programs.typed_path.is_file():
        raise BenchError(
            f"{programs.typed_path} does not exist; build it with `cargo build --release --workspace`, name it with"
            " --typed-path=, or leave the section out with --only=."
        )


@dataclass
class Benchmark:
    args: argparse.Namespace
    database: Database
    programs: Programs

    def __post_init__(self) -> None:
        self.about = look_around(self.database, self.args.scale, self.args.runs)
        self.results = TARGET / f"bench-results-{self.args.scale}.json"
        # A file that cannot be read must show before the measuring, not after it.
        read_results(self.results)
        # The server of this scale runs once at a time, so nobody else is in this folder.
        self.out = TARGET / "bench-out" / self.args.scale

    def run(self) -> int:
        print(self.about.sentence(), flush=True)
        lines: dict[str, list[Line]] = {}
        proofs: dict[str, Proof] = {}
        failed = False
        try:
            for name in self.args.only:
                section = self.section(name)
                table = section.table
                proof = proofs[table.name] = proofs.get(table.name) or Proof(self.database, table)
                outcomes = self.measure(section, proof)
                failed |= any(outcome.error is not None for outcome in outcomes)
                if section.timed:
                    lines[name] = summarise(outcomes)
                    self.report(section, lines[name], proof, outcomes)
        finally:
            shutil.rmtree(self.out, ignore_errors=True)
        if self.args.write_readme and lines:
            self.readme(lines, failed)
        return 1 if failed else 0

    def section(self, name: str) -> Section:
        peers = self.args.peers or Decimal(self.args.scale) <= 1
        builders = {
            "lineitem": partial(section_lineitem, peers=peers),
            "wide": partial(section_wide, peers=peers),
            "typed": section_typed,
            "workers": section_workers,
        }
        return builders[name](self.database, self.programs)

    def measure(self, section: Section, proof: Proof) -> list[Outcome]:
        deadline = DEADLINE * max(1.0, float(self.args.scale))
        return run_section(section, self.args.runs if section.timed else 1, self.out, proof, deadline)

    def report(self, section: Section, lines: list[Line], proof: Proof, outcomes: list[Outcome]) -> None:
        print(terminal_table(section.name, lines, self.about), flush=True)
        write_section(self.results, section.name, self.about, int(proof.rows), outcomes)
        if Decimal(self.args.scale) > 1:
            small = read_results(TARGET / "bench-results-1.json").get(section.name)
            if small is None:
                print(f"There is no result of {section.name} at scale 1 to stand beside it: run `make bench` first.")
            else:
                print(beside_scale_1(section.name, small, int(proof.rows), lines), flush=True)

    def readme(self, lines: dict[str, list[Line]], failed: bool) -> None:
        table = markdown_table(lines, self.about)
        if failed:
            print("README.md stays as it is, because a contender failed.")
        elif write_readme(ROOT / "README.md", table):
            print("README.md has the new table.")
        else:
            print(f"README.md has no line {BEGIN}, so here is its table:\n\n{table}")


if __name__ == "__main__":
    sys.exit(main())
