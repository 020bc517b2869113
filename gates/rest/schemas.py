"""What schemas leave open: the size of what is sent, and the form of points in time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from gates.rest.shapes import Place, all_schemas
from gates.rest.violations import Case, Violation, counted
from gates.rest.words import word_set, words_of

_BOUNDS = {
    "array": ("maxItems", "enum", "const"),
    "string": ("maxLength", "enum", "const", "pattern", "format"),
    "integer": ("maximum", "exclusiveMaximum", "enum", "const"),
    "number": ("maximum", "exclusiveMaximum", "enum", "const"),
}
_INSTANT = re.compile(r"(?:^|_)(?:date_?time|timestamp)$|[a-z]_at$|[a-z](?:At|Timestamp|DateTime)$")
_NO_INSTANT = word_set("format formatat lookat what that cat flat chat seat beat heat")


def bounds(case: Case) -> Iterator[Violation]:
    """Return what is accepted at any size, one finding for each name and type."""
    found: dict[tuple[str, str], list[str]] = {}
    for name, place in _sent(case):
        schema = place.schema
        kind = _kind(schema)
        if kind in _BOUNDS and not any(key in schema for key in _BOUNDS[kind]) and not schema.get("readOnly"):
            found.setdefault((name, kind), []).append(place.pointer)
    for (name, kind), pointers in sorted(found.items()):
        lacks = _BOUNDS[kind][0]
        yield Violation(
            "rest.bounds",
            f"{name} {kind}",
            f"the {kind} `{name}` has no {lacks} ({counted(len(pointers), 'place')})",
            (),
            min(pointers),
            f"say the largest that makes sense, as {lacks}",
        )


def _kind(schema: Mapping[str, Any]) -> str:
    said = schema.get("type")
    if isinstance(said, list):
        said = next((one for one in said if one != "null"), None)
    return said if isinstance(said, str) else ""


def _sent(case: Case) -> Iterator[tuple[str, Place]]:
    """Return the properties and parameters that callers send, with their names; each schema once."""
    seen: set[tuple[str, int]] = set()
    waiting: list[tuple[str, Any, str]] = []
    for one in case.asked("rest.bounds"):
        for schema in one.bodies.values():
            waiting.append(("", schema, f"{one.pointer}/requestBody"))
        for parameter in one.parameters("query", "path", "header"):
            waiting.append((str(parameter.get("name")), parameter.get("schema", parameter), one.pointer))
    while waiting:
        name, raw, pointer = waiting.pop()
        schema = case.api.resolved(raw)
        if isinstance(raw, Mapping) and isinstance(raw.get("$ref"), str):
            pointer = raw["$ref"].removeprefix("#")
        if (name, id(schema)) in seen:
            continue
        seen.add((name, id(schema)))
        if name:
            yield name, Place(schema, pointer)
        properties = schema.get("properties")
        for key, part in properties.items() if isinstance(properties, Mapping) else ():
            waiting.append((str(key), part, f"{pointer}/properties/{key}"))
        for key in ("allOf", "anyOf", "oneOf"):
            parts = schema.get(key)
            waiting.extend((name, part, pointer) for part in (parts if isinstance(parts, list) else ()))
        if isinstance(schema.get("items"), Mapping):
            waiting.append((f"{name}[]", schema["items"], f"{pointer}/items"))


def instants(case: Case) -> Iterator[Violation]:
    """Return points in time that are texts of no said form, one finding for each name."""
    found: dict[str, list[str]] = {}
    for place in all_schemas(case.api):
        properties = place.schema.get("properties")
        for name, raw in properties.items() if isinstance(properties, Mapping) else ():
            schema = case.api.resolved(raw)
            if (
                not _INSTANT.search(str(name))
                or "".join(words_of(str(name))) in _NO_INSTANT
                or _kind(schema) != "string"
            ):
                continue
            if not any(key in schema for key in ("format", "pattern", "enum", "const")):
                found.setdefault(str(name), []).append(f"{place.pointer}/properties/{name}")
    for name, pointers in sorted(found.items()):
        yield Violation(
            "rest.date-time", name, f"`{name}` is a text without a format ({counted(len(pointers), 'place')})", (),
            min(pointers), "say `format: date-time` (or date), and write RFC 3339 in UTC",
        )  # fmt: skip
