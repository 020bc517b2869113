"""The search for the knee ends near it, one bad moment does not decide, and the generator's limit is its own."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.load.knee import (
    MOST_STEPS,
    NOT_THE_BACKENDS,
    PRECISION,
    SLOWER,
    Limits,
    Search,
    first_own,
    judge_step,
    p95_by_class,
)
from gates.load.recording import Record

LIMITS = Limits({"GET /a": "simple", "POST /a": "complex"}, {"simple": 0.1, "complex": 0.5}, 0.001, {})


def searched(knee: float, start: float, limit: float = 1e9) -> Search:
    search = Search(start, limit)
    while (rate := search.next()) is not None:
        search.tell(rate, met=rate <= knee)
    return search


@given(st.floats(min_value=1.0, max_value=5000.0), st.floats(min_value=0.2, max_value=5.0))
def test_the_search_ends_just_below_the_knee_whatever_it_starts_with(knee: float, times: float) -> None:
    search = searched(knee, knee * times)
    assert knee / PRECISION <= search.met <= knee
    assert search.steps <= MOST_STEPS


def test_one_bad_moment_does_not_decide() -> None:
    search, bad = Search(100.0, 1000.0), True
    while (rate := search.next()) is not None:
        search.tell(rate, met=rate <= 500.0 and not bad)
        bad = not bad
    assert search.met == pytest.approx(500.0, rel=PRECISION - 1)


def test_it_is_bounded_above_and_below() -> None:
    assert searched(1e6, 100.0, limit=400.0).met == 400.0
    search = searched(0.0, 100.0)
    assert search.met == 0.0
    assert search.steps <= MOST_STEPS


def step(latency: float, *, requests: int = 200, failed: int = 0, operation: str = "GET /a", **more: float) -> Record:
    record = Record(**more)  # type: ignore[arg-type]
    for _ in range(requests - failed):
        record.answered(operation, 200, latency)
    for _ in range(failed):
        record.answered(operation, 503, 0.001)
    return record


def test_each_thing_that_gives_way_is_named() -> None:
    assert judge_step(step(0.05), {}, LIMITS) == []
    (slow,) = judge_step(step(0.15), {"lag_p99": 0.001}, LIMITS)
    assert slow.what.startswith("p95 of simple operations was 15")
    assert "slowest: GET /a" in slow.what
    assert not slow.own
    assert judge_step(step(0.15, operation="POST /a"), {}, LIMITS) == []
    (failing,) = judge_step(step(0.05, failed=3), {}, LIMITS)
    assert failing.what == "3 of 200 requests failed (most often: 503 of GET /a)"
    (behind,) = judge_step(step(0.05, behind=1.5), {}, LIMITS)
    assert "queue grew" in behind.what
    (busy,) = judge_step(step(0.05), {"waited_share": 0.2}, LIMITS)
    assert "connections were busy" in busy.what


def test_what_the_generator_may_have_caused_is_not_the_backends() -> None:
    late = judge_step(step(0.11), {"lag_p99": 0.05}, LIMITS)
    assert first_own(late) is not None
    assert first_own(judge_step(step(0.2), {"lag_p99": 0.05}, LIMITS)) is None  # lag explains only a part of it
    for check in NOT_THE_BACKENDS:
        assert first_own(judge_step(step(0.3, behind=1.0), {}, LIMITS, [check])) is not None
    assert first_own(judge_step(step(0.3, behind=1.0), {}, LIMITS, ["server", "queue"])) is None
    # Failing answers are the backend's own, however busy the generator is.
    assert first_own(judge_step(step(0.3, failed=50), {}, LIMITS, ["generator"])) is None
    # What is met is met: a worn generator only makes it look slower.
    assert judge_step(step(0.05), {"lag_p99": 0.02}, LIMITS, ["generator", "lag"]) == []
    assert first_own([]) is None


def test_where_nothing_is_demanded_the_latency_at_the_lowest_rate_is_the_measure() -> None:
    classes = {"GET /a": "simple"}
    lowest = p95_by_class(step(0.02), classes)
    limits = Limits(classes, {}, 0.001, lowest)
    assert limits.of("simple") == pytest.approx(SLOWER * 0.02, rel=0.02)
    assert judge_step(step(0.05), {}, limits) == []
    assert len(judge_step(step(0.07), {}, limits)) == 1
    assert judge_step(step(9.0), {}, Limits(classes, {}, 0.001, {})) == []
