"""Slots are handed out when they are due, whoever is busy; nothing is timed here but by the order of what happens."""

from __future__ import annotations

import time
from collections.abc import Callable

import gevent
import gevent.event
import pytest

from gates.load.clock import CLOSE, Alarm, Bell
from gates.load.dispatch import Dispatcher
from gates.load.schedule import Arrivals, Slot, slots


def run(users: int, work: Callable[[Slot], None], *, rate: float, seconds: float, patience: float = 5.0) -> tuple[
    list[tuple[int, bool, float]], int
]:  # fmt: skip
    """Return for each slot its number, whether a user was free and how late it was; and how many were dropped."""
    handed: list[tuple[int, bool, float]] = []
    dispatcher = Dispatcher(slots(Arrivals(rate, 0.0, seconds), {"a": 1.0}, "seed"))

    def user() -> None:
        while True:
            slot, was_free = dispatcher.take()
            if slot is None:
                return
            handed.append((slot.number, was_free, time.monotonic() - dispatcher.start - slot.due))
            work(slot)

    greenlets = [gevent.spawn(user) for _ in range(users)]
    start = time.monotonic() + 0.01
    dropped = dispatcher.run(start, start + seconds + patience)
    gevent.joinall(greenlets, timeout=10, raise_error=True)
    assert all(greenlet.dead for greenlet in greenlets)
    return handed, dropped


def test_every_slot_is_handed_out_once_and_none_before_its_time() -> None:
    handed, dropped = run(5, lambda slot: None, rate=500.0, seconds=0.3)
    assert sorted(number for number, _, _ in handed) == list(range(len(handed)))
    assert len(handed) in (150, 151)
    assert dropped == 0
    assert all(late >= 0 for _, _, late in handed)


def test_a_user_that_waits_does_not_keep_the_others_from_their_slots() -> None:
    later = gevent.event.Event()

    def stall_until_others_came(slot: Slot) -> None:
        if slot.number == 20:
            later.set()
        if slot.number == 3:
            assert later.wait(5), "nobody else was given a slot"

    handed, _ = run(2, stall_until_others_came, rate=100.0, seconds=0.3)
    assert sorted(number for number, _, _ in handed) == list(range(len(handed)))


def test_when_all_users_wait_the_slots_come_late_and_say_so() -> None:
    def stall_once(slot: Slot) -> None:
        if slot.number == 2:
            gevent.sleep(0.2)

    handed, dropped = run(1, stall_once, rate=100.0, seconds=0.3)
    assert dropped == 0
    assert sorted(number for number, _, _ in handed) == list(range(len(handed)))
    assert len(handed) in (30, 31)
    assert max(late for _, was_free, late in handed if not was_free) > 0.1


def test_what_nobody_was_free_for_is_dropped_in_the_end() -> None:
    handed, dropped = run(1, lambda slot: gevent.sleep(0.1), rate=100.0, seconds=0.2, patience=0.1)
    assert len(handed) < 6
    assert len(handed) + dropped in (20, 21)


def test_the_alarm_does_not_ring_early_and_not_for_what_is_past() -> None:
    alarm = Alarm()
    try:
        for delay in (0.001, 0.0103, 0.0):
            moment = time.monotonic() + delay
            alarm.sleep_until(moment)
            assert time.monotonic() >= moment
        alarm.sleep_until(time.monotonic() - 5)
    finally:
        alarm.close()


@pytest.mark.parametrize("close", [0.0, CLOSE, 1.0], ids=["asleep", "turning when it is close", "turning"])
def test_the_bell_rings_for_what_was_set_last_for_what_is_past_and_not_when_it_is_closed(close: float) -> None:
    rings: list[float] = []
    bell = Bell(lambda: rings.append(time.monotonic()), close)
    bell.set(time.monotonic() + 0.01)
    moment = time.monotonic() + 0.03
    bell.set(moment)
    gevent.sleep(0.06)
    assert len(rings) == 1
    assert rings[0] >= moment
    bell.set(time.monotonic() - 5)
    gevent.sleep(0.02)
    assert len(rings) == 2
    bell.set(time.monotonic() + 0.01)
    bell.close()
    gevent.sleep(0.02)
    assert len(rings) == 2


def test_users_that_are_killed_while_they_wait_take_no_slot_with_them() -> None:
    dispatcher = Dispatcher(slots(Arrivals(100.0, 0.0, 0.2), {"a": 1.0}, "seed"))
    taken: list[int] = []

    def user() -> None:
        while (slot := dispatcher.take()[0]) is not None:
            taken.append(slot.number)

    users = [gevent.spawn(user) for _ in range(2)]
    gevent.spawn_later(0.05, gevent.killall, list(users))
    gevent.spawn_later(0.1, lambda: users.append(gevent.spawn(user)))
    start = time.monotonic()
    assert dispatcher.run(start, start + 5) == 0
    gevent.joinall(users, timeout=5, raise_error=True)
    assert taken == list(range(len(taken)))
    assert len(taken) in (20, 21)
