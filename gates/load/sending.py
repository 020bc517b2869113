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
        self.environment, self._crew, self._requests, self._record = environment, stage.crew, requests, record
        self.connection = Connection(address_of(url), stage.assignment.timeout)

    def send(self, operation: str, number: int, due: float, measured: bool) -> tuple[int | None, float]:
        """Send one request; return its status, None when there was no answer, and its latency, counted from `due`."""
        answer, failure = None, None
        before = self.connection.reopened
        self._crew.unanswered += 1
        try:
            answer = self.connection.exchange(self._requests[operation](number))
        except ExchangeFailed as error:
            failure = error
        finally:
            self._crew.unanswered -= 1
        now = time.monotonic()
        if measured:
            self._record.reopened += self.connection.reopened - before
            self._record.last = max(self._record.last, now)
            if answer is not None:
                self._record.answered(operation, answer.status, now - due)
            else:
                assert failure is not None
                self._record.failed(operation, failure.kind)
            if self._record.slices is not None:
                succeeded = answer is not None and answer.status < 400
                self._record.slices.count(due, now - due if succeeded else None)
            fire(self.environment, operation, now - due, answer, failure)
        return None if answer is None else answer.status, now - due
