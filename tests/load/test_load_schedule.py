"""Arrivals are on an absolute schedule, evenly mixed, and follow from the seed alone."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gates.load.schedule import Arrivals, Slot, evenly, slots


def test_slots_are_equally_spaced_from_a_random_phase() -> None:
    found = list(slots(Arrivals(rate=100.0, warm_up=1.0, seconds=2.0), {"GET /a": 1.0}, "seed"))
    gaps = [later.due - earlier.due for earlier, later in itertools.pairwise(found)]
    assert gaps == pytest.approx([0.01] * (len(found) - 1))
    assert 0.0 <= found[0].due < 0.01
    assert found[-1].due < 3.0
    assert len(found) in (300, 301)
    assert [slot.number for slot in found] == list(range(len(found)))


def test_each_epoch_has_its_own_phase_and_order_and_each_seed_the_same() -> None:
    weights = {"a": 1.0, "b": 1.0, "c": 1.0}

    def of(seed: str) -> list[Slot]:
        return list(slots(Arrivals(50.0, 0.0, 2.0), weights, seed))

    assert of("20:1") == of("20:1")
    assert of("20:1")[0].due != of("20:2")[0].due
    assert [slot.operation for slot in of("20:1")] != [slot.operation for slot in of("20:2")]


@given(
    st.floats(min_value=1, max_value=500), st.floats(min_value=0, max_value=3), st.floats(min_value=0.5, max_value=5),
    st.floats(min_value=0.2, max_value=8),
)  # fmt: skip
def test_no_slot_is_lost_or_added_where_the_rate_changes(
    rate: float, warm_up: float, seconds: float, burst: float
) -> None:
    found = list(slots(Arrivals(rate, warm_up, seconds, burst), {"a": 1.0}, "seed"))
    expected = rate * (warm_up + seconds * (3 + burst) / 4)
    assert abs(len(found) - expected) <= 1.001
    assert all(earlier.due < later.due for earlier, later in itertools.pairwise(found))


def test_a_burst_comes_in_the_second_quarter_of_what_is_measured() -> None:
    arrivals = Arrivals(rate=30.0, warm_up=2.0, seconds=4.0, burst=5.0)
    per_second = Counter(int(slot.due) for slot in slots(arrivals, {"a": 1.0}, "seed"))
    assert [per_second[second] for second in range(6)] == pytest.approx([30, 30, 30, 150, 30, 30], abs=1)
    assert arrivals.burst_ends == 2.0


def test_a_ramp_has_its_steps_one_after_another_and_the_warm_up_at_the_first() -> None:
    arrivals = Arrivals(rate=10.0, warm_up=1.0, seconds=6.0, steps=(10.0, 20.0, 40.0))
    per_second = Counter(int(slot.due) for slot in slots(arrivals, {"a": 1.0}, "seed"))
    assert [per_second[second] for second in range(7)] == pytest.approx([10, 10, 10, 20, 20, 40, 40], abs=1)
    assert [arrivals.rate_at(second) for second in (0.5, 2.0, 3.5, 6.9, 7.5)] == [10.0, 10.0, 20.0, 40.0, 10.0]


@given(st.dictionaries(st.sampled_from("abcdefgh"), st.floats(min_value=0.1, max_value=10), min_size=1), st.integers())
def test_every_operation_gets_its_share_over_any_stretch(weights: dict[str, float], seed: int) -> None:
    names = list(itertools.islice(evenly(weights, seed), 300))
    whole = sum(weights.values())
    for end in (50, 100, 300):
        seen = Counter(names[:end])
        for name, weight in weights.items():
            assert abs(seen[name] - end * weight / whole) <= 1 + len(weights) * weight / whole


def test_a_new_operation_leaves_the_order_of_the_others_as_it_was() -> None:
    before = list(itertools.islice(evenly({"a": 1.0, "b": 2.0}, 7), 60))
    after = itertools.islice((name for name in evenly({"a": 1.0, "b": 2.0, "c": 1.0}, 7) if name != "c"), 60)
    assert list(after) == before


def test_without_operations_there_is_nothing_to_send() -> None:
    assert list(slots(Arrivals(10.0, 0.0, 1.0), {}, "seed")) == []
    assert list(evenly({"a": 0.0}, 1)) == []
