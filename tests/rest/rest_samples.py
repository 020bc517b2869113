"""Small documents for the tests of the REST rules, in both shapes of OpenAPI."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gates.document import Document, parse_document
from gates.rest import Conventions, check_conventions
from gates.results import Finding

Json = dict[str, Any]


def body(schema: Json, media: str = "application/json") -> Json:
    return {"content": {media: {"schema": schema}}}


def answer(schema: Json | None = None, media: str = "application/json", **more: Any) -> Json:
    return {"description": "An answer.", **({} if schema is None else body(schema, media)), **more}


def thing(*names: str) -> Json:
    return {"type": "object", "properties": {name: {"type": "string", "format": "x"} for name in names}}


def query(*names: str, **schema: Any) -> list[Json]:
    return [{"name": name, "in": "query", "schema": {"type": "string", **schema}} for name in names]


def operation(*statuses: str, **over: Any) -> Json:
    return {"responses": {status: answer() for status in statuses or ("200",)}, **over}


def document(paths: Mapping[str, Any], **over: Any) -> Document:
    """Return a document; the parameters of its paths are defined where a path does not do that itself."""
    described = {}
    for path, item in paths.items():
        names = [part.split("}")[0] for part in path.split("{")[1:]]
        shared = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
        described[path] = {"parameters": shared, **item} if names else item
    head = {"openapi": "3.0.3", "info": {"title": "Orders", "version": "1"}, "servers": [{"url": "/api/v1"}]}
    return parse_document(json.dumps({**head, "paths": described, **over}))


def found(rule: str, paths: Mapping[str, Any], conventions: Conventions | None = None, **over: Any) -> list[Finding]:
    """Return the findings of one rule on a document of these paths."""
    every = check_conventions(document(paths, **over), conventions or Conventions())
    return [finding for finding in every if finding.rule == rule]


def get(*paths: str) -> Json:
    """Return paths that are only read."""
    return {path: {"get": operation()} for path in paths}


def post(*paths: str) -> Json:
    """Return paths that are only posted to."""
    return {path: {"post": operation("201")} for path in paths}
