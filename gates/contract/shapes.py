"""Reads what schemas allow: references followed, `allOf` merged, null told apart from types."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gates.contract.allowed import (
    ANY,
    ONLY,
    Choice,
    Node,
    Null,
    Shape,
    anything,
    finish,
    intersect_types,
    intersect_values,
    say_null,
    take_limits,
    written_format,
)
from gates.contract.reading import Side, canonical, items_of, mapping

ANNOTATIONS = frozenset(
    {
        "title", "description", "example", "examples", "externalDocs", "xml", "deprecated", "default", "readOnly",
        "writeOnly", "$comment", "$schema", "$id", "$anchor", "$defs", "definitions", "$vocabulary",
    }
)  # fmt: skip
_CONDITIONS = (
    "not", "if", "then", "else", "contains", "propertyNames", "dependentSchemas", "dependentRequired",
    "unevaluatedItems", "contentEncoding", "contentMediaType", "contentSchema", "dependencies",
)  # fmt: skip
_SIMPLE = frozenset({"string", "number", "integer", "boolean"})
_LEADING_ELSEWHERE = frozenset({"$ref", "allOf", "oneOf", "anyOf", "not", "if", "enum", "const"})


class Shapes:
    """Reads the schemas of one document, each once."""

    def __init__(self, side: Side) -> None:
        self.side = side
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._nodes: dict[str, Node] = {}

    def node(self, pointers: tuple[str, ...], at: str) -> Node:
        """Return the schema that is made of all that stands at some pointers; of none, everything is allowed."""
        if not pointers:
            return anything(at)
        if len(pointers) > 1:
            return Node(pointers)
        pointer = pointers[0]
        if pointer not in self._nodes:
            self._nodes[pointer] = self._settled(pointer)
        return self._nodes[pointer]

    def _settled(self, pointer: str) -> Node:
        """Return the schema behind what only refers to it, so that it is one wherever it is used."""
        null: Null = "own"
        seen = {pointer}
        while (inner := self._only_inside(pointer)) is not None:
            target, beside = inner
            if target in seen:
                self.side.note(pointer, "the schema refers to nothing but itself")
                return Node((f"{ANY}{pointer}",))
            seen.add(target)
            pointer, null = target, beside if beside != "own" else null
        return Node((pointer,), null)

    def _only_inside(self, pointer: str) -> tuple[str, Null] | None:
        """Return the one schema that another one consists of, and what is said of null beside it."""
        raw = self.side.value(pointer)
        if not isinstance(raw, Mapping):
            return None
        reference = raw.get("$ref")
        if isinstance(reference, str):
            if self.side.modern and any(key != "$ref" and constrains(key) for key in raw):
                return None
            target = self.side.target(pointer, reference)
            return None if target is None else (target, "own")
        keyword = next((key for key in ("allOf", "anyOf", "oneOf") if key in raw), None)
        if keyword is None or any(key not in (keyword, "nullable") and constrains(key) for key in raw):
            return None
        null: Null = "loose" if raw.get("nullable") is True and not self.side.modern else "own"
        inner = self.members(pointer, keyword)
        rest = inner if keyword == "allOf" else [one for one in inner if not is_null(self.side.value(one))]
        if len(rest) != 1:
            return None
        return rest[0], "added" if len(rest) < len(inner) else null

    def members(self, pointer: str, keyword: str) -> list[str]:
        """Return the pointers of the schemas that a keyword lists."""
        listed = items_of(mapping(self.side.value(pointer)).get(keyword))
        return [self.side.child(pointer, keyword, str(number), value=one) for number, one in enumerate(listed)]

    def shape(self, parts: tuple[str, ...]) -> Shape:
        """Return what a schema allows that consists of some parts."""
        if parts not in self._shapes:
            self._shapes[parts] = self._read(parts)
        return self._shapes[parts]

    def _read(self, parts: tuple[str, ...]) -> Shape:
        shape = Shape(parts[0].removeprefix(ANY), parts)
        pending: list[tuple[str, Null]] = [(part, "own") for part in reversed(parts)]
        seen: set[str] = set()
        while pending:
            pointer, null = pending.pop()
            if pointer in seen or pointer.startswith(ANY):
                continue
            seen.add(pointer)
            if pointer.startswith(ONLY):
                intersect_types(shape, frozenset(pointer.removeprefix(ONLY).split(",")), shape.pointer)
                continue
            raw = self.side.value(pointer)
            if isinstance(raw, bool):
                shape.never = shape.never or not raw
            elif not isinstance(raw, Mapping):
                self.side.note(pointer, "there is no schema where one should be")
            else:
                pending += self._take(shape, pointer, raw, null)
        finish(shape)
        shape.made_of = frozenset(seen)
        return shape

    def _take(self, shape: Shape, pointer: str, raw: Mapping[str, Any], null: Null) -> list[tuple[str, Null]]:
        """Add what one schema says, and return the further ones that have to hold as well, in reverse."""
        further: list[tuple[str, Null]] = []
        reference = raw.get("$ref")
        if isinstance(reference, str):
            target = self.side.target(pointer, reference)
            if target is not None:
                further.append((target, null))
            if not self.side.modern:
                return further
        if "$dynamicRef" in raw or "$recursiveRef" in raw:
            self.side.note(pointer, "a dynamic reference is not followed")
        if null == "own" and raw.get("nullable") is True and not self.side.modern:
            null = "added" if "type" in raw else "loose"
        self._take_types(shape, pointer, raw, null)
        if "allOf" in raw:
            further += [(one, null) for one in reversed(self.members(pointer, "allOf"))]
        for keyword in ("oneOf", "anyOf"):
            if keyword in raw:
                further += self._take_variants(shape, pointer, keyword, null)
        take_limits(shape, pointer, raw)
        self._take_members(shape, pointer, raw)
        return further

    def _take_types(self, shape: Shape, pointer: str, raw: Mapping[str, Any], null: Null) -> None:
        stated = raw.get("type")
        listed = [stated] if isinstance(stated, str) else [one for one in items_of(stated) if isinstance(one, str)]
        if listed:
            types = frozenset(listed) - {"null"}
            intersect_types(shape, types - {"integer"} if "number" in types else types, pointer)
            say_null(shape, "null" in listed or null != "own", by_intent=null == "loose")
        values = [raw["const"]] if "const" in raw and self.side.modern else items_of(raw.get("enum"))
        if not values:
            return
        has_null = any(value is None for value in values)
        intersect_values(shape, {canonical(value): None for value in values if value is not None}, pointer)
        # Before OpenAPI 3.0.3 told that null has to be among the values, `nullable` alone was taken to allow it.
        if has_null:
            if not listed:
                say_null(shape, True)
        elif null != "own":
            say_null(shape, True, by_intent=True)
        else:
            say_null(shape, False)

    def _take_variants(self, shape: Shape, pointer: str, keyword: str, null: Null) -> list[tuple[str, Null]]:
        """Add a `oneOf` or `anyOf`; of a single variant besides null, return it as something that has to hold."""
        inner = self.members(pointer, keyword)
        rest = [one for one in inner if not is_null(self.side.value(one))]
        beside: Null = "added" if len(rest) < len(inner) else null
        if len(rest) == 1:
            return [(rest[0], beside)]
        raws = [self.side.value(one) for one in rest]
        if keyword == "anyOf" and any(_allows_all(raw) for raw in raws):
            return []
        if rest and all(_is_listed(raw) for raw in raws):
            values = [value for raw in raws for value in ([raw["const"]] if "const" in raw else raw["enum"])]
            intersect_values(shape, {canonical(value): None for value in values if value is not None}, pointer)
        elif rest and _are_plain_types(raws):
            intersect_types(shape, frozenset(raw["type"] for raw in raws), pointer)
            for one, raw in zip(rest, raws, strict=True):
                take_limits(shape, one, raw)
        elif rest:
            shape.choices.append(Choice(keyword, pointer, tuple(rest)))
        else:
            intersect_types(shape, frozenset(), pointer)
        say_null(shape, beside != "own", by_intent=beside == "loose")
        return []

    def _take_members(self, shape: Shape, pointer: str, raw: Mapping[str, Any]) -> None:
        """Add what is said of properties, items, and conditions."""
        if "properties" in raw:
            for name, value in mapping(raw["properties"]).items():
                made = self.side.child(pointer, "properties", name, value=value)
                shape.properties[name] = (*shape.properties.get(name, ()), made)
        for name in items_of(raw.get("required")):
            if isinstance(name, str):
                shape.required.setdefault(name, pointer)
        for keyword in ("additionalProperties", "unevaluatedProperties"):
            if raw.get(keyword) is False:
                shape.closed = shape.closed or pointer
            elif isinstance(raw.get(keyword), Mapping) and raw[keyword]:
                shape.additional += (self.side.child(pointer, keyword, value=raw[keyword]),)
        if "patternProperties" in raw:
            for pattern, value in mapping(raw["patternProperties"]).items():
                made = self.side.child(pointer, "patternProperties", pattern, value=value)
                shape.named_by_pattern[pattern] = (*shape.named_by_pattern.get(pattern, ()), made)
        if isinstance(raw.get("items"), (Mapping, bool)) and raw["items"] not in ({}, True):
            shape.items += (self.side.child(pointer, "items", value=raw["items"]),)
        for number, value in enumerate(items_of(raw.get("prefixItems"))):
            made = self.side.child(pointer, "prefixItems", str(number), value=value)
            shape.leading[number] = (*shape.leading.get(number, ()), made)
        for keyword in _CONDITIONS:
            if keyword in raw and not (keyword.startswith("content") and written_format(raw)):
                made = self.side.child(pointer, keyword, value=raw[keyword])
                shape.conditions[keyword] = (*shape.conditions.get(keyword, ()), made)
        if shape.discriminator is None and isinstance(raw.get("discriminator"), Mapping):
            shape.discriminator = pointer


def constrains(keyword: str) -> bool:
    """Return whether a keyword of a schema says which values are valid."""
    return keyword not in ANNOTATIONS and not keyword.startswith("x-")


def is_null(raw: Any) -> bool:
    """Return whether a schema allows null and nothing else."""
    if not isinstance(raw, Mapping):
        return False
    if raw.get("type") in ("null", ["null"]):
        return True
    return raw.get("enum") == [None] or ("const" in raw and raw["const"] is None)


def _allows_all(raw: Any) -> bool:
    return raw is True or (isinstance(raw, Mapping) and not any(constrains(key) for key in raw))


def _is_listed(raw: Any) -> bool:
    """Return whether a schema does nothing but list values."""
    if not isinstance(raw, Mapping) or not ("const" in raw or isinstance(raw.get("enum"), list)):
        return False
    return not any(constrains(key) for key in raw if key not in ("const", "enum", "type"))


def _are_plain_types(raws: list[Any]) -> bool:
    """Return whether schemas are of one simple type each, no two of them of the same, so that they are a list of types.

    Bounds belong to a type by themselves, so they may be there.
    """
    types = []
    for raw in raws:
        if (
            not isinstance(raw, Mapping)
            or not isinstance(raw.get("type"), str)
            or raw["type"] not in _SIMPLE
            or not _LEADING_ELSEWHERE.isdisjoint(raw)
        ):
            return False
        types.append("number" if raw["type"] == "integer" else raw["type"])
    return len(set(types)) == len(types)
