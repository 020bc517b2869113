"""Load in slices of time: each request in the slice it was due in, and never more slices than are kept."""

from __future__ import annotations

import json

import pytest

from gates.load.histogram import quantile, total
from gates.load.slices import MOST, Slices, slices_from_data, slices_to_data


def test_a_request_counts_where_it_was_due_however_late_its_answer_came() -> None:
    slices = Slices(1.0)
    slices.begin = 100.0
    for due, latency in ((100.2, 0.01), (100.9, 5.0), (102.1, None)):
        slices.count(due, latency)
    assert [one.requests for one in slices.all][:3] == [2, 0, 1]
    assert [one.failed for one in slices.all][:3] == [0, 0, 1]
    assert [one.answered for one in slices.all] == [1, 0, 0, 0, 0, 1]
    assert quantile(slices.all[0].latencies, 1.0) == pytest.approx(5.0, rel=0.01)


def test_the_queue_is_that_at_the_end_and_one_unlucky_moment_does_not_count() -> None:
    slices = Slices(1.0)
    for moment, queue in ((0.1, 2), (0.5, 3), (0.9, 40), (1.1, 50), (1.5, 60)):
        slices.look(moment, queue)
    assert [one.queue for one in slices.all] == [3, 50]


def test_their_number_is_bounded_and_nothing_is_lost() -> None:
    slices = Slices(1.0)
    for second in range(10 * MOST):
        slices.count(second + 0.5, 0.01 if second % 2 else None)
        slices.look(second + 0.9, second)
    assert len(slices.all) <= MOST
    assert slices.width > 8
    assert sum(one.requests for one in slices.all) == 10 * MOST
    assert sum(total(one.latencies) for one in slices.all) == sum(one.answered for one in slices.all) == 5 * MOST
    assert slices.all[-1].queue >= 10 * MOST - 2


def test_they_are_written_and_read() -> None:
    slices = Slices(0.5)
    slices.count(0.7, 0.02)
    slices.look(0.8, 3)
    back = slices_from_data(json.loads(json.dumps(slices_to_data(slices))))
    assert (back.width, back.all) == (slices.width, slices.all)
    with pytest.raises(KeyError):
        slices_from_data({"width": 1})
