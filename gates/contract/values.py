"""What two schemas say about single values: types, null, enumerations, bounds, patterns and formats."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from gates.contract.allowed import IS_LOWER, Shape, applies, is_tighter
from gates.contract.changes import Direction, Sense
from gates.contract.work import Pair, Work

_AS_TEXT = frozenset({"string", "number", "integer", "boolean"})
_SHOWN = 5
_WIDER_FORMATS = frozenset(
    {
        ("int32", "int64"), ("float", "double"), ("uri", "uri-reference"), ("iri", "iri-reference"), ("uri", "iri"),
        ("email", "idn-email"), ("hostname", "idn-hostname"), ("url", "uri"),
    }
)  # fmt: skip
_HOLD_ALL = frozenset({"int64", "double"})
"""Formats of numbers that say nothing about which numbers programs exchange."""


def compare_values(work: Work, pair: Pair) -> bool:
    """Compare what is said of a value as such; return whether there is any sense in comparing what is inside."""
    if not _compare_types(work, pair):
        return False
    _compare_enumerations(work, pair)
    if pair.earlier.enum is None and pair.new.enum is None:  # which values are listed says more than any bound
        _compare_bounds(work, pair)
        _compare_sets(work, pair, "pattern", pair.earlier.patterns, pair.new.patterns)
        _compare_formats(work, pair)
    return True


def compare_null(work: Work, pair: Pair) -> None:
    """Compare whether two schemas allow null, where both say so themselves."""
    earlier, new = pair.earlier, pair.new
    if (
        not pair.mind_null
        or not (earlier.says_null and new.says_null)
        or earlier.null == new.null
        or earlier.implied
        or new.implied
    ):
        return
    if work.earlier.modern != work.new.modern and (earlier.null_by_intent or new.null_by_intent):
        return  # what 3.0 left open, 3.1 says: that is not a change
    sense = Sense.WIDENED if new.null else Sense.NARROWED
    text = "it may be null now" if new.null else "it may not be null any more"
    work.differ(pair, "null", sense, "null", text, pair.origin("type"))


def compare_sets(earlier: Collection[str], new: Collection[str]) -> Sense | None:
    """Return how a set of demands changed: who demands more allows less."""
    gone, added = [one for one in earlier if one not in new], [one for one in new if one not in earlier]
    if gone and added:
        return Sense.CHANGED
    return Sense.NARROWED if added else Sense.WIDENED if gone else None


def _compare_types(work: Work, pair: Pair) -> bool:
    earlier, new = pair.earlier, pair.new
    if earlier.never or new.never:
        if earlier.never != new.never:
            text = "no value is allowed any more" if new.never else "values are allowed, where none was"
            work.differ(pair, "type", Sense.NARROWED if new.never else Sense.WIDENED, "never", text)
        return False
    sense = _types_sense(earlier, new, as_text=pair.direction is Direction.PARAMETER)
    if sense is None or (earlier.enum is not None and new.enum is not None and sense is not Sense.CHANGED):
        return True
    if (sense is Sense.NARROWED and new.enum is not None and earlier.enum is None) or (
        sense is Sense.WIDENED and earlier.enum is not None and new.enum is None
    ):
        return True  # the enumeration tells it
    text = f"the type is {_types(new)} now, it was {_types(earlier)}"
    work.differ(pair, "type", sense, "type", text, pair.origin("type"))
    if earlier.is_anything() or new.is_anything():
        return False  # whatever else was said, or is said now, is a part of that
    return sense is not Sense.CHANGED or bool((earlier.types or set()) & (new.types or set()))


def _types_sense(earlier: Shape, new: Shape, *, as_text: bool) -> Sense | None:
    """Return how the types changed; as text, as in a URL, whatever is simple is a text as well."""
    one, other = earlier.types, new.types
    if one == other or (one is None and new.implied) or (other is None and earlier.implied):
        return None
    if one is None or other is None:
        return Sense.NARROWED if one is None else Sense.WIDENED
    forward, backward = _fit(one, other, as_text), _fit(other, one, as_text)
    if forward and backward:
        return None
    return Sense.WIDENED if forward else Sense.NARROWED if backward else Sense.CHANGED


def _fit(types: Iterable[str], into: Collection[str], as_text: bool) -> bool:
    return all(
        one in into or (one == "integer" and "number" in into) or (as_text and "string" in into and one in _AS_TEXT)
        for one in types
    )


def _types(shape: Shape) -> str:
    if shape.types is None:
        return "anything"
    return " or ".join(sorted(shape.types)) or "null"


def _compare_enumerations(work: Work, pair: Pair) -> None:
    earlier, new = pair.earlier.enum, pair.new.enum
    where = pair.origin("enum")
    if earlier is None or new is None:
        if new is not None:
            text = f"only {_listed(new)} may be given now, where any value could"
            work.differ(pair, "enum", Sense.NARROWED, "enum", text, where)
        elif earlier is not None:
            text = f"any value may be given now, where only {_listed(earlier)} could"
            work.differ(pair, "enum", Sense.WIDENED, "enum", text, where)
        return
    if pair.direction is Direction.PARAMETER:
        earlier, new = ({value.strip('"'): None for value in one} for one in (earlier, new))
    gone, added = [one for one in earlier if one not in new], [one for one in new if one not in earlier]
    if gone:
        text = f"the {_noun(gone)} {_listed(gone)} {'is' if len(gone) == 1 else 'are'} gone from the enumeration"
        work.differ(pair, "values", Sense.NARROWED, f"gone {sorted(gone)}", text, where)
    if added:
        text = f"the enumeration has the new {_noun(added)} {_listed(added)}"
        work.differ(pair, "values", Sense.WIDENED, f"new {sorted(added)}", text, where)


def _noun(values: Collection[str]) -> str:
    return "value" if len(values) == 1 else "values"


def _listed(values: Iterable[str]) -> str:
    values = list(values)
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(value if len(value) <= 60 else f"{value[:60]}…" for value in values[:_SHOWN]) + more


def _compare_bounds(work: Work, pair: Pair) -> None:
    earlier, new = pair.earlier.limits, pair.new.limits
    if earlier == new:
        return
    for keyword in sorted({*earlier, *new}):
        was, now = earlier.get(keyword), new.get(keyword)
        if was == now or not (applies(keyword, pair.earlier) and applies(keyword, pair.new)):
            continue
        if was is None or now is None:
            sense = Sense.NARROWED if was is None else Sense.WIDENED
        elif keyword == "multipleOf":
            sense = _multiples(was[0], now[0])
        else:
            sense = Sense.NARROWED if is_tighter(keyword, now, was) else Sense.WIDENED
        work.differ(pair, "bound", sense, keyword, _of_bound(keyword, was, now), pair.origin(keyword))


def _multiples(was: float, now: float) -> Sense:
    if was and now and (now / was).is_integer():
        return Sense.NARROWED
    return Sense.WIDENED if was and now and (was / now).is_integer() else Sense.CHANGED


def _of_bound(keyword: str, was: tuple[float, bool] | None, now: tuple[float, bool] | None) -> str:
    if keyword == "uniqueItems":
        return "items may not repeat any more" if now else "items may repeat now"
    if was is None or now is None:
        return f"there is {_bound(keyword, now)} now" if now else f"{_bound(keyword, was)} is gone"
    return f"{_bound(keyword, now)} replaces {_bound(keyword, was)}"


def _bound(keyword: str, bound: tuple[float, bool] | None) -> str:
    if bound is None:
        return f"no {keyword}"
    value, excluded = bound
    if excluded:
        keyword = "exclusiveMinimum" if IS_LOWER[keyword] else "exclusiveMaximum"
    return f"{keyword} {value:g}" if isinstance(value, float) else f"{keyword} {value}"


def _compare_sets(work: Work, pair: Pair, keyword: str, earlier: Collection[str], new: Collection[str]) -> None:
    sense = compare_sets(earlier, new)
    if sense is None or not (applies(keyword, pair.earlier) and applies(keyword, pair.new)):
        return
    was, now = (" and ".join(f"`{one}`" for one in ones) for ones in (earlier, new))
    if sense is Sense.CHANGED or (was and now):
        text = f"the {keyword} is {now} now, it was {was}"
    else:
        text = f"it has the {keyword} {now} now" if now else f"it has not the {keyword} {was} any more"
    work.differ(pair, keyword, sense, keyword, text, pair.origin(keyword))


def _compare_formats(work: Work, pair: Pair) -> None:
    earlier, new = list(pair.earlier.formats), list(pair.new.formats)
    if len(earlier) == len(new) == 1 and earlier != new:
        step = (earlier[0], new[0])
        wider, narrower = step in _WIDER_FORMATS, step[::-1] in _WIDER_FORMATS
        sense = Sense.WIDENED if wider else Sense.NARROWED if narrower else Sense.CHANGED
        text = f"the format is `{new[0]}` now, it was `{earlier[0]}`"
        work.differ(pair, "format", sense, "format", text, pair.origin("format"))
        return
    if not (earlier and new):
        earlier, new = ([one for one in ones if one not in _HOLD_ALL] for ones in (earlier, new))
    _compare_sets(work, pair, "format", earlier, new)
