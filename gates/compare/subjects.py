"""Tests, operations and benchmarks by name: what fails now, and what was there at the sign-off and is gone."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from gates.compare.case import Case, describe_finding
from gates.compare.waivers import waive
from gates.results import Finding, FindingState, GateResult, Judgement, Severity, Subject, SubjectKind, Verdict

FAILED = "tests.failed"
VANISHED = "tests.vanished"
SKIPPED = "tests.newly-skipped"
FLAKY = "tests.flaky"
SUBJECT_OF: Mapping[str, str] = {
    FAILED: "tests", VANISHED: "tests", SKIPPED: "tests", FLAKY: "tests",
    "operation.vanished": "operations", "bench.vanished": "benchmarks",
}  # fmt: skip
"""The measurement whose judgement sums a rule up, for the rules whose findings are made here, out of subjects."""
SUBJECT_RULES = frozenset(SUBJECT_OF)
_VANISHING: tuple[tuple[SubjectKind, str], ...] = (
    ("operation", "operation.vanished"), ("benchmark", "bench.vanished"),
)  # fmt: skip
_OUTCOMES = {"error": "could not run", "skipped": "was skipped", "flaky": "was flaky"}
_BROKEN = frozenset({"failed", "error"})
_COLLECTION = "tests.collection"
_SHOWN = 5
_BRING_BACK = "bring it back; if it was meant, sign off with --accept-debt"


def identity(rule: str, name: str) -> str:
    """Return the fingerprint of a finding that is made out of a subject, in the form that tools give theirs."""
    # Not by gates.tools.base: that would load every tool in order to compare numbers.
    return hashlib.sha256(f"{rule}\x1f{name}".encode()).hexdigest()[:16]


def named(gate: GateResult, kind: SubjectKind) -> dict[str, Subject]:
    """Return a gate's subjects of one kind by name; without subjects, what was measured tells what was there."""
    found = {subject.name: subject for subject in gate.readings.subjects if subject.kind == kind}
    if kind == "benchmark" and not found:
        for measurement in gate.readings.measurements:
            if measurement.name == "bench.median" and measurement.scope:
                found.setdefault(measurement.scope, Subject("benchmark", measurement.scope, "measured"))
    if kind == "operation" and not found:
        for seen in gate.readings.operations:
            # A test that asks an operation no more says nothing of whether that is still there.
            if seen.documented and seen.source == "generated":
                found.setdefault(seen.operation, Subject("operation", seen.operation, "tested"))
    return found


def without_made(findings: Iterable[Finding], case: Case) -> list[Finding]:
    """Return findings without those made here before, so that a gate can be judged again."""
    gates = [case.result, *([case.baseline.gate] if case.baseline else [])]
    kinds: tuple[SubjectKind, ...] = ("test", "operation", "benchmark")
    names = {name for gate in gates for kind in kinds for name in named(gate, kind)}
    made = {identity(rule, name) for rule in SUBJECT_RULES for name in names}
    return [
        finding
        for finding in findings
        if finding.state is not FindingState.FIXED
        and not (finding.rule in SUBJECT_RULES and finding.fingerprint in made)
    ]


@dataclass(frozen=True, slots=True)
class JudgedSubjects:
    """What was made of subjects; `vanished` names the operations and benchmarks that are gone."""

    findings: tuple[Finding, ...]
    judgements: tuple[Judgement, ...]
    vanished: frozenset[str]


def judge_subjects(case: Case) -> JudgedSubjects:
    """Return findings made of tests, operations and benchmarks, and the decisions on them."""
    baseline = case.baseline
    findings: list[Finding] = []
    judgements: list[Judgement] = []
    vanished: set[str] = set()
    tests = named(case.result, "test")
    before = named(baseline.gate, "test") if baseline else {}
    if tests or before:
        findings += waive(_judge_tests(case, tests, before), case.policy.waivers)
        judgements.append(_tests_judgement(case, tests, before, findings))
    for kind, rule in _VANISHING:
        gone = _gone(case, kind)
        if baseline is not None and gone:
            vanished |= gone.keys()
            told = [_vanished(subject, kind, rule, baseline.phase) for subject in gone.values()]
            told = waive(told, case.policy.waivers)
            findings += told
            counted = [name for name, one in zip(gone, told, strict=True) if one.state is FindingState.NEW]
            if counted:
                judgements.append(_vanished_judgement(kind, counted, baseline.phase))
    return JudgedSubjects(tuple(findings), tuple(judgements), frozenset(vanished))


def _judge_tests(case: Case, tests: Mapping[str, Subject], before: Mapping[str, Subject]) -> list[Finding]:
    phase = case.baseline.phase if case.baseline else ""
    waived = {
        finding.fingerprint
        for finding in (case.baseline.gate.readings.findings if case.baseline else ())
        if finding.state is FindingState.WAIVED
    }
    findings = []
    for name, test in tests.items():
        then = before.get(name)
        was_broken = then is not None and then.outcome in _BROKEN
        if test.outcome in _BROKEN:
            # One that was waived at the sign-off was not accepted there.
            known = was_broken and identity(FAILED, name) not in waived
            state = FindingState.KNOWN if known else FindingState.NEW
            findings.append(_about(FAILED, Severity.HIGH, test, _words(test), state))
        elif test.outcome == "flaky":
            findings.append(
                _about(FLAKY, Severity.LOW, test, "failed and then passed on the same build", FindingState.FLAKY)
            )
        elif test.outcome == "skipped" and then is not None and then.outcome != "skipped":
            told = f"is skipped; in {phase} it {_OUTCOMES.get(then.outcome, then.outcome)}"
            findings.append(_about(SKIPPED, Severity.MEDIUM, test, told, FindingState.NEW))
        elif test.outcome == "passed" and was_broken:
            findings.append(_about(FAILED, Severity.HIGH, test, "passes again", FindingState.FIXED))
    if case.complete:
        moved = _by_function(name for name in tests if name not in before)
        findings += [_vanished_test(then, phase, moved) for name, then in before.items() if name not in tests]
    return findings


