"""Requests with places that are filled in when they are sent: identifiers of a backend, and secrets. Pure.

A place is a token, `~captured-3~` or `~secret-1~`, which is the same text in a path, a query, a form and in JSON. Where
its value comes from is written as `body#/data/id` (a JSON pointer into the answer), `location#-1` (a segment of its
Location), `=text` (itself); and for secrets `body#/password`, `query#key`, `header#X-Key` or `path#token`: a place of
the request that the workload generator makes for the operation, the same from the same document.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from gates.document import Document, Operation
from gates.load.assignment import Sendable
from gates.load.resources import pointed
from gates.load.scalars import Unbuildable
from gates.load.workload import Blueprint, draw

Value = str | int | float
TOKEN = re.compile(r"~(?:captured|secret)-[0-9]+~")
CAPTURED = "~captured-{}~"
SECRET = "~secret-{}~"
_SECRET = re.compile(
    r"(?i)pass(word|wd|phrase|code)|secret|token|api[-_]?key|private[-_]?key|credential|authori[sz]ation|cookie|"
    r"^(pin|otp|pass|pwd|auth|signature)$"
)
_ANY_SECRET = "Passw0rd!example"
_LONGEST_VALUE = 2048
_SEARCHED = 5000
_IDENTIFIERS = ("id", "uuid", "guid", "key", "ref")


def names_secret(name: str) -> bool:
    """Return whether what stands under a name may be a secret."""
    return _SECRET.search(name) is not None


def substitute(request: Sendable, values: Mapping[str, Value]) -> Sendable:
    """Return a request with its tokens replaced; in JSON a token that is a whole text takes the type of its value."""
    kind = next((value for name, value in request.headers.items() if name.lower() == "content-type"), "")
    body = request.body
    if body is not None and TOKEN.search(body):
        body = _in_body(body, kind, values)
    return Sendable(
        request.method,
        _in_text(request.target, values, lambda text: quote(text, safe="")),
        {name: _in_text(value, values, str) for name, value in request.headers.items()},
        body,
    )


def _in_body(body: str, kind: str, values: Mapping[str, Value]) -> str:
    if "json" in kind:
        try:
            return json.dumps(_in_json(json.loads(body), values), separators=(",", ":"))
        except ValueError:
            pass  # several documents one after another, as in x-ndjson
    return _in_text(body, values, quote_plus if "urlencoded" in kind else str)


def _in_text(text: str, values: Mapping[str, Value], written: Callable[[str], str]) -> str:
    return TOKEN.sub(lambda match: written(str(values.get(match[0], match[0]))), text)


def _in_json(node: Any, values: Mapping[str, Value]) -> Any:
    if isinstance(node, str):
        return values[node] if node in values else _in_text(node, values, str)
    if isinstance(node, Mapping):
        return {name: _in_json(one, values) for name, one in node.items()}
    return [_in_json(one, values) for one in node] if isinstance(node, list) else node


def tokens_in(request: Sendable) -> list[str]:
    """Return the tokens of a request, each once, in order."""
    text = "\n".join([request.target, *request.headers.values(), request.body or ""])
    return list(dict.fromkeys(TOKEN.findall(text)))


def veil(blueprint: Blueprint, token: Callable[[str, Value], str]) -> Blueprint:
    """Return a request with what may be secret replaced by what `token` returns for its place and value."""
    return replace(
        blueprint,
        values={name: _veiled(name, one, f"path#{name}", token) for name, one in blueprint.values.items()},
        query=tuple((name, _veiled(name, one, f"query#{name}", token)) for name, one in blueprint.query),
        headers={name: _veiled(name, one, f"header#{name}", token) for name, one in blueprint.headers.items()},
        body=_veil_body(blueprint.body, "body#", token, secret=False),
    )


def _veiled(name: str, value: str, place: str, token: Callable[[str, Value], str]) -> str:
    return token(place, value) if names_secret(name) else value


def _veil_body(node: Any, place: str, token: Callable[[str, Value], str], *, secret: bool) -> Any:
    if isinstance(node, Mapping):
        return {
            name: _veil_body(one, f"{place}/{_escaped(str(name))}", token, secret=secret or names_secret(str(name)))
            for name, one in node.items()
        }
    if isinstance(node, list):
        return [_veil_body(one, f"{place}/{number}", token, secret=secret) for number, one in enumerate(node)]
    if secret and isinstance(node, str | int | float) and not isinstance(node, bool):
        return token(place, str(node) if isinstance(node, str) else node)
    return node


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")


def secret_at(document: Document | None, operation: Operation | None, place: str) -> Value:
    """Return the value that the generator makes for a place of a request, or a usual password where it makes none."""
    if document is None or operation is None:
        return _ANY_SECRET
    where, _, name = place.partition("#")
    for full, unique in ((False, False), (True, False), (False, True), (True, True)):
        try:
            drawn = draw(document, operation, full=full, unique=unique)
        except Unbuildable:
            continue
        found: Any = (
            pointed(drawn.body, name) if where == "body"
            else {"query": dict(drawn.query), "header": drawn.headers, "path": drawn.values}.get(where, {}).get(name)
        )  # fmt: skip
        if isinstance(found, str | int | float):
            return found
    return _ANY_SECRET


def place_of(value: Value, wanted: str, body: Any, location: str | None) -> str | None:
    """Return where in an answer a value stands, at best under a name like `wanted`; None when it is not there."""
    best: tuple[int, str] | None = None
    todo, seen = [("", "", body)], 0
    while todo and seen < _SEARCHED:
        pointer, name, node = todo.pop(0)
        seen += 1
        if isinstance(node, Mapping):
            todo += [(f"{pointer}/{_escaped(str(key))}", str(key), one) for key, one in node.items()]
        elif isinstance(node, list):
            todo += [(f"{pointer}/{number}", name, one) for number, one in enumerate(node[:20])]
        elif node == value and isinstance(node, bool) == isinstance(value, bool):
            likeness = _likeness(name, wanted)
            if best is None or likeness > best[0]:
                best = (likeness, pointer)
    if best is not None:
        return f"body#{best[1]}"
    segments = [unquote(part) for part in urlsplit(location or "").path.rstrip("/").split("/")]
    return f"location#{segments.index(str(value)) - len(segments)}" if str(value) in segments[1:] else None


def _likeness(name: str, wanted: str) -> int:
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    if wanted and plain.startswith(wanted) and plain.endswith(_IDENTIFIERS):
        return 3
    return 2 if plain in _IDENTIFIERS else 1 if plain.endswith(_IDENTIFIERS) else 0


def read_place(place: str, body: Any, location: str | None) -> Value | None:
    """Return the value at a place of an answer, None when it is not there."""
    if place.startswith("="):
        return place[1:]
    where, _, name = place.partition("#")
    found: Any = None
    if where == "body":
        found = pointed(body, name)
    elif where == "location":
        segments = [unquote(part) for part in urlsplit(location or "").path.rstrip("/").split("/")]
        found = segments[int(name)] if location and len(segments) >= -int(name) else None
    if isinstance(found, bool) or not isinstance(found, str | int | float) or len(str(found)) > _LONGEST_VALUE:
        return None
    return found
