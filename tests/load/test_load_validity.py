"""What makes a figure worthless: each check fails for its own reason, at its limit, and for no other."""

from __future__ import annotations

import pytest

from gates.load.validity import doubts, kept_up, too_many

SOUND = {"lag_p99": 0.0002, "p50": 0.004, "generator_cpu": 0.1, "sent_share": 1.0, "steal": 0.0, "failed_share": 0.0}


def checks(**changed: float) -> list[str]:
    return [doubt.check for doubt in doubts({**SOUND, **changed}, {})]


def test_a_sound_epoch_is_not_doubted_and_neither_is_what_was_not_observed() -> None:
    assert checks() == []
    assert doubts({}, {}) == []


@pytest.mark.parametrize(
    ("condition", "sound", "doubtful", "check"),
    [
        ("lag_p99", 0.00099, 0.001, "lag"),
        ("generator_cpu", 0.70, 0.701, "generator"),
        ("sent_share", 0.99, 0.989, "schedule"),
        ("steal", 0.05, 0.051, "steal"),
        ("failed_share", 0.50, 0.501, "failures"),
    ],
)
def test_each_check_has_its_limit(condition: str, sound: float, doubtful: float, check: str) -> None:
    assert checks(**{condition: sound}) == []
    assert checks(**{condition: doubtful}) == [check]


def test_the_lag_may_be_larger_where_the_answers_are_slow() -> None:
    assert checks(lag_p99=0.009, p50=0.2) == []
    assert checks(lag_p99=0.011, p50=0.2) == ["lag"]


def test_more_lag_is_allowed_where_little_is_demanded() -> None:
    late = {**SOUND, "lag_p99": 0.009}
    assert [doubt.check for doubt in doubts(late, {})] == ["lag"]
    assert doubts(late, {}, allowed_lag=0.01) == []
    assert [doubt.check for doubt in doubts({**late, "lag_p99": 0.01}, {}, allowed_lag=0.01)] == ["lag"]


@pytest.mark.parametrize(
    ("failures", "words"), [({"429": 9, "500": 1}, "limits the rate"), ({"401": 5}, "login"), ({"timeout": 3}, "log")]
)
def test_failing_answers_are_told_with_what_they_were(failures: dict[str, int], words: str) -> None:
    (doubt,) = doubts({**SOUND, "failed_share": 0.9}, failures)
    assert max(failures, key=lambda kind: failures[kind]) in doubt.text
    assert words in doubt.hint


@pytest.mark.parametrize(
    ("conditions", "kept"),
    [
        ({}, True),
        ({"waited_share": 0.01, "queue_median": 8.0, "queue_end": 16.0}, True),
        ({"queue_median": 8.0, "queue_end": 17.0}, False),
        ({"queue_median": 1.0, "queue_end": 10.0}, True),
        ({"waited_share": 0.011}, False),
    ],
)
def test_a_backend_keeps_up_while_its_queue_does_not_grow(conditions: dict[str, float], kept: bool) -> None:
    assert kept_up(conditions) is kept


def test_more_than_a_quarter_is_too_many() -> None:
    assert not too_many(1, 4)
    assert too_many(2, 4)
    assert too_many(1, 1)
    assert not too_many(0, 1)
