"""Readings, targets and earlier phases become judgements; pure, so that a stored run can be judged again."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from gates.compare.beside import judge_beside, measured_beside, say_why_alone
from gates.compare.case import COMPLETE, Case, Earlier, find_history, find_repeats, has_content
from gates.compare.changes import configuration_changes, policy_changes
from gates.compare.coverage import judge_coverage
from gates.compare.culprit import name_causes
from gates.compare.demanded import judge_targets
from gates.compare.errors import judge_errors
from gates.compare.evidence import judge_evidence, keep_engine_verdict
from gates.compare.findings import judge_findings, sort_findings
from gates.compare.leak import judge_leak
from gates.compare.numbers import judge_numbers
from gates.compare.performance import judge_performance
from gates.compare.relative import judge_relative
from gates.compare.subjects import judge_subjects, without_made
from gates.compare.waivers import waiver_notes
from gates.demands import Policy
from gates.results import FindingState, GateResult, Judgement, Run, Verdict, worst

__all__ = ["Earlier", "configuration_changes", "judge", "policy_changes", "tell_once", "waiver_notes"]

_REMOVED, _VANISHED = "contract.operation-removed", "operation.vanished"


def judge(
    result: GateResult,
    *,
    policy: Policy,
    classes: Mapping[str, str],
    previous: Earlier | None,
    earlier: Sequence[Earlier],
    machine: Mapping[str, str],
    target_owners: Mapping[str, tuple[str, ...]],
    configured: Collection[str] = (),
    repeats: Sequence[Run] = (),
) -> GateResult:
    """Return a gate with its findings sorted, its judgements, and the verdict with the worst reason.

    `earlier` are all signed-off phases before this one in order, `previous` the last of them; `classes` maps
    operations to their class, `target_owners` targets to the gates that would bring them, `configured` holds the names
    of all gates in gates.toml. `repeats` are other runs of the code that was signed off last: three and more tell how
    much runs differ by themselves. What the engine decided (an error, a dead backend, nothing measured) stays, and
    only gets worse. Judging a judged result again gives the same.
    """
    result = _as_engine_left_it(result)
    if result.verdict is Verdict.SKIPPED or (result.verdict is not Verdict.PASS and not has_content(result)):
        return result
    phases = [one for one in earlier if previous is None or one.phase != previous.phase]
    phases += [previous] if previous else []
    case = Case(
        result, policy, classes, machine, target_owners, find_history(result, phases, configured),
        find_repeats(result, repeats, machine, configured), complete=result.verdict is Verdict.PASS,
        previous=previous.phase if previous else "",
    )  # fmt: skip
    subjects = judge_subjects(case)
    findings = [*sort_findings(case, without_made(result.readings.findings, case)), *subjects.findings]
    judgements = [
        *keep_engine_verdict(result),
        judge_findings(case, findings),
        *subjects.judgements,
        *judge_evidence(case),
        *judge_targets(case),
        *judge_leak(case),
        *judge_coverage(case),
        *say_why_alone(case, [*judge_numbers(case), *_judge_speed(case, subjects.vanished)]),
    ]
    judged = replace(result, readings=replace(result.readings, findings=tuple(findings)), judgements=tuple(judgements))
    return _conclude(judged)


def tell_once(gates: Sequence[GateResult]) -> list[GateResult]:
    """Return judged gates in which an operation that the contract gate tells of is not told to have vanished, too.

    The contract decides about it, with its severity and its waiver; what it does not tell of stays.
    """
    told = {
        finding.operation
        for gate in gates
        for finding in gate.readings.findings
        if finding.rule == _REMOVED and finding.operation and finding.state in (FindingState.NEW, FindingState.WAIVED)
    }
    return [_without_told(gate, told) for gate in gates]


def _without_told(gate: GateResult, told: Collection[str]) -> GateResult:
    left = [
        finding for finding in gate.readings.findings if not (finding.rule == _VANISHED and finding.operation in told)
    ]
    if len(left) == len(gate.readings.findings):
        return gate
    still = any(finding.rule == _VANISHED and finding.state is FindingState.NEW for finding in left)
    judgements = tuple(
        judgement
        for judgement in gate.judgements
        if still or (judgement.kind, judgement.measurement) != ("subjects", "operations")
    )
    return _conclude(replace(gate, readings=replace(gate.readings, findings=tuple(left)), judgements=judgements))


def _judge_speed(case: Case, vanished: frozenset[str]) -> list[Judgement]:
    if measured_beside(case):
        return judge_beside(case, vanished)
    errors, not_comparable = judge_errors(case)
    absolute = judge_performance(case, not_comparable, vanished)
    return name_causes([*errors, *absolute, *judge_relative(case, not_comparable, absolute)])


def _as_engine_left_it(result: GateResult) -> GateResult:
    if not result.judgements:
        return result
    kept = next((judgement for judgement in result.judgements if judgement.demand == COMPLETE), None)
    if kept is None:
        return replace(result, verdict=Verdict.PASS, reason=None, hint="", judgements=())
    return replace(result, verdict=kept.verdict, reason=kept.reason, hint=kept.hint, judgements=())


def _conclude(result: GateResult) -> GateResult:
    verdict = worst(judgement.verdict for judgement in result.judgements)
    if verdict is Verdict.PASS:
        return replace(result, verdict=verdict, reason=None, hint="")
    decisive = next(judgement for judgement in result.judgements if judgement.verdict is verdict)
    return replace(result, verdict=verdict, reason=decisive.reason, hint=decisive.hint)
