"""Small documents for the tests of traffic."""

from __future__ import annotations

import json

from gates.document import Document, parse_document


def document(*operations: str, base: str = "", responses: dict[str, dict[str, object]] | None = None) -> Document:
    """Return a document with these operations; `responses` are theirs by operation, else 200 alone."""
    paths: dict[str, dict[str, object]] = {}
    for operation in operations:
        method, _, path = operation.partition(" ")
        own = (responses or {}).get(operation, {"200": {"description": "fine"}})
        paths.setdefault(path, {})[method.lower()] = {"responses": own}
    content: dict[str, object] = {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": paths}
    if base:
        content["servers"] = [{"url": base}]
    return parse_document(json.dumps(content))
