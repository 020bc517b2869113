"""Findings as sets of identities: what is new, known, repaired or flaky, and which of them fail the gate."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from gates.compare.case import Baseline, Case, describe_finding, mentions
from gates.compare.subjects import SUBJECT_RULES
from gates.compare.waivers import waive
from gates.demands import Tolerances
from gates.results import Finding, FindingState, Judgement, Severity, Subject, SubjectKind, Verdict

_RANK = {Severity.INFO: 0, Severity.LOW: 1, Severity.MEDIUM: 2, Severity.HIGH: 3}
_TOLERATED_BELOW = {
    "none new": Severity.LOW, "none new medium": Severity.MEDIUM, "none new high": Severity.HIGH, "any": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FindingRule:
    """From which severity on a new finding fails, by the beginning of its rule.

    `at_first` holds where the gate has no baseline (None: only targets decide then); `always` holds it there as well
    when the tolerance for findings is wider, because what the rule finds is never a matter of taste. What is found
    `anew` is a difference to the earlier phase itself: the one that was accepted there is not there any more, so it is
    never known, and `[baseline] findings` does not speak of it.
    """

    prefix: str
    at_first: Severity | None
    always: bool = False
    anew: bool = False


FINDING_RULES = (
    FindingRule("backend.died", Severity.HIGH, always=True),
    FindingRule("tests.", Severity.MEDIUM, always=True),
    FindingRule("operation.vanished", Severity.MEDIUM, always=True),
    FindingRule("bench.vanished", Severity.MEDIUM, always=True),
    FindingRule("contract.", Severity.MEDIUM, always=True, anew=True),
    FindingRule("replay.", Severity.MEDIUM, always=True, anew=True),
    FindingRule("earlier.", Severity.MEDIUM, always=True, anew=True),
    FindingRule("doc.version-not-moved", Severity.MEDIUM, always=True, anew=True),
    FindingRule("doc.not-mentioned", Severity.MEDIUM, always=True, anew=True),
    FindingRule("bandit.", None),
    FindingRule("", Severity.MEDIUM),
)
"""The first whose prefix fits decides."""
_KNOWN_LATER = frozenset({FindingState.NEW, FindingState.KNOWN, FindingState.FLAKY})
_ACCEPTED = _KNOWN_LATER | {FindingState.WAIVED}


def _rule_of(finding: Finding) -> FindingRule:
    return next(rule for rule in FINDING_RULES if finding.rule.startswith(rule.prefix))


def fails(finding: Finding, tolerances: Tolerances, *, has_baseline: bool) -> bool:
    """Return whether a finding fails its gate: only new ones can."""
    if finding.state is not FindingState.NEW:
        return False
    rule = _rule_of(finding)
    limits = [rule.at_first] if rule.always or not has_baseline else []
    if has_baseline and not rule.anew:
        limits.append(_TOLERATED_BELOW[tolerances.findings])
    return any(limit is not None and _RANK[finding.severity] >= _RANK[limit] for limit in limits)


def failing(findings: Iterable[Finding], tolerances: Tolerances, *, has_baseline: bool) -> list[Finding]:
    """Return the findings that fail a gate, the worst first."""
    found = [finding for finding in findings if fails(finding, tolerances, has_baseline=has_baseline)]
    return sorted(found, key=lambda finding: -_RANK[finding.severity])


def sort_findings(case: Case, findings: Sequence[Finding]) -> list[Finding]:
    """Return findings with their states against the baseline, and what is gone since then as fixed.

    A second finding with the identity of a known one is new. Flaky ones keep their state. One that was waived at the
    sign-off is new again when its waiver does not hold any more.
    """
    baseline = case.baseline
    then = [
        finding
        for finding in (baseline.gate.readings.findings if baseline else ())
        if finding.state in _ACCEPTED and not _rule_of(finding).anew
    ]
    left = Counter(finding.fingerprint for finding in then)
    known = Counter(finding.fingerprint for finding in then if finding.state in _KNOWN_LATER)
    found = []
    for finding in findings:
        if finding.state is not FindingState.FLAKY:
            state = FindingState.KNOWN if known[finding.fingerprint] > 0 else FindingState.NEW
            finding = replace(finding, state=state)
        left[finding.fingerprint] -= 1
        known[finding.fingerprint] -= 1
        found.append(finding)
    return waive(found, case.policy.waivers) + _fixed(case, baseline, left)


def _fixed(case: Case, baseline: Baseline | None, left: Counter[str]) -> list[Finding]:
    if baseline is None or not case.complete:
        return []
    places = Places(case, baseline)
    fixed = []
    for finding in baseline.gate.readings.findings:
        # A flaky one that did not show itself this time may only have been lucky.
        if finding.state not in _ACCEPTED or finding.state is FindingState.FLAKY or finding.rule in SUBJECT_RULES:
            continue
        if left[finding.fingerprint] > 0:
            left[finding.fingerprint] -= 1
            if places.looked_at(finding):
                fixed.append(replace(finding, state=FindingState.FIXED))
    return fixed


class Places:
    """Where a gate looked this time: only what it looked at again can be called repaired."""

    def __init__(self, case: Case, baseline: Baseline) -> None:
        readings = case.result.readings
        self._operations = {seen.operation for seen in readings.operations if seen.statuses}
        self._operations |= _names(readings.subjects, "operation", "tested")
        self._files = _names(readings.subjects, "file", "scanned")
        known = self._operations | self._files | set(case.classes)
        for subject in baseline.gate.readings.subjects:
            known.add(subject.name)
        missing = [f"{gap.what}: {gap.reason}" for gap in readings.gaps]
        self._blind = {place for place in known for what in missing if mentions(what, place)}
        # A gap that names no place may be about any.
        self._blind |= _cut_short(readings.subjects)
        then, now = (_operations(gate.readings.subjects) for gate in (baseline.gate, case.result))
        self._gone = then - now if now else set()
        self._everywhere = any(not any(mentions(what, place) for place in known) for what in missing)

    def looked_at(self, finding: Finding) -> bool:
        """Return whether the place of an earlier finding was looked at this time, or is an operation that is gone."""
        if finding.operation in self._gone:
            return True
        if self._everywhere:
            return False
        for place, seen in ((finding.operation, self._operations), (finding.path, self._files)):
            if place is not None and (place in self._blind or (seen and place not in seen)):
                return False
        return True


def _cut_short(subjects: Iterable[Subject]) -> set[str]:
    """Return the operations that a run tested, but not to the end, or had no time to test at all."""
    return {
        subject.name
        for subject in subjects
        if subject.kind == "operation" and (subject.outcome == "tested") == bool(subject.message)
    }


def _operations(subjects: Iterable[Subject]) -> set[str]:
    return {subject.name for subject in subjects if subject.kind == "operation"}


def _names(subjects: Iterable[Subject], kind: SubjectKind, outcome: str) -> set[str]:
    return {subject.name for subject in subjects if subject.kind == kind and subject.outcome == outcome}


def judge_findings(case: Case, findings: Sequence[Finding]) -> Judgement:
    """Return the decision on all findings that the tool itself brought."""
    baseline = case.baseline
    own = [finding for finding in findings if finding.rule not in SUBJECT_RULES]
    counts = Counter(finding.state for finding in own)
    bad = failing(own, case.policy.tolerances, has_baseline=baseline is not None)
    unsure = baseline is not None and bool(bad) and all(_may_be_old(finding, baseline) for finding in bad)
    parts = [_lead(bad, counts[FindingState.NEW], baseline.phase if baseline and unsure else "")]
    words = {FindingState.KNOWN: "known", FindingState.FIXED: "repaired", FindingState.FLAKY: "flaky",
             FindingState.WAIVED: "waived"}  # fmt: skip
    parts += [f"{counts[state]} {word}" for state, word in words.items() if counts[state]]
    if baseline is not None:
        parts += _configuration_changes(case, baseline)
    hint = (bad[0].fix or "repair it, or see `gates explain`") if bad else ""
    if unsure:
        hint = "repair them, or give the gate the time that it needs and sign that off"
    return Judgement(
        "findings", "", "findings", _demand(case),
        Verdict.UNKNOWN if unsure else Verdict.FAIL if bad else Verdict.PASS, ", ".join(parts),
        value=len(bad), unit="1", baseline=None if baseline is None else counts[FindingState.KNOWN], hint=hint,
    )  # fmt: skip


def _may_be_old(finding: Finding, baseline: Baseline) -> bool:
    """Return whether a new finding stands where the earlier run was cut short, so that it may have been there."""
    return finding.operation in _cut_short(baseline.gate.readings.subjects) and not _rule_of(finding).always


def _lead(bad: Sequence[Finding], new: int, cut_short: str) -> str:
    """Return what is said of the new findings first; `cut_short` is the phase that may have had them already."""
    if not bad:
        return f"{_count(new, 'new finding')} within what is tolerated" if new else "no new findings"
    told = _count(len(bad), "new finding")
    if cut_short:
        told += f" where the run of {cut_short} was cut short, so whether it had them is not known"
    elif new > len(bad):
        told = f"{len(bad)} of {new} new findings {'fails' if len(bad) == 1 else 'fail'} the gate"
    more = f" (and {len(bad) - 1} more)" if len(bad) > 1 else ""
    return f"{told}: {describe_finding(bad[0])}{more}"


def _configuration_changes(case: Case, baseline: Baseline) -> list[str]:
    then, now = baseline.gate.readings.configurations, case.result.readings.configurations
    changed = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    return [f"the effective configuration {name} changed since {baseline.phase}" for name in changed]


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _demand(case: Case) -> str:
    if case.baseline is not None:
        return case.policy.tolerances.findings
    return "none of medium severity or worse, at first"
