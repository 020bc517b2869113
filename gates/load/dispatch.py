"""Hands each slot of the schedule, when it is due, to a user that is free; runs in Locust's process.

The slots come on time whatever the backend does. When all users wait for answers, the next slot waits for the first
of them, and its latency counts from when it was due all the same.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import gevent
from gevent.event import Event
from gevent.hub import get_hub

from gates.load.clock import Bell
from gates.load.schedule import Slot

Handed = tuple[Slot | None, bool]
"""A slot, none when there are no more; and whether the user was free when it was due."""


class Dispatcher:
    """Slots that are handed out one by one; the user that was free last is asked first, its connection is warm."""

    def __init__(self, slots: Iterator[Slot]) -> None:
        self.start = 0.0
        """The moment, on the monotonic clock, from which the slots count; set by `run`."""
        self._slots = slots
        self._next = next(slots, None)
        self._idle: list[Any] = []
        self._begun, self._over = Event(), Event()
        self._behind = False
        """Whether a slot is due and all users are busy: then the bell is not set, and whoever is free takes it."""
        self._bell: Bell | None = None

    def run(self, start: float, give_up: float, close: float = 0.0) -> int:
        """Hand out the slots until the last has a user, then let go the users that wait; `close` as for the bell.

        Slots that no user was free for until the moment `give_up` are dropped; returns how many.
        """
        self.start = start
        self._bell = Bell(self._hand_out, close)
        self._begun.set()
        try:
            self._set_bell()
            self._over.wait(max(0.0, give_up - time.monotonic()))
        finally:
            self._bell.close()
            self._bell = None
        dropped = 0
        while self._next is not None:
            self._advance()
            dropped += 1
        loop = get_hub().loop
        for user in self._idle:
            loop.run_callback(user.switch, (None, True))
        self._idle.clear()
        return dropped

    def take(self) -> Handed:
        """Return the next slot when it is due."""
        if not self._begun.is_set():
            self._begun.wait()
        if self._next is None:
            return None, True
        if not self._idle and self.start + self._next.due <= time.monotonic():
            slot = self._advance()
            if self._behind and self._next is not None and self.start + self._next.due > time.monotonic():
                self._set_bell()
            return slot, False
        me = gevent.getcurrent()
        self._idle.append(me)
        try:
            handed: Handed = get_hub().switch()
        except BaseException:
            if me in self._idle:
                self._idle.remove(me)  # killed: it must not be given anything
            raise
        return handed

    def overdue(self, rate: float) -> int:
        """Return how many slots are due and wait for a user, at a rate of so many per second."""
        if self._next is None:
            return 0
        late = time.monotonic() - self.start - self._next.due
        return int(late * rate) + 1 if late > 0 else 0

    def _hand_out(self) -> None:
        """Give every slot that is due to a user, in the loop's greenlet: each user goes on at once, until it waits."""
        while self._next is not None and self.start + self._next.due <= time.monotonic():
            if not self._idle:
                self._behind = True
                return
            self._idle.pop().switch((self._advance(), True))
        self._set_bell()

    def _set_bell(self) -> None:
        """Wake up for the next slot; when it is due already, and nobody is free, whoever is free next takes it."""
        self._behind = False
        if self._bell is not None and self._next is not None:
            self._bell.set(self.start + self._next.due)

    def _advance(self) -> Slot | None:
        slot, self._next = self._next, next(self._slots, None)
        if self._next is None:
            self._over.set()
        return slot
