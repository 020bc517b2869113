"""Times, throughput and memory against a stored run: proven worse, proven not worse, or not to be told apart.

One stored run says nothing of the difference that two runs of the same build show, so that difference is a part of
every interval, and most often the largest: what is smaller than it stays `unknown`, never `pass`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from gates.compare.case import Baseline, Case, is_explained, since_accepted
from gates.demands import format_value
from gates.machine import differences
from gates.results import GateResult, Judgement, JudgementKind, Measurement, Verdict
from gates.statistics import LogRatio, Spread, between_runs, compare_logs, holm

TIME_RUN_SD = 0.15
"""Run-to-run standard deviation (log) of times and throughput, where no repeated runs tell it.

On a real phased backend identical code differed by -19 to +38 % in p50 from run to run (performance.md)."""
SCHEDULED_RUN_SD = 0.01
"""The same for throughput, where requests come on schedule: it is the rate, less what was not answered in time."""
MEMORY_RUN_SD = 0.01
"""The same for peak memory: 15 starts of a FastAPI service under equal load differed by 2.4 % each, nearly all of it
from start to start, which epochs show; about 0.8 % was left between groups of three."""
NOISE_FLOOR = 0.01
"""A worsening below this is not one (eps in performance.md)."""
ALPHA = 0.05
"""The chance that a gate fails at all when nothing became slower (Holm over all its comparisons)."""
SIDE_BY_SIDE = "measure both builds side by side"
_REPEAT = (
    "repeat it three times or more (`epochs` of a load gate, `processes` of a benchmark gate), "
    "so that the next sign-off holds enough to be compared with"
)
_SINGLE = "both were loaded in a single epoch, as the profile says, and that tells nothing of how epochs differ"
_SEVERAL = "only its targets are judged; `epochs` of three or more, as in the profile `normal`, are compared"
_LONGER = "load it longer, or at a higher rate"
_THROUGHPUT = "load.throughput"
_SAME_RATE = 0.02
_LONGER_SEARCH = "let it search further with a higher `rate_limit`"


@dataclass(frozen=True, slots=True)
class Compared:
    """A measurement that is compared with earlier phases, and by which tolerance."""

    measurement: str
    reach: Literal["whole", "parts"]
    """Over all operations (scope ""), or each operation or benchmark by itself."""
    tolerance: Literal["performance", "tails"]
    run_sd: float
    timed: bool = True
    """A time or a rate: comparable only on one machine, and between answers that succeeded."""
    least_per_epoch: int = 0
    """Below so many requests an epoch's percentile is nothing but its slowest request."""
    spare: bool = False
    """Left out, and said to be, where there are too few requests; another percentile is still compared."""


COMPARED = (
    Compared("load.p50", "whole", "performance", TIME_RUN_SD),
    Compared("load.p95", "whole", "performance", TIME_RUN_SD, least_per_epoch=20),
    Compared("load.p99", "whole", "tails", TIME_RUN_SD, least_per_epoch=1000, spare=True),
    Compared("load.p95", "parts", "tails", TIME_RUN_SD, least_per_epoch=20),
    Compared("load.throughput", "whole", "performance", TIME_RUN_SD),
    Compared("load.knee", "whole", "performance", TIME_RUN_SD),
    Compared("load.memory", "whole", "performance", MEMORY_RUN_SD, timed=False),
    Compared("bench.median", "parts", "performance", TIME_RUN_SD),
)
"""An operation's p50 is compared with the other operations of its run instead (`relative`)."""


@dataclass(frozen=True)
class Trial:
    """One comparison before it is decided; `worsening` is how many times worse, whatever the direction."""

    row: Compared
    kind: JudgementKind
    now: Measurement
    then: Measurement
    phase: str
    worsening: LogRatio | None
    obstacle: str = ""
    advice: str = SIDE_BY_SIDE
    left_out: bool = False
    choices: int = 1
    """From how many phases `then` was chosen as the best; each would have been a chance to fail."""

    @property
    def subject(self) -> str:
        """What is compared, in words."""
        return f"{self.now.name} of {self.now.scope}" if self.now.scope else self.now.name


def tolerance_of(case: Case, row: Compared) -> float:
    """Return how much worse a measurement may be, as a share."""
    tolerances = case.policy.tolerances
    return tolerances.performance if row.tolerance == "performance" else tolerances.tails


def row_of(measurement: Measurement) -> Compared | None:
    """Return how a measurement is compared; None when it is not."""
    reach = "parts" if measurement.scope else "whole"
    return next((row for row in COMPARED if (row.measurement, row.reach) == (measurement.name, reach)), None)


def judge_performance(case: Case, not_comparable: frozenset[str], vanished: frozenset[str]) -> list[Judgement]:
    """Compare with the previous phase and with the best earlier one.

    `not_comparable` are scopes whose answers failed too often for their times to mean anything, `vanished` those
    that are reported as gone already.
    """
    baseline = case.baseline
    if baseline is None:
        return []
    trials: list[Trial] = []
    for then in baseline.measurements.values():
        row = row_of(then)
        now = case.measurements.get((then.name, then.scope))
        if row is None or now is None or (then.scope in not_comparable and row.timed):
            continue
        trials.append(make_trial(case, row, now, then, baseline, "baseline"))
        best = _best(case, row, now)
        if best is not None:
            chosen, choices = best
            trial = make_trial(case, row, now, chosen.measurements[(then.name, then.scope)], chosen, "best")
            trials.append(replace(trial, choices=choices))
    return judge_gone(case, not_comparable, vanished) + decide_all(case, trials)


