"""Makes a fresh backend ready for load: creates what the requests speak of, and finds out which of them succeed.

Operations that create are sent first, their answers teach the identifiers, and every request is tried before it is
loaded: one that fails looks fast, and one that destroys what others need would spoil their figures.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gates.document import Document, Operation, matches
from gates.errors import GatesError
from gates.load.assignment import Numbered, Sendable, Work
from gates.load.client import Answer, Connection, ExchangeFailed, address_of, serialize
from gates.load.resources import Resources
from gates.load.scalars import Unbuildable
from gates.load.schedule import evenly
from gates.load.workload import PARAMETER, Blueprint, draw, redraw, render
from gates.results import RecordedRequest

LEFT_OUT = "is left out by `exclude`"
ENDING = "says by its name that it ends the backend or the login"
_ENDS = re.compile(r"(?i)^(shut-?_?down|restart|reboot|halt|power-?off|terminate|log-?_?out|log-?off|sign-?_?out)$")
"""A backend may go down seconds after it answered such a request: then nothing tells which request it was."""
_KEPT_BODY = 1024 * 1024
_ROUNDS = 3
_DYING = 0.5
_CANARIES = 10
_REFUSED = (401, 403)
_RANK = {"POST": 0, "PUT": 1, "GET": 2, "HEAD": 3, "OPTIONS": 4, "PATCH": 5}
_CHANGES = ("POST", "PUT", "PATCH")
_UNTRIED = ("DELETE", "TRACE", "CONNECT")


def left_out(document: Document, exclude: Iterable[str]) -> dict[str, str]:
    """Return the operations that are never called, with the reason: by their name, or by one of some patterns."""
    patterns = tuple(exclude)
    ending = {
        operation.name: ENDING
        for operation in document.operations
        if _ENDS.search(operation.path.rstrip("/").rpartition("/")[2])
    }
    excluded = {
        operation.name: LEFT_OUT
        for operation in document.operations
        if any(matches(operation.name, pattern) for pattern in patterns)
    }
    return {**ending, **excluded}


class Spoiled(GatesError):
    """One request ended the backend, or its login: it must be left out, and the backend started again."""

    def __init__(self, operation: str, what: str, *, backend_died: bool) -> None:
        super().__init__(f"{operation} {what}")
        self.operation, self.what, self.backend_died = operation, what, backend_died


class Target(Protocol):
    """What the preparation needs of a backend that is up."""

    @property
    def url(self) -> str:
        """Its origin."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Headers that carry the login."""

    def alive(self) -> bool:
        """Return whether it still runs."""

    def login_works(self) -> bool | None:
        """Return whether the login is still accepted; None when the backend has none."""


@dataclass(slots=True)
class Tried:
    """What came of one operation: its answers, the request to load it with, or why there is none."""

    operation: Operation
    statuses: dict[int, int] = field(default_factory=dict)
    request: Sendable | None = None
    reason: str = ""
    status: int | None = None
    known: int = -1
    """How many identifiers were known when it was last tried."""
    final: bool = False


@dataclass(frozen=True, slots=True)
class Prepared:
    """A backend that is ready: what to load it with, and what was learnt on the way."""

    work: tuple[Work, ...]
    tried: Mapping[str, Tried]
    redrawn: tuple[str, ...]
    """Operations whose recorded request is refused now, so that another one is sent."""
    first: int
    """The number that the next request may have."""

    def corpus(self, redact: Callable[[Mapping[str, str]], dict[str, str]]) -> tuple[RecordedRequest, ...]:
        """Return what is sent, for the baseline; headers as `redact` leaves them."""
        recorded = []
        for work in self.work:
            request, tried = work.request, self.tried[work.operation]
            headers = redact(request.headers)
            recorded.append(
                RecordedRequest(work.operation, request.method, request.target, headers, request.body, tried.status)
            )
        return tuple(recorded)


