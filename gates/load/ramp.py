"""A short ramp: arrivals that rise step by step until the backend no longer keeps up; pure.

What one connection gets through underestimates a backend with several workers, and says nothing of one that makes
requests wait for each other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from gates.load.histogram import quantile
from gates.load.recording import Record
from gates.load.slices import Slice

STEP = 1.2
"""Seconds of each step."""
WARM_UP = 1.0
_FIRST = 0.7
"""Of what one connection gets through: a backend that answers one after another bears that."""
_FACTOR, _MOST_FACTOR = 1.6, 2.5
"""From step to step; the larger one only where the way is long."""
_MOST_STEPS = 6
_LEAST_REQUESTS = 6
_FAILED = 0.01
_SLOWER = 4.0
_SLACK = 0.005
_SHORT_QUEUE = 10
_PATIENCE = 0.5
_FULL = 0.9
"""Of what a full backend gets through: that it bears."""
_TOO_MANY_REQUESTS = 429


@dataclass(frozen=True, slots=True)
class Borne:
    """What a backend bears: requests per second, and what gave way above that; nothing when all steps were borne."""

    rate: float
    trouble: str = ""


def ramp_steps(estimate: float, enough: float) -> tuple[float, ...]:
    """Return the rates of a ramp, from one that any backend bears up to `enough`; none where it would be too slow.

    `estimate` is what one connection gets through per second.
    """
    steps = [min(_FIRST * estimate, enough)]
    if steps[0] * STEP < _LEAST_REQUESTS:
        return ()
    factor = min(max(_FACTOR, (enough / steps[0]) ** (1 / (_MOST_STEPS - 1))), _MOST_FACTOR)
    while steps[-1] < enough * (1 - 1e-9) and len(steps) < _MOST_STEPS:
        steps.append(min(steps[-1] * factor, enough))
    return tuple(steps)


def patience(service: float) -> float:
    """Return the requests of how many seconds may wait before a ramp ends; `service` is the seconds of one alone."""
    return _PATIENCE + _SLOWER * service


def borne(steps: Sequence[float], record: Record, service: float) -> Borne:
    """Return what a ramp says: the last step up to which the backend kept up, or less where it got through less.

    The slices of the record are the steps; `service` is the mean seconds of a request on one connection.
    """
    assert record.slices is not None
    seen = [*record.slices.all, *(Slice() for _ in steps)]
    best = 0.0
    for number, rate in enumerate(steps):
        began = number * record.slices.width
        cut = record.behind and record.behind < began + record.slices.width
        trouble = _trouble(seen[number], rate, service, record, cut_short=bool(cut))
        if not trouble:
            best = rate
            continue
        through = seen[number].answered / record.slices.width  # also what waited when the arrivals were ended
        return Borne(_between(best, rate, through), f"at {rate:.3g} requests/s {trouble}")
    return Borne(best)


def _between(best: float, rate: float, through: float) -> float:
    """Return what is borne between a step that was kept up with (0 for none) and one that was not, per second.

    A backend that is full gets through what it bears. Less than it had borne before says that it refuses, thrashes, or
    stood still for a moment: the steps before hide a little too much at most.
    """
    if through >= best:
        return min(rate, max(best, _FULL * through))
    return max(through, best / _MOST_FACTOR)


def _trouble(step: Slice, rate: float, service: float, record: Record, *, cut_short: bool) -> str:
    if not step.requests:
        return "none was answered"
    if step.failed > max(1.0, _FAILED * step.requests):
        statuses = Counter({str(status): count for status, count in record.statuses().items() if status >= 400})
        most = statuses.most_common(1)
        told = f" (most often: {most[0][0]})" if most else ""
        return f"{step.failed} of {step.requests} failed{told}"
    if cut_short or step.queue > max(_SHORT_QUEUE, _SLOWER * rate * service):
        return "its queue grew"
    limit = _SLOWER * service + _SLACK
    if step.latencies and (median := quantile(step.latencies, 0.5)) > limit:
        return f"half of the answers took more than {median * 1000:.3g} ms, and one alone takes {service * 1000:.3g} ms"
    return ""


def limits_rate(record: Record) -> bool:
    """Return whether the backend refused requests because there were too many of them."""
    return record.statuses().get(_TOO_MANY_REQUESTS, 0) > 0
