"""Evidence that is missing: gaps that a tool named, operations that nobody saw succeed, gates that measured nothing."""

from __future__ import annotations

import re
from dataclasses import replace

from gates.compare.case import COMPLETE, Case, Debt, has_content, mentions, settle
from gates.results import Gap, GateResult, Judgement, OperationSeen, Verdict

_NOT_ALLOWED = frozenset({405, 501})
_SUCCESS = "a valid request is answered with success"
_MEASURED = "something was measured"
_PREFIX = (
    "nothing in the document is there: is it served under a prefix that the document leaves out? "
    'Then name it, [backend] base_path = "/api"'
)
_AS_IT_COMES = frozenset({"tests", "traffic"})
"""Sources of requests that nobody chose so that each operation is asked."""
_BY_EXIT_CODE = frozenset({"command"})
"""Tools for which the exit code alone is an answer."""


def judge_evidence(case: Case) -> list[Judgement]:
    """Return what is known about the evidence itself, with gaps that were accepted at a sign-off as debt."""
    judgements = [settle(case, judgement) for judgement in _nothing(case)]
    judgements += [_judge_gap(case, gap) for gap in case.result.readings.gaps]
    if "endpoints" in case.result.items and case.result.readings.operations:
        judgements += _judge_operations(case)
    return judgements


def keep_engine_verdict(result: GateResult) -> list[Judgement]:
    """Return the judgement that keeps what the engine said of a gate, so that it can be judged again."""
    if result.verdict is Verdict.PASS:
        return []
    reason = result.reason or f"the engine ended this gate with the verdict {result.verdict}"
    return [Judgement("", "", "evidence", COMPLETE, result.verdict, reason, hint=result.hint)]


def _nothing(case: Case) -> list[Judgement]:
    result = case.result
    measured = {
        measurement.name: measurement.value for measurement in result.readings.measurements if not measurement.scope
    }
    tests = [subject for subject in result.readings.subjects if subject.kind == "test"]
    reason = ""
    if case.complete and not has_content(result) and result.tool not in _BY_EXIT_CODE:
        reason = f"{result.gate} ended without an error, and measured nothing"
    elif case.complete and measured.get("tests.total") == 0:
        reason = "no test ran; no tests are not no failures"
    elif tests and all(subject.outcome == "skipped" for subject in tests):
        reason = f"all {len(tests)} tests were skipped"
    if not reason:
        return []
    return [Judgement("", "", "evidence", _MEASURED, Verdict.UNKNOWN, reason, hint=f"see the output of {result.gate}")]


def _judge_gap(case: Case, gap: Gap) -> Judgement:
    reason = f"{gap.what}: {gap.reason}"
    judgement = Judgement("", gap.what, "evidence", "evidence is there", Verdict.UNKNOWN, reason, hint=gap.hint)
    return settle(case, judgement, lambda debt: _larger(gap.what, debt))


def _larger(what: str, debt: Debt) -> str | None:
    """Return how a gap that begins with a count grew; gaps without one cannot."""
    then, now = (re.match(r"[0-9]+", text) for text in (debt.latest.scope, what))
    if then is None or now is None or int(now[0]) <= int(then[0]):
        return None
    return f"it was {debt.latest.scope} in {debt.baseline.phase}"


def _judge_operations(case: Case) -> list[Judgement]:
    # What tests and recorded traffic did not ask, or asked to see it refused, is no gap of theirs.
    operations = case.result.readings.operations
    documented = [seen for seen in operations if seen.documented and seen.source not in _AS_IT_COMES]
    left_out = {
        subject.name: subject.message
        for subject in case.result.readings.subjects
        if subject.kind == "operation" and subject.message
    }
    gaps = [f"{gap.what}: {gap.reason}" for gap in case.result.readings.gaps]
    answers = [set(seen.statuses) for seen in documented if seen.statuses]
    none_there = len(answers) > 1 and all(statuses == {404} for statuses in answers)
    judgements = []
    for seen in documented:
        answered = seen.success is True
        judgement = _answered(seen) if answered else _unanswered(seen, left_out.get(seen.operation, ""))
        judgement = replace(judgement, hint=_PREFIX) if none_there and seen.statuses else judgement
        settled = settle(case, judgement)
        # An answered operation is told in the sum below (unless it was a debt), one that a gap names in that gap.
        named = any(mentions(gap, seen.operation) for gap in gaps) or (seen.statuses and seen.operation in left_out)
        told = settled is judgement if answered else named
        if judgement.verdict is Verdict.FAIL or not told:
            judgements.append(settled)
    answered_all = sum(seen.success is True for seen in documented)
    if documented and answered_all == len(documented):
        reason = f"{answered_all} of {answered_all} operations answered a valid request with success"
        whole = Judgement("operations", "", "evidence", _SUCCESS, Verdict.PASS, reason)
        judgements.append(replace(whole, value=answered_all, unit="1", samples=answered_all))
    return judgements


def _answered(seen: OperationSeen) -> Judgement:
    reason = f"{seen.operation} answered a valid request with success"
    return Judgement("", seen.operation, "evidence", _SUCCESS, Verdict.PASS, reason)


def _unanswered(seen: OperationSeen, left_out: str) -> Judgement:
    statuses = sorted(seen.statuses)
    told = ", ".join(map(str, statuses))
    missing = _NOT_ALLOWED if "{" in seen.operation else _NOT_ALLOWED | {404}
    verdict, hint = Verdict.UNKNOWN, "give examples of valid values in the document, or links between operations"
    if statuses and missing.issuperset(statuses):
        verdict, hint = Verdict.FAIL, "implement it, or take it out of the document"
        reason = f"{seen.operation} is not implemented: answered only {told}"
    elif statuses and all(500 <= status <= 599 for status in statuses):
        verdict, hint = Verdict.FAIL, "see the backend's output for the error"
        reason = f"{seen.operation} answered every request with a server error: {told}"
    elif left_out and not statuses:
        reason, hint = f"{seen.operation} was not tested: {left_out}", "let the gate test it"
    elif seen.success is None:
        reason = f"no valid request to {seen.operation} could be made" + (f" (answers: {told})" if told else "")
    elif any(200 <= status < 400 for status in statuses):
        # Whether that was to an invalid request, or with a success that the document does not name, is not told.
        reason = f"no valid request to {seen.operation} was answered with a success that is documented (all: {told})"
        hint = "document the status that it answers with, or give examples of valid values"
    else:
        reason = f"no valid request to {seen.operation} was answered with success" + (
            f" (answers: {told})" if told else " (no answer at all)"
        )
    return Judgement("", seen.operation, "evidence", _SUCCESS, verdict, reason, hint=hint)
