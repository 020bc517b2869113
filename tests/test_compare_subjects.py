from __future__ import annotations

import pytest
from judging import after, cases, finding, gate, judged, number, only, policy, rules_of, signed

from gates.results import FindingState, GateResult, OperationSeen, Severity, Subject, Verdict


def suite(*more, **outcomes: str) -> GateResult:
    return gate("tests", "coverage", items=["tests"], subjects=cases(**outcomes), findings=list(more))


def test_a_failing_test_fails_and_its_message_is_told() -> None:
    broken = Subject("test", "tests/test_a.py::test_x", "failed", "\n  assert 1 == 2\nmore")
    result = judged(gate("tests", "coverage", subjects=[broken]))
    assert result.verdict is Verdict.FAIL
    (found,) = result.readings.findings
    assert (found.rule, found.severity, found.path) == ("tests.failed", Severity.HIGH, "tests/test_a.py")
    assert found.message == "test_x failed: assert 1 == 2"
    assert result.reason is not None
    assert "assert 1 == 2" in result.reason


def test_a_test_that_could_not_run_counts_as_failing() -> None:
    assert rules_of(judged(suite(test_x="error"))) == ["tests.failed"]


def test_failing_tests_fail_under_any_tolerance_for_findings() -> None:
    result = judged(suite(test_x="failed"), policy(findings="any"), signed("one", suite(test_x="passed")))
    assert result.verdict is Verdict.FAIL


def test_what_failed_at_the_sign_off_is_known_and_a_new_failure_beside_it_is_not() -> None:
    then = after("one", suite(test_x="failed", test_y="passed"))
    known = judged(suite(test_x="failed", test_y="passed"), None, then)
    assert known.verdict is Verdict.PASS
    assert rules_of(known, FindingState.KNOWN) == ["tests.failed"]
    swapped = judged(suite(test_x="passed", test_y="failed"), None, then)
    assert swapped.verdict is Verdict.FAIL
    assert rules_of(swapped, FindingState.FIXED) == ["tests.failed"]
    assert rules_of(swapped) == ["tests.failed"]


def test_a_vanished_test_fails_whatever_it_was_before() -> None:
    for outcome in ("passed", "failed", "skipped"):
        result = judged(
            suite(test_y="passed"), policy(findings="any"), after("one", suite(test_x=outcome, test_y="passed"))
        )
        assert result.verdict is Verdict.FAIL
        assert rules_of(result) == ["tests.vanished"]
        assert "1 of the 2 tests of one is gone: tests/test_a.py::test_x" in (result.reason or "")


def test_once_signed_without_it_a_vanished_test_is_no_longer_missed() -> None:
    first = after("one", suite(test_x="passed", test_y="passed"))
    second = after("two", suite(test_y="passed"), None, first)
    assert judged(suite(test_y="passed"), None, first, second).verdict is Verdict.PASS


def test_a_test_that_may_have_been_moved_is_hinted_at_and_still_fails() -> None:
    moved = gate("tests", "coverage", subjects=[Subject("test", "tests/test_b.py::test_x", "passed")])
    result = judged(moved, None, after("one", suite(test_x="passed")))
    (found,) = result.readings.findings
    assert "tests/test_b.py::test_x; was it moved?" in found.message
    assert result.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("then", "now", "verdict"),
    [
        ("passed", "skipped", Verdict.FAIL),
        ("failed", "skipped", Verdict.FAIL),
        ("skipped", "skipped", Verdict.PASS),
        (None, "skipped", Verdict.PASS),
    ],
)
def test_a_test_that_is_newly_skipped_fails(then: str | None, now: str, verdict: Verdict) -> None:
    before = suite(test_y="passed", **({"test_x": then} if then else {}))
    result = judged(suite(test_y="passed", test_x=now), None, after("one", before))
    assert result.verdict is verdict
    assert rules_of(result) == (["tests.newly-skipped"] if verdict is Verdict.FAIL else [])
    assert ("test_x is skipped; in one it " in (result.reason or "")) is (verdict is Verdict.FAIL)


