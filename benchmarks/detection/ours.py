"""What gates itself says of recorded epochs: its own campaign, which is handed rows in place of measuring, and its own
judges. Nothing of the rule is written down here a second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.detection.rows import Row
from gates.compare import Earlier, judge
from gates.demands import Policy, Tolerances
from gates.load.assignment import Assignment
from gates.load.rate import Rates
from gates.load.recording import Record
from gates.load.schedule import Arrivals
from gates.load.validity import Doubt
from gates.results import GateResult, Readings, Run, Verdict
from gates.tools.base import Context, EarlierBuild, Serving
from gates.tools.locust import Locust, summary
from gates.tools.locust.beside import BesideCampaign
from gates.tools.locust.epoch import Loaded
from gates.tools.locust.ratios import Paired

PLANNED: int = Locust().pair_epochs
"""Epochs at most, as the product has it by default."""
_POLICY = Policy({}, Tolerances(), {})
_CORES = {
    "processor": "as recorded", "cores": "2", "memory": "8.0 GiB", "kernel": "Linux", "architecture": "x86_64",
}  # fmt: skip


class OutOfRows(Exception):
    """The rows ended before the gate did."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a gate said: its verdict, what failed (measurement and scope), and what it took.

    `load` are seconds under load, warm ups and epochs that were measured again included; `wall` those that went by.
    """

    verdict: Verdict
    failed: tuple[tuple[str, str], ...]
    undecided: tuple[tuple[str, str], ...]
    epochs: int
    load: float
    wall: float


def _no_server(*, cpus: frozenset[int] | None = None) -> AbstractContextManager[Serving]:
    raise AssertionError("rows are replayed, nothing is started")


@dataclass
class ReplayedCampaign(BesideCampaign):
    """The product's campaign; each epoch that it asks for is the next row."""

    rows: Iterator[Row] = field(default_factory=lambda: iter(()))
    used: list[Row] = field(default_factory=list)

    def _both(self, number: int, *, again: bool) -> tuple[Loaded, Paired] | None:
        row = next(self.rows, None)
        if row is None:
            raise OutOfRows
        self.used.append(row)
        return loaded(number, row, row.paired.new, row.paired.memory[0] if row.paired.memory else None), row.paired


def loaded(number: int, row: Row, record: Record, memory: int | None) -> Loaded:
    """Return one build's half of a row as the product knows an epoch."""
    doubts = tuple(Doubt(check, f"the check {check!r} failed when it was recorded", "") for check in row.doubts)
    assignment = Assignment(
        "open", "", Arrivals(row.conditions.get("rate", 1.0), 0.0, row.seconds), 1, 1.0, "", "",
    )  # fmt: skip
    return Loaded(number, assignment, record, row.conditions, doubts, memory, None)


def _context(tolerances: Tolerances) -> Context:
    return Context(
        root=Path(), source=(), python="", env={}, directory=Path(), gate="load", serve=_no_server,
        classify=lambda name, definition: "simple", earlier=EarlierBuild("same", "", _no_server), tolerances=tolerances,
    )  # fmt: skip


def play_gate(rows: Iterator[Row], planned: int = PLANNED) -> Told:
    """Take from `rows` what one gate takes, and return what it says; raises OutOfRows when they end before it does."""
    settings = Locust(users=0, pair_epochs=planned)
    campaign = ReplayedCampaign(settings, _context(_POLICY.tolerances), rows=rows)
    campaign.rates = Rates(1.0, {"": 1.0}, 1.0, "as recorded")
    campaign.run()
    judged = _judged(settings._readings(campaign))
    return Told(
        judged.verdict, *_named(judged), len(campaign.epochs), sum(_load(row) for row in campaign.used),
        sum(row.wall for row in campaign.used),
    )  # fmt: skip


def _load(row: Row) -> float:
    return row.seconds + row.warm_up


def _named(judged: GateResult) -> tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]:
    def of(verdict: Verdict) -> tuple[tuple[str, str], ...]:
        return tuple((one.measurement, one.scope) for one in judged.judgements if one.verdict is verdict)

    return of(Verdict.FAIL), of(Verdict.UNKNOWN)


def _judged(readings: Readings, *earlier: Earlier) -> GateResult:
    result = GateResult("load", "locust", Verdict.PASS, 0.0, items=("performance",), readings=readings)
    return judge(
        result, policy=_POLICY, classes={}, previous=earlier[-1] if earlier else None, earlier=earlier, machine=_CORES,
        target_owners={},
    )  # fmt: skip


def play_gates(rows: Iterable[Row], planned: int = PLANNED) -> tuple[list[Told], int]:
    """Return what gates say that follow each other through all rows, no row in two of them, and the rows left over."""
    left, found = list(rows), []
    while left:
        source = iter(left)
        try:
            found.append(play_gate(source, planned))
        except OutOfRows:
            break
        left = list(source)
    return found, len(left)


def against_stored(then: Sequence[Row], now: Sequence[Row]) -> Told:
    """Return what the stored-baseline mode says of the new halves of some rows, against the old halves of earlier ones.

    Each stands for a run of its own; epochs that cannot be believed are left out, as in the product.
    """
    signed = Run(
        "same", "detection", "same", "", False, "2026-01-01T00:00:00Z", 0.0, _CORES, {}, "{}", "", Verdict.PASS, 0,
        gates=(GateResult("load", "locust", Verdict.PASS, 0.0, readings=_alone(then, _old)),),
    )  # fmt: skip
    judged = _judged(_alone(now, _new), Earlier("same", signed))
    return Told(judged.verdict, *_named(judged), len(now), sum(_load(row) for row in now), sum(row.wall for row in now))


def _new(row: Row) -> tuple[Record, int | None]:
    return row.paired.new, row.paired.memory[0] if row.paired.memory else None


def _old(row: Row) -> tuple[Record, int | None]:
    return row.paired.old, row.paired.memory[1] if row.paired.memory else None


def _alone(rows: Sequence[Row], half: Callable[[Row], tuple[Record, int | None]]) -> Readings:
    epochs = [loaded(number, row, *half(row)) for number, row in enumerate(rows, 1)]
    gaps = summary.validity_gaps(epochs)
    trusted = [] if gaps else [epoch for epoch in epochs if epoch.valid]
    nothing: Mapping[str, Any] = {}
    return Readings(
        measurements=(*summary.latencies(trusted), *summary.errors(epochs), *summary.resources(trusted, None)),
        findings=tuple(summary.server_errors(epochs, nothing)), gaps=tuple(gaps),
    )  # fmt: skip
