"""The variants of `oneOf` and `anyOf`, and those of a discriminator: which there are, and which belong together."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from gates.contract.allowed import ONLY, Choice, Node, Shape
from gates.contract.changes import Sense
from gates.contract.reading import mapping, step
from gates.contract.recording import Where
from gates.contract.shapes import Shapes
from gates.contract.work import Pair, Work

_MOST_LIKENESSES = 2_500
_ALIKE = 0.3
"""From which share of common properties on two variants without a name are taken for the same one, changed."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One variant: where it is listed, its schema, and the values of the discriminator that name it."""

    listed: str
    node: Node
    names: tuple[str, ...] = ()
    reference: str = ""


def compare_choices(work: Work, pair: Pair) -> bool:
    """Compare the variants of two schemas; return whether there is more that has to be compared."""
    earlier, new = pair.earlier, pair.new
    if bool(earlier.choices) != bool(new.choices):
        single, several = (new, earlier) if earlier.choices else (earlier, new)
        if len(several.choices) == 1 and several.is_bare():
            _compare_with_single(work, pair, single)
            return False
    for one, other in zip(earlier.choices, new.choices, strict=False):
        variants = (_variants(work, 0, earlier, one), _variants(work, 1, new, other))
        _compare_kinds(work, pair, one, other, variants)
        _compare_lists(work, pair, variants, Where(other.pointer, one.pointer))
    for choice in earlier.choices[len(new.choices) :]:
        where = Where(new.near(choice.pointer), choice.pointer, told_by_earlier=True)
        work.differ(pair, "bound", Sense.WIDENED, choice.keyword, f"there is no `{choice.keyword}` any more", where)
    for choice in new.choices[len(earlier.choices) :]:
        where = Where(choice.pointer, earlier.near(choice.pointer))
        work.differ(pair, "bound", Sense.NARROWED, choice.keyword, f"there is a further `{choice.keyword}` now", where)
    _compare_discriminators(work, pair)
    return True


def _compare_with_single(work: Work, pair: Pair, single: Shape) -> None:
    """Compare a schema that became one of several variants, or the other way round."""
    became_several = single is pair.earlier
    if single.is_anything():
        sense = Sense.NARROWED if became_several else Sense.WIDENED
        text = "it has to be one of some variants now" if became_several else "it may be anything now"
        work.differ(pair, "type", sense, "type", text)
        return
    several = pair.new if became_several else pair.earlier
    choice = several.choices[0]
    alone = _alone(single)
    side = 1 if became_several else 0
    others = [_of_types(work.shapes[side], one, several) for one in _variants(work, side, several, choice)]
    if became_several:
        _compare_lists(work, pair, (alone, others), Where(choice.pointer, single.pointer))
    else:
        _compare_lists(work, pair, (others, alone), Where(single.pointer, choice.pointer))


def _alone(shape: Shape) -> list[Variant]:
    """Return a schema as the only variant, or as one for each of its types."""
    types = sorted(shape.types or ())
    if len(types) < 2 or shape.enum is not None:
        return [Variant(shape.pointer, Node(shape.parts, "ignored"))]
    return [Variant(shape.pointer, Node((*shape.parts, f"{ONLY}{one}"), "ignored")) for one in types]


def _of_types(shapes: Shapes, variant: Variant, around: Shape) -> Variant:
    """Return a variant as the types that are stated beside it leave it."""
    types = shapes.shape(variant.node.parts).types
    if around.types is None or (types is not None and types <= around.types):
        return variant
    only = f"{ONLY}{','.join(sorted(around.types))}"
    return replace(variant, node=Node((*variant.node.parts, only), "ignored"))


def _variants(work: Work, side: int, shape: Shape, choice: Choice) -> list[Variant]:
    shapes = work.shapes[side]
    names = _names(shapes, shape)
    found = []
    for pointer in choice.variants:
        node = shapes.node((pointer,), pointer)
        reference = mapping(shapes.side.value(pointer)).get("$ref")
        reference = reference.rpartition("/")[2] if isinstance(reference, str) else ""
        told = names.get(node.pointer, ())
        if shape.discriminator is not None and not told and reference:
            told = (reference,)
        found.append(Variant(pointer, node._replace(null="ignored"), told, reference))
    return found


def _names(shapes: Shapes, shape: Shape) -> dict[str, tuple[str, ...]]:
    """Return by schema the values that a discriminator maps to it."""
    found: dict[str, tuple[str, ...]] = {}
    if shape.discriminator is None:
        return found
    at = step(shape.discriminator, "discriminator", "mapping")
    raw = mapping(mapping(mapping(shapes.side.value(shape.discriminator)).get("discriminator")).get("mapping"))
    for name, reference in raw.items():
        if not isinstance(reference, str):
            continue
        # What has no sign of an address is the name of a component.
        address = reference if set(reference) & set("#/.") else f"#/components/schemas/{reference}"
        target = shapes.side.target(step(at, name), address)
        if target is not None:
            node = shapes.node((target,), target)
            found[node.pointer] = (*found.get(node.pointer, ()), name)
    return found


