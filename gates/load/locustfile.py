"""What runs inside Locust: `locust -f locustfile.py[,the project's own]`, told what to do by an assignment.

Locust brings its users, its events, its statistics and its end; when the requests are due, and what was recorded of
them, is ours. Nothing here imports pydantic.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import gevent
import locust
from gevent.event import Event
from locust import User, constant, events, task
from locust.exception import StopUser

from gates.document import Document, Operation, operation_of
from gates.load.assignment import (
    ASSIGNMENT_VARIABLE,
    EARLIER_HEADERS_VARIABLE,
    HEADERS_VARIABLE,
    Numbered,
    Work,
    read_assignment,
)
from gates.load.client import Connection, ExchangeFailed, address_of, serialize
from gates.load.clock import go_first
from gates.load.dispatch import Dispatcher
from gates.load.histogram import add
from gates.load.locust_events import fire
from gates.load.pairs import PairRecord, PairSlot, pair_slots, write_pairs
from gates.load.recording import Record, write_record
from gates.load.schedule import evenly, slots

ASSIGNMENT = read_assignment(Path(os.environ[ASSIGNMENT_VARIABLE]).read_text("utf-8"))
RECORD = Record(locust=locust.__version__)
PAIRS = PairRecord(RECORD, Record(locust=locust.__version__))
_WHOLE = ASSIGNMENT.arrivals
_LOOK_EVERY = 0.1

if ASSIGNMENT.cpus and hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, ASSIGNMENT.cpus)


def _prepared(
    url: str = ASSIGNMENT.url, works: tuple[Work, ...] = ASSIGNMENT.work, variable: str = HEADERS_VARIABLE
) -> dict[str, Numbered]:
    login = json.loads(os.environ.pop(variable, "{}"))
    return {
        work.operation: Numbered(
            serialize(
                url,
                work.request.method,
                work.request.target,
                {**work.request.headers, **login},
                None if work.request.body is None else work.request.body.encode(),
            )
        )
        for work in works
    }


class _Stretch:
    """The measured stretch: when it began and ends, and the CPU this process used in it."""

    def __init__(self) -> None:
        self.begin = self.end = float("inf")
        self._watching: gevent.Greenlet | None = None
        self.overdue: Callable[[], int] = lambda: 0

    def plan(self, begin: float, end: float) -> None:
        """Say when it is, on the monotonic clock; CPU is read at both ends by a greenlet of its own."""
        self.begin, self.end = begin, end
        self._watching = gevent.spawn(self._watch)

    def wait(self) -> None:
        """Return when it is over and its CPU is known."""
        if self._watching is not None:
            self._watching.join()

    def _watch(self) -> None:
        gevent.sleep(max(0.0, self.begin - time.monotonic()))
        began, cpu = time.monotonic(), time.process_time()
        before = 0
        while (left := self.end - time.monotonic()) > 0:
            gevent.sleep(min(left, _LOOK_EVERY))
            now = _Sender.unanswered + self.overdue()
            RECORD.queue[now] = RECORD.queue.get(now, 0) + 1
            RECORD.queue_end, before = min(before, now), now
        used = (time.process_time() - cpu) / max(1e-9, time.monotonic() - began)
        PAIRS.new.generator_cpu = PAIRS.old.generator_cpu = used


STRETCH = _Stretch()


class _Finish:
    """Writes the record once, whoever ends the run first, and then asks Locust to quit."""

    def __init__(self) -> None:
        self._done = False

    def write(self) -> None:
        """Write the record where the assignment says, whole or not at all."""
        if self._done:
            return
        self._done = True
        now = time.monotonic()
        for record in (PAIRS.new, PAIRS.old):
            record.begin, record.end = min(STRETCH.begin, now), min(STRETCH.end, now)
        path = Path(ASSIGNMENT.result)
        draft = path.with_suffix(".part")
        draft.write_text(write_pairs(PAIRS) if ASSIGNMENT.kind == "pairs" else write_record(RECORD), "utf-8")
        draft.replace(path)

    def quit(self, environment: Any) -> None:
        """Write the record and end Locust; failing requests are no reason for it to fail."""
        STRETCH.wait()
        self.write()
        environment.process_exit_code = 0
        environment.runner.quit()


FINISH = _Finish()


class _Sender:
    """Sends the requests of one user over its connection and records them."""

    unanswered = 0
    """How many requests of all users are on their way at this moment."""

    def __init__(
        self, environment: Any, requests: dict[str, Numbered], url: str = ASSIGNMENT.url, record: Record = RECORD
    ) -> None:
        self.environment, self._requests, self._record = environment, requests, record
        self.connection = Connection(address_of(url), ASSIGNMENT.timeout)

    def send(self, operation: str, number: int, due: float, measured: bool) -> tuple[int | None, float]:
        """Send one request; return its status, None when there was no answer, and its latency, counted from `due`."""
        answer, failure = None, None
        before = self.connection.reopened
        _Sender.unanswered += 1
        try:
            answer = self.connection.exchange(self._requests[operation](number))
        except ExchangeFailed as error:
            failure = error
        finally:
            _Sender.unanswered -= 1
        now = time.monotonic()
        if measured:
            self._record.reopened += self.connection.reopened - before
            self._record.last = max(self._record.last, now)
            if answer is not None:
                self._record.answered(operation, answer.status, now - due)
            else:
                assert failure is not None
                self._record.failed(operation, failure.kind)
            fire(self.environment, operation, now - due, answer, failure)
        return None if answer is None else answer.status, now - due


class _Crew:
    """All users of a run: lets them begin together, and sees when the last one is through."""

    def __init__(self, size: int) -> None:
        self.everyone = Event()
        self.ready = Event()
        self.through = Event()
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


CREW = _Crew(ASSIGNMENT.connections)


if ASSIGNMENT.kind == "open":
    REQUESTS = _prepared()
    DISPATCHER = Dispatcher(slots(_WHOLE, {work.operation: work.weight for work in ASSIGNMENT.work}, ASSIGNMENT.seed))

    class Arrivals(User):
        """One connection of the pool: takes a slot when it is due, sends its request, and takes the next."""

        wait_time = constant(0)

        @task
        def work(self) -> None:
            """Work until the schedule is through."""
            sender = _Sender(self.environment, REQUESTS)
            while True:
                slot, was_free = DISPATCHER.take()
                if slot is None:
                    break
                due = DISPATCHER.start + slot.due
                late = time.monotonic() - due
                measured = slot.due >= _WHOLE.warm_up
                if measured:
                    RECORD.sent += 1
                    add(RECORD.lag if was_free else RECORD.waited, late)
                sender.send(slot.operation, ASSIGNMENT.first + slot.number, due, measured)
            sender.connection.close()
            CREW.leave()
            raise StopUser()

    def _conduct(environment: Any) -> None:
        RECORD.went_first = go_first()
        start = time.monotonic()
        STRETCH.overdue = lambda: DISPATCHER.overdue(_WHOLE.rate)
        STRETCH.plan(start + _WHOLE.warm_up, start + _WHOLE.end)
        dropped = DISPATCHER.run(start, start + _WHOLE.end + ASSIGNMENT.timeout)
        CREW.through.wait()
        RECORD.scheduled = RECORD.sent + dropped
        FINISH.quit(environment)


if ASSIGNMENT.kind == "pairs":
    assert ASSIGNMENT.earlier is not None
    EARLIER = ASSIGNMENT.earlier
    REQUESTS = _prepared()
    EARLIER_REQUESTS = _prepared(EARLIER.url, EARLIER.work, EARLIER_HEADERS_VARIABLE)
    DISPATCHER = Dispatcher(
        pair_slots(_WHOLE, {work.operation: work.weight for work in ASSIGNMENT.work}, ASSIGNMENT.seed)
    )

    class Pairs(User):
        """One connection to each build: takes a half of a pair when it is due, sends it, and takes the next."""

        wait_time = constant(0)

        @task
        def work(self) -> None:
            """Work until the schedule is through."""
            new = _Sender(self.environment, REQUESTS)
            old = _Sender(self.environment, EARLIER_REQUESTS, EARLIER.url, PAIRS.old)
            while True:
                slot, was_free = DISPATCHER.take()
                if slot is None:
                    break
                assert isinstance(slot, PairSlot)
                due = DISPATCHER.start + slot.due
                late = time.monotonic() - due
                if slot.measured:
                    record = PAIRS.of(slot.new)
                    record.sent += 1
                    add(record.lag if was_free else record.waited, late)
                sender = new if slot.new else old
                ended = sender.send(slot.operation, ASSIGNMENT.first + slot.number, due, slot.measured)
                if slot.measured:
                    PAIRS.ended(slot, *ended)
            new.connection.close()
            old.connection.close()
            CREW.leave()
            raise StopUser()

    def _conduct(environment: Any) -> None:
        PAIRS.new.went_first = PAIRS.old.went_first = go_first()
        start = time.monotonic()
        STRETCH.plan(start + _WHOLE.warm_up, start + _WHOLE.end)
        dropped = DISPATCHER.run(start, start + _WHOLE.end + ASSIGNMENT.timeout)
        CREW.through.wait()
        for record in (PAIRS.new, PAIRS.old):
            record.scheduled = record.sent + (dropped + 1) // 2
        FINISH.quit(environment)


if ASSIGNMENT.kind == "closed":
    REQUESTS = _prepared()
    NAMES = evenly({work.operation: work.weight for work in ASSIGNMENT.work}, ASSIGNMENT.seed)

    class Simultaneous(User):
        """One of many connections that are all open at once and send back to back."""

        wait_time = constant(0)

        @task
        def work(self) -> None:
            """Connect, wait for the others, and send until the time is up; at least one request each."""
            sender = _Sender(self.environment, REQUESTS)
            try:
                sender.connection.open()
            except ExchangeFailed as error:
                RECORD.failed(next(NAMES), error.kind)
                CREW.arrive()
                CREW.leave()
                raise StopUser() from None
            CREW.arrive()
            CREW.ready.wait()
            served = False
            while True:
                RECORD.sent += 1
                number = ASSIGNMENT.first + RECORD.sent
                status, _ = sender.send(next(NAMES), number, time.monotonic(), True)
                succeeded = status is not None and status < 400
                RECORD.connections += succeeded and not served
                served = served or succeeded
                if time.monotonic() >= STRETCH.end:
                    break
            sender.connection.close()
            CREW.leave()
            raise StopUser()

    def _conduct(environment: Any) -> None:
        CREW.everyone.wait()
        now = time.monotonic()
        STRETCH.plan(now, now + _WHOLE.seconds)
        CREW.ready.set()
        CREW.through.wait()
        RECORD.scheduled = RECORD.sent
        FINISH.quit(environment)


if ASSIGNMENT.kind == "locustfile":
    _DOCUMENT = Document(
        "", {}, "", ASSIGNMENT.base_path,
        tuple(Operation(name.split(" ")[0], name.split(" ", 1)[1], {}, ()) for name in ASSIGNMENT.operations),
    )  # fmt: skip

    @functools.lru_cache(maxsize=4096)
    def _operation_named(method: str, name: str) -> str:
        """Return the operation of the document that a request's name stands for, or the name itself."""
        path = urlsplit(name).path or name
        found = operation_of(_DOCUMENT, method, path)
        return found.name if found else f"{method} {name}"

    @events.request.add_listener  # type: ignore[untyped-decorator]
    def _record(request_type: str, name: str, response_time: float, **rest: Any) -> None:
        now = time.monotonic()
        if not STRETCH.begin <= now - response_time / 1000 <= STRETCH.end:
            return
        RECORD.sent += 1
        RECORD.scheduled += 1
        RECORD.last = now
        operation = _operation_named(request_type.upper(), name)
        status = getattr(rest.get("response"), "status_code", None) or 0
        if status >= 400 or (status and rest.get("exception") is None):
            RECORD.answered(operation, int(status), response_time / 1000)
        elif status:
            RECORD.failed(operation, "rejected")
        elif rest.get("exception") is None:
            RECORD.answered(operation, 200, response_time / 1000)  # not HTTP: it says itself that it went well
        else:
            RECORD.failed(operation, "network")

    def _conduct(environment: Any) -> None:
        STRETCH.plan(time.monotonic() + _WHOLE.warm_up, time.monotonic() + _WHOLE.end)
        gevent.sleep(_WHOLE.end)
        RECORD.connections = environment.runner.user_count
        environment.runner.stop()  # users end their task, for as long as --stop-timeout gives them
        FINISH.quit(environment)


def _give_up(environment: Any) -> None:
    """End without a record: something here is broken, and half a measurement would be taken for a whole one."""
    environment.process_exit_code = 2
    gevent.spawn(environment.runner.quit)


@events.init.add_listener  # type: ignore[untyped-decorator]
def _begin(environment: Any, **_: Any) -> None:
    begun: list[gevent.Greenlet] = []

    @events.spawning_complete.add_listener  # type: ignore[untyped-decorator]
    def _conduct_once(**_: Any) -> None:
        if not begun:  # a shape spawns several times
            gc.collect()
            gc.freeze()
            begun.append(gevent.spawn(_conduct, environment))
            begun[0].link_exception(lambda _: _give_up(environment))

    if ASSIGNMENT.kind != "locustfile":

        @events.user_error.add_listener  # type: ignore[untyped-decorator]
        def _broken(**_: Any) -> None:
            _give_up(environment)


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def _quitting(environment: Any, **_: Any) -> None:
    # A shape of the project's own may end before the time; when we gave up, there is nothing to write.
    if environment.process_exit_code is None and ASSIGNMENT.kind == "locustfile":
        FINISH.write()
        environment.process_exit_code = 0
