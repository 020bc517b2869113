"""What is inside of objects and lists: properties, other properties, items, and conditions on the whole."""

from __future__ import annotations

from gates.contract.allowed import Shape
from gates.contract.changes import Direction, Sense
from gates.contract.facts import Facts
from gates.contract.recording import Where
from gates.contract.work import Pair, Work

_OBJECT, _ARRAY = "object", "array"


def compare_members(work: Work, pair: Pair) -> None:
    """Compare what is inside of two schemas; further schemas there are taken to be compared later."""
    if _may_be(_OBJECT, pair):
        _compare_properties(work, pair)
        _compare_others(work, pair)
    if _may_be(_ARRAY, pair):
        _compare_items(work, pair)
    _compare_conditions(work, pair)


def _may_be(kind: str, pair: Pair) -> bool:
    return all(one.types is None or kind in one.types for one in (pair.earlier, pair.new))


def _hidden(facts: Facts, direction: Direction) -> bool:
    return facts.read_only if direction.written_by_client else facts.write_only


def _compare_properties(work: Work, pair: Pair) -> None:
    earlier, new = pair.earlier, pair.new
    for name in {**earlier.properties, **new.properties, **earlier.required, **new.required}:
        one, other = earlier.properties.get(name, ()), new.properties.get(name, ())
        if not (one or other):
            _compare_requirement(work, pair, name)  # named as required, and described in neither
            continue
        was, now = work.facts(one, other)
        is_in_earlier = bool(one or name in earlier.required) and not _hidden(was, pair.direction)
        is_in_new = bool(other or name in new.required) and not _hidden(now, pair.direction)
        if is_in_earlier and is_in_new:
            _compare_property(work, pair, name, was, now)
        elif is_in_new:
            _tell_added(work, pair, name)
        elif is_in_earlier:
            _tell_gone(work, pair, name)


def _compare_property(work: Work, pair: Pair, name: str, was: Facts, now: Facts) -> None:
    earlier, new = pair.earlier, pair.new
    one, other = earlier.properties.get(name, ()), new.properties.get(name, ())
    _compare_requirement(work, pair, name)
    where = Where(other[0] if other else new.pointer, one[0] if one else earlier.pointer)
    is_optional = name not in earlier.required and name not in new.required
    compare_facts(work, where, pair.direction, pair.number, was, now, is_optional=is_optional)
    work.schema(one, other, where, pair.direction, pair.number)


def _compare_requirement(work: Work, pair: Pair, name: str) -> None:
    earlier, new = pair.earlier, pair.new
    became = name in new.required
    if (name in earlier.required) == became:
        return
    where = Where(_spot(new, name), _spot(earlier, name))
    subject = "it" if where.new in new.properties.get(name, ()) else f"the property `{name}`"
    text = f"{subject} is required now" if became else f"{subject} is not required any more"
    work.differ(pair, "required", Sense.NARROWED if became else Sense.WIDENED, f"required {name}", text, where)


def compare_facts(
    work: Work, where: Where, direction: Direction, user: int, was: Facts, now: Facts, *, is_optional: bool
) -> None:
    """Compare what is said of a property or parameter as such: its default, and whether it is deprecated."""
    if was.deprecated != now.deprecated:
        rule = "contract.deprecated" if now.deprecated else "contract.no-longer-deprecated"
        text = "it is deprecated now" if now.deprecated else "it is not deprecated any more"
        work.recorder.add(rule, "deprecated", text, where, user)
    if direction.written_by_client and is_optional and was.default != now.default:
        if was.default is None:
            text = f"the default {_short(now.default)} is documented now"
            work.recorder.add("contract.default-added", "default", text, where, user, direction=direction)
            return
        changed = f"the default is {_short(now.default)} now, it was {_short(was.default)}"
        text = changed if now.default is not None else f"the default {_short(was.default)} is gone"
        work.recorder.add("contract.default-changed", "default", text, where, user, direction=direction)


def _short(value: str | None) -> str:
    text = value or "null"
    return text if len(text) <= 60 else f"{text[:60]}…"


def _spot(shape: Shape, name: str) -> str:
    """Return where it is said whether a property is required: at the property, or at the schema around both."""
    demanding = shape.required.get(name)
    for pointer in shape.properties.get(name, ()):
        if demanding is None or pointer.startswith(f"{demanding}/"):
            return pointer
    return demanding or shape.pointer


