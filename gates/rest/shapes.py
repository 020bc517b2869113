"""Shapes of JSON bodies: what stands at the top of a schema, behind references, `allOf` and alternatives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gates.rest.described import Api, escaped, is_json

_PARTS = ("allOf", "anyOf", "oneOf")


@dataclass(frozen=True, slots=True)
class Shape:
    """The kind of a body (`object`, `array`, a JSON type, or "" where nothing is said) and its properties."""

    kind: str
    properties: Mapping[str, Any]

    def __str__(self) -> str:
        """Return it as people draw it: `{code, message}`, `[…]`."""
        if self.kind == "array":
            return "[…]"
        return "{" + ", ".join(sorted(self.properties)) + "}" if self.kind == "object" else self.kind or "anything"


def shape_of(api: Api, schema: Any) -> Shape:
    """Return the shape of a schema; alternatives of one kind are taken together, of different kinds say nothing."""
    properties: dict[str, Any] = {}
    kinds: set[str] = set()
    seen: set[int] = set()
    waiting = [schema]
    while waiting:
        node = api.resolved(waiting.pop())
        if id(node) in seen:
            continue
        seen.add(id(node))
        named = node.get("properties")
        if isinstance(named, Mapping):
            for name, part in named.items():
                properties.setdefault(str(name), part)
        kinds |= _kinds(node)
        for key in _PARTS:
            parts = node.get(key)
            waiting.extend(parts if isinstance(parts, list) else ())
    return Shape(kinds.pop() if len(kinds) == 1 else "", properties)


def _kinds(node: Mapping[str, Any]) -> set[str]:
    said = node.get("type")
    names = {str(one) for one in said} if isinstance(said, list) else {said} if isinstance(said, str) else set()
    if not names and (node.get("properties") or node.get("additionalProperties")):
        names = {"object"}
    if not names and "items" in node:
        names = {"array"}
    return names - {"null"}


def says_nothing(api: Api, schemas: Mapping[str, Any]) -> bool:
    """Return whether no schema among those of some media types says what there is: generators write such bodies."""
    return all(_open(api.resolved(schema)) for schema in schemas.values())


_SAY_NOTHING = frozenset({"type", "properties", "additionalProperties", "title", "description", "example", "nullable"})


def _open(schema: Mapping[str, Any]) -> bool:
    """Return whether a schema names no property, item or other type than an object."""
    if schema.keys() - _SAY_NOTHING or schema.get("properties"):
        return False
    return schema.get("type", "object") in ("object", "null") and not isinstance(
        schema.get("additionalProperties"), Mapping
    )


def json_schema(schemas: Mapping[str, Any]) -> Any:
    """Return the schema of the JSON among some media types, or None."""
    return next((schema for media, schema in sorted(schemas.items()) if is_json(media) and schema is not None), None)


@dataclass(frozen=True, slots=True)
class Place:
    """A schema and where it stands in the document."""

    schema: Mapping[str, Any]
    pointer: str


def all_schemas(api: Api) -> Iterator[Place]:
    """Return every schema that stands in the document once, those within others included, behind no reference."""
    yield from _within(_tops(api))


def _tops(api: Api) -> Iterator[Place]:
    content = api.document.content
    components = content.get("components")
    holders: list[tuple[Any, str]] = [(content.get("definitions"), "/definitions")]
    for key in ("schemas", "responses", "requestBodies", "parameters"):
        holders.append((components.get(key) if isinstance(components, Mapping) else None, f"/components/{key}"))
        holders.append((content.get(key), f"/{key}"))
    for holder, pointer in holders:
        for name, part in holder.items() if isinstance(holder, Mapping) else ():
            here = f"{pointer}/{escaped(str(name))}"
            if pointer.endswith(("schemas", "definitions")):
                if isinstance(part, Mapping):
                    yield Place(part, here)
            else:
                yield from _bodies(part, here)
    for one in api.operations:
        definition = one.operation.definition
        yield from _bodies(definition.get("requestBody"), f"{one.pointer}/requestBody")
        for number, parameter in enumerate(_list(definition.get("parameters"))):
            yield from _bodies(parameter, f"{one.pointer}/parameters/{number}")
        responses = definition.get("responses")
        for status, response in responses.items() if isinstance(responses, Mapping) else ():
            yield from _bodies(response, f"{one.pointer}/responses/{status}")


def _bodies(holder: Any, pointer: str) -> Iterator[Place]:
    """Return the schemas of a parameter, or of a JSON body or response, that stand here."""
    if not isinstance(holder, Mapping):
        return
    if isinstance(holder.get("schema"), Mapping):
        yield Place(holder["schema"], f"{pointer}/schema")
    content = holder.get("content")
    for media, value in content.items() if isinstance(content, Mapping) else ():
        if is_json(str(media)) and isinstance(value, Mapping) and isinstance(value.get("schema"), Mapping):
            yield Place(value["schema"], f"{pointer}/content/{escaped(str(media))}/schema")


def _within(tops: Iterator[Place]) -> Iterator[Place]:
    seen: set[int] = set()
    for top in tops:
        waiting = [top]
        while waiting:
            place = waiting.pop()
            if id(place.schema) in seen:
                continue
            seen.add(id(place.schema))
            yield place
            waiting.extend(_children(place))


def _children(place: Place) -> Iterator[Place]:
    for key in ("properties", "patternProperties"):
        named = place.schema.get(key)
        for name, part in named.items() if isinstance(named, Mapping) else ():
            if isinstance(part, Mapping):
                yield Place(part, f"{place.pointer}/{key}/{escaped(str(name))}")
    for key in ("items", "additionalProperties", "not", "if", "then", "else", "contains"):
        part = place.schema.get(key)
        if isinstance(part, Mapping):
            yield Place(part, f"{place.pointer}/{key}")
    for key in (*_PARTS, "prefixItems"):
        for number, part in enumerate(_list(place.schema.get(key))):
            if isinstance(part, Mapping):
                yield Place(part, f"{place.pointer}/{key}/{number}")


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
