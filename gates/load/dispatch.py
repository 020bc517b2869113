"""Hands each slot of the schedule, when it is due, to a user that is free; runs in Locust's process.

The slots come on time whatever the backend does. When all users wait for answers, the next slot waits for the first
of them, and its latency counts from when it was due all the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from gevent.event import Event
from gevent.hub import Waiter, get_hub

from gates.load.clock import Alarm
from gates.load.schedule import Slot


class Dispatcher:
    """Slots that are handed out one by one; the user that was free last is asked first, its connection is warm."""

    def __init__(self, slots: Iterator[Slot]) -> None:
        self.start = 0.0
        """The moment, on the monotonic clock, from which the slots count; set by `run`."""
        self._slots = slots
        self._next = next(slots, None)
        self._idle: list[Waiter] = []
        self._begun = Event()
        self._caught_up = Event()

    def run(self, start: float, give_up: float) -> int:
        """Hand out the slots until the last has a user, then let go the users that wait.

        Slots that no user was free for until the moment `give_up` are dropped; returns how many.
        """
        self.start = start
        self._begun.set()
        loop, alarm = get_hub().loop, Alarm()
        try:
            while self._next is not None and time.monotonic() < give_up:
                alarm.sleep_until(start + self._next.due)
                # Between the alarm and this line a user may have become free and taken the slot.
                if self._next is None or start + self._next.due > time.monotonic():
                    continue
                if self._idle:
                    loop.run_callback(self._idle.pop().switch, (self._advance(), True))
                else:
                    self._caught_up.clear()
                    self._caught_up.wait(max(0.0, give_up - time.monotonic()))
        finally:
            alarm.close()
        dropped = 0
        while self._next is not None:
            self._advance()
            dropped += 1
        for waiter in self._idle:
            loop.run_callback(waiter.switch, (None, True))
        self._idle.clear()
        return dropped

    def take(self) -> tuple[Slot | None, bool]:
        """Return the next slot when it is due, and whether a user was free at that moment; no slot at the end."""
        self._begun.wait()
        if self._next is None:
            return None, True
        if self.start + self._next.due <= time.monotonic() and not self._idle:
            slot = self._advance()
            self._caught_up.set()
            return slot, False
        waiter = Waiter()
        self._idle.append(waiter)
        handed: tuple[Slot | None, bool] = waiter.get()
        return handed

    def overdue(self, rate: float) -> int:
        """Return how many slots are due and wait for a user, at a rate of so many per second."""
        if self._next is None:
            return 0
        late = time.monotonic() - self.start - self._next.due
        return int(late * rate) + 1 if late > 0 else 0

    def _advance(self) -> Slot | None:
        slot, self._next = self._next, next(self._slots, None)
        return slot
