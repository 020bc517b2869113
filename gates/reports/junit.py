"""The result as JUnit XML, for the test views of GitLab, Jenkins and GitHub.

`fail` is a failure, `error` and `unknown` are errors (undecided must not look green), `skipped` and known debt are
skipped with their reason. Class name and name of a test case are unique together, because GitLab drops the second of
two, and hold no measured number, so that a case keeps its history from run to run.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterable

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from gates.reports.wording import (
    clean,
    compared_with,
    debts,
    describe_finding,
    describe_judgement,
    findings_in,
    one_line,
    opening,
    problems,
    problems_of,
    subject,
)
from gates.results import DoneItem, FindingState, GateResult, Judgement, Run, Verdict

_ITEMS = "Definition of Done"


def _outcome(case: TestCase, verdict: Verdict, pairs: Iterable[tuple[str, str]]) -> TestCase:
    """Give a case its result; `pairs` are reasons with what to do about them, the first being the headline."""
    if verdict is Verdict.PASS:
        return case
    pairs = list(pairs)
    headline = next((one_line(reason) for reason, _ in pairs if reason), verdict.value)
    if verdict is Verdict.SKIPPED:
        case.result = Skipped(headline, "skipped")
        return case
    result = (Failure if verdict is Verdict.FAIL else Error)(headline, verdict.value)
    lines = []
    for reason, hint in pairs:
        lines += [clean(reason)] if reason else []
        lines += [f"  → {clean(hint)}"] if hint else []
    result.text = "\n".join(lines)
    case.result = result
    return case


def _item(item: DoneItem, run: Run) -> TestCase:
    case = TestCase(one_line(item.title), "gates.done", 0.0)
    if not item.asked:
        return _outcome(case, Verdict.SKIPPED, [("not asked in this run", "")])
    pairs = problems(item, run.gates) if item.verdict is not Verdict.PASS else []
    return _outcome(case, item.verdict, pairs)


def _judgement(result: GateResult, judgement: Judgement) -> TestCase:
    measurement = "" if judgement.measurement == judgement.kind else judgement.measurement
    name = one_line(f"{judgement.kind}: {subject(measurement, judgement.scope)} {judgement.demand}")
    case = TestCase(name, f"gates.{one_line(result.gate)}", 0.0)
    reason = describe_judgement(judgement)
    if judgement.debt:
        known = reason if "known debt" in reason else f"known debt: {reason}"
        return _outcome(case, Verdict.SKIPPED, [(known, "")])
    pairs = [(reason, judgement.hint)]
    if judgement.kind == "findings":
        # The reason names the first of many; whoever reads a pipeline wants them all.
        new = findings_in(result, FindingState.NEW)
        pairs += [(describe_finding(finding), finding.fix) for finding in new if finding.message not in reason]
    return _outcome(case, judgement.verdict, pairs)


def _gate(result: GateResult) -> list[TestCase]:
    """Return a case for the gate itself and one for each judgement.

    What a judgement already shows is not shown a second time by the gate's own case.
    """
    name = one_line(result.gate)
    shown = {judgement.verdict for judgement in result.judgements if not judgement.debt}
    verdict = Verdict.PASS if result.verdict in shown else result.verdict
    own = TestCase(f"{name} ran and measured", f"gates.{name}", round(result.seconds, 3))
    cases = [_outcome(own, verdict, problems_of(result) if verdict is not Verdict.PASS else [])]
    return cases + [_judgement(result, judgement) for judgement in result.judgements]


def _suite(name: str, cases: Iterable[TestCase]) -> TestSuite:
    suite = TestSuite(name)
    seen: Counter[tuple[str, str]] = Counter()
    numbered = []
    for case in cases:
        key = (case.classname, case.name)
        seen[key] += 1
        if seen[key] > 1:
            case.name = f"{case.name} ({seen[key]})"
        numbered.append(case)
    suite.add_testcases(numbered)
    return suite


def render(run: Run) -> str:
    """Return a run as JUnit XML: a suite for the Definition of Done and one for each gate."""
    document = JUnitXml(one_line(f"gates: {run.project}, phase {run.phase}"))
    items = _suite(_ITEMS, (_item(item, run) for item in run.done))
    facts = [("verdict", run.verdict.value), ("exit code", str(run.exit_code)), ("run", run.id)]
    facts += [("commit", run.commit or "none"), ("policy", run.policy_digest), ("compared with", compared_with(run))]
    facts += [(notice.label, notice.text) for notice in opening(run)] + [("known", debt) for debt in debts(run)]
    for name, text in facts:
        items.add_property(name, one_line(text))
    items.timestamp = one_line(run.started)
    document.add_testsuite(items)
    for result in run.gates:
        document.add_testsuite(_suite(one_line(f"gate {result.gate} ({result.tool})"), _gate(result)))
    document.update_statistics()  # type: ignore[no-untyped-call]  # junitparser annotates all but this one
    target = io.BytesIO()
    document.write(target, pretty=True)
    return target.getvalue().decode()
