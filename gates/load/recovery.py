"""How long a backend takes to be itself again after a burst: from slices of time before and after it; pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gates.load.histogram import quantile
from gates.load.slices import Slice, Slices

IN_A_ROW = 2
"""Slices that have to be back one after another; one alone may be lucky."""
_LEAST_REQUESTS = 5
_SHORT_QUEUE = 10
_FAILED = 0.01


@dataclass(frozen=True, slots=True)
class Recovery:
    """How a backend came through a burst. Times in seconds; latencies are medians of a slice.

    `seconds` is how long after the burst the first slice began from which on it was back, None when it never was;
    then `watched` is how long it was looked at, and `last` what was still wrong. `before` and `worst` are latencies,
    `failed` is the share of requests that failed between the begin of the burst and the recovery.
    """

    seconds: float | None
    watched: float
    before: float
    worst: float
    failed: float
    last: str = ""


def recovery(slices: Slices, burst_begins: float, burst_ends: float, end: float, tolerance: float) -> Recovery | None:
    """Return how long it took until latency (median and p95), queue and failures were back to those before the burst.

    Times are seconds after the begin of the slices. Back is what lies within (1 + `tolerance`) of the worst slice
    before the burst. None when there were too few requests to tell.
    """
    width, count = slices.width, round(end / slices.width)
    seen = [*slices.all, *(Slice() for _ in range(count))][:count]
    calm = seen[: int(burst_begins / width)]
    first = -int(-burst_ends // width)
    after = seen[first:]
    if not calm or len(after) < IN_A_ROW or any(_answers(one) < _LEAST_REQUESTS for one in calm):
        return None
    limits = _Limits(calm, tolerance)
    troubles = [limits.trouble(one) for one in after]
    rush = seen[len(calm) : first]
    back = next(
        (number for number in range(len(after) - IN_A_ROW + 1) if not any(troubles[number : number + IN_A_ROW])), None
    )
    until = after if back is None else after[:back]
    medians = [quantile(one.latencies, 0.5) for one in [*rush, *until] if one.latencies]
    requests = sum(one.requests for one in [*rush, *until])
    return Recovery(
        None if back is None else back * width,
        len(after) * width,
        limits.middle,
        max(medians, default=limits.middle),
        sum(one.failed for one in [*rush, *until]) / requests if requests else 0.0,
        "" if back is not None else next(trouble for trouble in reversed(troubles) if trouble),
    )


def _answers(one: Slice) -> int:
    """Return how many successful answers a slice has."""
    return sum(one.latencies.values())


class _Limits:
    """What a slice may be to be as before."""

    def __init__(self, calm: Sequence[Slice], tolerance: float) -> None:
        medians = [quantile(one.latencies, 0.5) for one in calm]
        self.middle = sorted(medians)[len(medians) // 2]
        self.median = max(medians) * (1 + tolerance)
        self.p95 = max(quantile(one.latencies, 0.95) for one in calm) * (1 + tolerance)
        self.queue = max(_SHORT_QUEUE, max(one.queue for one in calm) * (1 + tolerance))
        self.failed = max(_FAILED, max(one.failed / one.requests for one in calm) * (1 + tolerance))

    def trouble(self, one: Slice) -> str:
        """Return what of a slice is not as it was before, empty when all is."""
        if not one.latencies:
            return "no request was answered"
        if one.failed > self.failed * one.requests:
            return f"{one.failed} of {one.requests} requests failed"
        if one.queue > self.queue:
            return f"{one.queue} requests waited"
        median, p95 = quantile(one.latencies, 0.5), quantile(one.latencies, 0.95)
        if median > self.median:
            return f"half of the answers took more than {_told(median)}, and {_told(self.middle)} before it"
        return f"p95 was {_told(p95)}, and up to {_told(self.p95)} would be as before" if p95 > self.p95 else ""


def _told(seconds: float) -> str:
    return f"{seconds * 1000:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"
