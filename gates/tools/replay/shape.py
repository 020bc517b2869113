"""The shape of a JSON answer: which properties it has, of which types; never a value. Pure.

As JSON (format 1) a shape of one scalar type is its name, `"string"`; every other one is an object with the keys that
it needs: `kinds` (a list of `null boolean number string object array`, or `any`, which promises nothing; left out
where `properties` or `items` says it alone), `properties` (shapes by name), `sometimes` (names that were not in every
object), `keys` (the shape of the values where names are data: identifiers, dates, addresses) and `items` (null when no
item was seen). Whole numbers and others are one type: JSON writes 10.0 as 10.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

KINDS = ("null", "boolean", "number", "string", "object", "array", "any")
DEEPEST = 12
_MOST_ITEMS = 100
_MOST_PROPERTIES = 200
_MOST_BYTES = 16 * 1024
_NAME = re.compile(r"[A-Za-z_$@][A-Za-z0-9_.$:/ -]{0,63}")
_DATA = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{16,}|.*[0-9]{6,}.*")
_KEYS = {"kinds", "properties", "sometimes", "keys", "items"}


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of the values at one place; see the module for the fields."""

    kinds: frozenset[str] = frozenset()
    properties: Mapping[str, Shape] = field(default_factory=dict)
    sometimes: frozenset[str] = frozenset()
    keys: Shape | None = None
    items: Shape | None = None


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that an earlier answer promised and this one does not hold; `pointer` has `*` for items and keys.

    `what` is `gone`, `sometimes gone`, `null` or `type`; `was` and `now` are types in words.
    """

    pointer: str
    what: str
    was: str = ""
    now: str = ""

    @property
    def text(self) -> str:
        """The loss in words."""
        place = self.pointer or "the answer"
        return {
            "gone": f"{place} is gone",
            "sometimes gone": f"{place} may be missing now",
            "null": f"{place} may be null now",
        }.get(self.what, f"{place} was {self.was} and is {self.now}")


ANY = Shape(frozenset({"any"}))


def shape_of(value: Any, depth: int = DEEPEST) -> Shape:
    """Return the shape of a JSON value; what lies deeper than `depth` may be anything."""
    if isinstance(value, dict | list) and depth <= 0:
        return ANY
    if isinstance(value, dict):
        return _of_object(value, depth)
    if isinstance(value, list):
        items: Shape | None = None
        for one in value[:_MOST_ITEMS]:
            shape = shape_of(one, depth - 1)
            items = shape if items is None else merge(items, shape)
        return Shape(frozenset({"array"}), items=items)
    if value is None:
        return Shape(frozenset({"null"}))
    if isinstance(value, bool):
        return Shape(frozenset({"boolean"}))
    return Shape(frozenset({"string" if isinstance(value, str) else "number"}))


def _of_object(value: Mapping[str, Any], depth: int) -> Shape:
    named = {} if len(value) > _MOST_PROPERTIES else {name: one for name, one in value.items() if not is_data(name)}
    keys: Shape | None = None
    for name in [name for name in value if name not in named][:_MOST_ITEMS]:
        shape = shape_of(value[name], depth - 1)
        keys = shape if keys is None else merge(keys, shape)
    properties = {name: shape_of(one, depth - 1) for name, one in sorted(named.items())}
    return Shape(frozenset({"object"}), properties, keys=keys)


def is_data(name: str) -> bool:
    """Return whether a property's name looks like data, which may be secret and differs from answer to answer."""
    return _NAME.fullmatch(name) is None or _DATA.fullmatch(name) is not None


def merge(one: Shape, other: Shape) -> Shape:
    """Return the shape of either: what only one of them always has, the other sometimes lacks."""
    if "any" in one.kinds | other.kinds:
        return ANY
    properties = {**one.properties, **other.properties}
    for name in one.properties.keys() & other.properties.keys():
        properties[name] = merge(one.properties[name], other.properties[name])
    sometimes = one.sometimes | other.sometimes
    if "object" in one.kinds and "object" in other.kinds:
        sometimes |= one.properties.keys() ^ other.properties.keys()
    return Shape(
        one.kinds | other.kinds, dict(sorted(properties.items())), sometimes,
        _either(one.keys, other.keys), _either(one.items, other.items),
    )  # fmt: skip


def _either(one: Shape | None, other: Shape | None) -> Shape | None:
    if one is None or other is None:
        return one or other
    return merge(one, other)


