"""Is the served document the committed one? By what they say, and not by order, layout or the address of the server."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gates.document import Document
from gates.documentation.places import escape, operation_at, unescape
from gates.documentation.rules import finding
from gates.results import Finding

_OF_THE_SERVER = frozenset({"servers", "host", "schemes"})
"""What frameworks fill in with wherever they happen to run."""
_UNORDERED = frozenset(
    {"tags", "required", "enum", "parameters", "security", "consumes", "produces", "allOf", "anyOf", "oneOf", "type"}
)
_SHOWN = 3
_DIFFERS, _MISSING, _ALONE = "differs", "is not in it", "is only in it"


def check_served(served: Document, committed: Document, name: str) -> list[Finding]:
    """Return a finding that names the first differences, where there are any; `name` is the committed file."""
    found = list(differences(served, committed))
    if not found:
        return []
    told = list(dict.fromkeys(_told(pointer, what) for pointer, what in found))
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    text = f"{name} is not what is served: {'; '.join(told[:_SHOWN])}{more}"
    return [finding("doc.served-differs", text, found[0][0], identity=("served",))]


def _told(pointer: str, what: str) -> str:
    parts = pointer.split("/")
    if (operation := operation_at(pointer)) is not None:
        return f"{operation} {what if len(parts) == 4 else _DIFFERS}"
    path = unescape(parts[2]) if len(parts) == 3 and parts[1] == "paths" else ""
    return f"{path or pointer or 'the document'} {what}"


def differences(served: Document, committed: Document) -> Iterator[tuple[str, str]]:
    """Yield what differs as a JSON pointer and in words, in the order of the served document."""
    waiting: list[tuple[str, str, Any, Any]] = [("", "", served.content, committed.content)]
    while waiting:
        pointer, key, one, other = waiting.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            mine, theirs = _names(one, pointer), _names(other, pointer)
            yield from ((f"{pointer}/{escape(name)}", _MISSING) for name in mine if name not in other)
            yield from ((f"{pointer}/{escape(name)}", _ALONE) for name in theirs if name not in one)
            both = [name for name in mine if name in other]
            waiting.extend((f"{pointer}/{escape(name)}", name, one[name], other[name]) for name in reversed(both))
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            pairs = list(enumerate(zip(_in_order(key, one), _in_order(key, other), strict=True)))
            waiting.extend((f"{pointer}/{number}", "", *pair) for number, pair in reversed(pairs))
        elif not _same(one, other):
            yield pointer, _DIFFERS


def _names(node: Mapping[str, Any], pointer: str) -> list[str]:
    """Return the names in an object, of the document, a path and an operation without those of the server."""
    parts = pointer.split("/")
    has_servers = not pointer or (parts[1] == "paths" and len(parts) in (3, 4))
    return [name for name in node if not (has_servers and name in _OF_THE_SERVER)]


def _in_order(key: str, items: list[Any]) -> list[Any]:
    if key not in _UNORDERED:
        return items
    return sorted(items, key=lambda item: json.dumps(item, sort_keys=True))


def _same(one: Any, other: Any) -> bool:
    # For Python true is 1, and for JSON it is not.
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