def test_a_flaky_test_is_shown_as_that_and_does_not_fail() -> None:
    result = judged(suite(test_x="flaky", test_y="passed"), None, after("one", suite(test_x="passed", test_y="passed")))
    assert result.verdict is Verdict.PASS
    assert rules_of(result, FindingState.FLAKY) == ["tests.flaky"]


def test_a_suite_that_stops_at_collection_says_how_many_tests_are_gone() -> None:
    then = after("one", suite(**{f"test_{n}": "passed" for n in range(40)}))
    result = judged(suite(finding("tests.collection", message="cannot import orders"), test_0="passed"), None, then)
    assert result.verdict is Verdict.FAIL
    told = only(result, "subjects").reason
    assert "the suite stopped at collection: 39 of the 40 tests of one are gone" in told
    assert "and 34 more" in told
    assert len(rules_of(result)) == 40
    assert len({found.fingerprint for found in result.readings.findings}) == 40


def test_no_test_at_all_is_not_no_failure() -> None:
    nothing = gate("tests", "coverage", measurements=[number("tests.total", 0)])
    assert judged(nothing).verdict is Verdict.UNKNOWN
    assert judged(nothing, None, after("one", suite(test_x="passed"))).verdict is Verdict.FAIL
    skipped = judged(suite(test_x="skipped", test_y="skipped"))
    assert skipped.verdict is Verdict.UNKNOWN
    assert skipped.reason == "all 2 tests were skipped"


def test_a_suite_that_was_killed_is_not_said_to_have_lost_its_tests() -> None:
    killed = gate(
        "tests", "coverage", verdict=Verdict.ERROR, reason="killed by SIGKILL", subjects=cases(test_y="passed")
    )
    result = judged(killed, None, after("one", suite(test_x="passed", test_y="passed")))
    assert (result.verdict, result.reason) == (Verdict.ERROR, "killed by SIGKILL")
    assert rules_of(result) == []


def operations(*names: str, kind: str = "operation", outcome: str = "tested") -> GateResult:
    return gate("load", "locust", subjects=[Subject(kind, name, outcome) for name in names])


def test_a_vanished_operation_fails_under_any_tolerance() -> None:
    then = signed("one", operations("GET /old", "GET /orders"))
    result = judged(operations("GET /orders"), policy(findings="any"), then)
    assert result.verdict is Verdict.FAIL
    assert result.reason == "1 operation of one is gone: GET /old"
    (found,) = result.readings.findings
    assert (found.rule, found.operation) == ("operation.vanished", "GET /old")


def test_an_operation_that_was_not_tested_but_is_documented_has_not_vanished() -> None:
    then = signed("one", operations("GET /orders"))
    assert judged(operations("POST /orders"), None, then).verdict is Verdict.PASS
    untested = gate("load", "locust", subjects=[Subject("operation", "GET /x", "untested")])
    assert judged(untested, None, signed("one", operations("GET /x"))).verdict is Verdict.PASS


def test_operations_that_only_were_seen_are_missed_too() -> None:
    def seen(*names: str) -> GateResult:
        return gate("fuzz", "schemathesis", operations=[OperationSeen(name, {200: 1}, True) for name in names])

    result = judged(seen("GET /orders"), None, signed("one", seen("GET /old", "GET /orders")))
    assert rules_of(result) == ["operation.vanished"]


def test_a_vanished_benchmark_fails_and_is_told_once() -> None:
    def bench(*names: str) -> GateResult:
        medians = [number("bench.median", 0.01, "s", scope=name, samples=(0.01, 0.011, 0.0105)) for name in names]
        return gate("bench", "benchmark", measurements=medians)

    result = judged(bench("test_b"), None, signed("one", bench("test_a", "test_b")))
    assert rules_of(result) == ["bench.vanished"]
    assert result.reason == "1 benchmark of one is gone: test_a"
    assert not [one for one in result.judgements if one.scope == "test_a"]


def test_a_scanned_file_that_is_gone_is_no_finding() -> None:
    result = judged(
        operations("orders/b.py", kind="file", outcome="scanned"), None,
        signed("one", operations("orders/a.py", "orders/b.py", kind="file", outcome="scanned")),
    )  # fmt: skip
    assert (result.verdict, result.readings.findings) == (Verdict.PASS, ())
