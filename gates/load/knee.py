"""The knee: the highest arrival rate at which a backend still meets what is demanded of it; pure.

The search goes up in steps that multiply, and then halves the gap. A step that misses is repeated once, so that a
neighbour's burst does not decide.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from gates.load.histogram import merge, quantile, total
from gates.load.recording import Record
from gates.load.validity import WAITED_SHARE, kept_up

FACTOR = 1.6
PRECISION = 1.1
"""Up to this factor between the highest rate that was met and the lowest that was not."""
MOST_STEPS = 24
LOWEST = 0.5
"""Requests per second; what bears not even this has no knee to speak of."""
SLOWER = 3.0
"""Where nothing is demanded of a class: how many times its p95 at the lowest rate is still met."""
_LEAST_REQUESTS = 20
_SENT_SHARE = 0.99
NOT_THE_BACKENDS = frozenset({"generator", "neighbours", "steal", "clock"})
"""Checks of an epoch that speak of the generator or of others on the machine; a quota is the size of the machine."""


class Search:
    """Which rate to try next, and what is known so far: `met` is the highest borne, `missed` the lowest that was not.

    `limit` is the most that is tried.
    """

    def __init__(self, start: float, limit: float) -> None:
        self.met, self.missed, self.steps = 0.0, math.inf, 0
        self._start, self._limit = min(start, limit), limit
        self._again: float | None = None

    def next(self) -> float | None:
        """Return the rate of the next step, None when the search is over."""
        if self._again is not None:
            return self._again
        if self.steps >= MOST_STEPS or self.met >= self._limit:
            return None
        if self.missed == math.inf:
            return min(self.met * FACTOR, self._limit) if self.met else self._start
        if not self.met:
            lower = self.missed / 2
            return lower if lower >= LOWEST else None
        return None if self.missed / self.met <= PRECISION else math.sqrt(self.met * self.missed)

    def tell(self, rate: float, *, met: bool) -> bool:
        """Take in how a step went; return whether that is settled, or the step is to be repeated."""
        self.steps += 1
        if met:
            self.met, self._again = max(self.met, rate), None
        elif self._again is None:
            self._again = rate
            return False
        else:
            self.missed, self._again = min(self.missed, rate), None
        return True


@dataclass(frozen=True, slots=True)
class Limits:
    """What a step has to meet: p95 in seconds by class, and the share of requests that may fail.

    `classes` holds the class of each operation, `lowest` p95 by class at the lowest rate that was tried.
    """

    classes: Mapping[str, str]
    p95: Mapping[str, float]
    errors: float
    lowest: Mapping[str, float]

    def of(self, operation_class: str) -> float | None:
        """Return the p95 that a class may have; None where nothing is known of it yet."""
        if operation_class in self.p95:
            return self.p95[operation_class]
        lowest = self.lowest.get(operation_class)
        return None if lowest is None else SLOWER * lowest


@dataclass(frozen=True, slots=True)
class Missed:
    """What a step did not meet; `own` when it may be the fault of the load generator or of the machine."""

    what: str
    own: bool = False


def p95_by_class(record: Record, classes: Mapping[str, str]) -> dict[str, float]:
    """Return p95 of all operations of a class together, in seconds, where there are enough requests."""
    gathered: dict[str, list[dict[int, int]]] = {}
    for name, one in record.operations.items():
        gathered.setdefault(classes[name], []).append(one.success_latencies())
    whole = {name: merge(parts) for name, parts in gathered.items()}
    return {name: quantile(counts, 0.95) for name, counts in whole.items() if total(counts) >= _LEAST_REQUESTS}


def judge_step(
    record: Record, conditions: Mapping[str, float], limits: Limits, doubted: Collection[str] = ()
) -> list[Missed]:
    """Return everything that a step did not meet, the plainest first; nothing when it met all.

    Conditions are those of an epoch, `doubted` the checks of its validity that failed. Latency counts from when a
    request was due, so a generator that is late or worn out, or a machine that is busy with something else, can only
    make the backend look slower: what is met is met, and what is missed by no more than that is not the backend's.
    """
    worn = bool(NOT_THE_BACKENDS & set(doubted))
    lag = conditions.get("lag_p99", 0.0)
    found = [*_failing(record, limits), *_waiting(record, conditions, worn=worn)]
    for name, p95 in p95_by_class(record, limits.classes).items():
        limit = limits.of(name)
        if limit is not None and p95 > limit:
            slowest = _slowest(record, limits.classes, name)
            text = f"p95 of {name} operations was {_told(p95)}, and {_told(limit)} is the limit (slowest: {slowest})"
            found.append(Missed(text, own=worn or p95 - lag <= limit))
    return found


def _failing(record: Record, limits: Limits) -> list[Missed]:
    failed = record.requests - record.succeeded
    if failed <= limits.errors * record.requests:
        return []
    kinds: Counter[str] = Counter()
    for name, one in record.operations.items():
        kinds.update({f"{status} of {name}": count for status, count in one.statuses.items() if status >= 400})
        kinds.update({f"{kind} of {name}": count for kind, count in one.failures.items()})
    most = kinds.most_common(1)[0][0]
    return [Missed(f"{failed} of {record.requests} requests failed (most often: {most})")]


def _waiting(record: Record, conditions: Mapping[str, float], *, worn: bool) -> list[Missed]:
    if record.behind:
        return [Missed(f"its queue grew, so that the step was ended after {record.behind:.2g} s", own=worn)]
    if conditions.get("waited_share", 0.0) > WAITED_SHARE:
        return [Missed("all connections were busy: requests waited for one", own=worn)]
    if not kept_up(conditions):
        return [Missed("its queue grew", own=worn)]
    if conditions.get("sent_share", 1.0) < _SENT_SHARE:
        return [Missed(f"only {conditions['sent_share']:.1%} of what was due could be sent", own=True)]
    return []


def _slowest(record: Record, classes: Mapping[str, str], wanted: str) -> str:
    p95 = {
        name: quantile(counts, 0.95)
        for name, one in record.operations.items()
        if classes[name] == wanted and (counts := one.success_latencies())
    }
    return max(p95, key=lambda name: p95[name])


def first_own(missed: Sequence[Missed]) -> Missed | None:
    """Return what the generator or the machine may have caused, when there is nothing that only the backend did."""
    return missed[0] if missed and all(one.own for one in missed) else None


def _told(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
