"""Task runs on two builds: what is counted of each, and which requests are compared. On records alone."""

from __future__ import annotations

import math

import pytest

from gates.load.histogram import quantile
from gates.load.pairs import PairRecord, parse_pairs, write_pairs
from gates.load.recording import Record
from gates.load.scenario import Matching, Run, Scenario, Sent


def matching() -> tuple[Matching, PairRecord, Scenario]:
    scenario = Scenario()
    both = PairRecord(Record(), Record(), scenario=scenario)
    return Matching(both, scenario), both, scenario


def sent(operation: str, latency: float, status: int = 200, failure: str = "", at: float = 0.0) -> Sent:
    return Sent(operation, status, failure, latency, at)


def a_run(new: bool, *requests: Sent, number: int = 1, late: float = 0.0, tasks: str = "look", error: str = "") -> Run:
    return Run(number, new, first=new, measured=True, late=late, tasks=tasks.split(), sent=list(requests), error=error)


def test_requests_at_the_same_position_are_compared_operation_by_operation() -> None:
    match, both, scenario = matching()
    assert match.ended(a_run(True, sent("GET /a", 0.02), sent("GET /b", 0.03, at=1.0)))
    assert both.ratios == {}
    assert match.ended(a_run(False, sent("GET /a", 0.01), sent("GET /b", 0.03, at=1.0)))
    assert {name: one.pairs for name, one in both.ratios.items()} == {"GET /a": 1, "GET /b": 1}
    assert both.ratios["GET /a"].shift() == pytest.approx(math.log(2), abs=1e-3)
    assert both.ratios["GET /a"].new_first
    assert not both.ratios["GET /a"].old_first
    assert (scenario.runs, scenario.unlike, scenario.comparable) == (1, 0, {"GET /a": 1, "GET /b": 1})


@pytest.mark.parametrize(
    "other",
    [
        a_run(False, sent("GET /a", 0.01)),
        a_run(False, sent("GET /a", 0.01), sent("GET /b", 0.01), tasks="look buy"),
        a_run(False, sent("GET /a", 0.01), sent("GET /b", 0.01), error="KeyError"),
    ],
    ids=["shorter", "other tasks", "raised"],
)
def test_a_run_that_took_another_course_is_not_compared_at_all(other: Run) -> None:
    match, both, scenario = matching()
    match.ended(a_run(True, sent("GET /a", 0.02), sent("GET /b", 0.03)))
    alike = match.ended(other)
    assert both.ratios == {}
    assert (scenario.runs, scenario.unlike) == (1, 1)
    assert alike is (other.tasks == ["look"])
    assert both.new.requests == 2
    assert both.old.requests == len(other.sent)


@pytest.mark.parametrize(
    "other",
    [
        sent("GET /b", 0.01),
        sent("GET /a", 0.01, 404, "404"),
        sent("GET /a", 0.01, 201),
        sent("GET /a", 0.01, 0, "network"),
    ],
)
def test_what_was_not_answered_alike_is_not_compared(other: Sent) -> None:
    match, both, _ = matching()
    match.ended(a_run(True, sent("GET /a", 0.02)))
    match.ended(a_run(False, other))
    assert both.ratios == {}


def test_position_is_the_order_of_sending_not_of_answers() -> None:
    match, both, _ = matching()
    match.ended(a_run(True, sent("GET /b", 0.01, at=2.0), sent("GET /a", 0.05, at=1.0)))
    match.ended(a_run(False, sent("GET /a", 0.05, at=1.0), sent("GET /b", 0.01, at=2.0)))
    assert both.ratios.keys() == {"GET /a", "GET /b"}


def test_only_the_first_request_waited_as_long_as_its_run() -> None:
    match, both, _ = matching()
    match.ended(a_run(True, sent("GET /a", 0.01), sent("GET /b", 0.01, at=1.0), late=0.5))
    for name, latency in (("GET /a", 0.51), ("GET /b", 0.01)):
        assert quantile(both.new.operations[name].success_latencies(), 0.5) == pytest.approx(latency, rel=0.01)


def test_an_answer_that_a_task_could_not_work_with_is_a_failure_of_its_operation() -> None:
    match, both, _ = matching()
    match.ended(a_run(True, sent("GET /a", 0.01), sent("POST /b", 0.01, at=1.0), error="KeyError"))
    match.ended(a_run(False, sent("GET /a", 0.01), sent("POST /b", 0.01, at=1.0)))
    assert both.new.operations["POST /b"].failures == {"KeyError": 1}
    assert both.new.operations["GET /a"].failed == both.old.operations["POST /b"].failed == 0


def test_a_task_that_raises_before_it_sent_anything_and_one_that_never_ends_are_failures() -> None:
    match, both, _ = matching()
    match.ended(a_run(True, error="ValueError"))
    hanging = a_run(False, tasks="look buy")
    hanging.hang(10.0)
    match.ended(hanging)
    assert both.scenario is not None
    assert both.scenario.comparable == {}
    assert both.new.operations["task look"].failures == {"ValueError": 1}
    assert both.old.operations["task buy"].failures == {"timeout": 1}


def test_the_word_of_the_locustfile_counts() -> None:
    match, both, _ = matching()
    match.ended(
        a_run(True, sent("GET /gone", 0.01, 404), sent("GET /wrong", 0.01, 200, "rejected"), sent("GRPC x", 0.01, 0))
    )
    match.ended(a_run(False, sent("GET /gone", 0.01, 404), sent("GET /wrong", 0.01, 200), sent("GRPC x", 0.01, 0)))
    operations = both.new.operations
    assert (operations["GET /gone"].failed, operations["GET /wrong"].failed, operations["GRPC x"].failed) == (0, 1, 0)
    assert both.ratios.keys() == {"GET /gone", "GRPC x"}


def test_what_is_not_measured_is_not_counted() -> None:
    match, both, scenario = matching()
    for new in (True, False):
        run = a_run(new, sent("GET /a", 0.01))
        run.measured = False
        match.ended(run)
    assert (both.new.requests, both.ratios, scenario.runs) == (0, {}, 0)


def test_what_is_known_of_the_users_is_read_as_it_was_written() -> None:
    match, both, scenario = matching()
    match.ended(a_run(True, sent("GET /a", 0.02)))
    match.ended(a_run(False, sent("GET /a", 0.01)))
    scenario.broken, scenario.outside, scenario.taking = {"new": "KeyError: 'token'"}, {"POST /login"}, 1.5
    assert parse_pairs(write_pairs(both)).scenario == scenario
    assert parse_pairs(write_pairs(PairRecord(Record(), Record()))).scenario is None
