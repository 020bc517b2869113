"""Structural identity of schemas, to find the same variant again under another name or at another place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gates.contract.reading import canonical, items_of, mapping
from gates.contract.shapes import Shapes, constrains

DEPTH = 4
"""How deep structures are looked into; what lies deeper is left to the comparison of what belongs together."""
_OF_SCHEMAS = frozenset({"properties", "patternProperties", "dependentSchemas"})
_LISTS = frozenset({"allOf", "oneOf", "anyOf", "prefixItems"})
_SINGLE = frozenset(
    {
        "items", "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "not", "if", "then", "else",
        "contains", "propertyNames", "contentSchema",
    }
)  # fmt: skip
_UNORDERED = frozenset({"required", "enum", "type"})


class Digests:
    """Digests of the schemas of one document: equal structures have equal ones, whatever components are called."""

    def __init__(self, shapes: Shapes) -> None:
        self._shapes = shapes
        self._known: dict[tuple[str, int], int] = {}

    def of(self, pointer: str, depth: int = DEPTH) -> int:
        """Return the digest of the value at a pointer down to a depth."""
        node = self._shapes.node((pointer,), pointer)
        key = (node.pointer, depth)
        if key not in self._known:
            self._known[key] = 0  # what is inside itself
            self._known[key] = hash((self._digest(node.pointer, depth), node.null != "own"))
        return self._known[key]

    def _digest(self, pointer: str, depth: int) -> int:
        raw = self._shapes.side.value(pointer)
        if not isinstance(raw, Mapping):
            return hash(canonical(raw))
        if depth == 0:
            return hash((canonical(raw.get("type")), tuple(sorted(mapping(raw.get("properties"))))))
        found: list[tuple[str, Any]] = []
        for key in sorted(raw):
            if constrains(key):
                found.append((key, self._member(pointer, key, raw[key], depth - 1)))
        return hash(tuple(found))

    def _member(self, pointer: str, key: str, value: Any, depth: int) -> Any:
        child = self._shapes.side.child
        if key in _OF_SCHEMAS and isinstance(value, Mapping):
            inner = {name: self.of(child(pointer, key, name, value=one), depth) for name, one in value.items()}
            return tuple(sorted(inner.items()))
        if key in _LISTS:
            parts = (child(pointer, key, str(number), value=one) for number, one in enumerate(items_of(value)))
            digests = [self.of(part, depth) for part in parts]
            return tuple(digests if key == "prefixItems" else sorted(digests))
        if key in _SINGLE:
            return self.of(child(pointer, key, value=value), depth)
        if key == "$ref" and isinstance(value, str):
            target = self._shapes.side.target(pointer, value)
            return None if target is None else self.of(target, depth)
        if key in _UNORDERED and isinstance(value, list):
            return tuple(sorted(canonical(one) for one in value))
        if key == "discriminator":
            return canonical(mapping(value).get("propertyName"))
        return canonical(value)