def _tell_added(work: Work, pair: Pair, name: str) -> None:
    earlier, new = pair.earlier, pair.new
    pointers = new.properties.get(name, ())
    is_required = name in new.required
    if pair.direction.written_by_client:
        rule = "required-property-added" if is_required else "request-property-added"
        text = f"the new property `{name}` is {'required' if is_required else 'optional'}"
    else:
        rule = "closed-response-property-added" if earlier.closed else "response-property-added"
        text = f"there is the new property `{name}`"
    there = pointers[0] if pointers else new.required[name]
    where = Where(there, _holder(earlier, name, there))
    work.recorder.add(
        f"contract.{rule}", f"new {name}", text, where, pair.number, about="new property", direction=pair.direction
    )
    if earlier.additional and not earlier.properties.get(name) and pointers:
        work.schema(earlier.additional, pointers, where, pair.direction, pair.number)


def _tell_gone(work: Work, pair: Pair, name: str) -> None:
    earlier, new = pair.earlier, pair.new
    pointers = earlier.properties.get(name, ())
    if pair.direction.written_by_client:
        read_only = bool(new.properties.get(name))
        rule = (
            "property-became-read-only" if read_only
            else "request-property-refused" if new.closed
            else "request-property-removed"
        )  # fmt: skip
        text = f"the property `{name}` is {'readOnly now' if read_only else 'gone'}"
    else:
        rule = "response-property-removed" if name in earlier.required else "optional-property-removed"
        text = f"the property `{name}` is gone"
    there = pointers[0] if pointers else earlier.required[name]
    where = Where(_holder(new, name, there), there, told_by_earlier=True)
    work.recorder.add(
        f"contract.{rule}", f"gone {name}", text, where, pair.number, about="gone property", direction=pair.direction
    )
    if new.additional and not new.properties.get(name) and pointers:
        work.schema(pointers, new.additional, where, pair.direction, pair.number)


def _holder(shape: Shape, name: str, other: str) -> str:
    """Return where a property is although it does not count here, or else the schema that lacks it.

    `other` is its pointer in the other document: what lacks it is the same part of an `allOf`, if that is still there.
    """
    if name in shape.properties:
        return shape.properties[name][0]
    return shape.near(around(other))


def around(pointer: str) -> str:
    """Return the pointer of the schema that a property stands in."""
    return pointer.rsplit("/", 2)[0]


def _compare_others(work: Work, pair: Pair) -> None:
    """Compare which properties there may be besides those that are named."""
    earlier, new = pair.earlier, pair.new
    where = Where(new.closed or new.near(earlier.closed or ""), earlier.closed or earlier.near(new.closed or ""))
    if bool(earlier.closed) != bool(new.closed):
        sense = Sense.NARROWED if new.closed else Sense.WIDENED
        text = "properties that are not documented are refused now" if new.closed else "any other properties may come"
        work.differ(pair, "closed", sense, "closed", text, where)
    elif not new.closed and (earlier.additional or new.additional):
        work.schema(earlier.additional, new.additional, pair.where, pair.direction, pair.number)
    for pattern in {**earlier.named_by_pattern, **new.named_by_pattern}:
        one, other = earlier.named_by_pattern.get(pattern, ()), new.named_by_pattern.get(pattern, ())
        if (one or not earlier.closed) and (other or not new.closed):
            work.schema(one, other, pair.where, pair.direction, pair.number)
        elif not (earlier.closed and new.closed):
            continue  # whether others are allowed is told above
        else:
            sense = Sense.WIDENED if other else Sense.NARROWED
            text = f"properties named by `{pattern}` {'may be there now' if other else 'are not allowed any more'}"
            work.differ(pair, "closed", sense, f"pattern {pattern}", text)


def _compare_items(work: Work, pair: Pair) -> None:
    earlier, new = pair.earlier, pair.new
    if earlier.items or new.items:
        work.schema(earlier.items, new.items, pair.where, pair.direction, pair.number)
    for number in sorted({*earlier.leading, *new.leading}):
        one, other = earlier.leading.get(number, earlier.items), new.leading.get(number, new.items)
        work.schema(one, other, pair.where, pair.direction, pair.number)


def _compare_conditions(work: Work, pair: Pair) -> None:
    """Compare what cannot be called tighter or looser, but is there or not, and the same or not."""
    earlier, new = pair.earlier, pair.new
    for keyword in {**earlier.conditions, **new.conditions}:
        one, other = earlier.conditions.get(keyword, ()), new.conditions.get(keyword, ())
        was, now = (
            sorted(digests.of(pointer) for pointer in pointers)
            for digests, pointers in zip(work.digests, (one, other), strict=True)
        )
        if was == now:
            continue
        where = Where(
            other[0] if other else new.near(one[0].rpartition("/")[0]),
            one[0] if one else earlier.near(other[0].rpartition("/")[0]),
            told_by_earlier=not other,
        )
        sense = Sense.CHANGED if one and other else Sense.NARROWED if other else Sense.WIDENED
        text = f"`{keyword}` is another" if one and other else f"there is {'a' if other else 'no'} `{keyword}` now"
        work.differ(pair, "condition", sense, keyword, text, where)
