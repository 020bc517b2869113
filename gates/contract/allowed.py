"""What a schema allows, as data: types, bounds, properties, variants, each in one form however it was written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Null = Literal["own", "added", "loose", "ignored"]
"""Whether null is allowed: as the schema says, beside it, beside it by intent only, or of no matter here."""

ANY, ONLY = "\0any:", "\0only:"
"""What parts of a node begin with that are no pointers: whatever there is; of the other parts only some types."""


class Node(NamedTuple):
    """A schema that is compared: the pointers of all that has to hold, and what is said of null beside it."""

    parts: tuple[str, ...]
    null: Null = "own"

    @property
    def pointer(self) -> str:
        """Where the schema is, or would be."""
        return self.parts[0].removeprefix(ANY)


def anything(pointer: str) -> Node:
    """Return the schema that allows everything, for a place where none is written."""
    return Node((f"{ANY}{pointer}",))


@dataclass(slots=True)
class Choice:
    """A `oneOf` or `anyOf` with several variants besides null."""

    keyword: str
    pointer: str
    variants: tuple[str, ...]


@dataclass(slots=True)
class Shape:
    """What a schema allows; of what several parts of an `allOf` say, the tightest. None stands for everything."""

    pointer: str
    parts: tuple[str, ...]
    types: frozenset[str] | None = None
    implied: bool = False
    null: bool = True
    says_null: bool = False
    null_by_intent: bool = False
    never: bool = False
    enum: dict[str, None] | None = None
    limits: dict[str, tuple[float, bool]] = field(default_factory=dict)
    patterns: dict[str, None] = field(default_factory=dict)
    formats: dict[str, None] = field(default_factory=dict)
    properties: dict[str, tuple[str, ...]] = field(default_factory=dict)
    required: dict[str, str] = field(default_factory=dict)
    closed: str | None = None
    additional: tuple[str, ...] = ()
    named_by_pattern: dict[str, tuple[str, ...]] = field(default_factory=dict)
    items: tuple[str, ...] = ()
    leading: dict[int, tuple[str, ...]] = field(default_factory=dict)
    conditions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    choices: list[Choice] = field(default_factory=list)
    discriminator: str | None = None
    origins: dict[str, str] = field(default_factory=dict)
    made_of: frozenset[str] = frozenset()
    """The pointers of all schemas that it was put together from."""

    def near(self, pointer: str) -> str:
        """Return where it says what the other document has at a pointer: at the same part, or as a whole."""
        return pointer if pointer in self.made_of else self.pointer

    def is_bare(self) -> bool:
        """Return whether nothing is said besides types and variants."""
        return self.enum is None and not (
            self.limits or self.patterns or self.formats or self.properties or self.required or self.closed
            or self.additional or self.named_by_pattern or self.items or self.leading or self.conditions
        )  # fmt: skip

    def is_anything(self) -> bool:
        """Return whether all values are allowed."""
        return self.types is None and self.is_bare() and not self.choices and not self.never


_LIMITS = {
    "minLength": True, "minItems": True, "minProperties": True, "minContains": True, "uniqueItems": True,
    "maxLength": False, "maxItems": False, "maxProperties": False, "maxContains": False, "multipleOf": True,
}  # fmt: skip
IS_LOWER = {**_LIMITS, "minimum": True, "maximum": False}
"""Of each bound, whether a higher value is the tighter one."""
HINTS = frozenset({"password"})
"""Formats that only tell a form how to show a value."""
_OF_TYPE = {
    "minLength": "string", "maxLength": "string", "minItems": "array", "maxItems": "array", "uniqueItems": "array",
    "minContains": "array", "maxContains": "array", "minProperties": "object", "maxProperties": "object",
    "minimum": "number", "maximum": "number", "multipleOf": "number", "pattern": "string",
}  # fmt: skip


def intersect_types(shape: Shape, types: frozenset[str], pointer: str) -> None:
    """Add the types that one part allows: what all parts allow is left."""
    if shape.types is None:
        shape.types = types
    else:
        both = {one for one in shape.types if one in types or (one == "integer" and "number" in types)}
        shape.types = frozenset(both | ({"integer"} if "integer" in types and "number" in shape.types else set()))
    if pointer != shape.pointer:
        shape.origins["type"] = pointer


def intersect_values(shape: Shape, values: dict[str, None], pointer: str) -> None:
    """Add the values that one part lists, each in its canonical form."""
    shape.enum = values if shape.enum is None else {value: None for value in shape.enum if value in values}
    if pointer != shape.pointer:
        shape.origins["enum"] = pointer


def say_null(shape: Shape, allowed: bool, *, by_intent: bool = False) -> None:
    """Add what one part says about null: it is allowed where all parts that say something allow it."""
    shape.null = shape.null and allowed
    shape.says_null = True
    shape.null_by_intent = shape.null_by_intent or by_intent


def take_limits(shape: Shape, pointer: str, raw: Mapping[str, Any]) -> None:
    """Add the bounds, pattern and format of one schema; bounds that forbid nothing are none."""
    for keyword in _LIMITS:
        if keyword in raw:
            value = 1.0 if raw[keyword] is True else _number(raw[keyword])
            if value is not None and not (value == 0 and IS_LOWER[keyword]):
                _tighten(shape, keyword, (value, False), pointer)
    for keyword, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if keyword in raw and (value := _number(raw[keyword])) is not None:
            _tighten(shape, keyword, (value, raw.get(exclusive) is True), pointer)
        if exclusive in raw and (value := _number(raw[exclusive])) is not None:
            _tighten(shape, keyword, (value, True), pointer)
    for keyword, found in (("pattern", shape.patterns), ("format", shape.formats)):
        if isinstance(raw.get(keyword), str) and raw[keyword] not in HINTS:
            found[raw[keyword]] = None
            if pointer != shape.pointer:
                shape.origins[keyword] = pointer
    if (written := written_format(raw)) is not None:
        shape.formats[written] = None


def written_format(raw: Mapping[str, Any]) -> str | None:
    """Return the format of OpenAPI 3.0 that says the same as the content keywords of OpenAPI 3.1."""
    if raw.get("contentEncoding") == "base64":
        return "byte"
    plain = raw.get("contentMediaType") == "application/octet-stream" and "contentEncoding" not in raw
    return "binary" if plain else None


def _number(value: Any) -> float | None:
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _tighten(shape: Shape, keyword: str, bound: tuple[float, bool], pointer: str) -> None:
    known = shape.limits.get(keyword)
    if known is not None and not is_tighter(keyword, bound, known):
        return
    shape.limits[keyword] = bound
    if pointer != shape.pointer:
        shape.origins[keyword] = pointer


def is_tighter(keyword: str, one: tuple[float, bool], other: tuple[float, bool]) -> bool:
    """Return whether a bound, a value and whether it is excluded, forbids more than another of the same keyword."""
    if one[0] == other[0]:
        return one[1] and not other[1]
    return (one[0] > other[0]) is IS_LOWER[keyword]


def applies(keyword: str, shape: Shape) -> bool:
    """Return whether a keyword says anything about the types that are allowed; formats are of any type."""
    demanded = _OF_TYPE.get(keyword)
    if demanded is None or shape.types is None:
        return True
    return demanded in shape.types or (demanded == "number" and "integer" in shape.types)


def finish(shape: Shape) -> None:
    """Put what is said into one form: types of enumerated values, types that properties imply, bounds that matter."""
    if shape.enum is not None:
        if shape.types is not None:
            shape.enum = {value: None for value in shape.enum if _is_of(value, shape.types)}
        found = {_type_of(value) for value in shape.enum}
        stated = {one for one in shape.types or () if one in found or (one == "number" and "integer" in found)}
        shape.types = frozenset(stated or (found - {"integer"} if "number" in found else found))
    elif shape.types is None and not shape.choices:
        if shape.properties or shape.required or shape.closed or shape.additional or shape.named_by_pattern:
            shape.types, shape.implied = frozenset({"object"}), True
        elif shape.items or shape.leading:
            shape.types, shape.implied = frozenset({"array"}), True
    if shape.types is not None and shape.limits:
        shape.limits = {key: bound for key, bound in shape.limits.items() if applies(key, shape)}
        if shape.types == {"integer"}:
            _include_bounds(shape)


def _include_bounds(shape: Shape) -> None:
    """Write bounds of whole numbers without exclusion: above 0 is from 1 on."""
    for keyword, next_one in (("minimum", 1), ("maximum", -1)):
        value, excluded = shape.limits.get(keyword, (0.5, False))
        if excluded and float(value).is_integer():
            shape.limits[keyword] = (value + next_one, False)


def _type_of(value: str) -> str:
    start = value[:1]
    if start == '"':
        return "string"
    if start in "{[":
        return "object" if start == "{" else "array"
    if start in "tf":
        return "boolean"
    return "number" if set(value) & set(".eEnN") else "integer"


def _is_of(value: str, types: frozenset[str]) -> bool:
    found = _type_of(value)
    return found in types or (found == "integer" and "number" in types)
