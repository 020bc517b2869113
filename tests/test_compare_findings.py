from __future__ import annotations

from typing import Any

import pytest
from judging import after, finding, gate, judged, only, policy, signed, states

from gates.results import Finding, FindingState, Gap, GateResult, OperationSeen, Severity, Subject, Verdict

NEW, KNOWN, FIXED, FLAKY, WAIVED = (
    FindingState.NEW, FindingState.KNOWN, FindingState.FIXED, FindingState.FLAKY, FindingState.WAIVED,
)  # fmt: skip


def fuzz(*findings: Finding, **more: Any) -> GateResult:
    return gate("fuzz", "schemathesis", findings=list(findings), **more)


def test_ten_fixed_and_ten_new_is_ten_new() -> None:
    then = signed("one", fuzz(*(finding(mark=f"old{n}") for n in range(10))))
    result = judged(fuzz(*(finding(mark=f"new{n}") for n in range(10))), None, then)
    assert result.verdict is Verdict.FAIL
    assert only(result, "findings").value == 10
    counts = list(states(result).values())
    assert (counts.count(NEW), counts.count(FIXED), counts.count(KNOWN)) == (10, 10, 0)


@pytest.mark.parametrize("state", [NEW, KNOWN, FLAKY])
def test_what_was_there_at_the_sign_off_is_known(state: FindingState) -> None:
    result = judged(fuzz(finding()), None, signed("one", fuzz(finding(state=state))))
    assert states(result) == {"f1": KNOWN}
    assert result.verdict is Verdict.PASS
    assert "1 known" in only(result, "findings").reason


def test_a_repaired_finding_that_comes_back_is_new() -> None:
    first = after("one", fuzz(finding()))
    second = after("two", fuzz(), None, first)
    assert states(second.run.gates[0]) == {"f1": FIXED}
    result = judged(fuzz(finding()), None, first, second)
    assert states(result) == {"f1": NEW}
    assert result.verdict is Verdict.FAIL


def test_a_second_finding_with_the_identity_of_a_known_one_is_new() -> None:
    result = judged(fuzz(finding(), finding()), None, signed("one", fuzz(finding())))
    assert sorted(found.state for found in result.readings.findings) == [KNOWN, NEW]
    assert result.verdict is Verdict.FAIL


def test_flaky_and_waived_findings_never_fail_and_stay_listed() -> None:
    findings = [finding(mark="a", state=FLAKY), finding(mark="b")]
    for earlier in ((), (signed("one", fuzz()),)):
        result = judged(fuzz(*findings), policy(waived=["b"]), *earlier)
        assert result.verdict is Verdict.PASS
        assert states(result) == {"a": FLAKY, "b": WAIVED}


def test_a_flaky_finding_that_did_not_show_itself_is_not_called_repaired() -> None:
    assert states(judged(fuzz(), None, signed("one", fuzz(finding(state=FLAKY))))) == {}


@pytest.mark.parametrize(
    ("tolerance", "severity", "verdict"),
    [
        ("none new", Severity.INFO, Verdict.PASS),
        ("none new", Severity.LOW, Verdict.FAIL),
        ("none new medium", Severity.LOW, Verdict.PASS),
        ("none new medium", Severity.MEDIUM, Verdict.FAIL),
        ("none new high", Severity.MEDIUM, Verdict.PASS),
        ("none new high", Severity.HIGH, Verdict.FAIL),
        ("any", Severity.HIGH, Verdict.PASS),
    ],
)
def test_with_a_baseline_the_tolerance_says_which_new_findings_fail(
    tolerance: str, severity: Severity, verdict: Verdict
) -> None:
    for rule in ("fuzz.crash", "bandit.B608"):
        result = judged(fuzz(finding(rule, severity)), policy(findings=tolerance), signed("one", fuzz()))
        assert result.verdict is verdict
        assert only(result, "findings").demand == tolerance
        assert states(result) == {"f1": NEW}


@pytest.mark.parametrize(
    ("rule", "severity", "verdict"),
    [
        ("fuzz.crash", Severity.MEDIUM, Verdict.FAIL),
        ("load.reset", Severity.MEDIUM, Verdict.FAIL),
        ("command.failed", Severity.HIGH, Verdict.FAIL),
        ("fuzz.crash", Severity.LOW, Verdict.PASS),
        ("bandit.B608", Severity.HIGH, Verdict.PASS),
    ],
)
def test_at_first_medium_findings_fail_except_where_targets_decide(
    rule: str, severity: Severity, verdict: Verdict
) -> None:
    assert judged(fuzz(finding(rule, severity))).verdict is verdict


@pytest.mark.parametrize("rule", ["backend.died", "tests.collection"])
def test_what_is_no_matter_of_taste_fails_under_any_tolerance(rule: str) -> None:
    result = judged(fuzz(finding(rule)), policy(findings="any"), signed("one", fuzz()))
    assert result.verdict is Verdict.FAIL


def test_a_gate_without_a_baseline_of_its_own_is_judged_as_at_first() -> None:
    earlier = signed("one", gate("other", "bandit", findings=[finding()]))
    assert judged(fuzz(finding("fuzz.style", Severity.LOW)), None, earlier).verdict is Verdict.PASS


def test_a_gate_that_could_not_run_at_the_sign_off_is_no_baseline() -> None:
    earlier = signed("one", gate("fuzz", "schemathesis", verdict=Verdict.ERROR, reason="it crashed"))
    assert only(judged(fuzz(), None, earlier), "findings").baseline is None


