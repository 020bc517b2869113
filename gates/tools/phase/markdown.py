"""Markdown as lines of its own: headings, list items, rows of tables, paragraphs; what code is, is not read; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-{2,})[ \t]*$")
_ITEM = re.compile(r"([ \t]*)(?:[-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(.*)$")
_RULE = re.compile(r"[ \t]*\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_CELLS = re.compile(r"(?<!\\)\|")
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_LONGEST = 20_000
"""Characters of a paragraph or an item; nobody reads on after that, and neither is it done here."""


@dataclass(frozen=True, slots=True)
class Block:
    """A heading (`depth` from 1), a list item (`depth` is its indentation), a row with its `headings`, or a text."""

    kind: Literal["heading", "item", "row", "text"]
    text: str
    line: int
    depth: int = 0
    cells: tuple[str, ...] = ()
    headings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """A code span: its text, and where it begins and ends in the text around it."""

    text: str
    start: int
    end: int


def spans(text: str) -> list[Span]:
    """Return the code spans of a text, in order."""
    return [Span(found[2].strip(), found.start(), found.end()) for found in _SPAN.finditer(text)]


def blocks(text: str, first: int = 1) -> Iterator[Block]:
    """Yield what a text consists of, with its line numbers from `first` on; fenced code and comments are left out.

    An item or a paragraph that goes on in the next line is one block.
    """
    held: Block | None = None
    columns: tuple[str, ...] | None = None
    lines = list(_readable(text, first))
    for position, (number, line) in enumerate(lines):
        following = lines[position + 1][1] if position + 1 < len(lines) else ""
        block = _begin(line, number)
        begins_table = _RULE.fullmatch(following) is not None and "|" in following
        is_row = "|" in line and (columns is not None or begins_table)
        goes_on = held is not None and block is None and bool(line.strip()) and not is_row
        if goes_on and held is not None and held.kind == "text" and _UNDERLINE.fullmatch(line):
            yield Block("heading", held.text, held.line, 1 if "=" in line else 2)
            held = None
            continue
        if goes_on and held is not None:
            if len(held.text) < _LONGEST:
                held = Block(held.kind, f"{held.text} {line.strip()}", held.line, held.depth)
            continue
        if held is not None:
            yield held
            held = None
        if is_row:
            cells = _split(line)
            if columns is None:
                columns = cells
            elif not _RULE.fullmatch(line):
                yield Block("row", " ".join(cells), number, cells=cells, headings=columns)
            continue
        columns = None
        if block is not None and block.kind == "heading":
            yield block
        elif line.strip():
            held = block or Block("text", line.strip(), number)
    if held is not None:
        yield held


def _begin(line: str, number: int) -> Block | None:
    if heading := _HEADING.fullmatch(line):
        return Block("heading", (heading[2] or "").strip(), number, len(heading[1]))
    if item := _ITEM.fullmatch(line):
        return Block("item", item[2].strip(), number, len(item[1].expandtabs(4)))
    return None


def _split(line: str) -> tuple[str, ...]:
    cells = [cell.strip().replace(r"\|", "|") for cell in _CELLS.split(line.strip())]
    if cells and not cells[0]:
        cells = cells[1:]
    return tuple(cells[:-1] if cells and not cells[-1] else cells)


def _readable(text: str, first: int) -> Iterator[tuple[int, str]]:
    """Yield the lines outside of fenced code, with their numbers; what is taken out leaves an empty line behind."""
    fence = ""
    for number, line in enumerate(_without_comments(text).split("\n"), first):
        line = line[:_LONGEST]
        found = _FENCE.match(line)
        if fence:
            if found and found[1].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            yield number, ""
        elif found:
            fence = found[1]
            yield number, ""
        else:
            yield number, line


def _without_comments(text: str) -> str:
    """Return a text without its comments, but with their line breaks."""
    kept, position = [], 0
    while (start := text.find("<!--", position)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept += [text[position:start], "\n" * text.count("\n", start, end)]
        position = end + len("-->")
    return "".join([*kept, text[position:]])
