"""Sends requests with their steps to a started backend, and to another one when a request ended the first."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from gates.client import Answer, NoAnswer, request
from gates.document import Document
from gates.load.assignment import Numbered, Sendable
from gates.tools.base import Serving
from gates.tools.replay.shape import shape_of
from gates.tools.replay.stored import Asked, Key, Outcome, Promise
from gates.tools.replay.template import Value, read_place, secret_at, substitute

_DYING = 0.5
_MOST_STARTS = 6
_LONGEST_ANSWER = 8 * 1024 * 1024
"""Of a longer one only the media type is looked at."""


class StepFailed(Exception):
    """A request that others depend on was not answered with what they need."""

    def __init__(self, step: Asked, status: int | None, trouble: str) -> None:
        super().__init__(trouble)
        self.step, self.status, self.trouble = step, status, trouble


@dataclass
class Session:
    """Requests to one backend that is up; `document` is the one that the secrets of the requests were made by."""

    serving: Serving
    document: Document | None
    timeout: float
    """What any answer may take, in seconds."""
    number: Callable[[], int]
    refusing: float | None = None
    """What one may take that is to refuse something, where that is less."""
    wanted: Mapping[Key, Mapping[str, str]] = field(default_factory=dict)
    """What others will take from the answer to a request, so that one that cannot be made twice serves all."""
    _made: dict[Key, dict[str, Value]] = field(default_factory=dict)

    def perform(self, promise: Promise) -> Outcome:
        """Make what a request needs and send it.

        Reading shares what was made for other reading; what changes something gets its own, so that nothing that is
        replayed changes what another one sees of it.
        """
        try:
            values: dict[str, Value] = {}
            for step in promise.steps:
                values |= self._capture(step, values, fresh=promise.asked.changes)
            answer = self._send(promise.asked, values, self.refusing if promise.kind != "success" else None)
        except StepFailed as failed:
            return Outcome(failed.status, trouble=failed.trouble, blamed=failed.step)
        except NoAnswer as error:
            return Outcome(trouble=error.message)
        if 200 <= answer.status < 400 and promise.asked.key not in self._made:
            self._keep(promise.asked.key, answer)
        return _seen(answer)

    def _keep(self, key: Key, answer: Answer) -> None:
        body, location = _json(answer), answer.headers.get("location")
        places = self.wanted.get(key, {})
        found = {token: read_place(place, body, location) for token, place in places.items()}
        captured = {token: value for token, value in found.items() if value is not None}
        if captured:
            self._made[key] = captured

    def _capture(self, step: Asked, values: Mapping[str, Value], *, fresh: bool) -> dict[str, Value]:
        before = self._made.get(step.key)
        if before is not None and step.captures.keys() <= before.keys() and not fresh:
            return before
        try:
            captured = self._make(step, values)
        except StepFailed:
            # One that cannot be made twice: then the one that is there has to do.
            if before is None or not step.captures.keys() <= before.keys():
                raise
            return before
        if not fresh or before is None:
            self._made[step.key] = {**(before or {}), **captured}
        return captured

    def _make(self, step: Asked, values: Mapping[str, Value]) -> dict[str, Value]:
        try:
            answer = self._send(step, values)
        except NoAnswer as error:
            raise StepFailed(step, None, error.message) from error
        if not 200 <= answer.status < 400:
            raise StepFailed(step, answer.status, f"was answered {answer.status}")
        body, captured = _json(answer), dict[str, Value]()
        for token, place in step.captures.items():
            value = read_place(place, body, answer.headers.get("location"))
            if value is None:
                where = place.partition("#")[2] if place.startswith("body#") else "its Location"
                raise StepFailed(step, answer.status, f"was answered {answer.status} without {where or 'a body'}")
            captured[token] = value
        return captured

    def _send(self, asked: Asked, values: Mapping[str, Value], within: float | None = None) -> Answer:
        operation = next(
            (one for one in (self.document.operations if self.document else ()) if one.name == asked.operation), None
        )
        secrets = {token: secret_at(self.document, operation, place) for token, place in asked.secrets.items()}
        return self._exchange(substitute(asked.request, {**values, **secrets}), within or self.timeout)

    def _exchange(self, sent: Sendable, timeout: float) -> Answer:
        number = self.number()
        body = None if sent.body is None else Numbered(sent.body.encode())(number)
        target = Numbered(sent.target.encode())(number).decode()
        login = {name.lower() for name in self.serving.headers}
        headers = {name: value for name, value in sent.headers.items() if name.lower() not in login}
        headers |= self.serving.headers
        return request(self.serving.url, sent.method, target, headers=headers, body=body, timeout=timeout)


def _json(answer: Answer) -> Any:
    if len(answer.body) > _LONGEST_ANSWER:
        return None
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        return None


def _seen(answer: Answer) -> Outcome:
    media = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    shape = None
    if answer.body and "json" in media and len(answer.body) <= _LONGEST_ANSWER:
        try:
            shape = shape_of(json.loads(answer.body))
        except (ValueError, RecursionError):
            media = f"{media} (which it is not)"
    return Outcome(answer.status, media if answer.body else "", shape)


@dataclass(frozen=True)
class Replayer:
    """Replays requests on fresh backends: one, or another one from where a request ended it."""

    serve: Callable[[], AbstractContextManager[Serving]]
    timeout: float
    number: Callable[[], int]
    progress: Callable[[float | None, str], None]

    def run(
        self,
        promises: Sequence[Promise],
        document: Document | None,
        deadline: float,
        told: str,
        refusing: float | None = None,
    ) -> dict[int, Outcome]:
        """Return what came of requests by their position; those that were not reached are not among them."""
        outcomes: dict[int, Outcome] = {}
        for _ in range(_MOST_STARTS):
            if len(outcomes) == len(promises) or time.monotonic() > deadline:
                break
            with self.serve() as serving:
                session = Session(serving, document, self.timeout, self.number, refusing, _wanted(promises))
                if not self._go_on(session, promises, outcomes, deadline, told) and not serving.started_by_us:
                    break
        return outcomes

    def _go_on(
        self, session: Session, promises: Sequence[Promise], outcomes: dict[int, Outcome], deadline: float, told: str
    ) -> bool:
        """Send what is left; return whether the backend was still good for more at the end."""
        for position in range(len(outcomes), len(promises)):
            if time.monotonic() > deadline:
                return True
            promise = promises[position]
            self.progress(position / len(promises), f"{told}: {promise.operation}")
            outcome = outcomes[position] = session.perform(promise)
            if outcome.status is None and _ended(session.serving):
                outcome.died = session.serving.last_lines()
                return False
            if promise.asked.changes and session.serving.login_works() is False:
                outcome.login_lost = True
                return False
        return True


def _wanted(promises: Sequence[Promise]) -> dict[Key, dict[str, str]]:
    wanted: dict[Key, dict[str, str]] = {}
    for promise in promises:
        for step in promise.steps:
            wanted.setdefault(step.key, {}).update(step.captures)
    return wanted


def _ended(serving: Serving) -> bool:
    """Return whether the backend is gone; a connection ends a little before its process does."""
    deadline = time.monotonic() + _DYING
    while serving.alive():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
