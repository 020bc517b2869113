"""Finds out what can be asked of a fresh backend, and writes down where the identifiers in the requests come from.

The requests are those of the load gate, tried in the same way (`gates.load.preparation`); here they hold tokens in
place of identifiers and secrets until they are sent, so that what is kept works on an empty backend as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gates.document import Document, Operation
from gates.load.assignment import Sendable
from gates.load.client import Answer
from gates.load.preparation import Preparation, Target, Tried
from gates.load.resources import Resources
from gates.load.workload import Blueprint
from gates.results import RecordedRequest
from gates.tools.replay.stored import Asked
from gates.tools.replay.template import CAPTURED, SECRET, TOKEN, Value, place_of, substitute, tokens_in, veil

_DEEPEST = 8


@dataclass(slots=True)
class Secrets:
    """The secrets of requests by token; the same place and value of an operation is the same token."""

    values: dict[str, Value] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)
    _tokens: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def veil(self, operation: Operation, blueprint: Blueprint) -> Blueprint:
        """Return a request without its secrets."""

        def token(place: str, value: Value) -> str:
            made = self._tokens.setdefault((operation.name, place, repr(value)), SECRET.format(len(self._tokens) + 1))
            self.values[made], self.places[made] = value, place
            return made

        return veil(blueprint, token)


@dataclass(frozen=True, slots=True)
class Capture:
    """An identifier: its value on this backend, where in which answer it stands, and to which request."""

    value: Value
    place: str
    operation: str
    request: Sendable


class TracedResources(Resources):
    """Resources that stand for identifiers by tokens, and know which answer each was learnt from."""

    def __init__(self, document: Document) -> None:
        super().__init__(document)
        self.asking: tuple[str, Sendable] | None = None
        """The operation and the request, with its tokens, whose answer is learnt from."""
        self.captures: dict[str, Capture] = {}

    def learn(self, operation: Operation, target: str, answer: Answer, sent_body: str | None = None) -> None:
        """Take in what an answer says; what is new is replaced by a token."""
        tables: tuple[dict[Any, Any], ...] = (self._collections, self._names, self._links)
        before = [set(table) for table in tables]
        super().learn(operation, target, answer, sent_body)
        for table, known in zip(tables, before, strict=True):
            for key in table.keys() - known:
                table[key] = self._token(table[key], _wanted(key), answer)

    def _token(self, value: Any, wanted: str, answer: Answer) -> Any:
        if self.asking is None or not isinstance(value, str | int | float) or TOKEN.fullmatch(str(value)):
            return value
        operation, request = self.asking
        place = place_of(value, wanted, _read(answer.body), answer.header("location"))
        # An identifier that the request chose itself stands in no answer, and depends on the request all the same.
        capture = Capture(value, place or f"={value}", operation, request)
        for token, known in self.captures.items():
            if (known.place, known.request) == (capture.place, capture.request):
                return token
        token = CAPTURED.format(len(self.captures) + 1)
        self.captures[token] = capture
        return token


def _wanted(key: Any) -> str:
    """Return the resource that an entry of the tables of `Resources` stands for; "" for the one it is about itself."""
    if isinstance(key, tuple):
        key = key[1]
    return "" if "/" in key else "".join(letter for letter in key.lower() if letter.isalnum())


def _read(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None


class Exploration(Preparation):
    """A preparation whose requests hold tokens; they are replaced where a request leaves."""

    def __init__(
        self, document: Document, target: Target, *, corpus: Mapping[str, RecordedRequest],
        excluded: Mapping[str, str], timeout: float, within: float, first: int = 0,
    ) -> None:  # fmt: skip
        super().__init__(document, target, corpus=corpus, excluded=excluded, timeout=timeout, within=within)
        self.secrets = Secrets()
        self.resources = TracedResources(document)
        self._resources = self.resources
        self._number = first
        self.succeeded: dict[str, Sendable] = {}
        """What succeeded once, by operation: on a fresh backend that is enough."""

    def steps_of(self, request: Sendable) -> tuple[Asked, ...]:
        """Return the requests that make what a request speaks of, in the order in which they are to be sent."""
        found: dict[tuple[str, str, str], Asked] = {}
        self._gather(request, found, 0)
        return tuple(found.values())

    def _gather(self, request: Sendable, found: dict[tuple[str, str, str], Asked], depth: int) -> None:
        for token in tokens_in(request):
            capture = self.resources.captures.get(token)
            if capture is None or depth > _DEEPEST:
                continue
            self._gather(capture.request, found, depth + 1)
            asked = self.asked(capture.operation, capture.request)
            earlier = found.get(asked.key)
            captures = {**(earlier.captures if earlier else {}), token: capture.place}
            found[asked.key] = Asked(asked.operation, asked.request, asked.secrets, captures)

    def asked(self, operation: str, request: Sendable) -> Asked:
        """Return a request with the places of its secrets."""
        places = self.secrets.places
        return Asked(operation, request, {token: places[token] for token in tokens_in(request) if token in places})

    def _variants(self, one: Tried, recorded: RecordedRequest | None) -> Iterator[tuple[str, Blueprint]]:
        for kind, blueprint in super()._variants(one, recorded):
            yield kind, self.secrets.veil(one.operation, blueprint)

    def _try_request(self, one: Tried, request: Sendable, repeats: int) -> str:
        self.resources.asking = (one.operation.name, request)
        return super()._try_request(one, request, repeats)

    def _send(self, request: Sendable, *, login: bool = True) -> Answer:
        values = {token: capture.value for token, capture in self.resources.captures.items()}
        answer = super()._send(substitute(request, {**values, **self.secrets.values}), login=login)
        asking = self.resources.asking
        if asking is not None and asking[1] is request and answer.status < 400:
            self.succeeded.setdefault(asking[0], request)
        return answer