def _compare_kinds(
    work: Work, pair: Pair, one: Choice, other: Choice, variants: tuple[list[Variant], list[Variant]]
) -> None:
    """Compare `oneOf` with `anyOf`: the same where no value can be of two variants."""
    if one.keyword == other.keyword or pair.earlier.discriminator or pair.new.discriminator:
        return
    if all(_are_apart(shapes, listed) for shapes, listed in zip(work.shapes, variants, strict=True)):
        return
    sense = Sense.NARROWED if other.keyword == "oneOf" else Sense.WIDENED
    text = f"it is `{other.keyword}` now, it was `{one.keyword}`"
    work.differ(pair, "kind", sense, "kind", text, Where(other.pointer, one.pointer))


def _are_apart(shapes: Shapes, variants: Iterable[Variant]) -> bool:
    seen: set[str] = set()
    for variant in variants:
        types = shapes.shape(variant.node.parts).types
        found = {"number" if one == "integer" else one for one in types or ("anything",)}
        if "anything" in found or found & seen:
            return False
        seen |= found
    return True


def _compare_lists(work: Work, pair: Pair, lists: tuple[list[Variant], list[Variant]], where: Where) -> None:
    matches, gone, added = match(work, *lists)
    for one, other in matches:
        work.pair(one.node, other.node, pair.direction, pair.number, mind_null=False)
        _compare_names(work, pair, one, other)
    for variant in gone:
        there = Where(where.new, variant.listed, told_by_earlier=True)
        what = f"variant {_called(work.shapes[0], variant)}"
        work.differ(pair, "variant", Sense.NARROWED, what, "this variant is gone", there)
    for variant in added:
        there = Where(variant.listed, where.earlier)
        what = f"variant {_called(work.shapes[1], variant)}"
        work.differ(pair, "variant", Sense.WIDENED, what, "this variant is new", there)


def _called(shapes: Shapes, variant: Variant) -> str:
    title = mapping(shapes.side.value(variant.listed)).get("title")
    return variant.reference or str(title or variant.listed.rpartition("/")[2])


def match(
    work: Work, earlier: list[Variant], new: list[Variant]
) -> tuple[list[tuple[Variant, Variant]], list[Variant], list[Variant]]:
    """Return which variants belong together, and those that are only in the earlier or only in the new list.

    By name, then by structure, then by title, then by likeness.
    """
    matches: list[tuple[Variant, Variant]] = []
    keys: tuple[tuple[Callable[[Variant], Any], Callable[[Variant], Any]], ...] = (
        (lambda one: one.names, lambda one: one.names),
        (lambda one: one.reference, lambda one: one.reference),
        (lambda one: _digest(work, 0, one), lambda one: _digest(work, 1, one)),
        (lambda one: _title(work.shapes[0], one), lambda one: _title(work.shapes[1], one)),
    )
    for of_earlier, of_new in keys:
        if earlier and new:
            earlier, new = _match_by(of_earlier, of_new, earlier, new, matches)
    anything = [next((one for one in listed if work.shapes[side].shape(one.node.parts).is_anything()), None)
                for side, listed in enumerate((earlier, new))]  # fmt: skip
    if anything[1] is not None:  # it takes whatever the others did
        matches += [(one, anything[1]) for one in earlier]
        return matches, [], [one for one in new if one is not anything[1]]
    if anything[0] is not None:
        matches += [(anything[0], other) for other in new]
        return matches, [one for one in earlier if one is not anything[0]], []
    if earlier and new and len(earlier) * len(new) <= _MOST_LIKENESSES:
        earlier, new = _match_by_likeness(work, earlier, new, matches)
    return matches, earlier, new


def _match_by(
    of_earlier: Callable[[Variant], Hashable], of_new: Callable[[Variant], Hashable], earlier: list[Variant],
    new: list[Variant], matches: list[tuple[Variant, Variant]],
) -> tuple[list[Variant], list[Variant]]:  # fmt: skip
    by_key: dict[Hashable, list[Variant]] = {}
    for variant in reversed(new):
        if key := of_new(variant):
            by_key.setdefault(key, []).append(variant)
    left, taken = [], set()
    for variant in earlier:
        key = of_earlier(variant)
        if key and by_key.get(key):
            other = by_key[key].pop()
            taken.add(id(other))
            matches.append((variant, other))
        else:
            left.append(variant)
    return left, [variant for variant in new if id(variant) not in taken]


