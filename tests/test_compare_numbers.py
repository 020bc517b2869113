"""A number of the project's own command may not get worse than in the phases before."""

from __future__ import annotations

from typing import Any

import pytest
from judging import gate, judged, number, only, policy, signed

from gates.results import GateResult, Verdict


def lint(value: float | None, unit: str = "1", better: Any = "lower") -> GateResult:
    numbers = [] if value is None else [number("lint.warnings", value, unit, better)]
    return gate("lint", "command", measurements=numbers)


@pytest.mark.parametrize(
    ("then", "now", "unit", "better", "verdict"),
    [
        (3, 4, "1", "lower", Verdict.FAIL),
        (3, 3, "1", "lower", Verdict.PASS),
        (3, 2, "1", "lower", Verdict.PASS),
        (0, 1, "1", "lower", Verdict.FAIL),
        (0.9, 0.89, "ratio", "higher", Verdict.FAIL),
        (100e6, 104e6, "B", "lower", Verdict.PASS),
        (100e6, 106e6, "B", "lower", Verdict.FAIL),
        (1.0, 1.5, "s", "lower", Verdict.UNKNOWN),
        (100, 90, "1/s", "higher", Verdict.UNKNOWN),
        (1.0, 1.04, "s", "lower", Verdict.PASS),
        (1.0, 0.9, "s", "lower", Verdict.PASS),
    ],
)
def test_what_has_a_better_direction_may_not_get_worse(
    then: float, now: float, unit: str, better: str, verdict: Verdict
) -> None:
    result = judged(lint(now, unit, better), policy(), signed("one", lint(then, unit, better)))
    assert result.verdict is verdict
    assert only(result, "baseline").verdict is verdict


def test_what_has_no_better_direction_is_only_shown() -> None:
    result = judged(lint(9, better="neither"), policy(), signed("one", lint(3, better="neither")))
    assert result.verdict is Verdict.PASS
    assert all(one.measurement != "lint.warnings" for one in result.judgements)


def test_small_losses_cannot_add_up() -> None:
    earlier = signed("one", lint(100e6, "B")), signed("two", lint(104e6, "B"))
    result = judged(lint(108e6, "B"), policy(), *earlier)
    assert only(result, "baseline").verdict is Verdict.PASS
    assert only(result, "best").verdict is Verdict.FAIL
    assert "in the best earlier phase, one" in only(result, "best").reason


def test_a_number_that_is_gone_is_unknown() -> None:
    result = judged(lint(None), policy(), signed("one", lint(3)))
    assert only(result, "baseline").verdict is Verdict.UNKNOWN
    assert "lint.warnings was 3 in one and was not measured this time" in only(result, "baseline").reason


def test_advice_to_measure_both_builds_says_why_that_was_not_done() -> None:
    notes = ("not measured side by side: the build failed (mend it)",)
    slower = gate("lint", "command", measurements=[number("lint.time", 1.5, "s")], notes=notes)
    then = gate("lint", "command", measurements=[number("lint.time", 1.0, "s")])
    result = judged(slower, policy(), signed("one", then))
    assert only(result, "baseline").hint == (
        "one reading does not show how it varies: measure both builds side by side; it was not done: "
        "the build failed (mend it)"
    )
    plain = judged(lint(1.5, "s"), policy(), signed("one", lint(1.0, "s")))
    assert only(plain, "baseline").hint.endswith("measure both builds side by side")