def test_a_renamed_gate_keeps_its_baseline_and_a_second_one_of_its_tool_does_not_get_it() -> None:
    earlier = signed("one", gate("scan", "bandit", findings=[finding("bandit.B1", Severity.LOW)]))
    renamed = gate("security", "bandit", findings=[finding("bandit.B1", Severity.LOW)])
    assert states(judged(renamed, None, earlier, configured=["security"])) == {"f1": KNOWN}
    assert states(judged(renamed, None, earlier, configured=["security", "scan"])) == {"f1": NEW}


def test_a_gate_that_paused_for_a_phase_is_compared_with_the_last_that_had_it() -> None:
    result = judged(fuzz(finding()), None, signed("one", fuzz(finding())), signed("two"))
    assert states(result) == {"f1": KNOWN}


CUT = Gap("the run was cut short", "the 60 s were used up")


@pytest.mark.parametrize(
    ("now", "fixed"),
    [
        (fuzz(), True),
        (fuzz(gaps=[CUT]), False),
        (fuzz(finding(mark="x"), verdict=Verdict.ERROR, reason="killed"), False),
        (fuzz(operations=[OperationSeen("GET /orders", {200: 3}, True)]), True),
        (fuzz(operations=[OperationSeen("POST /orders", {201: 3}, True)]), False),
        (fuzz(gaps=[Gap("GET /orders was not tested", "bad schema")]), False),
        (fuzz(gaps=[Gap("POST /orders was not tested", "bad schema")]), True),
        (fuzz(gaps=[Gap("2 of 3 operations were not tested", "no time left: GET /orders, POST /orders")]), False),
        (fuzz(gaps=[Gap("GET /orders/{id} was not tested", "bad schema")]), True),
    ],
)  # fmt: skip
def test_only_what_was_looked_at_again_is_repaired(now: GateResult, fixed: bool) -> None:
    then = signed("one", fuzz(finding(operation="GET /orders")))
    assert (states(judged(now, None, then)).get("f1") is FIXED) is fixed


@pytest.mark.parametrize(("file", "fixed"), [("orders/a.py", True), ("orders/b.py", False)])
def test_a_finding_in_a_file_that_was_not_scanned_is_not_repaired(file: str, fixed: bool) -> None:
    then = signed("one", gate("scan", "bandit", findings=[finding("bandit.B1", path="orders/a.py")]))
    now = gate("scan", "bandit", subjects=[Subject("file", file, "scanned")])
    assert (states(judged(now, None, then)) == {"f1": FIXED}) is fixed


def test_a_changed_configuration_of_the_tool_is_told_where_findings_are_compared() -> None:
    then = signed("one", gate("scan", "bandit", findings=[finding("bandit.B1")], configurations={"bandit": "a"}))
    same = gate("scan", "bandit", findings=[finding("bandit.B1")], configurations={"bandit": "a"})
    changed = gate("scan", "bandit", configurations={"bandit": "b"})
    assert "configuration" not in only(judged(same, None, then), "findings").reason
    assert (
        "the effective configuration bandit changed since one" in only(judged(changed, None, then), "findings").reason
    )


def test_a_place_that_the_message_begins_with_is_not_told_twice() -> None:
    found = finding(operation="GET /orders", message="GET /orders answered 500")
    assert judged(fuzz(found)).reason == "1 new finding: GET /orders answered 500 (fuzz.crash, high)"


def operation(outcome: str = "tested", message: str = "") -> list[Subject]:
    return [Subject("operation", "GET /orders", outcome, message)]


@pytest.mark.parametrize(
    ("outcome", "message", "verdict"),
    [
        ("tested", "cut short", Verdict.UNKNOWN),
        ("untested", "", Verdict.UNKNOWN),
        ("tested", "", Verdict.FAIL),
        ("untested", "left out by `exclude`", Verdict.FAIL),
    ],
)
def test_what_is_found_where_the_earlier_run_was_cut_short_may_be_old(
    outcome: str, message: str, verdict: Verdict
) -> None:
    then = signed("one", fuzz(subjects=operation(outcome, message)))
    result = judged(fuzz(finding(operation="GET /orders"), subjects=operation()), None, then)
    assert result.verdict is verdict
    assert ("where the run of one was cut short" in (result.reason or "")) is (verdict is Verdict.UNKNOWN)
    more = judged(fuzz(finding(operation="GET /orders"), finding(mark="g"), subjects=operation()), None, then)
    assert more.verdict is Verdict.FAIL
    died = judged(fuzz(finding("backend.died", operation="GET /orders"), subjects=operation()), None, then)
    assert died.verdict is Verdict.FAIL


def test_what_is_cut_short_now_does_not_tell_what_was_repaired() -> None:
    then = signed("one", fuzz(finding(operation="GET /orders"), subjects=operation()))
    assert states(judged(fuzz(subjects=operation()), None, then)) == {"f1": FIXED}
    assert states(judged(fuzz(subjects=operation(message="cut short")), None, then)) == {}


def test_the_reason_names_the_worst_finding_and_how_to_repair_it() -> None:
    low = finding("fuzz.style", Severity.LOW, "a")
    high = finding("fuzz.crash", Severity.HIGH, "b", operation="GET /orders", message="500", fix="catch it")
    result = judged(fuzz(low, high), None, signed("one", fuzz()))
    assert result.reason == "2 new findings: GET /orders: 500 (fuzz.crash, high) (and 1 more)"
    first = judged(fuzz(low, high))
    assert first.reason == "1 of 2 new findings fails the gate: GET /orders: 500 (fuzz.crash, high)"
    assert result.hint == "catch it"
