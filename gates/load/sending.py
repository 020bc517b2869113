"""How a user sends: requests that were serialised beforehand, over a connection of its own, each one recorded."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from gates.load.assignment import HEADERS_VARIABLE, Numbered, Work
from gates.load.client import Connection, ExchangeFailed, address_of, serialize
from gates.load.locust_events import fire
from gates.load.recording import Record
from gates.load.stage import Stage


def prepared(url: str, works: tuple[Work, ...], variable: str = HEADERS_VARIABLE) -> dict[str, Numbered]:
    """Return the requests to one build by operation, with the login that an environment variable holds."""
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


class Sender:
    """Sends the requests of one user over its connection and records them."""

    def __init__(self, environment: Any, stage: Stage, requests: dict[str, Numbered], url: str, record: Record) -> None:
        self.environment, self._stage, self._requests, self._record = environment, stage, requests, record
        self.connection = Connection(address_of(url), stage.assignment.timeout, dial=stage.exchange.dial)
        self._crew = stage.crew

    def send(self, operation: str, number: int, due: float, measured: bool) -> tuple[int | None, float]:
        """Send one request; return its status, None when there was no answer, and its latency, counted from `due`."""
        connection, record, crew = self.connection, self._record, self._crew
        answer, failure = None, None
        before = connection.reopened
        crew.unanswered += 1
        try:
            answer = connection.exchange(self._requests[operation](number))
        except ExchangeFailed as error:
            failure = error
        finally:
            crew.unanswered -= 1
        now = time.monotonic()
        status = None if answer is None else answer.status
        if measured:
            record.reopened += connection.reopened - before
            record.last = now
            if failure is not None:
                record.failed(operation, failure.kind)
            elif status is not None:
                record.answered(operation, status, now - due)
            if record.slices is not None:
                record.slices.count(due, now - due if status is not None and status < 400 else None)
            if self._stage.ear.open:
                fire(self.environment, operation, now - due, answer, failure)
        return status, now - due
