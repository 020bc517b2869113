"""Arrivals in pairs: each user has a connection to both builds, and takes one half of a pair at a time."""

from __future__ import annotations

import itertools
import time
from typing import Any

from locust import User, constant, task
from locust.exception import StopUser

from gates.load.assignment import EARLIER_HEADERS_VARIABLE
from gates.load.clock import go_first
from gates.load.dispatch import Dispatcher
from gates.load.pairs import PairSlot, pair_slots
from gates.load.sending import Sender, prepared
from gates.load.stage import Part, Stage


def pairs(stage: Stage) -> Part:
    """Return the users that load two builds in pairs, and who conducts them."""
    assignment, both, whole = stage.assignment, stage.pairs, stage.assignment.arrivals
    assert assignment.earlier is not None
    earlier_url, earlier_work = assignment.earlier.url, assignment.earlier.work
    requests = prepared(assignment.url, assignment.work)
    earlier_requests = prepared(earlier_url, earlier_work, EARLIER_HEADERS_VARIABLE)
    source = pair_slots(whole, {work.operation: work.weight for work in assignment.work}, assignment.seed)
    dispatcher = Dispatcher(itertools.takewhile(lambda _: not stage.stretch.behind, source))

    class Pairs(User):
        """One connection to each build: takes a half of a pair when it is due, sends it, and takes the next."""

        wait_time = constant(0)

        @task
        def work(self) -> None:
            """Work until the schedule is through."""
            new = Sender(self.environment, stage, requests, assignment.url, both.new)
            old = Sender(self.environment, stage, earlier_requests, earlier_url, both.old)
            while True:
                slot, was_free = dispatcher.take()
                if slot is None:
                    break
                assert isinstance(slot, PairSlot)
                due = dispatcher.start + slot.due
                if slot.measured:
                    both.of(slot.new).left(time.monotonic() - due, was_free=was_free)
                sender = new if slot.new else old
                ended = sender.send(slot.operation, assignment.first + slot.number, due, slot.measured)
                if slot.measured:
                    both.ended(slot, *ended)
            new.connection.close()
            old.connection.close()
            stage.crew.leave()
            raise StopUser()

    def conduct(environment: Any) -> None:
        both.new.went_first = both.old.went_first = go_first()
        start = time.monotonic()
        stage.stretch.follow(assignment, start, dispatcher.overdue)
        stage.stretch.plan(start + whole.warm_up, start + whole.end)
        dropped = dispatcher.run(start, start + whole.end + assignment.timeout)
        stage.crew.through.wait()
        for record in (both.new, both.old):
            record.scheduled = record.sent + (dropped + 1) // 2
        stage.quit(environment)

    return Pairs, conduct
