"""What gates.toml demands for the numbers of the guideline, and on which of its lines that stands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gates.demands import UNITS, Demand, parse_demand
from gates.guidelines.subjects import KIND_OF

_TABLE = re.compile(r"(\[{1,2})([^\[\]]+)\]{1,2}(?:\s*#.*)?")
_PART = r"""(?:[\w-]+|"[^"]*"|'[^']*')"""
_KEY = re.compile(rf"({_PART}(?:\s*\.\s*{_PART})*)\s*=\s*(.*)")
_TEXT = re.compile(r"""(["'])(.*?)\1""")
_TENS = {"kB": 1.024, "KB": 1.024, "MB": 1.024**2, "GB": 1.024**3}
"""What a size is more when its prefix is meant in twos."""


@dataclass(frozen=True, slots=True)
class Demanded:
    """What is demanded of one measurement, and where it is written.

    `text` holds for all phases: "" where nothing demands it. `line` is its line of gates.toml, None where a profile or
    the default says it. `phase_text` is what the phase that is checked demands in its place; `shown` is a demand that
    gates.toml has in a comment.
    """

    text: str = ""
    line: int | None = None
    phase: str = ""
    phase_text: str = ""
    phase_line: int | None = None
    shown: str = ""
    shown_line: int | None = None

    @property
    def in_force(self) -> str:
        """What is measured against."""
        return self.phase_text or self.text


def demand_of(target: str, text: str) -> Demand:
    """Return a demand on a target that the guideline has a number for; raises ValueError when the text is none."""
    return parse_demand(text, KIND_OF[target])


def values_of(demand: Demand) -> tuple[float, ...]:
    """Return all that the number of a demand may mean to a person: `512 MB` in tens or in twos."""
    unit = next((unit for unit in sorted(UNITS["size"], key=len, reverse=True) if demand.text.endswith(unit)), "")
    if demand.dimension == "size" and unit in _TENS:
        return demand.value, demand.value * _TENS[unit]
    return (demand.value,)


@dataclass(frozen=True, slots=True)
class Written:
    """A key of a TOML text: its path (`targets.load.memory`, `phases.0.targets…`), line and text; or in a comment."""

    key: str
    line: int
    value: str
    comment: bool


def written_keys(text: str) -> Iterator[Written]:
    """Yield the keys of a TOML text with their lines, also those that are commented out; values are not decoded.

    It only tells where something stands: what it means is for a reader of TOML.
    """
    table: tuple[str, ...] = ()
    counts: dict[str, int] = {}
    quotes = ""
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if quotes:
            quotes = "" if quotes in line else quotes
            continue
        if match := _TABLE.fullmatch(line):
            table = _parts(match[2])
            if match[1] == "[[":
                counts[match[2].strip()] = counts.get(match[2].strip(), -1) + 1
            if table[0] in counts:
                table = (table[0], str(counts[table[0]]), *table[1:])
            continue
        comment = line.startswith("#")
        if match := _KEY.match(line.lstrip("# ")):
            value = match[2]
            opened = value[:3]
            if opened in ('"""', "'''") and opened not in value[3:]:
                quotes = "" if comment else opened
            yield Written(".".join((*table, *_parts(match[1]))), number, value, comment)


def _parts(key: str) -> tuple[str, ...]:
    return tuple(part.strip("\"' ") for part in re.findall(_PART, key))


def find_line(written: Mapping[str, Written], key: str) -> int | None:
    """Return the line of a key, or that of the inline table it stands in; None where it is not written."""
    path = key
    while path:
        if path in written:
            found = written[path]
            return found.line if path == key or found.value.startswith("{") else None
        path = path.rpartition(".")[0]
    return None


def shown_demand(value: str, target: str) -> str:
    """Return the demand that a commented line shows; "" when it shows none."""
    match = _TEXT.match(value)
    if match is None:
        return ""
    try:
        demand_of(target, match[2])
    except ValueError:
        return ""
    return match[2]


def collect_demands(
    toml: str, for_all: Mapping[str, str], phase: str, number: int, of_phase: Mapping[str, str]
) -> dict[str, Demanded]:
    """Return what is demanded for each number of the guideline, with the lines of the text of gates.toml.

    `for_all` holds the demands by target that hold in every phase, `of_phase` those of the phase that is checked, which
    is number `number` (from 0) in gates.toml.
    """
    keys: dict[str, Written] = {}
    shown: dict[str, Written] = {}
    for one in written_keys(toml):
        (shown if one.comment else keys).setdefault(one.key, one)
    found = {}
    for target in KIND_OF:
        comment = shown.get(f"targets.{target}")
        text = shown_demand(comment.value, target) if comment else ""
        found[target] = Demanded(
            for_all.get(target, ""), find_line(keys, f"targets.{target}"),
            phase if target in of_phase else "", of_phase.get(target, ""),
            find_line(keys, f"phases.{number}.targets.{target}"),
            text, comment.line if comment and text else None,
        )  # fmt: skip
    return found
