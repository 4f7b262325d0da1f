"""What the runs of a section come to: medians of all of them, and how they compare."""

from dataclasses import asdict, dataclass
from statistics import median

from contenders import Role
from rounds import Outcome

# The faster of the two ways to read a table with nothing behind it; the ratio to raw COPY is the ratio to this one.
RAW = "raw-2"


@dataclass(frozen=True)
class Line:
    """One contender. It has no figures when it failed."""

    contender: str
    error: str | None = None
    wall: float | None = None
    wall_min: float | None = None
    wall_max: float | None = None
    against_raw: float | None = None
    against_peer: float | None = None
    cpu: float | None = None
    peak_bytes: int | None = None
    output_bytes: int | None = None


def summarise(outcomes: list[Outcome]) -> list[Line]:
    walls = {done.contender.name: wall_of(done) for done in outcomes if done.error is None}
    peers = [walls[done.contender.name] for done in outcomes if done.contender.role == Role.PEER and done.error is None]
    return [line_of(done, walls.get(RAW), min(peers, default=None)) for done in outcomes]


def wall_of(done: Outcome) -> float:
    return median(run.usage.wall for run in done.runs)


def line_of(done: Outcome, raw: float | None, peer: float | None) -> Line:
    if done.error is not None:
        return Line(done.contender.name, done.error)
    wall = wall_of(done)
    # Raw COPY writes nothing, and the memory of a psql that only throws away tells nothing.
    writes = done.contender.role != Role.RAW
    return Line(
        contender=done.contender.name,
        wall=wall,
        wall_min=min(run.usage.wall for run in done.runs),
        wall_max=max(run.usage.wall for run in done.runs),
        against_raw=None if raw is None else wall / raw,
        against_peer=wall / peer if writes and peer is not None else None,
        cpu=median(run.usage.cpu for run in done.runs),
        peak_bytes=round(median(run.usage.peak_bytes for run in done.runs)) if writes else None,
        output_bytes=round(median(run.output_bytes for run in done.runs)) if writes else None,
    )


def as_json(outcomes: list[Outcome]) -> list[dict[str, object]]:
    """Every run stands in the results, not only their medians."""
    lines = zip(outcomes, summarise(outcomes), strict=True)
    return [
        asdict(line) | {"runs": [asdict(run.usage) | {"output_bytes": run.output_bytes} for run in done.runs]}
        for done, line in lines
    ]
