"""Two builds measured side by side: what the epochs decided, told so that a person can believe it.

Where a gate was measured beside the phase signed off last, its times, throughput, memory and failures are judged by
that alone. Comparisons with stored runs are left out, those with the best earlier phase too: that phase was not
measured beside this one, so noise between runs would leave them undecided, and drown what was proven here.
Targets are judged as ever.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from gates.compare.case import Case
from gates.compare.culprit import name_causes
from gates.compare.performance import judge_gone, percent
from gates.demands import format_value
from gates.results import Judgement, Measurement, Verdict
from gates.sequential import (
    ERRORS,
    MEMORY,
    P95,
    P99,
    SHIFT,
    Decision,
    Rise,
    conclude,
    floor_in,
    left_out,
    planned_in,
    quantities_of,
    rises,
    shortage,
)

_VERDICTS = {"pass": Verdict.PASS, "fail": Verdict.FAIL, "open": Verdict.UNKNOWN}
_OWN_VALUE = {SHIFT: "load.p50", P95: "load.p95", P99: "load.p99", MEMORY: "load.memory"}
_PRICE = "if that is the price of this phase, sign off with --accept-debt"


def measured_beside(case: Case) -> bool:
    """Return whether the gate measured two builds side by side; a recorded plan of epochs says so."""
    return planned_in(case.result.readings.measurements) is not None


def judge_beside(case: Case, vanished: frozenset[str]) -> list[Judgement]:
    """Return a judgement for each quantity that was measured in pairs, and for the failures of each operation.

    An operation that only the new build has makes no pairs and is not judged. The times of one whose failures rose
    are not judged either, the rise is. The decision is `gates.sequential.conclude` on the stored samples, which is
    what the tool stopped by.
    """
    measurements = case.result.readings.measurements
    found = planned_in(measurements)
    if found is None:
        return []
    planned, confirmed = found
    quantities = quantities_of(measurements, case.policy.tolerances)
    decisions = conclude(quantities, planned=planned, confirmed=confirmed, floor=floor_in(measurements))
    failures = rises(measurements)
    rose = frozenset(rise.scope for rise in failures if rise.verdict == "fail")
    judgements = [_judge_rise(rise, _phase(case)) for rise in failures]
    judgements += [_judge(case, decision, decisions, planned) for decision in decisions]
    judgements += [_left_out(one, lacking) for one, lacking in left_out(measurements)]
    if not judgements:
        judgements.append(_nothing(case, planned))
    return name_causes(judgements) + judge_gone(case, rose, vanished)


def _phase(case: Case) -> str:
    return case.previous or "the earlier build"


def _subject(name: str, scope: str) -> str:
    if name == MEMORY:
        return "peak memory"
    if name == SHIFT:
        return scope or "the median request"
    return f"the {name.removeprefix('pair.')} {f'of {scope}' if scope else 'over all operations'}"


def times(ratio: float, low: float, high: float) -> str:
    """Return a ratio with its interval, in as many digits as tell it from 1: `1.034× (1.021 to 1.047)`."""
    return f"{_ratio(ratio)}× ({_ratio(low)} to {_ratio(high)})"


def _ratio(value: float) -> str:
    return f"{value:.3f}" if value < 2 else f"{value:.3g}"


def _reason(case: Case, decision: Decision) -> str:
    quantity, phase = decision.quantity, _phase(case)
    subject = _subject(quantity.name, quantity.scope)
    if not quantity.samples:
        measured = case.measurements[(quantity.name, quantity.scope)]
        return f"{subject} is not judged yet: {shortage(measured, len(measured.samples))}"
    epochs = len(quantity.samples)
    if not math.isfinite(decision.high):
        told = "1 epoch" if epochs == 1 else f"{epochs} epochs"
        return f"{subject} cannot be judged beside {phase} by {told}: that says nothing of the noise"
    interval = times(decision.ratio, decision.low, decision.high)
    middle = f"takes {interval} as long as in {phase}" if quantity.name == SHIFT else f"is {interval} that of {phase}"
    reason = f"{subject} {middle}, measured side by side in {epochs} epochs"
    reason += f"; {percent(quantity.tolerance)} is tolerated"
    return f"{reason}; this run could have seen {_seen(decision.detectable)}"


def _seen(share: float) -> str:
    return f"{share * 100:.2g} %" if share < 1 else f"{share * 100:.0f} %"


def _judge(case: Case, decision: Decision, decisions: Sequence[Decision], planned: int) -> Judgement:
    quantity = decision.quantity
    own = case.measurements.get((_OWN_VALUE[quantity.name], quantity.scope))
    finite = math.isfinite(decision.high)
    more = "more" if quantity.name == MEMORY else "slower"
    reason = _reason(case, decision)
    if decision.verdict == "open" and quantity.samples:
        reason += f"; {_what_would_decide(decision)}"
    return Judgement(
        quantity.name, quantity.scope, "beside", f"at most {percent(quantity.tolerance)} {more}, side by side",
        _VERDICTS[decision.verdict], reason, value=own.value if own else None, unit=own.unit if own else "",
        ratio=decision.ratio if finite else None, low=decision.low if finite else None,
        high=decision.high if finite else None, detectable=decision.detectable if finite else None,
        samples=len(quantity.samples), hint=_hint(decision, decisions, planned),
    )  # fmt: skip


def _what_would_decide(decision: Decision) -> str:
    if decision.needed is None:
        return "so noisy that no bearable number of epochs would decide it"
    more = decision.needed - len(decision.quantity.samples)
    return f"{more} more {'epoch' if more == 1 else 'epochs'} would decide it"


def _hint(decision: Decision, decisions: Sequence[Decision], planned: int) -> str:
    if decision.verdict == "fail":
        return f"find what {'holds more memory' if decision.quantity.name == MEMORY else 'made it slower'}; {_PRICE}"
    if decision.verdict == "pass":
        return ""
    if any(one.verdict == "fail" for one in decisions):
        return "repair what failed first: the load stopped there"
    # One number for all that is undecided, so that reports can tell them together.
    open_ones = [one for one in decisions if one.verdict == "open"]
    needed = max((one.needed or 0 for one in open_ones), default=0)
    quieter = "measure on a quieter machine" + (
        f", or set `pair_epochs` of this gate to {needed}" if needed > planned else ""
    )
    return (
        quieter if needed > planned or any(one.needed is None for one in open_ones) else "let the gate run to its end"
    )


def _left_out(one: Measurement, lacking: str) -> Judgement:
    reason = f"{_subject(one.name, one.scope)} is not judged: {lacking}"
    return Judgement(
        one.name, one.scope, "beside", "as many requests as a percentile needs", Verdict.SKIPPED, reason,
        samples=len(one.samples), hint="load it at a higher rate, or in longer epochs",
    )  # fmt: skip


def _nothing(case: Case, planned: int) -> Judgement:
    reason = f"this run was to be measured beside {_phase(case)} in up to {planned} epochs, and there are no pairs"
    return Judgement(
        SHIFT, "", "beside", "measured side by side", Verdict.UNKNOWN, reason, hint="see why no epoch could be used"
    )


def _judge_rise(rise: Rise, phase: str) -> Judgement:
    of = f" of {rise.scope}" if rise.scope else ""
    reason = f"{_share(rise.now, f'answers{of} failed')}; beside it, {_share(rise.then, f'in {phase}')}"
    hint = ""
    if rise.verdict == "fail":
        reason += "; its times are not judged, failing answers look fast"
        hint = "see which answers failed, and the backend's output"
    elif rise.verdict == "open":
        reason += "; so few may still be chance"
        hint = "see which answers failed; more epochs, or a higher rate, would tell"
    return Judgement(
        ERRORS, rise.scope, "beside", "no more failures than before, side by side", _VERDICTS[rise.verdict], reason,
        value=rise.now.value, unit=rise.now.unit, baseline=rise.then.value, samples=rise.now.total, hint=hint,
    )  # fmt: skip


def _share(one: Measurement, words: str) -> str:
    share = (one.count or 0) / (one.total or 1)
    return f"{one.count or 0:,} of {one.total or 0:,} {words} ({format_value(share, 'ratio')})"
