"""Every object of a document with its JSON pointer, and whether it is a schema; values that only look like one are not.

An example, a default or a vendor extension may hold anything, a property may be called `$ref` or `example`: only what
OpenAPI gives a meaning is yielded. Each object once, also where a YAML alias puts it in several places.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from gates.document import METHODS, Document


class Kind(Enum):
    """What an object is to the walk; only OBJECT and SCHEMA are yielded."""

    OBJECT = 1
    SCHEMA = 2
    OBJECTS = 3
    """Objects by a name, which has no meaning of its own."""
    SCHEMAS = 4


@dataclass(frozen=True, slots=True)
class Place:
    """An object of the document, and where it stands."""

    pointer: str
    node: Mapping[str, Any]
    is_schema: bool


_VALUES = frozenset({"example", "value", "default", "enum", "const", "x-example"})
_BY_NAME = frozenset(
    {"paths", "webhooks", "content", "responses", "headers", "parameters", "requestBodies", "securitySchemes", "links",
     "pathItems", "encoding", "variables", "securityDefinitions"}
)  # fmt: skip
_SCHEMAS_BY_NAME = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"}
)
_ONE_SCHEMA = frozenset(
    {"items", "additionalProperties", "not", "if", "then", "else", "contains", "propertyNames", "unevaluatedItems",
     "unevaluatedProperties", "contentSchema", "additionalItems"}
)  # fmt: skip
_LISTED_SCHEMAS = frozenset({"allOf", "anyOf", "oneOf", "prefixItems", "items"})
_Step = tuple[str, Any, Kind]


def escape(name: str) -> str:
    """Return a name as a part of a JSON pointer."""
    return name.replace("~", "~0").replace("/", "~1")


def unescape(part: str) -> str:
    """Return the name that a part of a JSON pointer stands for."""
    return part.replace("~1", "/").replace("~0", "~")


def places(document: Document) -> Iterator[Place]:
    """Yield every object that OpenAPI or JSON Schema gives a meaning, in the order of the document."""
    seen: set[tuple[int, Kind]] = set()
    waiting: list[_Step] = [("", document.content, Kind.OBJECT)]
    swagger = document.version.startswith("2.")
    while waiting:
        pointer, node, kind = waiting.pop()
        if not isinstance(node, Mapping) or (id(node), kind) in seen:
            continue
        seen.add((id(node), kind))
        if kind in (Kind.OBJECT, Kind.SCHEMA):
            yield Place(pointer, node, kind is Kind.SCHEMA)
        # The last is taken first: what comes first in the document is put there last.
        waiting.extend(reversed(list(_children(pointer, node, kind, swagger))))


def _children(pointer: str, node: Mapping[str, Any], kind: Kind, swagger: bool) -> Iterator[_Step]:
    if kind in (Kind.OBJECTS, Kind.SCHEMAS):
        inner = Kind.OBJECT if kind is Kind.OBJECTS else Kind.SCHEMA
        for name, child in node.items():
            if not (kind is Kind.OBJECTS and name.startswith("x-") and pointer in ("/paths", "/components")):
                yield f"{pointer}/{escape(name)}", child, inner
        return
    step = _in_schema if kind is Kind.SCHEMA else _in_object
    for key, child in node.items():
        if key in _VALUES or key.startswith("x-"):
            continue
        yield from step(f"{pointer}/{escape(key)}", key, child, pointer, swagger)


def _in_schema(pointer: str, key: str, child: Any, parent: str, swagger: bool) -> Iterator[_Step]:
    if key in _SCHEMAS_BY_NAME:
        yield pointer, child, Kind.SCHEMAS
    elif key in _LISTED_SCHEMAS and isinstance(child, list):
        for number, one in enumerate(child):
            yield f"{pointer}/{number}", one, Kind.SCHEMA
    elif key in _ONE_SCHEMA:
        yield pointer, child, Kind.SCHEMA


def _in_object(pointer: str, key: str, child: Any, parent: str, swagger: bool) -> Iterator[_Step]:
    if key == "schema":
        yield pointer, child, Kind.SCHEMA
    elif (key == "schemas" and parent == "/components") or (key == "definitions" and not parent):
        yield pointer, child, Kind.SCHEMAS
    elif key == "items" and swagger:
        yield pointer, child, Kind.SCHEMA  # of a parameter or header, which are half a schema there
    elif isinstance(child, list):
        if key != "examples":
            for number, one in enumerate(child):
                yield f"{pointer}/{number}", one, Kind.OBJECT
    elif key == "callbacks" and isinstance(child, Mapping):
        for name, one in child.items():
            yield f"{pointer}/{escape(name)}", one, Kind.OBJECTS
    elif key == "examples":
        if not swagger:
            yield pointer, child, Kind.OBJECTS
    elif key in _BY_NAME:
        yield pointer, child, Kind.OBJECTS
    else:
        yield pointer, child, Kind.OBJECT


def operation_at(pointer: str) -> str | None:
    """Return the operation that a pointer is a part of, as people write it; None outside every operation."""
    parts = pointer.split("/", 4)
    if len(parts) > 3 and parts[1] == "paths" and parts[3] in METHODS:
        return f"{parts[3].upper()} {unescape(parts[2])}"
    return None
