"""Reads the reports of coverage tools: coverage.py's JSON, LCOV, and Cobertura XML."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gates.errors import ToolError
from gates.tools.coverage.lines import FileLines

_CONDITIONS = re.compile(r"\((\d+)/(\d+)\)")
_READABLE = "LCOV, Cobertura XML and the JSON of coverage.py can be read"


def parse_report(
    content: bytes, name: str = "the report", root: str = "", is_file: Callable[[str], bool] = lambda path: False
) -> tuple[FileLines, ...]:
    """Return the files of a coverage report, whose format is told from its content; paths are relative to `root`.

    Raises ToolError, with the first thing that was wrong, when it is of another kind or cut short.
    """
    text = content.decode("utf-8", "replace").lstrip("\ufeff \t\r\n")
    try:
        if text.startswith("{"):
            files = _parse_json(text)
        elif text.startswith("<"):
            files = _parse_cobertura(content, root, is_file)
        elif re.search(r"^SF:", text, re.MULTILINE):
            files = _parse_lcov(text)
        else:
            raise _Unreadable(f"it begins with {text[:40]!r}" if text else "it is empty")
    except _Unreadable as error:
        raise ToolError(f"{name} is not a coverage report that is known here: {error}", _READABLE) from error
    return tuple(_renamed(file, _relative(file.path, root)) for file in files)


class _Unreadable(Exception):
    """The report has another form than expected; the message says where."""


def _relative(path: str, root: str) -> str:
    path = path.replace("\\", "/")
    return posixpath.normpath(path.removeprefix(root.rstrip("/") + "/") if root else path)


def _renamed(file: FileLines, path: str) -> FileLines:
    return FileLines(path, file.executed, file.missing, file.branches, file.excluded)


def _parse_json(text: str) -> Iterator[FileLines]:
    try:
        files = json.loads(text)["files"]
        return iter([_json_file(path, file) for path, file in files.items()])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _Unreadable(f"as JSON of coverage.py it fails on {error}") from error


def _json_file(path: str, file: Mapping[str, Any]) -> FileLines:
    summary = file["summary"]
    branches = (int(summary["covered_branches"]), int(summary["num_branches"])) if "num_branches" in summary else None
    return FileLines(
        path,
        frozenset(file["executed_lines"]),
        frozenset(file["missing_lines"]),
        branches,
        len(file.get("excluded_lines", ())),
    )


@dataclass
class _Hits:
    """How often each line and branch of one file was reached; a file may be told of in several pieces."""

    lines: dict[int, int] = field(default_factory=dict)
    branches: dict[tuple[str, ...], int] = field(default_factory=dict)
    conditions: dict[int, tuple[int, int]] = field(default_factory=dict)
    counts_branches: bool = False

    def file(self, path: str) -> FileLines:
        executed = frozenset(line for line, hits in self.lines.items() if hits > 0)
        covered = sum(hits > 0 for hits in self.branches.values()) + sum(hit for hit, _ in self.conditions.values())
        total = len(self.branches) + sum(total for _, total in self.conditions.values())
        branches = (covered, total) if self.counts_branches else None
        return FileLines(path, executed, frozenset(self.lines) - executed, branches)


def _parse_lcov(text: str) -> Iterator[FileLines]:
    files: dict[str, _Hits] = {}
    current: _Hits | None = None
    for number, line in enumerate(text.splitlines(), 1):
        key, _, value = line.strip().partition(":")
        try:
            if key == "SF":
                current = files.setdefault(value, _Hits())
            elif key == "end_of_record":
                current = None
            elif key == "DA" and current is not None:
                line_number, hits = (int(part) for part in value.split(",")[:2])
                current.lines[line_number] = current.lines.get(line_number, 0) + hits
            elif key == "BRDA" and current is not None:
                *branch, taken = value.split(",")
                current.counts_branches = True
                hits = 0 if taken == "-" else int(taken)
                current.branches[tuple(branch)] = current.branches.get(tuple(branch), 0) + hits
            elif key == "BRF" and current is not None:
                current.counts_branches = True
        except ValueError as error:
            raise _Unreadable(f"line {number} is {line[:80]!r}") from error
    if current is not None:
        raise _Unreadable("its last record has no end, so it was cut short")
    return (hits.file(path) for path, hits in files.items())


def _parse_cobertura(content: bytes, root: str, is_file: Callable[[str], bool]) -> Iterator[FileLines]:
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        report = fromstring(content)
    except (ParseError, DefusedXmlException) as error:
        raise _Unreadable(f"as XML it fails with {error}") from error
    if report.tag != "coverage" or report.find("packages") is None:
        raise _Unreadable(f"its root element is <{report.tag}>")
    bases = [source.text.strip() for source in report.iterfind("sources/source") if source.text and source.text.strip()]
    files: dict[str, _Hits] = {}
    for each in report.iterfind("packages/package/classes/class"):
        path = _located(each.get("filename", ""), bases, root, is_file)
        hits = files.setdefault(path, _Hits(counts_branches=True))
        for line in each.iterfind("lines/line"):
            try:
                number, count = int(line.get("number", "")), int(line.get("hits", ""))
            except ValueError as error:
                raise _Unreadable(f"a line of {path} has no number or hits") from error
            hits.lines[number] = hits.lines.get(number, 0) + count
            if match := _CONDITIONS.search(line.get("condition-coverage", "")):
                hits.conditions[number] = (int(match[1]), int(match[2]))
    return (hits.file(path) for path, hits in files.items())


def _located(filename: str, bases: list[str], root: str, is_file: Callable[[str], bool]) -> str:
    """Return the path of a class: its file name counts from one of several base folders, of which not all exist."""
    candidates = [filename, *(posixpath.join(base, filename) for base in bases)]
    for candidate in candidates:
        if is_file(_relative(candidate, root)):
            return candidate
    return candidates[-1]
