"""What was left unfilled in a guideline: its 26 variables, the section that explains them, and what looks like one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from gates.guidelines.blocks import fenced_lines
from gates.guidelines.rendering import VARIABLES_TITLE
from gates.guidelines.variables import PLACEHOLDER, VARIABLES

_OTHER = re.compile(r"(?<![$\w{])\{\s*([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[A-Z]{3,})\s*\}")
_TO_DO = re.compile(r"[:<>≤≥][\s*]*(TODO|TBD|FIXME|\?{2,})(?![\w?])")
_CODE_SPAN = re.compile(r"`[^`\n]*`")
_SECTION = re.compile(rf"#{{1,6}}\s+{VARIABLES_TITLE}\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unfilled:
    """The lines of each variable that was left, of what looks like one, and the lines of the template's own section."""

    variables: Mapping[str, tuple[int, ...]]
    alike: Mapping[str, tuple[int, ...]]
    section: range
    explains: bool
    """Whether the section still explains placeholders, rather than what they were replaced by."""


def find_unfilled(text: str) -> Unfilled:
    """Return what a guideline was not told; everything that stands in the template's own section counts once."""
    lines = text.split("\n")
    section = _section(lines)
    code = fenced_lines(text)
    variables: dict[str, list[int]] = {}
    alike: dict[str, list[int]] = {}
    explains = False
    for number, line in enumerate(lines, 1):
        left = [match[1] or match[2] for match in PLACEHOLDER.finditer(line)]
        if number in section:
            explains = explains or bool(left)
            continue
        for name in left:
            variables.setdefault(name, []).append(number)
        if number not in code:
            for word in _look_alikes(_CODE_SPAN.sub("", line)):
                alike.setdefault(word, []).append(number)
    return Unfilled(_frozen(variables), _frozen(alike), section, explains)


def _frozen(found: Mapping[str, list[int]]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(dict.fromkeys(lines)) for name, lines in found.items()}


def _section(lines: list[str]) -> range:
    start = next((number for number, line in enumerate(lines, 1) if _SECTION.match(line)), None)
    if start is None:
        return range(0)
    level = len(lines[start - 1]) - len(lines[start - 1].lstrip("#"))
    for number in range(start, len(lines)):
        depth = len(lines[number]) - len(lines[number].lstrip("#"))
        if 0 < depth <= level and lines[number][depth : depth + 1].isspace():
            return range(start, number + 1)
    return range(start, len(lines) + 1)


def _look_alikes(line: str) -> Iterator[str]:
    for match in _OTHER.finditer(line):
        if match[1] not in VARIABLES:
            yield f"{{{match[1]}}}"
    for match in _TO_DO.finditer(line):
        yield match[1]