class Preparation:
    """Prepares one backend; every request goes to its own address and nowhere else."""

    def __init__(
        self,
        document: Document,
        target: Target,
        *,
        corpus: Mapping[str, RecordedRequest],
        excluded: Mapping[str, str],
        timeout: float,
        within: float,
    ) -> None:
        self._document, self._target, self._corpus = document, target, corpus
        self._resources = Resources(document)
        self._connection = Connection(address_of(target.url), timeout, keep=_KEPT_BODY)
        self._timeout, self._within = timeout, within
        self._number = 0
        self._canary: Sendable | None = None
        self._redrawn: dict[str, None] = {}
        self._tried = {
            operation.name: Tried(operation, reason=excluded.get(operation.name, ""))
            for operation in document.operations
            if operation.method not in _UNTRIED
        }
        self._pending = [one for one in self._tried.values() if not one.reason]

    def run(self, progress: Callable[[str], None] = lambda text: None) -> Prepared:
        """Try every operation; raises Spoiled when one of them ended the backend or its login."""
        deadline = time.monotonic() + self._within
        places = {name: number for number, name in enumerate(self._tried)}
        self._pending.sort(key=lambda one: (*trying_order(one.operation), places[one.operation.name]))
        try:
            self._canary = self._find_canary()
            for _ in range(_ROUNDS):
                before = self._resources.known
                self._try_pending(deadline, progress)
                if self._resources.known == before or not self._pending:
                    break
            self._confirm(deadline)
        finally:
            self._connection.close()
        work = tuple(
            Work(name, one.request) for name, one in self._tried.items() if one.request is not None and not one.reason
        )
        return Prepared(work, self._tried, tuple(self._redrawn), self._number)

    def _try_pending(self, deadline: float, progress: Callable[[str], None]) -> None:
        left: list[Tried] = []
        for number, one in enumerate(self._pending):
            if time.monotonic() > deadline:
                one.reason = one.reason or f"was not tried: the preparation took longer than {self._within:g} s"
                continue
            if one.known != self._resources.known:
                progress(f"trying {one.operation.name} ({number + 1} of {len(self._pending)})")
                one.known = self._resources.known
                self._try(one)
            if one.request is None and not one.final:
                left.append(one)
        self._pending = left

    def _try(self, one: Tried) -> None:
        repeats = 2 if one.operation.method in _CHANGES else 1
        one.reason, sent = "", set()
        recorded = self._corpus.get(one.operation.name)
        for kind, blueprint in self._variants(one, recorded):
            request = render(blueprint, self._resources)
            if (request.target, request.body) in sent:
                continue
            sent.add((request.target, request.body))
            one.reason = self._try_request(one, request, repeats)
            if not one.reason:
                one.request = request
                if recorded is not None and kind != "recorded":
                    self._redrawn[one.operation.name] = None
                return
            if one.final:
                return

    def _variants(self, one: Tried, recorded: RecordedRequest | None) -> Iterator[tuple[str, Blueprint]]:
        """Yield requests from the plainest on: with all optional fields, with values that differ each time."""
        if recorded is not None and (blueprint := redraw(self._document, one.operation, recorded)) is not None:
            yield "recorded", blueprint
        problem = ""
        for full, unique in ((False, False), (True, False), (False, True), (True, True)):
            try:
                yield "drawn", draw(self._document, one.operation, full=full, unique=unique)
            except Unbuildable as error:
                problem = str(error)
            if one.operation.method not in _CHANGES:
                break
        if problem and not one.reason:
            one.reason, one.final = f"has no valid request: {problem}", True

    def _try_request(self, one: Tried, request: Sendable, repeats: int) -> str:
        """Send a request as often as it must succeed; return what was wrong, or nothing."""
        answers: list[int] = []
        for _ in range(repeats):
            try:
                answer = self._send(request)
            except ValueError as error:
                return f"has no valid request: {error}"
            except ExchangeFailed as error:
                if error.kind in ("refused", "closed") and self._ended():
                    name = one.operation.name
                    raise Spoiled(name, "ended the backend", backend_died=True) from error
                one.final = True
                return f"was not answered ({error})"
            answers.append(answer.status)
            one.status = answer.status
            one.statuses[answer.status] = one.statuses.get(answer.status, 0) + 1
            if answer.status >= 400:
                again = f"{answers[0]}, and {answer.status} when it was repeated" if len(answers) > 1 else answer.status
                return f"answered {again}"
            self._resources.learn(one.operation, request.target, answer, request.body)
            if one.operation.method in _CHANGES and self._login_is_lost():
                raise Spoiled(one.operation.name, "ended the login", backend_died=False)
        return ""

    def _login_is_lost(self) -> bool:
        works = self._target.login_works()
        if works is not None or self._canary is None:
            return works is False
        return self._send(self._canary).status in _REFUSED

    def _find_canary(self) -> Sendable | None:
        """Return a request that is answered with the login and refused without it, to see when the login is lost.

        A few plain GET requests are tried for that; None where nothing asks for a login, or the backend has its check.
        """
        if not self._target.headers or self._target.login_works() is not None:
            return None
        plain = [
            one.operation
            for one in self._pending
            if one.operation.method == "GET" and not PARAMETER.search(one.operation.path)
        ]
        for operation in plain[:_CANARIES]:
            try:
                request = render(draw(self._document, operation), self._resources)
                if self._send(request).status < 400 and self._send(request, login=False).status in _REFUSED:
                    return request
            except (Unbuildable, ValueError, ExchangeFailed):
                continue  # it is tried again in its turn, and told then
        return None

    def _ended(self) -> bool:
        """Return whether the backend is gone; a connection ends a little before its process does."""
        deadline = time.monotonic() + _DYING
        while self._target.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True

    def _send(self, request: Sendable, *, login: bool = True) -> Answer:
        body = None if request.body is None else request.body.encode()
        headers = {**request.headers, **(self._target.headers if login else {})}
        raw = serialize(self._target.url, request.method, request.target, headers, body)
        self._number += 1
        return self._connection.exchange(Numbered(raw)(self._number))

    def _confirm(self, deadline: float) -> None:
        """Send every request once more: one may have changed what another one needs."""
        for one in self._tried.values():
            if one.request is None or one.reason or time.monotonic() > deadline:
                continue
            status = one.status
            problem = self._try_request(one, one.request, 1)
            if problem:
                one.reason = f"{problem} after the other operations had been tried"
            one.status = status

    @property
    def sent(self) -> int:
        """How many requests were sent so far; none of their numbers may come again."""
        return self._number

    def service_times(self, work: tuple[Work, ...], seconds: float) -> dict[str, float]:
        """Return the mean time of each operation, sent one after another over one connection for a while.

        Every operation is sent at least once; what fails counts as what it took.
        """
        names = evenly({one.operation: one.weight for one in work}, "service time")
        requests = {one.operation: one.request for one in work}
        times: dict[str, list[float]] = {one.operation: [] for one in work}
        began, sent = time.monotonic(), 0
        while sent < len(work) or time.monotonic() - began < seconds:
            name = next(names)
            before = time.monotonic()
            try:
                self._send(requests[name])
            except ExchangeFailed:
                self._connection.close()
            times[name].append(time.monotonic() - before)
            sent += 1
        self._connection.close()
        return {name: sum(seen) / len(seen) for name, seen in times.items()}


def trying_order(operation: Operation) -> tuple[int, int]:
    """Return a key that puts what creates before what reads it, and both before what is below them."""
    return len(PARAMETER.findall(operation.path)), _RANK.get(operation.method, len(_RANK))
