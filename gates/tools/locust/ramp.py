"""The short ramp that finds what a backend bears, before anything is measured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from gates.load.assignment import Assignment
from gates.load.ramp import STEP, WARM_UP, Borne, borne, limits_rate, patience, ramp_steps
from gates.load.rate import Rates, Recorded, mean_time
from gates.load.recording import Record
from gates.load.schedule import Arrivals
from gates.tools.locust.run import Outcome
from gates.tools.locust.settings import LoadSettings


@dataclass(frozen=True, slots=True)
class Ramp:
    """What came of a ramp: what is borne, and the seconds of the backend that each operation takes by that.

    `refusing` is whether it refused requests because there were too many.
    """

    borne: Borne | None
    times: Mapping[str, float]
    refusing: bool = False


def needs_ramp(settings: LoadSettings, recorded: Recorded | None) -> bool:
    """Return whether nothing says yet how fast the load comes."""
    return settings.ramp and settings.rate is None and recorded is None and settings.find != "knee"


def plan_ramp(natural: Assignment, rates: Rates, times: Mapping[str, float], share: float, limit: float) -> Assignment:
    """Return the load of a ramp in the mix of some rates; it has no steps where the backend is too slow for one.

    `share` of what is borne is what the load will be, up to `limit` (per second).
    """
    service = mean_time(rates.each, times)
    steps = ramp_steps(1 / service, limit / share)
    arrivals = Arrivals(steps[0] if steps else 1.0, WARM_UP, STEP * len(steps), steps=steps)
    return replace(
        natural, arrivals=arrivals, seed=f"{natural.seed}:ramp", slice_seconds=STEP, patience=patience(service)
    )


def told_by(
    assignment: Assignment, rates: Rates, times: Mapping[str, float], records: tuple[Record, ...], builds: int
) -> Ramp:
    """Return what a ramp says of the slower of the builds that it loaded, all of them at once.

    `times` are the seconds of each operation alone.
    """
    service = mean_time(rates.each, times)
    found = min((borne(assignment.arrivals.steps, record, service) for record in records), key=lambda one: one.rate)
    # What the backend gets through per second is what its time is worth: scaled, so that all of it is used up by that.
    worth = 1 / (builds * found.rate * service)
    refusing = any(limits_rate(record) for record in records)
    return Ramp(found, {name: seconds * worth for name, seconds in times.items()}, refusing)


def climb(
    natural: Assignment, settings: LoadSettings, rates: Rates, times: Mapping[str, float],
    load: Callable[[Assignment], Outcome],
) -> Ramp | None:  # fmt: skip
    """Return what a backend bears; None when it died. Where it is too slow for a ramp, `times` stay what they are."""
    assignment = plan_ramp(natural, rates, times, settings.rate_share, settings.rate_limit)
    if not assignment.arrivals.steps:
        return Ramp(None, times)
    outcome = load(assignment)
    if outcome.died or outcome.record is None:
        return None
    return told_by(assignment, rates, times, (outcome.record,), 1)
