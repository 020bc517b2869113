"""The short ramp that finds what a backend bears, before anything is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from gates.alternating import NotBeside
from gates.load.assignment import Assignment
from gates.load.ramp import STEP, WARM_UP, Borne, borne, limits_rate, patience, ramp_steps
from gates.load.rate import Rates, Recorded, mean_time
from gates.load.recording import Record
from gates.load.schedule import Arrivals
from gates.tools.locust.run import Outcome
from gates.tools.locust.settings import LoadSettings
from gates.tools.locust.together import PairOutcome

_CAREFUL = (1.0, 8.0, 64.0)
"""Times more slowly, when nothing was borne at first: refusals are quick, and make one connection look fast."""


@dataclass(frozen=True, slots=True)
class Ramp:
    """What came of a ramp: what is borne, and the seconds of the backend that each operation takes by that.

    `borne` is None where it could not be told: the backend is too slow for a ramp, or stood still in it.
    `refusing` is whether it refused requests because there were too many.
    """

    borne: Borne | None
    times: Mapping[str, float]
    refusing: bool = False


def needs_ramp(settings: LoadSettings, recorded: Recorded | None) -> bool:
    """Return whether nothing says yet how fast the load comes."""
    return settings.ramp and settings.rate is None and recorded is None and settings.find != "knee"


def plan_ramp(
    natural: Assignment, rates: Rates, times: Mapping[str, float], enough: float, builds: int = 1, careful: float = 1.0
) -> Assignment:
    """Return the load of a ramp in the mix of some rates, up to what is `enough` per second for each of the builds.

    `times` are the seconds of each operation alone; it begins so many times more slowly as `careful` says. It has no
    steps where the backend is too slow for a ramp.
    """
    service = mean_time(rates.each, times)
    steps = tuple(builds * step for step in ramp_steps(1 / (builds * service * careful), enough))
    arrivals = Arrivals(steps[0] if steps else 1.0, WARM_UP, STEP * len(steps), steps=steps)
    return replace(
        natural, arrivals=arrivals, seed=f"{natural.seed}:ramp", slice_seconds=STEP, patience=patience(service)
    )


def told_by(assignment: Assignment, rates: Rates, times: Mapping[str, float], records: tuple[Record, ...]) -> Ramp:
    """Return what a ramp says of the slower of the builds that it loaded, all of them at once."""
    service, builds = mean_time(rates.each, times), len(records)
    steps = [step / builds for step in assignment.arrivals.steps]
    found = min((borne(steps, record, builds * service) for record in records), key=lambda one: one.rate)
    if not found.rate:
        return Ramp(None, times, any(limits_rate(record) for record in records))
    # What the backend gets through per second is what its time is worth: scaled, so that all of it is used up by that.
    worth = 1 / (builds * found.rate * service)
    refusing = any(limits_rate(record) for record in records)
    return Ramp(found, {name: seconds * worth for name, seconds in times.items()}, refusing)


def climb(
    natural: Assignment, settings: LoadSettings, rates: Rates, times: Mapping[str, float],
    load: Callable[[Assignment], Outcome],
) -> Ramp | None:  # fmt: skip
    """Return what a backend bears; None when it died. Where it is too slow for a ramp, `times` stay what they are."""
    ramp = Ramp(None, times)
    for careful in _CAREFUL:
        enough = settings.rate_limit / settings.rate_share
        assignment = plan_ramp(natural, rates, times, enough, careful=careful)
        if not assignment.arrivals.steps:
            break
        outcome = load(assignment)
        if outcome.died or outcome.record is None:
            return None
        ramp = told_by(assignment, rates, times, (outcome.record,))
        if ramp.borne is not None:
            break
    return ramp


def climb_together(
    natural: Assignment, settings: LoadSettings, rates: Rates, times: Mapping[str, float],
    load: Callable[[Assignment], PairOutcome], last_lines: Callable[[], str],
) -> Ramp | None:  # fmt: skip
    """Return what both builds bear when they are loaded at once; None when the new one died.

    `last_lines` are those of the earlier one. Raises NotBeside when it is that one that died.
    """
    assignment = plan_ramp(natural, rates, times, settings.rate_limit / settings.pair_share, builds=2)
    if not assignment.arrivals.steps:
        return Ramp(None, times)
    outcome = load(assignment)
    if outcome.died == "old":
        raise NotBeside("the earlier build died when it was seen how much it bears", last_lines())
    if outcome.died or outcome.record is None:
        return None
    return told_by(assignment, rates, times, (outcome.record.new, outcome.record.old))
