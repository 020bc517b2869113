"""Pointers into a Swagger 2.0 document, for those into what it was converted to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gates.contract.reading import items_of, mapping, step, steps_of

_MOVED = {"schemas": "definitions", "requestBodies": "parameters", "securitySchemes": "securityDefinitions"}


def original_pointer(pointer: str, content: Mapping[str, Any]) -> str:
    """Return the pointer of what was converted, or of the nearest thing around it that is in the document."""
    keys = steps_of(pointer)
    if keys[:1] == ["components"] and len(keys) > 1:
        keys = [_MOVED.get(keys[1], keys[1]), *keys[2:]]
    elif keys[:1] == ["servers"]:
        keys = ["basePath"]
    node: Any = content
    found = ""
    pending = keys[::-1]
    while pending:
        key = pending.pop()
        if key in mapping(node):
            node = node[key]
        elif items_of(node) and key.isdigit() and int(key) < len(node):
            node = node[int(key)]
        elif key == "content" and pending:
            pending.pop()  # a body has no media types there
            continue
        elif key == "schema":
            continue  # what a parameter or header may be is said of itself
        else:
            return found
        found = step(found, key)
    return found
