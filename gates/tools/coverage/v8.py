"""Reads what V8 itself says of the lines that ran: one JSON file of each Node process, with ranges of characters.

A line is that of c8 and of node: it has run as often as the innermost range that holds all of it. Blank lines and
those of nothing but a comment are left out.
"""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from gates.errors import ToolError
from gates.tools.coverage.lines import FileLines, is_test_file

Range = tuple[int, int, int]
"""Begin, end and how often it ran."""
_COMMENTS = ("//", "/*", "* ", "*/")


@dataclass(frozen=True, slots=True)
class FromV8:
    """The files that V8 told of, and those that ran as other text than stands in them, so that no line can be told."""

    files: tuple[FileLines, ...]
    rewritten: tuple[str, ...]


def read_v8(folder: Path, root: Path) -> FromV8:
    """Return the project's own files with the lines that any of its Node processes reached, but for its tests.

    Raises ToolError when a report cannot be read.
    """
    texts: dict[str, _Text] = {}
    executed: dict[str, set[int]] = {}
    rewritten: set[str] = set()
    for report in sorted(folder.glob("*.json")):
        for path, ranges in _scripts(report, root):
            text = texts.setdefault(path, _Text((root / path).read_text("utf-8", "replace")))
            if max(end for _, end, _ in ranges) == text.length:
                executed.setdefault(path, set()).update(text.executed(ranges))
            else:
                rewritten.add(path)
    files = tuple(
        FileLines(path, frozenset(lines), frozenset(texts[path].numbers) - lines)
        for path, lines in sorted(executed.items())
        if path not in rewritten
    )
    return FromV8(files, tuple(sorted(rewritten)))


class _Text:
    """The lines of a file that count, and where they stand in UTF-16 units, which is how V8 counts."""

    def __init__(self, text: str) -> None:
        self.length = _length(text)
        self.numbers: list[int] = []
        self._begins: list[int] = []
        self._ends: list[int] = []
        position = 0
        for number, line in enumerate(text.split("\n"), 1):
            words = line.strip()
            if words and words != "*" and not words.startswith(_COMMENTS):
                begin = position + _length(line[: len(line) - len(line.lstrip())])
                self.numbers.append(number)
                self._begins.append(begin)
                self._ends.append(begin + _length(words))
            position += _length(line) + 1

    def executed(self, ranges: list[Range]) -> set[int]:
        """Return the lines that ran: an outer range comes first, and an inner one has the last word."""
        ran = [True] * len(self.numbers)
        for begin, end, count in sorted(ranges, key=lambda one: (one[0], -one[1])):
            first, after = bisect_left(self._begins, begin), bisect_right(self._ends, end)
            ran[first:after] = [count > 0] * max(0, after - first)
        return {number for number, yes in zip(self.numbers, ran, strict=True) if yes}


def _length(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


def _scripts(report: Path, root: Path) -> Iterator[tuple[str, list[Range]]]:
    try:
        for script in json.loads(report.read_bytes())["result"]:
            path = _path(str(script["url"]), root)
            if path is not None and script["functions"]:
                yield (
                    path,
                    [
                        (int(one["startOffset"]), int(one["endOffset"]), int(one["count"]))
                        for function in script["functions"]
                        for one in function["ranges"]
                    ],
                )
    except (ValueError, KeyError, TypeError) as error:
        raise ToolError(f"V8's report {report.name} cannot be read: {error}", "was the process killed?") from error


def _path(url: str, root: Path) -> str | None:
    """Return the path of a file of the project's own, relative to it; None for a test and for other people's code."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return None
    try:
        relative = Path(unquote(parts.path)).relative_to(root)
    except ValueError:
        return None
    path = relative.as_posix()
    own = "node_modules" not in relative.parts and not is_test_file(path) and (root / relative).is_file()
    return path if own else None
