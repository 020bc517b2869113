"""A ramp says what a backend bears: the last step it kept up with, never more than it got through."""

from __future__ import annotations

import itertools

import pytest

from gates.load.ramp import STEP, borne, limits_rate, patience, ramp_steps
from gates.load.recording import Record
from gates.load.slices import Slices


def climbed(
    *steps: tuple[int, float, int], failed: int = 0, behind: float = 0.0, answered: int | None = None
) -> Record:
    """Return the record of steps with so many requests, of such a latency, and such a queue at their end."""
    record = Record(behind=behind, slices=Slices(STEP))
    assert record.slices is not None
    for number, (requests, latency, queue) in enumerate(steps):
        begin = number * STEP
        for one in range(requests):
            record.slices.count(begin + one * STEP / requests, latency)
        record.slices.look(begin + STEP * 0.9, queue)
        record.slices.look(begin + STEP * 0.95, queue)
        if answered is not None and number == len(steps) - 1:
            record.slices.all[number].answered = answered
    for _ in range(failed):
        record.slices.count((len(steps) - 1) * STEP, None)
        record.answered("GET /a", 429, 0.001)
    return record


def test_steps_rise_from_what_anything_bears_to_what_is_enough_and_no_further() -> None:
    steps = ramp_steps(100.0, 10_000.0)
    assert steps[0] == pytest.approx(70.0)
    assert all(1.5 < later / earlier < 2.6 for earlier, later in itertools.pairwise(steps))
    assert len(steps) * STEP < 8
    assert ramp_steps(100.0, 500.0)[1] == pytest.approx(112.0)
    assert ramp_steps(100.0, 150.0)[-1] == 150.0
    assert ramp_steps(5000.0, 300.0) == (300.0,)
    assert ramp_steps(3.0, 300.0) == ()


def test_what_keeps_up_with_every_step_bears_the_last() -> None:
    found = borne((50.0, 80.0), climbed((60, 0.01, 1), (96, 0.012, 1)), 0.01)
    assert (found.rate, found.trouble) == (80.0, "")


def test_the_last_step_before_it_became_slow_counts() -> None:
    found = borne((50.0, 80.0, 128.0), climbed((60, 0.01, 1), (96, 0.012, 1), (150, 0.4, 60)), 0.01)
    assert found.rate == 80.0
    assert "128" in found.trouble


def test_what_it_got_through_counts_where_that_is_less() -> None:
    record = climbed((60, 0.01, 1), (96, 0.012, 1), (150, 0.4, 60), answered=72)
    assert borne((50.0, 80.0, 128.0), record, 0.01).rate == pytest.approx(60.0)
    # The first step was too much already.
    assert borne((50.0,), climbed((60, 1.0, 30), answered=24), 0.01).rate == pytest.approx(18.0)


def test_a_full_backend_gets_through_what_it_bears() -> None:
    record = climbed((60, 0.01, 1), (96, 0.012, 1), (150, 0.4, 60), answered=132)
    assert borne((50.0, 80.0, 128.0), record, 0.01).rate == pytest.approx(0.9 * 110)


def test_a_step_that_was_ended_early_was_too_much() -> None:
    record = climbed((60, 0.01, 1), (60, 0.02, 5), behind=STEP + 0.3, answered=60)
    found = borne((50.0, 80.0, 128.0), record, 0.01)
    assert (found.rate, found.trouble) == (50.0, "at 80 requests/s its queue grew")


def test_what_refuses_requests_bears_less_however_fast_it_refuses() -> None:
    record = climbed((60, 0.01, 1), (40, 0.01, 1), failed=56)
    found = borne((50.0, 80.0), record, 0.01)
    assert found.rate <= 50.0
    assert found.trouble == "at 80 requests/s 56 of 96 failed (most often: 429)"
    assert limits_rate(record)
    assert not limits_rate(Record())


def test_a_slow_answer_is_not_a_queue() -> None:
    assert borne((20.0, 32.0), climbed((24, 0.5, 10), (38, 0.5, 16)), 0.5).trouble == ""
    assert patience(0.5) > patience(0.001) > 0.4
