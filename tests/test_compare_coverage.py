from __future__ import annotations

import pytest
from judging import after, gate, judged, number, only, policy, share, signed

from gates.results import Gap, GateResult, Verdict


def suite_with(count: int, total: int = 100, name: str = "coverage.lines", scope: str = "") -> GateResult:
    return gate("tests", "coverage", measurements=[share(name, count, total, scope)])


@pytest.mark.parametrize("name", ["coverage.lines", "coverage.branches"])
@pytest.mark.parametrize(
    ("then", "now", "tolerance", "verdict"),
    [
        ((912, 1000), (912, 1000), 0.0, Verdict.PASS),
        ((912, 1000), (456, 500), 0.0, Verdict.PASS),
        ((912, 1000), (911, 1000), 0.0, Verdict.FAIL),
        # Both read 91.2 %.
        ((91204, 100000), (91203, 100000), 0.0, Verdict.FAIL),
        ((90, 100), (89, 100), 0.01, Verdict.PASS),
        ((90, 100), (8899, 10000), 0.01, Verdict.FAIL),
    ],
)
def test_coverage_is_compared_by_counts(
    name: str, then: tuple[int, int], now: tuple[int, int], tolerance: float, verdict: Verdict
) -> None:
    result = judged(suite_with(*now, name), policy(coverage=tolerance), signed("one", suite_with(*then, name)))
    assert only(result, "baseline").verdict is verdict
    assert result.verdict is verdict


def test_the_reason_holds_both_counts() -> None:
    result = judged(suite_with(80), None, signed("one", suite_with(90)))
    assert result.reason == "coverage.lines is 80 % (80 of 100); it was 90 % (90 of 100) in one"


def test_small_losses_cannot_add_up() -> None:
    rules = policy(coverage=0.02)
    phases = [signed("one", suite_with(95)), signed("two", suite_with(94)), signed("three", suite_with(93))]
    result = judged(suite_with(92), rules, *phases)
    assert only(result, "baseline").verdict is Verdict.PASS
    best = only(result, "best")
    assert (best.verdict, best.baseline) == (Verdict.FAIL, 0.95)
    assert "it was 95 % (95 of 100) in the best earlier phase, one" in best.reason


def test_of_equally_good_phases_the_previous_one_is_enough() -> None:
    result = judged(suite_with(95), None, signed("one", suite_with(95)), signed("two", suite_with(95)))
    assert not [one for one in result.judgements if one.kind == "best"]


def test_the_previous_phase_is_not_compared_with_twice() -> None:
    result = judged(suite_with(95), None, signed("one", suite_with(90)), signed("two", suite_with(95)))
    assert not [one for one in result.judgements if one.kind == "best"]


def test_a_loss_that_was_signed_for_binds_no_longer() -> None:
    first = signed("one", suite_with(95))
    second = after("two", suite_with(80), None, first)
    assert judged(suite_with(80), None, first, second).verdict is Verdict.PASS
    assert judged(suite_with(79), None, first, second).verdict is Verdict.FAIL


def test_changed_lines_and_single_files_are_not_compared() -> None:
    for name, scope in (("coverage.changed_lines", ""), ("coverage.lines", "orders/a.py")):
        result = judged(suite_with(10, 100, name, scope), None, signed("one", suite_with(90, 100, name, scope)))
        assert result.verdict is Verdict.PASS


def test_coverage_that_is_no_longer_measured_is_unknown() -> None:
    then = signed("one", suite_with(90))
    for now in (gate("tests", "coverage", measurements=[number("tests.total", 3)]), suite_with(0, 0)):
        result = judged(now, None, then)
        assert result.verdict is Verdict.UNKNOWN
    told = judged(gate("tests", "coverage", gaps=[Gap("coverage", "no data was written")]), None, then)
    assert [one.reason for one in told.judgements if one.verdict is not Verdict.PASS] == [
        "coverage: no data was written"
    ]
