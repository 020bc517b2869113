"""Two builds in turns: a few connections to each, all of which send back to back while it is their build's turn."""

from __future__ import annotations

import time
from typing import Any

from gevent.event import Event
from locust import User, constant, task
from locust.exception import StopUser

from gates.load.assignment import EARLIER_HEADERS_VARIABLE
from gates.load.clock import go_first
from gates.load.sending import Sender, prepared
from gates.load.stage import Part, Stage
from gates.load.turns import Turn, take_turns, write_turns


class Rota:
    """Whose turn it is: lets all users begin a turn together, and sees when the last of them has had its answer."""

    def __init__(self, users: int) -> None:
        self._users = self._left = users
        self._turn: Turn | None = None
        self._next, self._through = Event(), Event()

    def play(self, turn: Turn | None) -> None:
        """Let the users take a turn and wait until all are through; None lets them go."""
        begun, self._next = self._next, Event()
        self._turn, self._left = turn, self._users
        self._through.clear()
        begun.set()
        if turn is not None:
            self._through.wait()

    def wait(self) -> Turn | None:
        """Return the next turn when it begins; None when there are no more."""
        self._next.wait()
        return self._turn

    def leave(self) -> None:
        """A user has had its last answer of this turn."""
        self._left -= 1
        if self._left == 0:
            self._through.set()


def turns(stage: Stage) -> Part:
    """Return the users that load two builds in turns, and who conducts them."""
    assignment = stage.assignment
    assert assignment.earlier is not None
    earlier_url = assignment.earlier.url
    requests = prepared(assignment.url, assignment.work)
    earlier_requests = prepared(earlier_url, assignment.earlier.work, EARLIER_HEADERS_VARIABLE)
    rota = Rota(assignment.connections)

    class Turns(User):
        """One connection to each build: sends back to back to the one whose turn it is."""

        wait_time = constant(0)

        @task
        def work(self) -> None:
            """Take part in every turn."""
            new = Sender(self.environment, stage, requests, assignment.url, stage.pairs.new)
            old = Sender(self.environment, stage, earlier_requests, earlier_url, stage.pairs.old)
            while (turn := rota.wait()) is not None:
                sender = new if turn.new else old
                while not turn.over:
                    operation, number = turn.take()
                    status, _ = sender.send(operation, number, time.monotonic(), False)
                    turn.ended(status, time.monotonic())
                rota.leave()
            new.connection.close()
            old.connection.close()
            stage.crew.leave()
            raise StopUser()

    def conduct(environment: Any) -> None:
        go_first()
        record = take_turns(assignment, rota.play)
        rota.play(None)
        stage.crew.through.wait()
        stage.told = write_turns(record)
        stage.quit(environment)

    return Turns, conduct
