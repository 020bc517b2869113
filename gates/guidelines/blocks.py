"""A Markdown text as the statements that people see in it: items, paragraphs and table cells, each below its headings.

What stands in code, or in a comment, states nothing. Linear in the length of the text.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate

_FENCE = re.compile(r"^\s*(?:>\s*)*(`{3,}|~{3,})(.*)$")
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s(.*)$")
_UNDERLINE = re.compile(r"^ {0,3}(?:=+|-{2,})$")
_ITEM = re.compile(r"^(\s*)(?:[-*+•–]|\d{1,3}[.)])\s+(?:\[([ xX])\]\s+)?(.*)$")
_QUOTE = re.compile(r"^\s*(?:>\s?)+(?!=)")
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_EMPHASIS = re.compile(r"\*+|`+|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)")
_CONTEXT = 200
"""Of what stands above a statement, so many characters are kept, and of a row so many cells."""
_CELLS = 3


@dataclass(slots=True)
class Block:
    """A statement of the text: its lines with their numbers, and what stands above it."""

    kind: str
    """`heading`, `item`, `paragraph` or `cell`."""
    lines: list[tuple[int, str]]
    headings: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    """The items it is nested in, or the sentence that ends in a colon before it; of a cell its row and column."""
    box: str | None = None
    """What is in the tick box of an item; None without one."""

    @property
    def text(self) -> str:
        """Its words in one line, without emphasis."""
        return " ".join(text for _, text in self.lines)

    def beginning(self) -> str:
        """Return what it says to those that are nested in it."""
        return " ".join(text for _, text in self.lines[:_CELLS])[:_CONTEXT]

    def starts(self) -> list[int]:
        """Return where in the text each of its lines begins, for `line_at`."""
        return [0, *accumulate(len(text) + 1 for _, text in self.lines[:-1])]

    def line_at(self, position: int, starts: list[int]) -> int:
        """Return the number of the line that a position of the text stands on."""
        return self.lines[bisect_right(starts, position) - 1][0]


def fenced_lines(text: str) -> frozenset[int]:
    """Return the numbers of the lines of fenced code, fences included; a fence that is never closed is none."""
    inside: set[int] = set()
    opened: tuple[int, str] | None = None
    for number, line in enumerate(text.split("\n"), 1):
        match = _FENCE.match(line)
        if match is None:
            continue
        fence, rest = match[1], match[2]
        if opened is None:
            if not (fence[0] == "`" and "`" in rest):
                opened = (number, fence)
        elif fence[0] == opened[1][0] and len(fence) >= len(opened[1]) and not rest.strip():
            inside.update(range(opened[0], number + 1))
            opened = None
    return frozenset(inside)


def plain(text: str) -> str:
    """Return Markdown without its emphasis and the marks of code within a line."""
    return _EMPHASIS.sub("", text).strip()


def without_comments(text: str) -> str:
    """Return a text with its HTML comments blanked, line by line."""
    return _COMMENT.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


@dataclass(slots=True)
class _Reader:
    headings: list[tuple[int, str]] = field(default_factory=list)
    items: list[tuple[int, Block]] = field(default_factory=list)
    open: Block | None = None
    lead: str = ""
    """The paragraph before a list or a table, when it ends in a colon."""
    header: list[str] = field(default_factory=list)
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    done: list[Block] = field(default_factory=list)

    def close(self) -> None:
        if self.open is not None and self.open.kind == "paragraph" and not self.open.parents:
            ends = self.open.lines[-1][1].endswith(":")
            self.lead = self.open.beginning() if ends else ""
        self.open = None

    def begin(self, kind: str, number: int, text: str, parents: tuple[str, ...] = (), box: str | None = None) -> Block:
        titles = tuple(title for _, title in self.headings)
        self.open = Block(kind, [(number, plain(text))], titles, parents, box)
        self.done.append(self.open)
        return self.open

    def heading(self, level: int, number: int, title: str) -> None:
        self.close()
        self.items, self.lead = [], ""
        self.headings = [(rank, words) for rank, words in self.headings if rank < level]
        self.begin("heading", number, title)
        self.open = None
        self.headings.append((level, plain(title)[:_CONTEXT]))

    def item(self, number: int, indent: int, text: str, box: str | None) -> None:
        self.close()
        self.items = [(depth, block) for depth, block in self.items if depth < indent]
        above = [self.lead] if self.lead else []
        parents = (*above, *(block.beginning() for _, block in self.items))
        self.items.append((indent, self.begin("item", number, text, parents, box)))

    def prose(self, number: int, indent: int, text: str) -> None:
        if self.open is not None:
            self.open.lines.append((number, plain(text)))
            return
        self.items = [(depth, block) for depth, block in self.items if depth < indent]
        self.begin("paragraph", number, text, tuple(block.beginning() for _, block in self.items))

    def underlined(self, level: int) -> None:
        """Make the open paragraph, which is the last block, a heading."""
        block = self.done.pop()
        self.open = None
        self.heading(level, block.lines[0][0], block.text)

    def row(self, number: int, line: str) -> None:
        self.close()
        self.rows.append((number, [plain(cell) for cell in line.strip().strip("|").split("|")]))

    def ruler(self) -> bool:
        """Make what stands above the line of a table its header; False where there is nothing above."""
        if self.rows:
            self.header = self.rows.pop()[1]
        elif self.open is not None and self.open.kind == "paragraph" and "|" in self.open.lines[-1][1]:
            self.header = [cell.strip() for cell in self.open.lines.pop()[1].split("|")]
            if not self.open.lines:
                self.done.pop()
                self.open = None
            self.close()
        else:
            return False
        return True

    def end_table(self) -> None:
        if not self.rows and not self.header:
            return
        above, titles = (self.lead,) if self.lead else (), tuple(title for _, title in self.headings)
        for number, cells in self.rows:
            for position, cell in enumerate(cells):
                column = self.header[position] if position < len(self.header) else ""
                named = (*above, column, *cells[: min(position, _CELLS)])
                context = tuple(words[:_CONTEXT] for words in named if words)
                self.done.append(Block("cell", [(number, cell)], titles, context))
        self.rows, self.header = [], []


def read_blocks(text: str) -> list[Block]:
    """Return the statements of a Markdown text in order, code and comments left out."""
    code = fenced_lines(text)
    reader = _Reader()
    for number, line in _lines(without_comments(text)):
        if number in code:
            reader.end_table()
            reader.close()
        else:
            _read_line(reader, number, line)
    reader.end_table()
    return reader.done


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(text.split("\n"), 1):
        yield number, _QUOTE.sub("", raw.rstrip("\r").expandtabs(4)).rstrip()


def _read_line(reader: _Reader, number: int, line: str) -> None:
    words = line.strip()
    ruled = bool(words) and "-" in words and not words.strip("|-: ")
    if ruled and "|" in words and reader.ruler():
        return
    if words.startswith("|") or (reader.header and "|" in words):
        reader.row(number, line)
        return
    reader.end_table()
    if not words:
        reader.close()
    elif match := _HEADING.match(line):
        reader.heading(len(match[1]), number, match[2].strip().rstrip("#"))
    elif _UNDERLINE.match(line) and reader.open is not None and reader.open.kind == "paragraph":
        reader.underlined(1 if "=" in line else 2)
    elif ruled:
        reader.close()
    elif match := _ITEM.match(line):
        reader.item(number, len(match[1]), match[3], match[2])
    else:
        reader.prose(number, len(line) - len(line.lstrip()), words)
