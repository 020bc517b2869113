"""Why a gate did not pass, in lines that a person reads: several of one kind are told in one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gates.compare.case import describe_finding
from gates.compare.findings import failing
from gates.compare.subjects import SUBJECT_OF, list_names
from gates.demands import Policy
from gates.results import Finding, FindingState, GateResult, Judgement, Verdict

_SHOWN_STATES: Mapping[FindingState, str] = {
    FindingState.KNOWN: "known", FindingState.WAIVED: "waived", FindingState.FLAKY: "flaky",
}  # fmt: skip
_FEW = 3
"""Up to so many reasons of one kind stand by themselves; more are told in one line."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something is as it is, and what would change it."""

    text: str
    hint: str = ""


Judged = tuple[Verdict, Reason]


def reasons_of(gate: GateResult, policy: Policy) -> list[Judged]:
    """Return why a gate did not pass, a line each, with what to do; several of one kind are told in one line."""
    if gate.verdict is Verdict.PASS:
        return []
    if gate.verdict is Verdict.SKIPPED:
        return [(Verdict.SKIPPED, Reason(f"{gate.gate} was skipped: {gate.reason or 'no reason was given'}"))]
    unmet = [one for one in gate.judgements if one.verdict not in (Verdict.PASS, Verdict.SKIPPED)]
    if not unmet:
        return [(gate.verdict, Reason(gate.reason or f"{gate.gate} is {gate.verdict} and left no reason", gate.hint))]
    found: list[Judged] = []
    # Findings that may be old are undecided, and their sum says why.
    certain = [one for one in unmet if one.kind in ("findings", "subjects") and one.verdict is Verdict.FAIL]
    if certain:
        found += _finding_reasons(gate, policy, unmet)
    rest = [judgement for judgement in unmet if judgement not in certain]
    groups: dict[tuple[str, ...], list[Judgement]] = {}
    for judgement in _without_repetition(rest):
        groups.setdefault(_group(judgement), []).append(judgement)
    for group in groups.values():
        found += _grouped_judgements(group)
    return found


def has_baseline(gate: GateResult) -> bool:
    """Return whether a judged gate was compared with an earlier phase."""
    return any(judgement.kind == "findings" and judgement.baseline is not None for judgement in gate.judgements)


def _finding_reasons(gate: GateResult, policy: Policy, unmet: Sequence[Judgement]) -> list[Judged]:
    by_rule: dict[str, list[Finding]] = {}
    for finding in failing(gate.readings.findings, policy.tolerances, has_baseline=has_baseline(gate)):
        by_rule.setdefault(finding.rule, []).append(finding)
    sums = {judgement.measurement: judgement for judgement in unmet if judgement.kind == "subjects"}
    found: list[Judged] = []
    for rule, findings in by_rule.items():
        if len(findings) <= _FEW:
            found += [(Verdict.FAIL, Reason(describe_finding(finding), finding.fix)) for finding in findings]
            continue
        whole = sums.get(SUBJECT_OF.get(rule, ""))
        text = whole.reason if whole else f"{describe_finding(findings[0])} and {len(findings) - 1} more of {rule}"
        found.append((Verdict.FAIL, Reason(text, findings[0].fix)))
    return list(dict.fromkeys(found))


def _without_repetition(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Return judgements without those against the best earlier phase where the previous one says the same already."""
    said = {
        (judgement.measurement, judgement.scope, judgement.verdict)
        for judgement in judgements
        if judgement.kind == "baseline"
    }
    return [
        judgement
        for judgement in judgements
        if judgement.kind != "best" or (judgement.measurement, judgement.scope, judgement.verdict) not in said
    ]


def _group(judgement: Judgement) -> tuple[str, ...]:
    if judgement.verdict is Verdict.UNKNOWN and judgement.kind in ("baseline", "best", "relative", "beside"):
        return (judgement.verdict, "compared", judgement.hint)
    return (judgement.verdict, judgement.kind, judgement.measurement, judgement.demand, judgement.hint)


def _how_far_off(judgement: Judgement) -> float:
    """Return a key that puts the largest worsening first, and leaves what has no ratio in its order."""
    ratio = judgement.ratio or 1.0
    return -ratio if judgement.measurement != "load.throughput" else -1 / ratio


def _grouped_judgements(group: Sequence[Judgement]) -> list[Judged]:
    if len(group) <= _FEW:
        return [(judgement.verdict, Reason(judgement.reason, judgement.hint)) for judgement in group]
    first, *rest = sorted(group, key=_how_far_off)
    others = [judgement.scope or judgement.measurement for judgement in rest]
    text = f"{first.reason}; and {len(others)} more like this: {list_names(list(dict.fromkeys(others)))}"
    return [(first.verdict, Reason(text, first.hint))]


def known_of(gate: GateResult) -> list[str]:
    """Return what was accepted as known, waived, or changes its mind: each once, several of one rule in one line."""
    lines = [judgement.reason for judgement in gate.judgements if judgement.debt]
    for state, words in _SHOWN_STATES.items():
        by_rule: dict[str, list[Finding]] = {}
        for finding in gate.readings.findings:
            if finding.state is state:
                by_rule.setdefault(finding.rule, []).append(finding)
        for rule, findings in by_rule.items():
            if len(findings) <= _FEW:
                lines += [f"{words}: {describe_finding(finding)}" for finding in findings]
            else:
                lines.append(f"{words}: {describe_finding(findings[0])} and {len(findings) - 1} more of {rule}")
    return lines
