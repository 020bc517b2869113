"""After a burst: the first moment from which on it is as before, by latency, queue and failures."""

from __future__ import annotations

import pytest

from gates.load.recovery import recovery
from gates.load.slices import Slices


def seconds(*each: tuple[float, int, int]) -> Slices:
    """Return slices of a second: latency, queue at the end, and how many of a hundred requests failed."""
    slices = Slices(1.0)
    for second, (latency, queue, failed) in enumerate(each):
        for one in range(100):
            slices.count(second + one / 100, None if one < failed else latency * (1 + one / 500))
        slices.all[second].queue = queue
    return slices


CALM, RUSH = (0.010, 0, 0), (0.200, 80, 0)


def test_recovered_at_once() -> None:
    found = recovery(seconds(*[CALM] * 2, *[RUSH] * 2, *[CALM] * 4), 2, 4, 8, 0.25)
    assert found is not None
    assert found.seconds == 0.0
    assert found.before == pytest.approx(0.011, rel=0.05)
    assert found.worst == pytest.approx(0.22, rel=0.05)


@pytest.mark.parametrize("still", [(0.020, 0, 0), (0.010, 60, 0), (0.010, 0, 20)])
def test_slow_or_queued_or_failing_is_not_recovered(still: tuple[float, int, int]) -> None:
    found = recovery(seconds(*[CALM] * 2, *[RUSH] * 2, *[still] * 3, CALM, still, CALM, CALM), 2, 4, 11, 0.25)
    assert found is not None
    assert found.seconds == 5.0  # one good slice alone is not the end of it
    assert found.last == ""


def test_what_never_recovers_says_what_was_wrong_at_the_end() -> None:
    found = recovery(seconds(*[CALM] * 2, *[RUSH] * 6, CALM), 2, 4, 9, 0.25)
    assert found is not None
    assert (found.seconds, found.watched) == (None, 5.0)
    assert "80 requests waited" in found.last


def test_silence_after_the_burst_is_no_recovery() -> None:
    found = recovery(seconds(*[CALM] * 2, *[RUSH] * 2), 2, 4, 8, 0.25)
    assert found is not None
    assert found.seconds is None
    assert found.last == "no request was answered"


def test_failures_of_the_rush_are_counted() -> None:
    found = recovery(seconds(*[CALM] * 2, *[(0.01, 0, 50)] * 2, *[CALM] * 4), 2, 4, 8, 0.25)
    assert found is not None
    assert found.failed == 0.5
    assert found.seconds == 0.0


def test_too_few_requests_tell_nothing() -> None:
    slices = Slices(1.0)
    for second in range(8):
        slices.count(second + 0.5, 0.01)
    assert recovery(slices, 2, 4, 8, 0.25) is None
    assert recovery(seconds(*[CALM] * 4), 2, 4, 4, 0.25) is None
