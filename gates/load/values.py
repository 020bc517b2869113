"""Minimal valid values for schemas: what the document shows by example, else the smallest thing it allows.

Nothing is random: the value follows from the schema and the name of the place, so that the same document gives the
same requests in every phase, and a new operation changes nothing in the others.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from gates.document import Document, DocumentError
from gates.load.assignment import UNIQUE
from gates.load.scalars import LONGEST_TEXT, Unbuildable, number_for, text_matching

_DEEPEST = 12
_LONGEST_LIST = 50

_FORMATS = {
    "date": "2024-01-15", "date-time": "2024-01-15T12:00:00Z", "time": "12:00:00Z", "duration": "PT1H",
    "email": "someone@example.com", "idn-email": "someone@example.com", "hostname": "example.com",
    "idn-hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uri": "https://example.com/",
    "url": "https://example.com/", "iri": "https://example.com/", "uri-reference": "/", "iri-reference": "/",
    "byte": "dGV4dA==", "base64": "dGV4dA==", "password": "Passw0rd!example",
    "json-pointer": "/a", "regex": "a",
}  # fmt: skip
_MISNAMED = {
    "int": "integer", "long": "integer", "float": "number", "double": "number", "bool": "boolean",
    "list": "array", "dict": "object", "str": "string",
}  # fmt: skip
"""What documents written by hand call the types; a text where a number is meant would be refused."""
_IN_A_PLACE_OF_ITS_OWN = uuid.UUID("6d0c63b4-2d1f-5b1e-9d0a-6b8f3a4c2e11")


class FileText(str):
    """The content of a file, which a multipart form sends with a file name."""


class Values:
    """Makes values for the schemas of one document.

    `full` fills in optional properties as well. `unique` puts a mark into texts that nothing in the document ties
    down; the mark becomes another number in every request, for backends that refuse the same name twice.
    """

    def __init__(self, document: Document, *, full: bool = False, unique: bool = False) -> None:
        self._document, self._full, self._unique = document, full, unique

    def of(self, schema: Any, name: str) -> Any:
        """Return a value for a schema, at a place of this name; raises Unbuildable."""
        return self._value(schema, name, ())

    def _value(self, schema: Any, name: str, above: tuple[str, ...]) -> Any:
        schema, above = self._resolved(schema, above)
        if schema is True or schema is None or schema == {}:
            return name
        if not isinstance(schema, Mapping):
            raise Unbuildable(f"the schema of {name!r} allows nothing")
        shown = shown_value(schema)
        if shown is not NOTHING:
            return self.marked(shown, schema, name)
        schema = self._chosen(schema, name, above)
        shown = shown_value(schema)
        if shown is not NOTHING:
            return shown
        kind = _kind(schema)
        if kind == "object":
            return self._object(schema, name, above)
        if kind == "array":
            return self._array(schema, name, above)
        if kind in ("integer", "number"):
            return number_for(schema, whole=kind == "integer")
        if kind == "boolean":
            return False
        if kind == "null":
            return None
        if kind == "file" or schema.get("format") == "binary" or "contentMediaType" in schema:
            return FileText("text")
        return self._text(schema, name)

    def _resolved(self, schema: Any, above: tuple[str, ...]) -> tuple[Any, tuple[str, ...]]:
        """Follow references, and remember through which schemas the way led here."""
        while isinstance(schema, Mapping) and isinstance(schema.get("$ref"), str):
            reference = schema["$ref"]
            if reference in above or len(above) > _DEEPEST:
                raise Unbuildable(f"{reference!r} contains itself")
            above = (*above, reference)
            try:
                target = self._document.resolve({"$ref": reference})
            except DocumentError as error:
                raise Unbuildable(error.message) from error
            beside = {key: value for key, value in schema.items() if key != "$ref"}
            schema = {**target, **beside} if beside and isinstance(target, Mapping) else target
        return schema, above

    def _chosen(self, schema: Mapping[str, Any], name: str, above: tuple[str, ...]) -> Mapping[str, Any]:
        """Return one schema for allOf (all together), oneOf and anyOf (the first that can be built)."""
        parts = schema.get("allOf")
        if isinstance(parts, list):
            schema = _merged([{k: v for k, v in schema.items() if k != "allOf"}, *self._all(parts, name, above)])
        for key in ("oneOf", "anyOf"):
            options = schema.get(key)
            if not (isinstance(options, list) and options):
                continue
            base = {k: v for k, v in schema.items() if k != key}
            problem = ""
            for option in sorted(options, key=_is_null):
                try:
                    resolved, path = self._resolved(option, above)
                    if not isinstance(resolved, Mapping):
                        continue
                    candidate = _merged([base, self._chosen(resolved, name, path)])
                    self._value({k: v for k, v in candidate.items() if k not in ("oneOf", "anyOf")}, name, path)
                except Unbuildable as error:
                    problem = str(error)
                    continue
                schema = candidate
                break
            else:
                raise Unbuildable(problem or f"none of the choices for {name!r} can be built")
        return schema

    def _all(self, parts: list[Any], name: str, above: tuple[str, ...]) -> list[Mapping[str, Any]]:
        found = []
        for part in parts:
            resolved, path = self._resolved(part, above)
            if isinstance(resolved, Mapping):
                found.append(self._chosen(resolved, name, path))
        return found

    def _object(self, schema: Mapping[str, Any], name: str, above: tuple[str, ...]) -> dict[str, Any]:
        listed = schema.get("properties")
        properties: Mapping[str, Any] = listed if isinstance(listed, Mapping) else {}
        required = schema.get("required") if isinstance(schema.get("required"), list) else []
        value: dict[str, Any] = {}
        for key, child in properties.items():
            needed = key in (required or ())
            try:
                resolved, _ = self._resolved(child, above)
                if isinstance(resolved, Mapping) and resolved.get("readOnly") is True:
                    continue
                if needed or self._full or (isinstance(resolved, Mapping) and "example" in resolved):
                    value[key] = self._value(child, key, above)
            except Unbuildable:
                if needed:
                    raise
        for key in required or ():
            if key not in value and key not in properties:
                value[key] = self._value(schema.get("additionalProperties", True), str(key), above)
        fewest = schema.get("minProperties")
        extra = schema.get("additionalProperties", True)
        number = 0
        while isinstance(fewest, int) and len(value) < min(fewest, _LONGEST_LIST):
            left = next((key for key in properties if key not in value), None)
            if left is not None:
                value[left] = self._value(properties[left], left, above)
            elif extra is False:
                raise Unbuildable(f"{name!r} must have {fewest} properties, and names fewer")
            else:
                number += 1
                value[f"key{number}"] = self._value(extra, f"key{number}", above)
        return value

    def _array(self, schema: Mapping[str, Any], name: str, above: tuple[str, ...]) -> list[Any]:
        fewest, most = schema.get("minItems"), schema.get("maxItems")
        fewest = fewest if isinstance(fewest, int) else 0
        if fewest > _LONGEST_LIST:
            raise Unbuildable(f"{name!r} must hold {fewest} items")
        wanted = max(1, fewest)
        if isinstance(most, int):
            wanted = min(wanted, most)
        try:
            items = [self._value(schema.get("items", True), name, above) for _ in range(wanted)]
        except Unbuildable:
            if fewest:
                raise
            return []
        if schema.get("uniqueItems") and wanted > 1:
            items = _told_apart(items, schema, name)
        return items

    def _text(self, schema: Mapping[str, Any], name: str) -> str:
        shortest, longest = schema.get("minLength"), schema.get("maxLength")
        shortest = shortest if isinstance(shortest, int) else 0
        longest = longest if isinstance(longest, int) else LONGEST_TEXT
        if shortest > LONGEST_TEXT:
            raise Unbuildable(f"{name!r} must have {shortest} characters")
        pattern, style = schema.get("pattern"), schema.get("format")
        if isinstance(pattern, str):
            return text_matching(pattern, shortest, longest)
        if style == "uuid":
            return str(uuid.uuid5(_IN_A_PLACE_OF_ITS_OWN, name))
        if style in _FORMATS:
            text = _FORMATS[str(style)]
            return f"{UNIQUE}@example.com" if self._unique and "email" in str(style) else text
        text = name or "text"
        if "email" in name.lower() or "e_mail" in name.lower():
            text = f"{UNIQUE}@example.com" if self._unique else "someone@example.com"
        elif self._unique and longest >= len(UNIQUE):
            text = UNIQUE
        if len(text) < shortest:
            text += "x" * (shortest - len(text))
        return text[:longest]

    def marked(self, shown: Any, schema: Any, name: str) -> Any:
        """Return what the document shows; with `unique`, its free texts are made so where their schema allows it."""
        schema, _ = self._resolved(schema, ())
        return self._marked(shown, schema, name) if self._unique and isinstance(schema, Mapping) else shown

    def _marked(self, shown: Any, schema: Mapping[str, Any], name: str) -> Any:
        if isinstance(shown, str) and not ({"enum", "const"} & schema.keys()):
            if "pattern" in schema or schema.get("format") not in (None, "email", "idn-email"):
                return shown
            return self._text(schema, name)
        if isinstance(shown, Mapping):
            listed = schema.get("properties")
            properties: Mapping[str, Any] = listed if isinstance(listed, Mapping) else {}
            marked = {}
            for key, value in shown.items():
                child, _ = self._resolved(properties.get(key, {}), ())
                fits = isinstance(child, Mapping) and child
                marked[key] = self._marked(value, child, key) if fits else value
            return marked
        return shown


class _Nothing:
    """Not even null is shown."""


NOTHING = _Nothing()


def shown_value(schema: Mapping[str, Any]) -> Any:
    """Return the value that a schema, parameter or media type shows by itself: example, default, or the only choice."""
    for key in ("example", "x-example", "const"):
        if key in schema:
            return schema[key]
    examples = schema.get("examples")
    if isinstance(examples, list) and examples:
        return examples[0]
    if isinstance(examples, Mapping) and examples:
        first = next(iter(examples.values()))
        if isinstance(first, Mapping) and "value" in first:
            return first["value"]
    if schema.get("default") is not None:
        return schema["default"]
    choices = schema.get("enum")
    if isinstance(choices, list) and choices:
        return choices[0]
    return NOTHING


def _is_null(schema: Any) -> bool:
    return isinstance(schema, Mapping) and schema.get("type") == "null"


def _kind(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, list):
        kind = next((one for one in kind if one != "null"), "null")
    if isinstance(kind, str):
        return _MISNAMED.get(kind, kind)
    if "properties" in schema or "additionalProperties" in schema or "required" in schema:
        return "object"
    if "items" in schema or "minItems" in schema:
        return "array"
    if {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"} & schema.keys():
        return "number"
    return "string"


def _merged(schemas: list[Mapping[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for schema in schemas:
        for key, value in schema.items():
            if key == "properties" and isinstance(value, Mapping):
                merged[key] = {**merged.get(key, {}), **value}
            elif key == "required" and isinstance(value, list):
                merged[key] = list(dict.fromkeys([*merged.get(key, []), *value]))
            else:
                merged.setdefault(key, value)
    return merged


def _told_apart(items: list[Any], schema: Mapping[str, Any], name: str) -> list[Any]:
    inner = schema.get("items")
    choices = inner.get("enum") if isinstance(inner, Mapping) else None
    if isinstance(choices, list) and len(choices) >= len(items):
        return choices[: len(items)]
    if all(isinstance(item, int | float) and not isinstance(item, bool) for item in items):
        return [item + number for number, item in enumerate(items)]
    if all(isinstance(item, str) for item in items):
        return [f"{item}{number or ''}" for number, item in enumerate(items)]
    raise Unbuildable(f"{name!r} must hold {len(items)} different items")
