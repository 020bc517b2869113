"""Arrivals on a schedule: a pool of connections, each of which takes the next slot when it is due."""

from __future__ import annotations

import itertools
import time
from typing import Any

from locust import User, constant, task
from locust.exception import StopUser

from gates.load.clock import CLOSE, go_first
from gates.load.dispatch import Dispatcher
from gates.load.schedule import slots
from gates.load.sending import Sender, prepared
from gates.load.stage import Part, Stage


def arrivals(stage: Stage) -> Part:
    """Return the users of an open loop, and who conducts them."""
    assignment, record, whole = stage.assignment, stage.record, stage.assignment.arrivals
    requests = prepared(assignment.url, assignment.work)
    source = slots(whole, {work.operation: work.weight for work in assignment.work}, assignment.seed)
    dispatcher = Dispatcher(itertools.takewhile(lambda _: not stage.stretch.behind, source))

    class Arrivals(User):
        """One connection of the pool: takes a slot when it is due, sends its request, and takes the next."""

        wait_time = constant(0)

        @task
        def work(self) -> None:
            """Work until the schedule is through."""
            sender = Sender(self.environment, stage, requests, assignment.url, record)
            while True:
                slot, was_free = dispatcher.take()
                if slot is None:
                    break
                due = dispatcher.start + slot.due
                measured = slot.due >= whole.warm_up
                if measured:
                    record.left(time.monotonic() - due, was_free=was_free)
                sender.send(slot.operation, assignment.first + slot.number, due, measured)
            sender.connection.close()
            stage.crew.leave()
            raise StopUser()

    def conduct(environment: Any) -> None:
        record.went_first = go_first(max(rate for _, _, rate in whole.stretches()))
        start = time.monotonic()
        stage.stretch.follow(assignment, start, dispatcher.overdue)
        stage.stretch.plan(start + whole.warm_up, start + whole.end)
        dropped = dispatcher.run(start, start + whole.end + assignment.timeout, 0.0 if record.went_first else CLOSE)
        stage.crew.through.wait()
        record.scheduled = record.sent + dropped
        stage.quit(environment)

    return Arrivals, conduct