def _digest(work: Work, side: int, variant: Variant) -> int:
    if len(variant.node.parts) > 1:
        return hash(variant.node.parts[-1])
    return work.digests[side].of(variant.node.pointer)


def _title(shapes: Shapes, variant: Variant) -> str | None:
    title = mapping(shapes.side.value(variant.node.pointer)).get("title")
    return title if isinstance(title, str) else None


def _match_by_likeness(
    work: Work, earlier: list[Variant], new: list[Variant], matches: list[tuple[Variant, Variant]]
) -> tuple[list[Variant], list[Variant]]:
    scores = []
    for row, one in enumerate(earlier):
        for column, other in enumerate(new):
            score = _likeness(work.shapes[0].shape(one.node.parts), work.shapes[1].shape(other.node.parts))
            if score >= _ALIKE:
                scores.append((-score, row, column))
    rows: set[int] = set()
    columns: set[int] = set()
    for _, row, column in sorted(scores):
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            matches.append((earlier[row], new[column]))
    left = [one for row, one in enumerate(earlier) if row not in rows]
    return left, [one for column, one in enumerate(new) if column not in columns]


def _likeness(one: Shape, other: Shape) -> float:
    types = [{"number" if each == "integer" else each for each in shape.types or ()} for shape in (one, other)]
    if one.types is None or other.types is None:
        return 0.5 if one.types is other.types else _ALIKE
    if types[0] != types[1]:
        return _ALIKE + 0.1 if types[0] < types[1] or types[1] < types[0] else 0.0
    names = {*one.properties, *other.properties}
    if not names or "object" not in types[0]:
        return 0.5
    return len(one.properties.keys() & other.properties.keys()) / len(names)


def _compare_discriminators(work: Work, pair: Pair) -> None:
    """Compare the property that tells variants apart, and the variants of a schema that only others extend."""
    earlier, new = pair.earlier, pair.new
    if earlier.discriminator is None or new.discriminator is None:
        return  # it is a hint, beside what the variants themselves say
    where = Where(step(new.discriminator, "discriminator"), step(earlier.discriminator, "discriminator"))
    was, now = (
        mapping(mapping(shapes.side.value(pointer)).get("discriminator")).get("propertyName")
        for shapes, pointer in zip(work.shapes, (earlier.discriminator, new.discriminator), strict=True)
    )
    if was != now:
        text = f"the variants are told apart by `{now}` now, it was `{was}`"
        work.differ(pair, "name", Sense.CHANGED, "discriminator", text, where)
    if earlier.choices or new.choices:
        return
    if earlier.discriminator != earlier.pointer or new.discriminator != new.pointer:
        return  # what extends another one has its discriminator, but is not told by it
    lists = (work.extending(0, earlier.pointer), work.extending(1, new.pointer))
    heirs = [
        [Variant(one, shapes.node((one,), one), names.get(one, (one.rpartition("/")[2],)), one.rpartition("/")[2])
         for one in dict.fromkeys((*listed, *names))]
        for shapes, listed, names in (
            (work.shapes[0], lists[0], _names(work.shapes[0], earlier)),
            (work.shapes[1], lists[1], _names(work.shapes[1], new)),
        )
    ]  # fmt: skip
    _compare_lists(work, pair, (heirs[0], heirs[1]), where)


def _compare_names(work: Work, pair: Pair, one: Variant, other: Variant) -> None:
    """Compare the values of the discriminator that name a variant, where its schema does not say them itself."""
    earlier, new = pair.earlier, pair.new
    if earlier.discriminator is None or new.discriminator is None or set(one.names) == set(other.names):
        return
    if _says_itself(work, 0, earlier, one) and _says_itself(work, 1, new, other):
        return
    gone, added = set(one.names) - set(other.names), set(other.names) - set(one.names)
    where = Where(other.listed, one.listed)
    text = f"it is told by {_quoted(other.names)} now, it was {_quoted(one.names)}"
    sense = Sense.CHANGED if gone and added else Sense.WIDENED if added else Sense.NARROWED
    work.differ(pair, "name", sense, f"names {sorted(one.names)} {sorted(other.names)}", text, where)


def _says_itself(work: Work, side: int, shape: Shape, variant: Variant) -> bool:
    shapes = work.shapes[side]
    raw = mapping(mapping(shapes.side.value(shape.discriminator or "")).get("discriminator"))
    pointers = shapes.shape(variant.node.parts).properties.get(str(raw.get("propertyName")), ())
    return bool(pointers) and shapes.shape(pointers).enum is not None


def _quoted(names: Iterable[str]) -> str:
    return " or ".join(f"`{name}`" for name in sorted(names)) or "nothing"