def judge_gone(case: Case, not_comparable: frozenset[str], vanished: frozenset[str]) -> list[Judgement]:
    """Return what the baseline measured, and would be compared, and was not measured this time without a reason."""
    if case.baseline is None or not case.complete:
        return []
    gone = []
    for then in case.baseline.measurements.values():
        row = row_of(then)
        if row is None or (then.scope in not_comparable and row.timed) or then.scope in vanished:
            continue
        if (then.name, then.scope) not in case.measurements and not is_explained(case, then.name):
            gone.append(_gone(then, case.baseline))
    return gone


def _gone(then: Measurement, baseline: Baseline) -> Judgement:
    subject = f"{then.name} of {then.scope}" if then.scope else then.name
    return Judgement(
        then.name, then.scope, "baseline", "measured again", Verdict.UNKNOWN,
        f"{subject} was {format_value(then.value, then.unit)} in {baseline.phase} and was not measured this time",
        unit=then.unit, baseline=then.value, hint="let the gate measure it again",
    )  # fmt: skip


def make_trial(
    case: Case, row: Compared, now: Measurement, then: Measurement, baseline: Baseline, kind: JudgementKind
) -> Trial:
    """Return how much worse `now` is than `then`, or what keeps that from being said."""
    trial = Trial(row, kind, now, then, baseline.phase, None)
    if _is_single(case.result) and _is_single(baseline.gate):
        return replace(trial, obstacle=_SINGLE, advice=_SEVERAL, left_out=True)
    if row.timed and (different := different_machine(case, baseline)):
        return replace(trial, obstacle=f"{baseline.phase} was measured on another machine ({different})")
    for side, which in ((now, "this run"), (then, baseline.phase)):
        if row.least_per_epoch and side.total is not None and side.samples:
            needed = row.least_per_epoch * len(side.samples)
            if side.total < needed:
                obstacle = f"it needs {needed} requests, and {which} had {side.total}"
                return replace(trial, obstacle=obstacle, advice=_LONGER, left_out=row.spare)
    if now.name == _THROUGHPUT and (other := _another_rate(case, baseline)):
        return replace(trial, obstacle=other, advice="compare what was sent at the same rate", left_out=True)
    if (ended := _not_found(now, then, baseline)) is not None:
        return replace(trial, obstacle=ended[0], advice=_LONGER_SEARCH, left_out=ended[1])
    shift = compare_logs(then.samples, now.samples, run_spread(case, row, then))
    if shift is None:
        return replace(
            trial,
            obstacle=f"there are too few repetitions above zero ({len(then.samples)} in {baseline.phase}, "
            f"{len(now.samples)} now; three and three are enough)",
            advice=_REPEAT,
        )
    return replace(trial, worsening=shift.inverted() if now.better == "higher" else shift)


def _is_single(gate: GateResult) -> bool:
    """Return whether a gate loads in one epoch, by its settings and not because others could not be believed."""
    return len(gate.readings.epochs) == 1


def _not_found(now: Measurement, then: Measurement, baseline: Baseline) -> tuple[str, bool] | None:
    """Return why knees cannot be compared where a search ended at a limit; true when it is not worse all the same."""
    if now.name != "load.knee" or (now.samples and then.samples):
        return None
    if not now.samples:
        return "this run only shows that it is at least so much", now.value >= then.value
    return f"{baseline.phase} only shows that it was at least so much", False


def different_machine(case: Case, baseline: Baseline) -> str:
    """Return how the machine of a baseline differs from this one, empty when it does not."""
    return "; ".join(differences(baseline.machine, case.machine))


def run_spread(case: Case, row: Compared, then: Measurement) -> Spread:
    """Return the spread from run to run: of repeated runs where there are three, else the measured constant."""
    key = (then.name, then.scope)
    gates = [*([case.baseline.gate] if case.baseline else []), *case.repeats]
    values = [
        measurement.value
        for gate in gates
        for measurement in gate.readings.measurements
        if (measurement.name, measurement.scope) == key
    ]
    scheduled = row.measurement == _THROUGHPUT and case.baseline is not None and _rate(case.result) is not None
    return between_runs(values) or Spread(SCHEDULED_RUN_SD if scheduled else row.run_sd)


def _rate(gate: GateResult) -> float | None:
    """Return how many requests per second were sent on schedule; None for a closed loop."""
    rates = [epoch.conditions["rate"] for epoch in gate.readings.epochs if "rate" in epoch.conditions]
    return sum(rates) / len(rates) if rates else None


def _another_rate(case: Case, baseline: Baseline) -> str:
    """Return how the rate differs that was sent, empty when it does not: throughput follows from it."""
    now, then = _rate(case.result), _rate(baseline.gate)
    if now is None or then is None or abs(now / then - 1) <= _SAME_RATE:
        return ""
    return f"{now:.3g} requests/s were sent, and {then:.3g} in {baseline.phase}"


