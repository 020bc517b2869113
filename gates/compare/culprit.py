"""Which operation made the others slower: in a backend that works on one thing at a time they wait behind it.

Only words and order: nothing here changes a verdict. What is read are judgements, so a stored run says the same again.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gates.results import Judgement, Verdict
from gates.sequential import P95, P99, SHIFT

_BY_FAR = 2.0
"""How many times more an operation became slower than the next one (on the log scale) before it is named the cause."""
_TIMES = (SHIFT, P95, P99)


@dataclass(frozen=True, slots=True)
class Causes:
    """Operations that became slower than all others by far, with how many times; `others` is the middle of the rest."""

    by: Mapping[str, float]
    others: float


def name_causes(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Return judgements of one gate in which the operation that slowed the others down fails first and is named.

    Side by side it is the one (or the few, no more than half) whose whole interval lies above that of every other
    operation, and which became slower twice as much. Against a stored run it is the one that became slower relative to
    the others. Where none stands out, nothing is said.
    """
    causes = _beside(judgements, SHIFT) or _beside(judgements, P95) or _relative(judgements)
    if causes is None:
        return list(judgements)
    told = [_told(one, causes) for one in judgements]
    places = [place for place, one in enumerate(told) if _is_slow(one)]
    first = sorted(places, key=lambda place: -causes.by.get(told[place].scope, 0.0))
    for place, one in zip(places, [told[place] for place in first], strict=True):
        told[place] = one
    return told


def _is_slow(judgement: Judgement) -> bool:
    """Return whether a time became worse: only these are put in order, and told whose fault it may be."""
    if judgement.verdict is not Verdict.FAIL or judgement.ratio is None:
        return False
    if judgement.kind == "beside":
        return judgement.measurement in _TIMES
    return judgement.kind in ("baseline", "best", "relative") and judgement.measurement.startswith("load.p")


def _beside(judgements: Sequence[Judgement], measurement: str) -> Causes | None:
    found = [
        (one.ratio, one.low, one.high, one)
        for one in judgements
        if one.kind == "beside" and one.measurement == measurement and one.scope
        and one.ratio is not None and one.low is not None and one.high is not None
    ]  # fmt: skip
    found.sort(key=lambda each: -each[0])
    for count in range(1, max(1, (len(found) - 1) // 2) + 1 if len(found) > 1 else 1):
        above, below = found[:count], found[count:]
        if any(one.verdict is not Verdict.FAIL for *_, one in above):
            return None
        apart = min(low for _, low, _, _ in above) > max(high for _, _, high, _ in below)
        if apart and math.log(above[-1][0]) >= _BY_FAR * math.log(max(1.0, below[0][0])):
            return Causes(
                {one.scope: ratio for ratio, _, _, one in above}, statistics.median(ratio for ratio, *_ in below)
            )
    return None


def _relative(judgements: Sequence[Judgement]) -> Causes | None:
    relative = [one for one in judgements if one.kind == "relative" and one.ratio is not None]
    slower = {one.scope: one.ratio for one in relative if one.verdict is Verdict.FAIL and one.ratio is not None}
    return Causes(slower, 1.0) if slower and 2 * len(slower) < len(relative) else None


def _told(judgement: Judgement, causes: Causes) -> Judgement:
    if not _is_slow(judgement) or judgement.scope in causes.by:
        return judgement
    names = " and ".join(f"{name} ({ratio:.2f}×)" for name, ratio in causes.by.items())
    if not judgement.scope:
        return replace(judgement, reason=f"{judgement.reason}; what became slower than the others is {names}")
    behind = "what waits behind it becomes slower as well"
    if judgement.kind == "beside":
        behind += f" (the other operations {causes.others:.2f}×)"
    reason = f"{judgement.reason}; probably because of {names}: {behind}"
    hint = f"look at {' and '.join(causes.by)} first; {judgement.hint}" if judgement.hint else ""
    return replace(judgement, reason=reason, hint=hint)
