"""Numbers with units as people write them in prose: `<100ms`, `0,1 s`, `at least 85 percent`, `1.000 requests`."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["time", "size", "share", "count"]

BASE: dict[Kind, str] = {"time": "s", "size": "B", "share": "ratio", "count": "1"}
_SPACE = r"[ \u00a0\u2009\u202f]"
NUMBER = (
    rf"\d{{1,3}}(?:(?:{_SPACE}|['’_])\d{{3}})+(?![\d.,]\d)"  # 1 000 and 1'000
    r"|\d{1,3}(?:,\d{3})+(?:\.\d+)?(?![\d,]|\.\d)"
    r"|\d{1,3}(?:\.\d{3})+(?:,\d+)?(?![\d.]|,\d)"
    r"|\d+(?:[.,]\d+)?"
)
_UNITS: tuple[tuple[Kind, float, str], ...] = (
    ("time", 1e-6, r"(?i:[µμu]s|[µμu]secs?|micro-?seconds?|Mikrosekunden?)"),
    ("time", 1e-3, r"(?i:ms|msecs?|millis|milli-?secs?|milli-?seconds?|Millisekunden?)"),
    ("time", 1.0, r"(?i:s|secs?|seconds?|Sekunden?)"),
    ("time", 60.0, r"(?i:mins?|minutes?|Minuten?)"),
    ("size", 1e3, r"(?:[kK][bB]|(?i:kilobytes?))"),
    ("size", 1e6, r"(?:[mM][bB]|M|(?i:megabytes?))"),
    ("size", 1e9, r"(?:[gG][bB]|G|(?i:gigabytes?))"),
    ("size", 2.0**10, r"(?:[kK]i[bB]?|(?i:kibibytes?))"),
    ("size", 2.0**20, r"(?:[mM]i[bB]|Mi|(?i:mebibytes?))"),
    ("size", 2.0**30, r"(?:[gG]i[bB]|Gi|(?i:gibibytes?))"),
    ("share", 0.01, r"(?i:%|percent|per cent|pct\.?|Prozent)"),
)
_BINARY = {1e3: 2.0**10, 1e6: 2.0**20, 1e9: 2.0**30}
"""What a prefix of ten stands for where people count memory."""
_WHOLE = (1e-6, 1e-3, 1e6, 2.0**20)
"""Of units this small nobody writes three decimals: 1.000 ms is a second."""
_ANY_UNIT = "|".join(f"(?:{pattern})" for _, _, pattern in _UNITS)
_QUANTITY = re.compile(
    rf"(?<![\w.,/#§$€£-])(?P<first>{NUMBER})"
    rf"(?:{_SPACE}?[-–—]{_SPACE}?(?P<last>{NUMBER}))?"
    rf"(?:(?:{_SPACE}|-)?(?P<unit>{_ANY_UNIT})(?![\w])|(?P<thousand>[kK])(?![\w]))?"
    rf"(?P<per>{_SPACE}?(?:/|per |a )(?:s|sec|second|m|min|minute|h|hour|d|day)\b)?"
)
_STRICT = re.compile(rf"\s*(?:<=|>=|==|=|<|>|≤|≥)?\s*(?P<first>{NUMBER})\s*(?P<unit>{_ANY_UNIT})?\s*")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number in a text: what it may mean in base units (a size is meant in tens or in twos), and where it stands.

    A range has two ends, `low` and `high`, each with all it may mean.
    """

    kind: Kind
    low: tuple[float, ...]
    high: tuple[float, ...]
    start: int
    end: int
    text: str


def _unit_of(written: str | None) -> tuple[Kind, float]:
    for kind, factor, pattern in _UNITS if written else ():
        if re.fullmatch(pattern, written or ""):
            return kind, factor
    return "count", 1.0


def number_of(written: str, factor: float, kind: Kind) -> float:
    """Return a number as it is meant: which of `.` and `,` parts thousands follows from the number and its unit."""
    digits = re.sub(rf"{_SPACE}|['’_]", "", written)
    marks = [mark for mark in digits if mark in ".,"]
    if len(set(marks)) == 2:
        decimal = marks[-1]
    elif len(marks) > 1:
        decimal = ""
    elif not marks:
        decimal = "."
    else:
        whole, _, rest = digits.partition(marks[0])
        thousands = len(rest) == 3 and len(whole) <= 3 and whole.strip("0") != ""
        grouped = thousands and (kind == "count" or factor in _WHOLE)
        decimal = "" if grouped else marks[0]
    for mark in ".,":
        digits = digits.replace(mark, "." if mark == decimal else "")
    return float(digits)


def _meanings(written: str, kind: Kind, factor: float) -> tuple[float, ...]:
    number = number_of(written, factor, kind)
    factors = (factor, _BINARY[factor]) if kind == "size" and factor in _BINARY else (factor,)
    return tuple(number * one for one in factors)


def find_quantities(text: str) -> Iterator[Quantity]:
    """Yield the numbers of a text with their units; rates such as `200/s` are no quantities of ours."""
    for match in _QUANTITY.finditer(text):
        if match["per"]:
            continue
        kind, factor = _unit_of(match["unit"])
        factor = 1e3 if match["thousand"] else factor
        low = _meanings(match["first"], kind, factor)
        high = _meanings(match["last"], kind, factor) if match["last"] else low
        yield Quantity(kind, low, high, match.start(), match.end(), match[0].strip())


def parse_number(text: str, kind: Kind, factor: float) -> float | None:
    """Return a number that is written alone, in units of `factor`; None when it is none, or of something else.

    Without a unit it is in that unit already: `100`, `100 ms` and `0.1 s` are the same in milliseconds.
    """
    match = _STRICT.fullmatch(text)
    if match is None:
        return None
    own, own_factor = _unit_of(match["unit"])
    if match["unit"] and own != kind:
        return None
    value = number_of(match["first"], own_factor if match["unit"] else factor, kind)
    scaled = value * own_factor / factor if match["unit"] else value
    return round(scaled, 9)


def same(these: tuple[float, ...], those: tuple[float, ...]) -> bool:
    """Return whether two numbers can mean the same."""
    return any(math.isclose(one, other, rel_tol=1e-9) for one in these for other in those)
