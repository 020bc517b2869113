"""The form of a JSON body in one line: `{id: number, note?: string, items: [{sku: string}]}`; pure.

It is made of the shape that a `replay` gate has recorded, or of a schema of the OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gates.document import Document, DocumentError

_MOST_PARTS = 120
_DEEPEST = 6
_MORE = "…"
_SCALARS = {"integer": "number", "file": "binary"}


class _Room:
    """How many more parts there is room for."""

    def __init__(self) -> None:
        self.left = _MOST_PARTS

    def take(self) -> bool:
        self.left -= 1
        return self.left >= 0


def of_shape(shape: Any) -> str:
    """Return a recorded shape in one line; see `gates.tools.replay.shape` for its form."""
    return _shape(shape, _Room(), 0)


def _shape(shape: Any, room: _Room, depth: int) -> str:
    if isinstance(shape, str):
        return shape
    if not isinstance(shape, Mapping) or not room.take() or depth > _DEEPEST:
        return _MORE
    properties = shape.get("properties") if isinstance(shape.get("properties"), Mapping) else {}
    kinds = [str(kind) for kind in shape.get("kinds") or ()]
    kinds += ["object"] if (properties or "keys" in shape) and "object" not in kinds else []
    kinds += ["array"] if "items" in shape and "array" not in kinds else []
    parts = []
    for kind in kinds:
        if kind == "object":
            parts.append(_object(_shape_properties(shape, properties, room, depth)))
        elif kind == "array":
            items = shape.get("items")
            parts.append(f"[{_shape(items, room, depth + 1) if items is not None else ''}]")
        else:
            parts.append(kind)
    return " | ".join(parts) or _MORE


def _shape_properties(shape: Mapping[str, Any], properties: Any, room: _Room, depth: int) -> Iterator[str]:
    sometimes = shape.get("sometimes") or ()
    for name, inner in properties.items():
        if room.left <= 0:
            yield _MORE
            return
        yield f"{name}{'?' if name in sometimes else ''}: {_shape(inner, room, depth + 1)}"
    if shape.get("keys") is not None:
        yield f"[key]: {_shape(shape['keys'], room, depth + 1)}"


def _object(properties: Iterator[str]) -> str:
    return "{" + ", ".join(properties) + "}"


def of_schema(schema: Any, document: Document) -> str:
    """Return a schema of a document in one line; what refers to itself is cut."""
    return _schema(schema, document, _Room(), 0)


def _schema(node: Any, document: Document, room: _Room, depth: int) -> str:
    if not room.take() or depth > _DEEPEST:
        return _MORE
    try:
        schema = document.resolve(node)
    except DocumentError:
        return _MORE
    if not isinstance(schema, Mapping):
        return "any"
    for key in ("oneOf", "anyOf"):
        if isinstance(schema.get(key), list) and schema[key]:
            options = [_schema(one, document, room, depth + 1) for one in schema[key][:8]]
            return " | ".join(dict.fromkeys(options))
    properties = dict(_properties(schema, document, room, 0))
    if properties:
        required = _required(schema, document, room, 0)
        return _object(_schema_properties(properties, required, document, room, depth))
    kinds = schema.get("type")
    names = kinds if isinstance(kinds, list) else [kinds] if isinstance(kinds, str) else []
    if "array" in names or "items" in schema:
        inner = _schema(schema.get("items", {}), document, room, depth + 1)
        rest = [str(name) for name in names if name != "array"]
        return " | ".join([f"[{inner}]", *rest])
    if isinstance(schema.get("additionalProperties"), Mapping):
        return "{[key]: " + _schema(schema["additionalProperties"], document, room, depth + 1) + "}"
    told = [_SCALARS.get(str(name), str(name)) for name in names]
    told += ["null"] if schema.get("nullable") is True and "null" not in told else []
    return " | ".join(dict.fromkeys(told)) or "any"


def _schema_properties(
    properties: Mapping[str, Any], required: set[str], document: Document, room: _Room, depth: int
) -> Iterator[str]:
    for name, inner in properties.items():
        if room.left <= 0:
            yield _MORE
            return
        yield f"{name}{'' if name in required else '?'}: {_schema(inner, document, room, depth + 1)}"


def _parts_of(schema: Mapping[str, Any], document: Document, room: _Room, depth: int) -> Iterator[Mapping[str, Any]]:
    """Yield the schemas that an `allOf` puts together."""
    parts = schema.get("allOf")
    for one in parts if isinstance(parts, list) and depth < _DEEPEST else ():
        if not room.take():
            return
        try:
            part = document.resolve(one)
        except DocumentError:
            continue
        if isinstance(part, Mapping):
            yield part


def _properties(schema: Mapping[str, Any], document: Document, room: _Room, depth: int) -> Iterator[tuple[str, Any]]:
    for part in _parts_of(schema, document, room, depth):
        yield from _properties(part, document, room, depth + 1)
    own = schema.get("properties")
    yield from ((str(name), one) for name, one in (own.items() if isinstance(own, Mapping) else ()))


def _required(schema: Mapping[str, Any], document: Document, room: _Room, depth: int) -> set[str]:
    own = schema.get("required")
    names = {str(name) for name in own} if isinstance(own, list) else set()
    for part in _parts_of(schema, document, room, depth):
        names |= _required(part, document, room, depth + 1)
    return names
