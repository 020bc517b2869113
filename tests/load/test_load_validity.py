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
        ("throttled", 0.05, 0.051, "throttled"),
        ("clock_jump", 0.1, 0.11, "clock"),
        ("clock_jump", -0.1, -0.11, "clock"),
        ("servers_share", 0.70, 0.701, "server"),
        ("queue_end", 10.0, 11.0, "queue"),
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
    ("servers", "generator", "all_programs", "check"),
    [
        (0.40, 0.0, 0.70, []),
        (0.40, 0.0, 0.71, ["neighbours"]),
        (0.71, 0.0, 0.72, ["server"]),
        (0.50, 0.21, 0.72, ["server"]),
        (0.50, 0.10, 0.95, ["neighbours"]),
    ],
)
def test_cores_are_too_busy_by_whom_it_may_be(
    servers: float, generator: float, all_programs: float, check: list[str]
) -> None:
    assert checks(servers_share=servers, shared_share=generator, cores_share=all_programs) == check


def test_cores_are_not_judged_where_the_processes_of_the_servers_are_not_known() -> None:
    assert checks(cores_share=1.0) == []


def test_who_used_the_cores_is_told() -> None:
    (doubt,) = doubts({**SOUND, "servers_share": 0.4, "shared_share": 0.0, "cores_share": 0.96}, {})
    assert doubt.text == "the servers' cores were 96% busy (70% is the limit), 56% with other programs"
    (doubt,) = doubts({**SOUND, "servers_share": 0.5, "shared_share": 0.3}, {})
    assert doubt.text == "the servers and the load generator used 80% of the cores they have (70% is the limit)"


def test_what_is_meant_to_be_too_much_is_not_doubted() -> None:
    overrun = {**SOUND, "servers_share": 0.9, "queue_end": 80.0, "sent_share": 0.5}
    assert [doubt.check for doubt in doubts(overrun, {})] == ["schedule", "server", "queue"]
    assert [doubt.check for doubt in doubts(overrun, {}, meant={"server", "queue"})] == ["schedule"]


@pytest.mark.parametrize(
    ("first", "median", "last", "end", "words"),
    [
        (20.0, 60.0, 100.0, 119.0, "100 requests were unanswered in the last third of the time, and 20 in the first"),
        (4.0, 6.0, 10.0, 11.0, ""),
        (30.0, 35.0, 60.0, 61.0, ""),
        (1.0, 2.0, 9.0, 60.0, "60 requests were unanswered at the end, and 2 in the middle of the time"),
    ],
)
def test_a_queue_that_grows_steadily_is_never_twice_its_median_and_is_noticed_all_the_same(
    first: float, median: float, last: float, end: float, words: str
) -> None:
    found = doubts({**SOUND, "queue_first": first, "queue_median": median, "queue_last": last, "queue_end": end}, {})
    assert [doubt.text for doubt in found] == ([f"the backend's queue grew: {words}"] if words else [])


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
