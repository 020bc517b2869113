"""Many connections that are all open at once and send back to back."""

from __future__ import annotations

import time
from typing import Any

from locust import User, constant, task
from locust.exception import StopUser

from gates.load.client import ExchangeFailed
from gates.load.schedule import evenly
from gates.load.sending import Sender, prepared
from gates.load.stage import Part, Stage


def simultaneous(stage: Stage) -> Part:
    """Return the users of a closed loop, and who conducts them."""
    assignment, record, crew = stage.assignment, stage.record, stage.crew
    requests = prepared(assignment.url, assignment.work)
    names = evenly({work.operation: work.weight for work in assignment.work}, assignment.seed)

    class Simultaneous(User):
        """One of many connections that are all open at once and send back to back."""

        wait_time = constant(0)

        @task
        def work(self) -> None:
            """Connect, wait for the others, and send until the time is up; at least one request each."""
            sender = Sender(self.environment, stage, requests, assignment.url, record)
            try:
                sender.connection.open()
            except ExchangeFailed as error:
                record.failed(next(names), error.kind)
                crew.arrive()
                crew.leave()
                raise StopUser() from None
            crew.arrive()
            crew.ready.wait()
            served = False
            while True:
                record.sent += 1
                number = assignment.first + record.sent
                status, _ = sender.send(next(names), number, time.monotonic(), True)
                succeeded = status is not None and status < 400
                record.connections += succeeded and not served
                served = served or succeeded
                if time.monotonic() >= stage.stretch.end:
                    break
            sender.connection.close()
            crew.leave()
            raise StopUser()

    def conduct(environment: Any) -> None:
        crew.everyone.wait()
        now = time.monotonic()
        stage.stretch.plan(now, now + assignment.arrivals.seconds)
        crew.ready.set()
        crew.through.wait()
        record.scheduled = record.sent
        stage.quit(environment)

    return Simultaneous, conduct