_FIX = {
    FAILED: "repair the code or the test",
    SKIPPED: "run it again; if it has to go, sign off with --accept-debt",
    VANISHED: _BRING_BACK,
    FLAKY: "find what it depends on: time, order, or a state that another test left",
}


def _about(rule: str, severity: Severity, test: Subject, told: str, state: FindingState) -> Finding:
    path, name = _place(test.name)
    return Finding(rule, severity, f"{name} {told}", identity(rule, test.name), path=path, state=state, fix=_FIX[rule])


def _place(name: str) -> tuple[str | None, str]:
    """Return the file of a test, where its name begins with one, and what it is called there."""
    file, _, rest = name.partition("::")
    return (file, rest) if rest and ("/" in file or file.endswith(".py")) else (None, name)


def _words(test: Subject) -> str:
    first = next((line.strip() for line in test.message.splitlines() if line.strip()), "")
    return f"{'failed' if test.outcome == 'failed' else 'could not run'}{': ' + first if first else ''}"


def _function(name: str) -> str:
    return name.rpartition("::")[2]


def _by_function(names: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        if "::" in name:
            found[_function(name)].append(name)
    return found


def _vanished_test(then: Subject, phase: str, new: Mapping[str, Sequence[str]]) -> Finding:
    message = f"is gone; in {phase} it {_OUTCOMES.get(then.outcome, then.outcome)}"
    if twins := new.get(_function(then.name)):
        message += f" (a test of the same name is new: {twins[0]}; was it moved?)"
    return _about(VANISHED, Severity.HIGH, then, message, FindingState.NEW)


def list_names(names: Sequence[str]) -> str:
    """Return names in a line: the first five, and how many more there are."""
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _tests_judgement(
    case: Case, tests: Mapping[str, Subject], before: Mapping[str, Subject], findings: Sequence[Finding]
) -> Judgement:
    new = [finding for finding in findings if finding.state is FindingState.NEW]
    by_rule = {rule: [finding for finding in new if finding.rule == rule] for rule in (FAILED, VANISHED, SKIPPED)}
    phase = case.baseline.phase if case.baseline else ""
    parts = []
    if gone := by_rule[VANISHED]:
        names = [name for name in before if name not in tests]
        stopped = any(finding.rule == _COLLECTION for finding in case.result.readings.findings)
        told = "the suite stopped at collection: " if stopped else ""
        verb = "is" if len(gone) == 1 else "are"
        parts.append(f"{told}{len(gone)} of the {len(before)} tests of {phase} {verb} gone: {list_names(names)}")
    if by_rule[FAILED]:
        parts.append(_first(by_rule[FAILED], "tests fail"))
    if by_rule[SKIPPED]:
        parts.append(_first(by_rule[SKIPPED], "tests are newly skipped"))
    parts.append(count_outcomes(tests.values()))
    worst = next((found for found in (by_rule[VANISHED], by_rule[FAILED], by_rule[SKIPPED]) if found), [])
    return Judgement(
        "tests", "", "subjects", "every test passes, and none of the baseline is gone",
        Verdict.FAIL if new else Verdict.PASS, "; ".join(parts), value=len(new), unit="1",
        baseline=len(before) if before else None, samples=len(tests), hint=worst[0].fix if worst else "",
    )  # fmt: skip


def _first(findings: Sequence[Finding], words: str) -> str:
    shown = describe_finding(findings[0])
    return shown if len(findings) == 1 else f"{len(findings)} {words}: {shown} and {len(findings) - 1} more"


def count_outcomes(tests: Iterable[Subject]) -> str:
    """Return how tests ended, in words: `612 tests: 609 passed, 3 skipped`."""
    counts = Counter("could not run" if test.outcome == "error" else test.outcome for test in tests)
    total = sum(counts.values())
    parts = [f"{counts[outcome]} {outcome}" for outcome in sorted(counts, key=lambda outcome: -counts[outcome])]
    return f"{total} {'test' if total == 1 else 'tests'}: {', '.join(parts)}" if parts else "no tests"


def _gone(case: Case, kind: SubjectKind) -> dict[str, Subject]:
    if case.baseline is None or not case.complete:
        return {}
    now: set[str] = set(named(case.result, kind))
    if kind == "operation":
        now |= set(case.classes)  # still in the document: then it was not looked at, which is another matter
    return {name: subject for name, subject in named(case.baseline.gate, kind).items() if name not in now}


def _vanished(subject: Subject, kind: SubjectKind, rule: str, phase: str) -> Finding:
    message = f"the {kind} {subject.name} was {subject.outcome} in {phase} and is gone"
    operation = subject.name if kind == "operation" else None
    return Finding(rule, Severity.HIGH, message, identity(rule, subject.name), operation=operation, fix=_BRING_BACK)


def _vanished_judgement(kind: SubjectKind, gone: Sequence[str], phase: str) -> Judgement:
    words = f"1 {kind} of {phase} is gone" if len(gone) == 1 else f"{len(gone)} {kind}s of {phase} are gone"
    return Judgement(
        f"{kind}s", "", "subjects", "none of the baseline is gone", Verdict.FAIL, f"{words}: {list_names(gone)}",
        value=len(gone), unit="1", hint=_BRING_BACK,
    )  # fmt: skip
