"""What load finds out, judged: just met passes, just missed fails, what was not or could not be told is unknown."""

from __future__ import annotations

from typing import Any

import pytest
from judging import gate, judged, number, only, policy, signed

from gates.results import Epoch, GateResult, Measurement, Verdict

MB_PER_HOUR = 1e6 / 3600


def load(*measurements: Measurement, **readings: Any) -> GateResult:
    return gate("load", "locust", measurements=list(measurements), **readings)


def measurement(
    name: str, value: float, unit: str, better: Any = "lower", samples: tuple[float, ...] = ()
) -> Measurement:
    return Measurement(name, value, unit, better, samples=samples)


# ---- each whole target at its edges


@pytest.mark.parametrize(
    ("target", "demand", "met", "missed", "unit", "better"),
    [
        ("load.knee", ">= 200 /s", 200.0, 199.9, "1/s", "higher"),
        ("load.recovery", "<= 5 s", 5.0, 6.0, "s", "lower"),
        ("load.connections", "<= 20", 20.0, 21.0, "1", "lower"),
        ("database.connections", "<= 20", 20.0, 21.0, "1", "lower"),
        ("load.concurrency", ">= 100", 100.0, 99.0, "1", "higher"),
        ("load.throughput", ">= 100 /s", 100.0, 99.9, "1/s", "higher"),
        ("load.memory", "<= 512 MB", 512e6, 512.1e6, "B", "lower"),
    ],
)
def test_a_target_is_met_at_its_value_missed_beyond_it_and_unknown_without_it(
    target: str, demand: str, met: float, missed: float, unit: str, better: Any
) -> None:
    rules = policy({target: demand})
    assert judged(load(measurement(target, met, unit, better, (met,))), rules).verdict is Verdict.PASS
    failed = judged(load(measurement(target, missed, unit, better, (missed,))), rules)
    assert failed.verdict is Verdict.FAIL
    assert failed.hint
    lacking = judged(load(number("load.other", 1)), rules)
    assert lacking.verdict is Verdict.UNKNOWN
    assert "looked for" in (lacking.reason or "")


def test_a_part_is_no_answer_for_the_whole() -> None:
    one = Measurement("load.connections", 3.0, "1", "lower", "127.0.0.1:5432")
    assert judged(load(one), policy({"load.connections": "<= 20"})).verdict is Verdict.UNKNOWN


# ---- the knee


def test_a_knee_that_is_only_at_least_so_much_meets_a_target_and_never_misses_one() -> None:
    reached = load(measurement("load.knee", 400.0, "1/s", "higher"))
    assert judged(reached, policy({"load.knee": ">= 400 /s"})).verdict is Verdict.PASS
    above = judged(reached, policy({"load.knee": ">= 500 /s"}))
    assert above.verdict is Verdict.UNKNOWN
    assert "at least 400/s" in (above.reason or "")
    assert "rate_limit" in above.hint


