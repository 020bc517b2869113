"""One number or text that a schema allows: the nearest to what a person would write."""

from __future__ import annotations

import importlib
import math
import re
from collections.abc import Mapping
from typing import Any

LONGEST_TEXT = 20_000


class Unbuildable(Exception):
    """No valid value can be made for a schema; the message says why."""


def number_for(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    """Return the number nearest to 1 that a schema allows; raises Unbuildable when it allows none."""
    low, low_open = _bound(schema, "minimum", "exclusiveMinimum", -1)
    high, high_open = _bound(schema, "maximum", "exclusiveMaximum", 1)
    step = schema.get("multipleOf")
    step = step if isinstance(step, int | float) and step > 0 else (1 if whole else None)
    near = min(max(1.0, low), high)
    if step is not None:
        below = math.floor(near / step + 1e-9)
        candidates = [number * step for number in (below + (near / step - below > 1e-9), below, below + 1, below - 1)]
    else:
        inside = (low + high) / 2 if math.isfinite(low + high) else near
        candidates = [near, inside, near + 1.0, near - 1.0]
    for value in candidates:
        if (value > low or (value == low and not low_open)) and (value < high or (value == high and not high_open)):
            return int(value) if whole or float(value).is_integer() else float(value)
    raise Unbuildable(f"no number lies between {low} and {high}")


def _bound(schema: Mapping[str, Any], inclusive: str, exclusive: str, sign: int) -> tuple[float, bool]:
    """Return a bound, and whether it is itself not allowed; infinity where there is none."""
    bounds: list[tuple[float, bool]] = []
    for key in (inclusive, exclusive):
        value = schema.get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            # Up to OpenAPI 3.0 "exclusive" is a flag beside the bound, later it is the bound.
            bounds.append((float(value), key == exclusive or schema.get(exclusive) is True))
    tightest = min if sign > 0 else max
    return tightest(bounds, key=lambda bound: (bound[0], -sign * bound[1]), default=(sign * math.inf, False))


def text_matching(pattern: str, shortest: int = 0, longest: int = LONGEST_TEXT) -> str:
    """Return a short text that a regular expression finds; raises Unbuildable when none was found."""
    try:
        tree: Any = importlib.import_module("re._parser").parse(pattern)
        for more in (0, shortest):
            text = _sample(tree, more)
            if len(text) < shortest and re.search(pattern, text.ljust(shortest, "x")):
                text = text.ljust(shortest, "x")
            if shortest <= len(text) <= longest and re.search(pattern, text):
                return text
    except (re.error, RecursionError, OverflowError) as error:
        raise Unbuildable(f"the pattern {pattern!r} cannot be read: {error}") from error
    raise Unbuildable(f"no text was found for the pattern {pattern!r}")


def _sample(tree: Any, more: int) -> str:
    """Return the shortest text a parsed expression describes; repetitions that may be longer get `more` at most."""
    text = ""
    for code, argument in tree:
        name = str(code)
        if name == "LITERAL":
            text += chr(argument)
        elif name == "NOT_LITERAL":
            text += "a" if chr(argument) != "a" else "b"
        elif name == "ANY":
            text += "x"
        elif name == "IN":
            text += _one_of(argument)
        elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
            fewest, most, inner = argument
            text += "".join(_sample(inner, 0) for _ in range(min(max(int(fewest), more), int(most), LONGEST_TEXT)))
        elif name == "SUBPATTERN":
            text += _sample(argument[3], more)
        elif name == "ATOMIC_GROUP":
            text += _sample(argument, more)
        elif name == "BRANCH":
            text += _sample(argument[1][0], more)
        elif name not in ("AT", "ASSERT", "ASSERT_NOT"):
            raise Unbuildable(f"{name} in a pattern is not understood")
    return text


_CATEGORIES = {"CATEGORY_DIGIT": "1", "CATEGORY_WORD": "a", "CATEGORY_SPACE": " ",
               "CATEGORY_NOT_DIGIT": "a", "CATEGORY_NOT_WORD": "-", "CATEGORY_NOT_SPACE": "a"}  # fmt: skip


def _one_of(members: Any) -> str:
    negated = bool(members) and str(members[0][0]) == "NEGATE"
    if negated:
        excluded = re.compile("[" + "".join(_class_text(member) for member in members[1:]) + "]")
        for letter in "a1A-_ .~":
            if not excluded.match(letter):
                return letter
        raise Unbuildable("a class of characters in a pattern excludes all that are usual")
    return _first(members[0])


def _first(member: Any) -> str:
    code, argument = member
    if str(code) == "RANGE":
        low, high = argument
        # A letter that people would write, where the range has one: `1` rather than `0`, `a` rather than a control.
        return next((letter for letter in "a1A" if low <= ord(letter) <= high), chr(low))
    return _CATEGORIES[str(argument)] if str(code) == "CATEGORY" else chr(argument)


def _class_text(member: Any) -> str:
    code, argument = member
    if str(code) == "RANGE":
        return f"{re.escape(chr(argument[0]))}-{re.escape(chr(argument[1]))}"
    if str(code) == "CATEGORY":
        name = str(argument).removeprefix("CATEGORY_")
        return {"DIGIT": r"\d", "WORD": r"\w", "SPACE": r"\s", "NOT_DIGIT": r"\D", "NOT_WORD": r"\W",
                "NOT_SPACE": r"\S"}[name]  # fmt: skip
    return re.escape(chr(argument))
