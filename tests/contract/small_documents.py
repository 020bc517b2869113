"""Documents of one operation or two, for tests of single rules: what is compared is written in a line."""

from __future__ import annotations

import copy
from typing import Any

from gates.contract import Change, Comparison, compare_documents
from gates.document import document_of
from gates.results import Severity

Json = dict[str, Any]
JSON = "application/json"


def document(paths: Json | None = None, version: str = "3.1.0", **more: Any) -> Json:
    """Return a document with some paths."""
    info = more.pop("info", {"title": "small", "version": "1.0.0"})
    return {"openapi": version, "info": info, "paths": paths or {}, **more}


def answering(schema: Any, version: str = "3.1.0", **components: Any) -> Json:
    """Return a document whose `GET /things` answers with a schema."""
    operation = {"responses": {"200": {"description": "ok", "content": {JSON: {"schema": schema}}}}}
    return document({"/things": {"get": operation}}, version, components={"schemas": components})


def taking(schema: Any, version: str = "3.1.0", **components: Any) -> Json:
    """Return a document whose `POST /things` takes a schema."""
    body = {"required": True, "content": {JSON: {"schema": schema}}}
    operation = {"requestBody": body, "responses": {"201": {"description": "made"}}}
    return document({"/things": {"post": operation}}, version, components={"schemas": components})


def asking(*parameters: Json, path: str = "/things", version: str = "3.1.0") -> Json:
    """Return a document whose `GET /things` has some parameters."""
    operation = {"parameters": list(parameters), "responses": {"200": {"description": "ok"}}}
    return document({path: {"get": operation}}, version)


def query(name: str, schema: Any = None, **more: Any) -> Json:
    """Return a query parameter."""
    return {"name": name, "in": "query", "schema": {"type": "string"} if schema is None else schema, **more}


def compared(old: Json, new: Json, severities: dict[str, Severity | None] | None = None) -> Comparison:
    """Return what changed from one content to another, neither of which may be touched."""
    before = copy.deepcopy((old, new))
    found = compare_documents(document_of(old), document_of(new), severities)
    assert (old, new) == before
    return found


def changes(old: Json, new: Json) -> dict[str, Change]:
    """Return the changes by rule; each rule may be there once, and everything could be read."""
    found = compared(old, new)
    assert found.unread == ()
    by_rule = {change.rule.removeprefix("contract."): change for change in found.changes}
    assert len(by_rule) == len(found.changes), [change.message for change in found.changes]
    by_rule.pop("major-version", None)
    return by_rule


def rules(old: Json, new: Json) -> set[str]:
    """Return the names of the rules that found something, without that of the version."""
    return set(changes(old, new))


def both(
    old: Any, new: Any, version: str = "3.1.0", new_version: str = "", **components: Any
) -> tuple[set[str], set[str]]:
    """Return the rules that found something of two schemas in a request, and in a response."""
    in_request = rules(taking(old, version, **components), taking(new, new_version or version, **components))
    in_response = rules(answering(old, version, **components), answering(new, new_version or version, **components))
    return in_request, in_response


def edited(content: Json, *keys: Any, to: Any = None) -> Json:
    """Return a content with another value at some keys; without `to` what is there is removed."""
    made = copy.deepcopy(content)
    node: Any = made
    for key in keys[:-1]:
        node = node[key]
    if to is None:
        del node[keys[-1]]
    else:
        node[keys[-1]] = to
    return made