def knees(*samples: float, at_least: float = 0.0) -> GateResult:
    value = at_least or sorted(samples)[len(samples) // 2]
    return load(measurement("load.knee", value, "1/s", "higher", samples))


def test_knees_are_compared_with_the_previous_and_the_best_phase() -> None:
    first, second = signed("first", knees(400, 404, 398)), signed("second", knees(300, 303, 299))
    result = judged(knees(100, 102, 99), policy(), first, second)
    assert only(result, "baseline").verdict is Verdict.FAIL
    assert only(result, "best").verdict is Verdict.FAIL
    assert only(result, "best").baseline == 400


def test_a_knee_that_was_not_found_is_not_compared_unless_it_is_better_anyway() -> None:
    better = judged(knees(at_least=500.0), policy(), signed("first", knees(400, 404, 398)))
    assert only(better, "baseline").verdict is Verdict.SKIPPED
    assert better.verdict is Verdict.PASS
    assert judged(knees(at_least=300.0), policy(), signed("a", knees(400, 404, 398))).verdict is Verdict.UNKNOWN
    assert judged(knees(300, 310, 305), policy(), signed("a", knees(at_least=400.0))).verdict is Verdict.UNKNOWN


# ---- a leak


def grown(slope: float, low: float, high: float, *, level: float = 100e6, seconds: float = 1800.0) -> GateResult:
    """Return a soak; slope and bounds are in MB per hour."""
    conditions = {
        "leak": slope * MB_PER_HOUR, "leak_low": low * MB_PER_HOUR, "leak_high": high * MB_PER_HOUR,
        "memory_level": level,
    }  # fmt: skip
    return load(
        measurement("load.leak", slope * MB_PER_HOUR, "B/s", samples=(slope * MB_PER_HOUR,)),
        epochs=[Epoch(1, seconds, conditions)],
    )


@pytest.mark.parametrize(
    ("slope", "low", "high", "verdict"),
    [
        (1.0, -2.0, 4.0, Verdict.PASS),
        (9.0, 8.0, 10.0, Verdict.PASS),
        (11.0, 9.0, 12.0, Verdict.FAIL),
        (40.0, 1.0, 90.0, Verdict.FAIL),
        (40.0, -5.0, 90.0, Verdict.UNKNOWN),  # not even proven to grow
        (2.0, -10.0, 14.0, Verdict.UNKNOWN),  # too short to tell
        (-30.0, -50.0, -10.0, Verdict.PASS),
    ],
)
def test_growth_is_judged_by_its_bounds(slope: float, low: float, high: float, verdict: Verdict) -> None:
    result = judged(grown(slope, low, high), policy({"load.leak": "<= 10 MB/h"}))
    assert result.verdict is verdict, result.reason
    assert "MB/h" in only(result, "target").reason


def test_without_a_target_memory_may_not_double_within_a_day() -> None:
    assert judged(grown(3.0, 2.5, 3.5)).verdict is Verdict.PASS
    leaking = judged(grown(20.0, 15.0, 25.0))
    assert leaking.verdict is Verdict.FAIL
    assert "it would double in 5 h" in (leaking.reason or "")
    assert judged(grown(20.0, 15.0, 25.0, level=1e9)).verdict is Verdict.PASS


def test_a_run_that_is_too_short_says_what_it_could_have_seen_and_how_long_would_tell() -> None:
    short = judged(grown(2.0, -30.0, 34.0, seconds=60.0), policy({"load.leak": "<= 10 MB/h"}))
    assert "only shows a growth of more than 32 MB/h" in (short.reason or "")
    assert "`seconds` of 6.4 min" in short.hint


def test_growth_without_its_bounds_is_not_judged_by_its_value() -> None:
    bare = load(measurement("load.leak", 0.0, "B/s"))
    assert judged(bare, policy({"load.leak": "<= 10 MB/h"})).verdict is Verdict.UNKNOWN


def test_a_soak_that_was_not_made_leaves_the_target_unknown() -> None:
    result = judged(load(number("load.memory", 1.0, unit="B")), policy({"load.leak": "<= 10 MB/h"}))
    assert result.verdict is Verdict.UNKNOWN
    assert 'find = "leak"' in (result.reason or "")


# ---- throughput follows the rate that was sent


def sent(rate: float, *throughput: float) -> GateResult:
    whole = measurement("load.throughput", sum(throughput) / len(throughput), "1/s", "higher", throughput)
    return load(whole, epochs=[Epoch(number, 8.0, {"rate": rate}) for number in range(1, len(throughput) + 1)])


def test_throughput_at_the_same_rate_is_told_and_at_another_one_left_out() -> None:
    first = signed("first", sent(100, 99.5, 99.6, 99.4))
    assert only(judged(sent(100, 99.4, 99.5, 99.6), policy(), first), "baseline").verdict is Verdict.PASS
    worse = judged(sent(100, 80.0, 81.0, 80.5), policy(), first)
    assert only(worse, "baseline").verdict is Verdict.FAIL
    other = only(judged(sent(50, 49.5, 49.6, 49.4), policy(), first), "baseline")
    assert other.verdict is Verdict.SKIPPED
    assert "50 requests/s were sent, and 100 in first" in other.reason
