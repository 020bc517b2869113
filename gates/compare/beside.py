"""Two builds measured side by side: what the epochs decided, told so that a person can believe it.

Where a gate was measured beside the phase signed off last, its times, throughput, memory and failures are judged by
that alone. Comparisons with stored runs are left out, those with the best earlier phase too: that phase was not
measured beside this one, so noise between runs would leave them undecided, and drown what was proven here. Only a
benchmark that the earlier source cannot run is still compared with stored runs: it must not go unjudged. Targets are
judged as ever.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from gates.alternating import ALONE
from gates.compare.case import Case
from gates.compare.culprit import name_causes
from gates.compare.performance import SIDE_BY_SIDE, judge_gone, judge_performance, percent
from gates.demands import format_value
from gates.results import Judgement, Measurement, Verdict
from gates.sequential import (
    BENCH,
    ERRORS,
    FLOOR,
    MEMORY,
    NUMBER,
    P95,
    P99,
    RATE,
    RATE_BEFORE,
    SHIFT,
    THROUGHPUT,
    Decision,
    Quantity,
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
_OWN_VALUE = {SHIFT: "load.p50", P95: "load.p95", P99: "load.p99", MEMORY: "load.memory", THROUGHPUT: RATE}
_IN_TURNS = (BENCH, NUMBER)
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
    judgements = name_causes(judgements)
    compared = frozenset(one.scope for one in measurements if one.name == BENCH)
    if compared:
        return judgements + judge_performance(case, rose | compared, vanished)
    return judgements + judge_gone(case, rose, vanished)


def say_why_alone(case: Case, judgements: Sequence[Judgement]) -> list[Judgement]:
    """Return judgements with the reason why both builds were not measured, where the advice is to do that."""
    notes = case.result.readings.notes
    why = next((note.removeprefix(ALONE) for note in notes if note.startswith(ALONE)), None)
    if why is None or measured_beside(case):
        return list(judgements)
    return [
        replace(one, hint=f"{one.hint}; it was not done: {why}") if one.hint.endswith(SIDE_BY_SIDE) else one
        for one in judgements
    ]


def _phase(case: Case) -> str:
    return case.previous or "the earlier build"


def subject_beside(name: str, scope: str) -> str:
    """Return what was compared, in the words of its reason: `GET /orders`, `the p95 of GET /orders`."""
    if name == MEMORY:
        return "peak memory"
    if name == THROUGHPUT:
        return "throughput"
    if name in _IN_TURNS:
        return scope
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
    subject = subject_beside(quantity.name, quantity.scope)
    if not quantity.samples:
        measured = case.measurements[(quantity.name, quantity.scope)]
        return f"{subject} is not judged yet: {shortage(measured, len(measured.samples))}"
    epochs = len(quantity.samples)
    if not math.isfinite(decision.high):
        return (
            f"{subject} cannot be judged beside {phase} by {_epochs(quantity, epochs)}: that says nothing of the noise"
        )
    interval = times(decision.ratio, decision.low, decision.high)
    own = _own(case, quantity)
    if quantity.name in (SHIFT, BENCH):
        middle = f"takes {interval} as long as in {phase}"
    elif quantity.name == THROUGHPUT:
        middle = f"was {interval} what it is now in {phase}{_rates(case)}"
    elif own is not None and own.better == "higher":
        middle = f"was {interval} what it is now in {phase}"
    else:
        middle = f"is {interval} that of {phase}"
    reason = f"{subject} {middle}, measured side by side in {_epochs(quantity, epochs)}"
    reason += f"; {percent(quantity.tolerance)} is tolerated"
    floor = floor_in(case.result.readings.measurements)
    if floor > FLOOR:  # calibration raised it, which nobody would guess
        reason += f", less than {percent(floor)} counts as none on this machine"
    return f"{reason}; this run could have seen {_seen(decision.detectable)}"


def _rates(case: Case) -> str:
    """Return what both builds got through, in words, where that was kept."""
    now, then = (case.measurements.get((name, "")) for name in (RATE, RATE_BEFORE))
    if now is None or then is None:
        return ""
    return f" ({format_value(then.value, then.unit)} then, {format_value(now.value, now.unit)} now)"


def _epochs(quantity: Quantity, count: int) -> str:
    """Return a number of epochs in words; those of two commands in turns are blocks."""
    return f"{count} {'block' if quantity.name in _IN_TURNS else 'epoch'}{'' if count == 1 else 's'}"


def _own(case: Case, quantity: Quantity) -> Measurement | None:
    """Return what the ratio was made of, as it is in this build alone."""
    if quantity.name == NUMBER:
        return case.measurements.get((quantity.scope, ""))
    return case.measurements.get(
        ("bench.median" if quantity.name == BENCH else _OWN_VALUE[quantity.name], quantity.scope)
    )


def _seen(share: float) -> str:
    return f"{share * 100:.2g} %" if share < 1 else f"{share * 100:.0f} %"


def _judge(case: Case, decision: Decision, decisions: Sequence[Decision], planned: int) -> Judgement:
    quantity = decision.quantity
    own = _own(case, quantity)
    finite = math.isfinite(decision.high)
    more = {MEMORY: "more", NUMBER: "worse", THROUGHPUT: "less"}.get(quantity.name, "slower")
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
    return f"{_epochs(decision.quantity, more).replace(' ', ' more ')} would decide it"


def _hint(decision: Decision, decisions: Sequence[Decision], planned: int) -> str:
    if decision.verdict == "fail":
        cause = {MEMORY: "holds more memory", NUMBER: "made it worse"}.get(decision.quantity.name, "made it slower")
        return f"find what {cause}; {_PRICE}"
    if decision.verdict == "pass":
        return ""
    if any(one.verdict == "fail" for one in decisions):
        return "repair what failed first: the measurement stopped there"
    # One number for all that is undecided, so that reports can tell them together.
    open_ones = [one for one in decisions if one.verdict == "open"]
    needed = max((one.needed or 0 for one in open_ones), default=0)
    setting = "pair_blocks" if decision.quantity.name in _IN_TURNS else "pair_epochs"
    quieter = "measure on a quieter machine" + (
        f", or set `{setting}` of this gate to {needed}" if needed > planned else ""
    )
    return (
        quieter if needed > planned or any(one.needed is None for one in open_ones) else "let the gate run to its end"
    )


def _left_out(one: Measurement, lacking: str) -> Judgement:
    reason = f"{subject_beside(one.name, one.scope)} is not judged: {lacking}"
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