def _best(case: Case, row: Compared, now: Measurement) -> tuple[Baseline, int] | None:
    """Return the best earlier phase and of how many it is, or None when that is the previous one."""
    key = (now.name, now.scope)
    candidates = [
        baseline
        for baseline in since_accepted(case, *key)
        if key in baseline.measurements and not (row.timed and different_machine(case, baseline))
    ]
    if not candidates:
        return None
    sign = -1 if now.better == "higher" else 1
    # Of equals the latest.
    best = min(reversed(candidates), key=lambda baseline: sign * baseline.measurements[key].value)
    return None if best is case.baseline else (best, len(candidates))


def decide_all(case: Case, trials: Sequence[Trial]) -> list[Judgement]:
    """Decide comparisons together: what fails has to be proven against the number of chances there were to fail."""
    measured = [(trial, trial.worsening) for trial in trials if trial.worsening is not None]
    chances = [min(1.0, trial.choices * shift.chance_above(1 + NOISE_FLOOR)) for trial, shift in measured]
    proven = [trial for (trial, _), told in zip(measured, holm(chances, ALPHA), strict=True) if told]
    return [_decide(trial, tolerance_of(case, trial.row), trial in proven, len(measured)) for trial in trials]


def verdict_of(worsening: LogRatio, tolerance: float, *, proven: bool) -> Verdict:
    """Return what an interval says: `fail` above the noise floor and the tolerance, `pass` below the tolerance.

    It never passes where a worsening as large as the tolerance would most likely not have been seen.
    """
    if proven and worsening.low > 1 + NOISE_FLOOR and worsening.ratio >= 1 + tolerance:
        return Verdict.FAIL
    if worsening.high < 1 + tolerance and worsening.detectable <= tolerance:
        return Verdict.PASS
    return Verdict.UNKNOWN


def _decide(trial: Trial, tolerance: float, proven: bool, of: int) -> Judgement:
    demand = f"at most {percent(tolerance)} worse"
    best = "the best earlier phase, " if trial.kind == "best" else ""
    judgement = Judgement(
        trial.now.name, trial.now.scope, trial.kind, demand, Verdict.UNKNOWN, "", value=trial.now.value,
        unit=trial.now.unit, baseline=trial.then.value, samples=len(trial.now.samples) or None,
    )  # fmt: skip
    if trial.worsening is None:
        reason = f"{trial.subject} cannot be compared with {best}{trial.phase}: {trial.obstacle}"
        verdict = Verdict.SKIPPED if trial.left_out else Verdict.UNKNOWN
        return replace(judgement, verdict=verdict, reason=reason, hint=trial.advice)
    worsening = trial.worsening
    verdict = verdict_of(worsening, tolerance, proven=proven)
    shift = worsening.inverted() if trial.now.better == "higher" else worsening
    reason = f"{trial.subject} is {interval(shift)} that of {best}{trial.phase}"
    hint = ""
    if verdict is Verdict.FAIL:
        reason += f"; {percent(tolerance)} is tolerated"
        hint = "find what made it worse; if that is the price of this phase, sign off with --accept-debt"
    elif verdict is Verdict.UNKNOWN:
        many = of > 1 and worsening.low > 1 + NOISE_FLOOR and worsening.ratio >= 1 + tolerance
        reason += f"; {percent(tolerance)} is tolerated, and two single runs only show a worsening of"
        reason += f" {percent(worsening.detectable)} or more"
        reason += f" (as one of {of} comparisons, this is not yet proof)" if many else ""
        hint = SIDE_BY_SIDE
    return replace(
        judgement, verdict=verdict, reason=reason, hint=hint, ratio=shift.ratio, low=shift.low, high=shift.high,
        detectable=worsening.detectable,
    )  # fmt: skip


def percent(share: float) -> str:
    """Return a share as people say it: `5 %`."""
    return f"{share * 100:.3g} %"


def interval(shift: LogRatio) -> str:
    """Return a ratio with its interval: `1.92× (1.41× to 2.62×)`."""
    return f"{shift.ratio:.3g}× ({shift.low:.3g}× to {shift.high:.3g}×)"


def is_worse(case: Case, now: Measurement, then: Measurement, baseline: Baseline) -> bool:
    """Return whether a time, rate or size became worse than it was: by its interval, or by the tolerance without one.

    Where the machine is another one nothing can be said, and the comparison beside this one says that.
    """
    row = row_of(now)
    if row is not None:
        trial = make_trial(case, row, now, then, baseline, "baseline")
        if trial.worsening is not None:
            proven = trial.worsening.chance_above(1 + NOISE_FLOOR) <= ALPHA
            return verdict_of(trial.worsening, tolerance_of(case, row), proven=proven) is Verdict.FAIL
        if row.timed and different_machine(case, baseline):
            return False
    first, second = (then.value, now.value) if now.better == "lower" else (now.value, then.value)
    return now.better != "neither" and second > first * (1 + case.policy.tolerances.performance)
