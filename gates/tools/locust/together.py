"""One epoch of two builds: both are started afresh and made ready for the same work, and loaded in pairs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from gates.alternating import NotBeside
from gates.load.assignment import EARLIER_HEADERS_VARIABLE, HEADERS_VARIABLE, Assignment, Counterpart, Work
from gates.load.pairs import PairRecord, parse_pairs, with_single
from gates.load.preparation import Prepared
from gates.load.validity import SHORTEST_LAG, Doubt
from gates.tools.base import Serving
from gates.tools.locust.epoch import Loaded, assess
from gates.tools.locust.observation import Observation
from gates.tools.locust.ratios import Paired
from gates.tools.locust.run import Outcome, drive, run_load
from gates.tools.locust.throughput import in_turns


@dataclass(frozen=True, slots=True)
class Builds:
    """Both builds, up and ready to be loaded."""

    new: Serving
    old: Serving


@dataclass(frozen=True, slots=True)
class PreparedBuilds(Builds):
    """Both with requests of the document; `paired` and `single` are operations of both builds, and of the new one."""

    new_ready: Prepared
    old_ready: Prepared
    paired: frozenset[str]
    single: frozenset[str]

    def work(self, prepared: Prepared, names: Iterable[str], weights: Callable[[str], float]) -> tuple[Work, ...]:
        """Return the work of some operations as one of the builds was prepared for it."""
        wanted = frozenset(names)
        return tuple(
            replace(work, weight=weights(work.operation)) for work in prepared.work if work.operation in wanted
        )


@dataclass(frozen=True, slots=True)
class PairOutcome:
    """What came of a stretch of load on two builds; `died` names the build that did not live to its end."""

    record: PairRecord | None
    new: Observation
    old: Observation
    died: str = ""


def run_pairs(
    assignment: Assignment, builds: Builds, directory: Path, progress: Callable[[float], None], cores: frozenset[int]
) -> PairOutcome:
    """Load both builds, bound to some cores, as assigned.

    Raises ToolError when Locust failed, took too long, or left nothing readable.
    """
    new, old = (Observation(cores=cores, generator_cores=frozenset(assignment.cpus)) for _ in range(2))

    def look(share: float) -> bool:
        new.take(builds.new.usage)
        old.take(builds.old.usage)
        progress(share)
        return bool(_dead(builds))

    logins = {HEADERS_VARIABLE: builds.new.headers, EARLIER_HEADERS_VARIABLE: builds.old.headers}
    text = drive(assignment, directory, logins, look)
    return PairOutcome(None if text is None else parse_pairs(text), new, old, _dead(builds))


def _dead(builds: Builds) -> str:
    if not builds.new.alive():
        return "new"
    return "" if builds.old.alive() else "old"


@dataclass(frozen=True, slots=True)
class Stretches:
    """What an epoch sends: pairs to both builds, and what only the new build has after that; `natural` is the mix.

    `natural` is the assignment of the new build alone, with the rate of every operation, for the record.
    """

    pairs: Assignment
    single: Assignment | None
    natural: Assignment
    cores: frozenset[int]
    """Those that the two builds share; empty where they cannot be bound to any."""
    turns: Assignment | None = None
    """What shows how much each of them gets through alone, at the end of an epoch."""


def load_both(
    number: int,
    stretches: Stretches,
    builds: Builds,
    directory: Path,
    progress: Callable[[float], None],
    inspect: Callable[[PairRecord], None] = lambda record: None,
) -> tuple[Loaded, Paired] | str:
    """Return one epoch of the new build, and of both; or which build died ("new" or "old").

    `inspect` sees the record before anything is thought of it, and may refuse it by raising.

    The epoch of the new build carries the doubts of both: a pair is worth what its worse half is. Raises NotBeside
    when it is the earlier build that fails.
    """
    outcome = run_pairs(stretches.pairs, builds, directory, progress, stretches.cores)
    record = outcome.record
    if outcome.died or record is None:
        return outcome.died or "new"
    inspect(record)
    span = record.new.begin, record.new.end
    new = assess(
        number, stretches.natural, Outcome(record.new, outcome.new, died=False),
        login_works=builds.new.login_works(), allowed_lag=SHORTEST_LAG, beside_cpu=outcome.old.cpu(*span),
    )  # fmt: skip
    old = assess(
        number, stretches.natural, Outcome(record.old, outcome.old, died=False),
        login_works=builds.old.login_works(), allowed_lag=SHORTEST_LAG, beside_cpu=outcome.new.cpu(*span),
    )  # fmt: skip
    if not old.repeatable:
        raise NotBeside(f"in the earlier build {old.doubts[-1].text}")
    memory = (outcome.new.peak, outcome.old.peak) if outcome.new.peak and outcome.old.peak else None
    paired = Paired(record.new, record.old, record.ratios, memory)
    conditions = {**new.conditions, "pairs": float(paired.pairs), "both_cpu": (new.cpu or 0.0) + (old.cpu or 0.0)}
    whole = replace(new, doubts=_once([*new.doubts, *old.doubts]), conditions=conditions)
    alone = _after(number, stretches, whole, builds, directory) if stretches.single else whole
    if alone is None:
        return "new"
    if stretches.turns is not None and not alone.doubts:
        throughput = in_turns(stretches.turns, builds.new, builds.old, directory / "turns", lambda _: progress(1.0))
        if throughput is None:
            return "new"
        paired = replace(paired, throughput=throughput)
    return replace(alone, conditions={**alone.conditions, "valid": float(not alone.doubts)}), paired


def _once(doubts: Iterable[Doubt]) -> tuple[Doubt, ...]:
    """Return doubts with the first of each check: what is wrong with both builds is told of the new one."""
    first: dict[str, Doubt] = {}
    for doubt in doubts:
        first.setdefault(doubt.check, doubt)
    return tuple(first.values())


def _after(number: int, stretches: Stretches, paired: Loaded, builds: Builds, directory: Path) -> Loaded | None:
    """Load what only the new build has, and return the epoch with it; None when the build died."""
    single = stretches.single
    assert single is not None
    outcome = run_load(single, builds.new, directory / "single", cores=stretches.cores)
    if outcome.died or outcome.record is None:
        return None
    after = assess(number, single, outcome, login_works=builds.new.login_works(), allowed_lag=SHORTEST_LAG)
    return replace(
        paired,
        record=with_single(paired.record, outcome.record),
        doubts=_once([*paired.doubts, *after.doubts]),
        memory=max(paired.memory or 0, after.memory or 0) or None,
    )


def counterpart(builds: PreparedBuilds, weights: Callable[[str], float]) -> Counterpart:
    """Return the earlier build as an assignment names it."""
    return Counterpart(builds.old.url, builds.work(builds.old_ready, builds.paired, weights))
