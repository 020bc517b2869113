"""How long the backend took after each burst to be as it was before it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

from gates.demands import format_value
from gates.load.recovery import Recovery, recovery
from gates.results import Finding, Gap, Measurement, Severity
from gates.rules import fingerprint
from gates.tools.locust.epoch import Loaded


def recoveries(epochs: Sequence[Loaded], tolerance: float) -> Mapping[int, Recovery]:
    """Return how each epoch went whose record can tell, by its number."""
    found = {}
    for epoch in epochs:
        arrivals, slices = epoch.assignment.arrivals, epoch.record.slices
        if slices is None:
            continue
        began = arrivals.burst_ends / 2
        one = recovery(slices, began, arrivals.burst_ends, arrivals.seconds, tolerance)
        if one is not None:
            found[epoch.number] = one
    return found


def measured(found: Mapping[int, Recovery]) -> list[Measurement]:
    """Return the recovery of the middle epoch, when that recovered; one sample for each epoch that did."""
    middle = _middle(found)
    if middle is None or middle == math.inf:
        return []
    samples = tuple(one.seconds for one in found.values() if one.seconds is not None)
    return [Measurement("load.recovery", middle, "s", "lower", "", len(samples), len(found), samples)]


def _middle(found: Mapping[int, Recovery]) -> float | None:
    if not found:
        return None
    # An even number has two in the middle, and the later one counts: half of them never back is not recovered.
    return statistics.median_high([math.inf if one.seconds is None else one.seconds for one in found.values()])


def findings(found: Mapping[int, Recovery], burst: float) -> list[Finding]:
    """Return a finding when it was not as before until the end of at least half of the epochs."""
    lasting = [one for one in found.values() if one.seconds is None]
    if _middle(found) != math.inf:
        return []
    worst = max(lasting, key=lambda one: one.worst)
    return [
        Finding(
            "load.not-recovered", Severity.HIGH,
            f"{worst.watched:.3g} s after {burst:g} times the rate it was still not as before, in {len(lasting)} of "
            f"{len(found)} epochs: {worst.last}",
            fingerprint("load.not-recovered"),
            fix="see what is left over: a queue without bound, retries, connections that are not given back; or give "
            "it more `seconds`, when it is slow and does recover",
        )
    ]  # fmt: skip


def gaps(epochs: Sequence[Loaded], found: Mapping[int, Recovery]) -> list[Gap]:
    """Return why nothing can be said of the recovery."""
    if found or not epochs:
        return []
    return [
        Gap(
            "load.recovery", "there were too few requests in a second to tell how it went from second to second",
            "load it at a higher `rate`, or longer (`seconds`)",
        )
    ]  # fmt: skip


def notes(found: Mapping[int, Recovery]) -> list[str]:
    """Return how each burst went."""
    told = []
    for number, one in found.items():
        back = "was not as before until the end" if one.seconds is None else f"was as before {_after(one.seconds)}"
        text = f"epoch {number}: half of the answers within {format_value(one.before, 's')} before the burst, and "
        text += f"within {format_value(one.worst, 's')} at its worst; it {back}"
        told.append(text + (f"; {format_value(one.failed, 'ratio')} of the rush failed" if one.failed else ""))
    return told


def _after(seconds: float) -> str:
    return f"{seconds:g} s after it" if seconds else "within a second after it"
