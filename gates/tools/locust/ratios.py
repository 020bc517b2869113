"""From epochs in which two builds were loaded in pairs to the ratios between them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gates.load.histogram import quantile, total
from gates.load.pairs import Ratios, median, together
from gates.load.recording import Record
from gates.results import Measurement
from gates.sequential import (
    CONFIRMED,
    ERRORS,
    ERRORS_BEFORE,
    FLOOR,
    FLOOR_USED,
    MEMORY,
    ORDER,
    P95,
    P99,
    PLANNED,
    RATE,
    RATE_BEFORE,
    SHIFT,
    THROUGHPUT,
)
from gates.tools.locust.throughput import Throughput, compared

P50 = "pair.p50"


@dataclass(frozen=True, slots=True)
class Paired:
    """One epoch of two builds: their records of the same operations, the ratios of their pairs, peaks in bytes.

    `throughput` is what each got through alone; None where that was not looked for.
    """

    new: Record
    old: Record
    ratios: Mapping[str, Ratios]
    memory: tuple[int, int] | None
    throughput: Throughput | None = None

    @property
    def pairs(self) -> int:
        """How many pairs succeeded alike."""
        return sum(one.pairs for one in self.ratios.values())


def comparisons(
    believed: Sequence[Paired],
    counted: Sequence[Paired],
    *,
    planned: int,
    confirmed: int,
    floor: float = FLOOR,
) -> list[Measurement]:
    """Return the ratios new to old, one natural logarithm per epoch and `value` the ratio itself, and both failures.

    Times are those of the epochs that can be `believed`; failures are `counted` in all. `planned` is how many epochs
    there were to be at most, `confirmed` how many of these were to confirm a fail; a worsening below the `floor` is
    none.
    """
    if not counted:
        return []
    scopes = ["", *sorted({name for epoch in counted for name in epoch.new.operations.keys() & epoch.old.operations})]
    found: list[Measurement] = []
    for scope in scopes:
        found += _shift(believed, scope)
        found += _quantile(believed, scope, P50, 0.50)
        found += _quantile(believed, scope, P95, 0.95)
    found += _quantile(believed, "", P99, 0.99)
    found += _order(believed)
    found += _ratio(MEMORY, "", [math.log(new / old) for new, old in _peaks(believed)], None)
    found += _throughput(believed)
    for scope in scopes:
        found += _failures(ERRORS, (epoch.new for epoch in counted), scope)
        found += _failures(ERRORS_BEFORE, (epoch.old for epoch in counted), scope)
    return [
        *found,
        Measurement(PLANNED, float(planned), "1", "neither"),
        Measurement(CONFIRMED, float(confirmed), "1", "neither"),
        Measurement(FLOOR_USED, floor, "ratio", "neither"),
    ]


def _ratio(name: str, scope: str, logarithms: Sequence[float], number: int | None) -> list[Measurement]:
    if not logarithms:
        return []
    value = math.exp(math.fsum(logarithms) / len(logarithms))
    return [Measurement(name, value, "ratio", "lower", scope, total=number, samples=tuple(logarithms))]


def _shift(epochs: Sequence[Paired], scope: str) -> list[Measurement]:
    seen = [together({name: one for name, one in epoch.ratios.items() if scope in ("", name)}) for epoch in epochs]
    seen = [ratios for ratios in seen if ratios.pairs]
    return _ratio(SHIFT, scope, [ratios.shift() for ratios in seen], sum(ratios.pairs for ratios in seen))


def _order(epochs: Sequence[Paired]) -> list[Measurement]:
    """Return what being asked first costs, which the shift leaves out by counting both orders alike."""
    seen = [together(epoch.ratios) for epoch in epochs]
    logarithms = [
        (median(ratios.new_first) - median(ratios.old_first)) / 2
        for ratios in seen
        if ratios.new_first and ratios.old_first
    ]
    return [replace(one, better="neither") for one in _ratio(ORDER, "", logarithms, None)]


def tried_throughput(epochs: Sequence[Paired]) -> list[Throughput]:
    """Return what both builds got through in the epochs in which that was looked for."""
    return [epoch.throughput for epoch in epochs if epoch.throughput is not None]


def _throughput(epochs: Sequence[Paired]) -> list[Measurement]:
    """Return how many times what the new build gets through the old one does, and the rates of both."""
    found = compared(tried_throughput(epochs))
    rates = ((RATE, [one.new for one in found]), (RATE_BEFORE, [one.old for one in found]))
    return [
        *_ratio(THROUGHPUT, "", [one.ratio for one in found], None),
        *(Measurement(name, math.fsum(each) / len(each), "1/s", "neither", samples=tuple(each))
          for name, each in rates if each),
    ]  # fmt: skip


def _quantile(epochs: Sequence[Paired], scope: str, name: str, share: float) -> list[Measurement]:
    both = [(_latencies(epoch.new, scope), _latencies(epoch.old, scope)) for epoch in epochs]
    both = [(new, old) for new, old in both if total(new) and total(old)]
    logarithms = [math.log(quantile(new, share) / quantile(old, share)) for new, old in both]
    return _ratio(name, scope, logarithms, sum(min(total(new), total(old)) for new, old in both))


def _latencies(record: Record, scope: str) -> dict[int, int]:
    if not scope:
        return record.success_latencies()
    return record.operations[scope].success_latencies() if scope in record.operations else {}


def _peaks(epochs: Sequence[Paired]) -> list[tuple[int, int]]:
    return [epoch.memory for epoch in epochs if epoch.memory is not None and min(epoch.memory) > 0]


def _failures(name: str, records: Iterable[Record], scope: str) -> list[Measurement]:
    each = [[one for operation, one in record.operations.items() if scope in ("", operation)] for record in records]
    failed = [sum(one.failed for one in ones) for ones in each]
    sent = [sum(one.requests for one in ones) for ones in each]
    if not sum(sent):
        return []
    samples = tuple(bad / number for bad, number in zip(failed, sent, strict=True) if number)
    return [Measurement(name, sum(failed) / sum(sent), "ratio", "lower", scope, sum(failed), sum(sent), samples)]
