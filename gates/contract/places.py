"""JSON pointers in words: `Order.items[].price`, `GET /orders, query parameter limit`."""

from __future__ import annotations

from gates.contract.reading import Side, mapping, step, steps_of
from gates.document import METHODS

_COMPONENTS = {
    "parameters": "parameter", "responses": "response", "requestBodies": "request body", "headers": "header",
    "securitySchemes": "security scheme", "callbacks": "callback", "pathItems": "path item", "examples": "example",
    "links": "link",
}  # fmt: skip
_METHODS = frozenset(METHODS)


def is_shared(pointer: str) -> bool:
    """Return whether a pointer leads to something that several operations can use."""
    return not pointer.startswith(("/paths/", "/webhooks/"))


def place(side: Side, pointer: str) -> str:
    """Return where a pointer leads to, without numbers of lists, so that it stays the same when lists are sorted."""
    keys = steps_of(pointer)
    if keys[:1] == ["components"] and len(keys) > 2:
        return _component(side, keys)
    if keys[:1] in (["paths"], ["webhooks"]) and len(keys) > 1:
        return _path(side, keys)
    return "the document" if not keys else ".".join(keys)


def _component(side: Side, keys: list[str]) -> str:
    kind, name = keys[1], keys[2]
    start = step("", *keys[:3])
    if kind == "schemas":
        return name + _schema(side, start, keys[3:])
    if kind in ("parameters", "headers"):
        lead = parameter_name(side, start) if kind == "parameters" else f"header {name}"
        return lead + _inside(side, start, keys[3:])
    return f"{_COMPONENTS.get(kind, kind)} {name}" + _inside(side, start, keys[3:])


def parameter_name(side: Side, pointer: str) -> str:
    """Return a parameter as people call it: `query parameter limit`."""
    found = side.settle(pointer) if pointer else None
    parameter = mapping(side.value(found)) if found is not None else {}
    where, name = parameter.get("in"), parameter.get("name")
    if where == "header":
        return f"header parameter {str(name).lower()}"
    return f"{where} parameter {name}"


def _path(side: Side, keys: list[str]) -> str:
    start, name, rest = step("", *keys[:2]), keys[1], keys[2:]
    lead = name if keys[0] == "paths" else f"webhook {name}"
    if rest and rest[0].lower() in _METHODS:
        lead = f"{rest[0].upper()} {name}" if keys[0] == "paths" else f"webhook {name} ({rest[0].upper()})"
        start, rest = step(start, rest[0]), rest[1:]
    return lead + _inside(side, start, rest)


def _inside(side: Side, start: str, keys: list[str]) -> str:
    """Return the part of a place inside an operation, a response, a parameter or another such object."""
    words = ""
    while keys:
        key, rest = keys[0], keys[1:]
        if key == "schema":
            inner = _schema(side, step(start, key), rest)
            return words + (inner if not words or not inner else f" {inner}")
        if key == "parameters" and rest:
            words += f", {parameter_name(side, step(start, key, rest[0]))}"
            start, keys = step(start, key, rest[0]), rest[1:]
        elif key in ("responses", "headers", "callbacks") and rest:
            words += f", {key.removesuffix('s')} {rest[0]}"
            start, keys = step(start, key, rest[0]), rest[1:]
        elif key == "content" and rest:
            words += f" ({rest[0]})"
            start, keys = step(start, key, rest[0]), rest[1:]
        elif key == "requestBody":
            words += ", request body"
            start, keys = step(start, key), rest
        else:
            words += f", {key}"
            start, keys = step(start, key), rest
    return words


def _schema(side: Side, start: str, keys: list[str]) -> str:
    words = ""
    while keys:
        key, taken = keys[0], 1
        if key == "properties" and len(keys) > 1:
            words, taken = f"{words}.{keys[1]}", 2
        elif key == "patternProperties" and len(keys) > 1:
            words, taken = f"{words}./{keys[1]}/", 2
        elif key == "items":
            words = f"{words}[]"
        elif key == "prefixItems" and len(keys) > 1:
            words, taken = f"{words}[{keys[1]}]", 2
        elif key == "additionalProperties":
            words = f"{words}.*"
        elif key in ("oneOf", "anyOf") and len(keys) > 1:
            words, taken = f"{words}|{_variant(side, step(start, *keys[:2]), keys[1])}", 2
        elif key == "allOf" and len(keys) > 1:
            taken = 2
        else:
            words = f"{words}.{key}"
        start, keys = step(start, *keys[:taken]), keys[taken:]
    return words


def _variant(side: Side, pointer: str, number: str) -> str:
    variant = mapping(side.value(pointer))
    reference = variant.get("$ref")
    if isinstance(reference, str):
        return reference.rpartition("/")[2]
    title = variant.get("title")
    return title if isinstance(title, str) else number
