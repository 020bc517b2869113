"""What every kind of load has in Locust's process: the assignment, what is recorded, when it is, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import gevent
import locust
from gevent.event import Event
from locust import User

from gates.load.assignment import Assignment
from gates.load.gevent_wire import Exchange
from gates.load.locust_events import Ear, settle
from gates.load.pairs import PairRecord, write_pairs
from gates.load.recording import Record, middle, write_record
from gates.load.slices import Slices

Part: TypeAlias = "tuple[type[User] | None, Callable[[Any], None]]"
"""What a kind of load brings: the class of its users, unless the project brings them, and who conducts them; the
latter is given Locust's environment when all users are there."""

_LOOK_EVERY = 0.1
_SHORT_QUEUE = 10
"""Requests; so few waiting are no reason to end anything."""


class Crew:
    """All users of a run: lets them begin together, and sees when the last one is through."""

    def __init__(self, size: int) -> None:
        self.everyone = Event()
        self.ready = Event()
        self.through = Event()
        self.unanswered = 0
        """How many requests of all users are on their way at this moment."""
        self._size = self._left = size
        self._arrived = 0

    def arrive(self) -> None:
        """A user is connected, or could not be: either way it is there."""
        self._arrived += 1
        if self._arrived == self._size:
            self.everyone.set()

    def leave(self) -> None:
        """A user has had its last answer."""
        self._left -= 1
        if self._left == 0:
            self.through.set()


class Stretch:
    """The measured stretch: when it began and ends, and the CPU this process used in it; noted in the records."""

    def __init__(self, crew: Crew, record: Record, earlier: Record) -> None:
        self.begin = self.end = float("inf")
        self.overdue: Callable[[], int] = lambda: 0
        """How many requests are due and not even sent."""
        self.longest_queue: Callable[[], float] = lambda: float("inf")
        """How many requests may wait before the arrivals end."""
        self.behind = False
        """Whether they were ended for that reason."""
        self._crew, self._record, self._earlier = crew, record, earlier
        self._watching: gevent.Greenlet | None = None

    def follow(self, assignment: Assignment, start: float, overdue: Callable[[float], int]) -> None:
        """Count what is due and not sent, which `overdue` tells for a rate; end the arrivals when too much waits."""

        def rate_now() -> float:
            return assignment.arrivals.rate_at(time.monotonic() - start)

        self.overdue = lambda: overdue(rate_now())
        if assignment.patience:
            self.longest_queue = lambda: assignment.patience * rate_now()

    def plan(self, begin: float, end: float) -> None:
        """Say when it is, on the monotonic clock; CPU is read at both ends by a greenlet of its own."""
        self.begin, self.end = begin, end
        for record in (self._record, self._earlier):
            if record.slices is not None:
                record.slices.begin = begin
        self._watching = gevent.spawn(self._watch)

    def wait(self) -> None:
        """Return when it is over and its CPU is known."""
        if self._watching is not None:
            self._watching.join()

    def _watch(self) -> None:
        gevent.sleep(max(0.0, self.begin - time.monotonic()))
        began, cpu = time.monotonic(), time.process_time()
        before, record, seconds = 0, self._record, max(1e-9, self.end - began)
        thirds: tuple[dict[int, int], ...] = ({}, {}, {})
        while (left := self.end - time.monotonic()) > 0:
            gevent.sleep(min(left, _LOOK_EVERY))
            now = self._crew.unanswered + self.overdue()
            record.queue[now] = record.queue.get(now, 0) + 1
            record.queue_end, before = min(before, now), now
            third = thirds[min(2, int(3 * (time.monotonic() - began) / seconds))]
            third[now] = third.get(now, 0) + 1
            if record.slices is not None:
                record.slices.look(time.monotonic(), now)
            if now > max(_SHORT_QUEUE, self.longest_queue()):
                self.behind, self.end = True, time.monotonic()
                record.behind = self._earlier.behind = self.end - self.begin
        used = (time.process_time() - cpu) / max(1e-9, time.monotonic() - began)
        record.queue_first, record.queue_last = middle(thirds[0]), middle(thirds[2])
        record.generator_cpu = self._earlier.generator_cpu = used


class Stage:
    """What one run of Locust shares among its users: the kinds of load are told apart by what they do on it."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.pairs = PairRecord(Record(locust=locust.__version__), Record(locust=locust.__version__))
        for record in (self.pairs.new, self.pairs.old):
            record.slices = Slices(assignment.slice_seconds) if assignment.slice_seconds else None
        self.record = self.pairs.new
        """Of the build that is loaded; of the new one where there are two."""
        self.crew = Crew(assignment.connections)
        self.stretch = Stretch(self.crew, self.pairs.new, self.pairs.old)
        self.exchange = Exchange()
        self.ear = Ear()
        self.told = ""
        """What is written in the place of the records, by a kind of load that keeps something else."""
        self._written = False

    def write(self) -> None:
        """Write the record where the assignment says, whole or not at all; once, whoever ends the run first."""
        if self._written:
            return
        self._written = True
        now = time.monotonic()
        for record in (self.pairs.new, self.pairs.old):
            record.begin, record.end = min(self.stretch.begin, now), min(self.stretch.end, now)
        path = Path(self.assignment.result)
        draft = path.with_suffix(".part")
        both = self.assignment.earlier is not None
        told = self.told or (write_pairs(self.pairs) if both else write_record(self.record))
        draft.write_text(told, "utf-8")
        draft.replace(path)

    def quit(self, environment: Any) -> None:
        """Write the record and end Locust; failing requests are no reason for it to fail."""
        self.stretch.wait()
        self.write()
        if self.ear.taken_over:
            settle(environment.stats, (self.pairs.new, self.pairs.old))
        environment.process_exit_code = 0
        environment.runner.quit()
