"""The parameters of operations: which there are, and how they are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gates.contract.changes import Direction, Sense
from gates.contract.content import compare_content
from gates.contract.members import compare_facts
from gates.contract.parts import Part
from gates.contract.reading import Side, items_of, mapping
from gates.contract.recording import Where
from gates.contract.work import Work, rule_for

_IGNORED_HEADERS = frozenset({"accept", "content-type", "authorization"})
"""Parameters of these names are said otherwise: OpenAPI tells to ignore them."""
_STYLES = {"query": "form", "path": "simple", "header": "simple", "cookie": "form"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, where it is listed and where it is defined; `holder` is the operation or path item that lists it."""

    listed: str
    pointer: str
    holder: str
    raw: Mapping[str, Any]

    @property
    def place(self) -> str:
        """Where it goes: `path`, `query`, `header` or `cookie`."""
        return str(self.raw.get("in"))

    @property
    def required(self) -> bool:
        """Whether a request without it is refused."""
        return self.raw.get("required") is True or self.place == "path"


def read_parameters(side: Side, part: Part) -> tuple[dict[tuple[str, Any], Parameter], bool]:
    """Return the parameters of an operation by what makes them the same one in another document, and if that is all.

    That is the place and name; in a path, where it stands; header names have no case.
    """
    complete = True
    found: dict[tuple[str, Any], Parameter] = {}
    names = part.names
    for holder in (part.item, part.pointer):
        listed = mapping(side.value(holder)).get("parameters")
        for number, value in enumerate(items_of(listed)):
            at = side.child(holder, "parameters", str(number), value=value)
            pointer = side.settle(at)
            if pointer is None:
                complete = False
                continue
            parameter = Parameter(at, pointer, holder, side.object_at(pointer))
            name = str(parameter.raw.get("name"))
            if parameter.place == "header":
                if name.lower() not in _IGNORED_HEADERS:
                    found["header", name.lower()] = parameter
            elif parameter.place == "path":
                found["path", names.index(name) if name in names else name] = parameter
            else:
                found[parameter.place, name] = parameter
    return found, complete


def compare_parameters(work: Work, earlier: Part, new: Part, user: int) -> None:
    """Compare the parameters of two operations."""
    if not _lists_any(work.earlier, earlier) and not _lists_any(work.new, new):
        return
    (was, was_all), (now, now_all) = read_parameters(work.earlier, earlier), read_parameters(work.new, new)
    for identity in {**was, **now}:
        one, other = was.get(identity), now.get(identity)
        if one is not None and other is not None:
            _compare_parameter(work, one, other, new.direction, user)
        elif identity[0] == "path":
            continue  # it stands in the path, which is the same in both: only what is said of it is missing in one
        elif other is not None and was_all:
            required = other.required and new.direction.written_by_client
            rule = "contract.required-parameter-added" if required else "contract.parameter-added"
            text = f"new, and {'required' if required else 'optional'}"
            around = earlier.item if other.holder == new.item else earlier.pointer
            work.recorder.add(rule, "new parameter", text, Where(other.listed, around), user)
        elif one is not None and now_all:
            deprecated = one.raw.get("deprecated") is True
            text = "gone, after it was deprecated" if deprecated else "gone, and it was not deprecated before"
            around = new.item if one.holder == earlier.item else new.pointer
            where = Where(around, one.listed, told_by_earlier=True)
            work.recorder.add("contract.parameter-removed", "gone parameter", text, where, user)


def _lists_any(side: Side, part: Part) -> bool:
    return any("parameters" in mapping(side.value(pointer)) for pointer in (part.item, part.pointer))


def _compare_parameter(work: Work, one: Parameter, other: Parameter, direction: Direction, user: int) -> None:
    if work.is_plain(one.raw.get("schema")) and one.raw == other.raw:
        return  # the same to the letter, and nothing in it leads to anything else
    number, fresh = work.uses.enter(("parameter", one.pointer, other.pointer, direction), user)
    if not fresh:
        return
    where = Where(other.pointer, one.pointer)
    if one.required != other.required:
        rule = "contract.parameter-became-required" if other.required else "contract.parameter-became-optional"
        text = "required now" if other.required else "not required any more"
        work.recorder.add(rule, "required", text, where, number)
    was, now = _schema(work.earlier, one), _schema(work.new, other)
    facts = work.facts(was, now)
    is_optional = not one.required and not other.required
    compare_facts(work, where, direction, number, *facts, is_optional=is_optional)
    if (one.raw.get("deprecated") is True) != (other.raw.get("deprecated") is True):
        is_deprecated = other.raw.get("deprecated") is True
        rule = "contract.deprecated" if is_deprecated else "contract.no-longer-deprecated"
        text = "deprecated now" if is_deprecated else "not deprecated any more"
        work.recorder.add(rule, "deprecated parameter", text, where, number)
    if ("content" in one.raw) != ("content" in other.raw):
        text = f"written {'as a media type' if 'content' in other.raw else 'by its style'} now"
        work.recorder.add("contract.parameter-serialization-changed", "content", text, where, number)
        return
    if "content" in one.raw:
        compare_content(work, where, direction, number, replaced="contract.parameter-serialization-changed")
        return
    as_text = Direction.PARAMETER if direction.written_by_client else direction
    _compare_styles(work, one, other, (was, now), where, number)
    work.schema(was, now, where, as_text, number)


def _schema(side: Side, parameter: Parameter) -> tuple[str, ...]:
    if "schema" not in parameter.raw:
        return ()
    return (side.child(parameter.pointer, "schema", value=parameter.raw["schema"]),)


def _compare_styles(
    work: Work, one: Parameter, other: Parameter, schemas: tuple[tuple[str, ...], tuple[str, ...]], where: Where,
    number: int,
) -> None:  # fmt: skip
    """Compare how a parameter is written into a URL or header; `explode` says nothing about a single value."""
    was, now = _style(one), _style(other)
    several = was != now and any(
        shapes.shape(shapes.node(pointers, at).parts).types is None
        or {"array", "object"} & (shapes.shape(shapes.node(pointers, at).parts).types or set())
        for shapes, pointers, at in zip(work.shapes, schemas, (where.earlier, where.new), strict=True)
    )
    told = []
    if was[0] != now[0] and (several or one.place == "path"):
        told.append(f"its style is {now[0]!r} now, it was {was[0]!r}")
    if was[1] != now[1] and several:
        told.append("several values are written apart now" if now[1] else "several values are written as one now")
    if told:
        rule = "contract.parameter-serialization-changed"
        work.recorder.add(rule, "style", "; ".join(told), where, number)
    for keyword in ("allowReserved", "allowEmptyValue"):
        was_allowed, is_allowed = one.raw.get(keyword) is True, other.raw.get(keyword) is True
        if was_allowed != is_allowed:
            sense = Sense.WIDENED if is_allowed else Sense.NARROWED
            rule = rule_for("bound", Direction.PARAMETER, sense)
            if keyword == "allowReserved" and not is_allowed:
                rule = "contract.parameter-serialization-changed"
            text = f"`{keyword}` is {'true' if is_allowed else 'false'} now"
            work.recorder.add(rule, keyword, text, where, number)


def _style(parameter: Parameter) -> tuple[str, bool]:
    style = parameter.raw.get("style")
    style = style if isinstance(style, str) else _STYLES.get(parameter.place, "simple")
    explode = parameter.raw.get("explode")
    return style, explode if isinstance(explode, bool) else style in ("form", "cookie")