def lost(earlier: Shape, now: Shape, pointer: str = "") -> list[Loss]:
    """Return what the earlier shape promises and the present one does not; nothing when it is a superset.

    A property more is no loss, and where nothing was known (an empty list, only null, too deep) nothing is lost.
    """
    if "any" in earlier.kinds | now.kinds:
        return []
    return [*_of_kinds(earlier, now, pointer), *_of_contents(earlier, now, pointer)]


def _of_kinds(earlier: Shape, now: Shape, pointer: str) -> Iterator[Loss]:
    added = now.kinds - earlier.kinds
    if "null" in added:
        yield Loss(pointer, "null")
    if added - {"null"} and earlier.kinds != {"null"}:
        yield Loss(pointer, "type", _words(earlier.kinds - {"null"}), _words(now.kinds - {"null"}))


def _of_contents(earlier: Shape, now: Shape, pointer: str) -> Iterator[Loss]:
    if "object" in earlier.kinds and "object" in now.kinds:
        for name, shape in earlier.properties.items():
            place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            if name not in now.properties:
                if name not in earlier.sometimes:
                    yield Loss(place, "gone")
                continue
            if name in now.sometimes - earlier.sometimes:
                yield Loss(place, "sometimes gone")
            yield from lost(shape, now.properties[name], place)
    for then, is_now in ((earlier.keys, now.keys), (earlier.items, now.items)):
        if then is not None and is_now is not None:
            yield from lost(then, is_now, f"{pointer}/*")


def _words(kinds: frozenset[str]) -> str:
    articles = {"object": "an object", "array": "an array", "any": "anything"}
    return " or ".join(articles.get(kind, f"a {kind}") for kind in KINDS if kind in kinds) or "null"


def cut(shape: Shape, depth: int) -> Shape:
    """Return a shape that promises nothing below a depth."""
    if depth <= 0 and (shape.kinds & {"object", "array"}):
        return ANY
    return replace(
        shape,
        properties={name: cut(one, depth - 1) for name, one in shape.properties.items()},
        keys=None if shape.keys is None else cut(shape.keys, depth - 1),
        items=None if shape.items is None else cut(shape.items, depth - 1),
    )


def as_json(shape: Shape) -> Any:
    """Return a shape as JSON data."""
    if len(shape.kinds) == 1 and not shape.kinds & {"object", "array"}:
        return next(iter(shape.kinds))
    content: dict[str, Any] = {}
    if shape.kinds not in ({"object"}, {"array"}):
        content["kinds"] = [kind for kind in KINDS if kind in shape.kinds]
    if "object" in shape.kinds:
        content["properties"] = {name: as_json(one) for name, one in sorted(shape.properties.items())}
    if shape.sometimes:
        content["sometimes"] = sorted(shape.sometimes)
    if shape.keys is not None:
        content["keys"] = as_json(shape.keys)
    if "array" in shape.kinds:
        content["items"] = None if shape.items is None else as_json(shape.items)
    return content


def from_json(content: Any) -> Shape:
    """Return the shape that JSON data stands for; raises ValueError when it is none."""
    if isinstance(content, str):
        content = {"kinds": [content]}
    if not isinstance(content, Mapping) or not content.keys() <= _KEYS:
        raise ValueError(f"{str(content)[:80]!r} is no shape")
    kinds = content.get("kinds", ["object"] if "properties" in content else ["array"])
    properties, sometimes = content.get("properties", {}), content.get("sometimes", [])
    if not (isinstance(kinds, list) and set(kinds) <= set(KINDS) and isinstance(properties, Mapping)):
        raise ValueError(f"{kinds!r} are no types, or the properties no object")
    keys, items = content.get("keys"), content.get("items")
    return Shape(
        frozenset(kinds), {str(name): from_json(one) for name, one in properties.items()},
        frozenset(map(str, sometimes)), None if keys is None else from_json(keys),
        None if items is None else from_json(items),
    )  # fmt: skip


def encode(media: str, shape: Shape | None) -> str:
    """Return an answer's media type and shape as compact JSON, cut off at a depth at which it is small enough."""
    for depth in range(DEEPEST, -1, -1):
        body = {} if shape is None else {"body": as_json(cut(shape, depth))}
        text = json.dumps({"type": media, **body}, separators=(",", ":"), sort_keys=True)
        if len(text) <= _MOST_BYTES:
            return text
    return text


def decode(text: str) -> tuple[str, Shape | None]:
    """Return the media type and shape that `encode` wrote; raises ValueError when it did not."""
    content = json.loads(text)
    if not isinstance(content, Mapping) or not isinstance(content.get("type"), str):
        raise ValueError(f"{text[:80]!r} is no answer's shape")
    return content["type"], from_json(content["body"]) if "body" in content else None
