"""Which requests are worth keeping: of every operation a valid one, one for what is not there, one of a wrong body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gates.document import Document, Operation
from gates.load.assignment import Sendable
from gates.load.preparation import Prepared, trying_order
from gates.load.scalars import Unbuildable
from gates.load.workload import PARAMETER, Identifiers, draw, render
from gates.tools.replay.exploring import Exploration
from gates.tools.replay.stored import Asked, Kind, Promise
from gates.tools.replay.template import TOKEN

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_NO_UUID = "00000000-0000-4000-8000-00000000dead"
_NO_NUMBER = "987654321"
_NO_NAME = "gates-knows-no-such-thing"
_WRONG_BODY = json.dumps("gates sends a text where something else is wanted")
_NEVER = ("TRACE", "CONNECT")


@dataclass(frozen=True, slots=True)
class _Unknown:
    """Identifiers of which the last one in the path leads nowhere."""

    known: Identifiers
    parameter: str
    value: str

    def of_path(self, operation: Operation, parameter: str) -> Any:
        return self.value if parameter == self.parameter else self.known.of_path(operation, parameter)

    def of_field(self, operation: Operation, name: str) -> Any:
        return self.known.of_field(operation, name)


def find_candidates(
    document: Document, explored: Exploration, prepared: Prepared, excluded: Mapping[str, str], *, login: bool
) -> list[Promise]:
    """Return the requests to try, in the order in which they are sent: what deletes comes last.

    What succeeded while the backend was explored, and what was not tried then because it takes something away.
    """
    operations = [one for one in document.operations if one.name not in excluded and one.method not in _NEVER]
    work = {**explored.succeeded, **{one.operation: one.request for one in prepared.work}}
    operations.sort(key=trying_order)
    found = [_promise("success", explored, one.name, work[one.name], login) for one in operations if one.name in work]
    for operation in operations:
        found += [
            _promise(kind, explored, operation.name, request, login)
            for kind, request in _refusable(document, explored, operation, succeeds=operation.name in work)
        ]
    deleting = [one for one in operations if one.method == "DELETE"]
    deleting.sort(key=lambda one: -len(PARAMETER.findall(one.path)))
    for operation in deleting:
        request = _drawn(document, explored, operation, explored.resources)
        # Only what was made for it is taken away.
        if request is not None and _is_made(operation, request, explored):
            found.append(_promise("success", explored, operation.name, request, login))
    return [one for one in found if one.fits()]


def _promise(kind: Kind, explored: Exploration, operation: str, request: Sendable, login: bool) -> Promise:
    asked: Asked = explored.asked(operation, request)
    return Promise(kind, asked, explored.steps_of(request), login)


def _is_made(operation: Operation, request: Sendable, explored: Exploration) -> bool:
    """Return whether all that a path speaks of is known, and the last of it was created by a request."""
    tokens = TOKEN.findall(request.target.partition("?")[0])
    last = explored.resources.captures.get(tokens[-1]) if tokens else None
    known = 0 < len(PARAMETER.findall(operation.path)) <= len(tokens)
    return known and last is not None and last.request.method in ("POST", "PUT")


def _refusable(
    document: Document, explored: Exploration, operation: Operation, *, succeeds: bool
) -> Iterator[tuple[Kind, Sendable]]:
    parameters = PARAMETER.findall(operation.path)
    if parameters:
        unknown = _Unknown(explored.resources, parameters[-1], _nothing_like(document, operation, parameters[-1]))
        request = _drawn(document, explored, operation, unknown)
        if request is not None:
            yield "missing", request
    if succeeds and operation.method in ("POST", "PUT", "PATCH"):
        request = _drawn(document, explored, operation, explored.resources)
        kind = {name.lower(): value for name, value in request.headers.items()} if request else {}
        if request is not None and "json" in kind.get("content-type", "") and (request.body or "")[:1] in ("{", "["):
            yield "invalid", Sendable(request.method, request.target, request.headers, _WRONG_BODY)


def _drawn(
    document: Document, explored: Exploration, operation: Operation, identifiers: Identifiers
) -> Sendable | None:
    try:
        return render(explored.secrets.veil(operation, draw(document, operation)), identifiers)
    except Unbuildable:
        return None


def _nothing_like(document: Document, operation: Operation, parameter: str) -> str:
    """Return a value of the same kind as a path parameter that no resource will have."""
    try:
        usual = draw(document, operation).values.get(parameter, "")
    except Unbuildable:
        return _NO_NAME
    if _UUID.fullmatch(usual):
        return _NO_UUID
    return _NO_NUMBER if usual.lstrip("-").isdigit() else _NO_NAME
