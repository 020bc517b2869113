"""One line of a list, one row of a table, one sentence: which names it lists, and which it only mentions; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

from gates.tools.phase import words
from gates.tools.phase.markdown import Span, spans
from gates.tools.phase.references import OPERATION, Kind

_TOLD = re.compile(r"\s[–—]\s?|\s--?\s|:(?=\s|$)|\.(?=\s|$)")
"""What a list is ended by, and a description begun."""
_JOINED = re.compile(r"[\s,;&/()|]*(?:and|or|und)?[\s,;&/()|]*")
_COLUMNS = re.compile(r"(?i)\b(columns?|fields?)\b")
_PLAIN_LIST = re.compile(r"\s*(?:,|;|\band\b|&)\s*")
_IN_PARENTHESES = re.compile(r"^([^\s(]+)\s*\(([^()]*)\)$")


@dataclass
class Listed:
    """The names that a line lists, each with its kind, and the pieces of code that it mentions besides."""

    names: list[tuple[Kind, str]] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)
    label: Kind | None = None
    """What a line that only labels those below it says they are: `Tables:`."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int
    end: int
    is_operation: bool


def read_line(text: str, kind: Kind | None, *, sentence: bool = False) -> Listed:
    """Return what a line of a list names; `kind` is what the heading above it says that the names in it are.

    Names are what stands in code, and operations wherever they stand. In a `sentence` only operations and names that
    a word says the kind of (`the table …`) are listed. What follows a dash or a colon is a description.
    """
    text = text.replace("**", "")
    tokens = list(_tokens(text))
    if not tokens:
        return _plain(text, None if sentence else kind)
    found = Listed()
    masked = _mask(text, tokens)
    current, position, open_list, table = kind, 0, True, ""
    was: Literal["listed", "column", "mentioned"] = "listed"
    for token in tokens:
        gap = masked[position : token.start]
        if found.names and not sentence and _TOLD.search(gap):
            open_list = False
        if not open_list:
            found.mentions.append(token.text)
            continue
        said = words.kind_in(gap)
        current = said or current
        goes_on = _JOINED.fullmatch(gap) is not None
        joined = was != "mentioned" and (not found.names or goes_on)
        named = _named(token, current if said or not sentence else None, joined=joined and not sentence)
        if named is None:
            found.mentions.append(token.text)
            was = "mentioned"
        elif (
            table
            and named == ("tables", token.text)
            and words.is_plain_name(token.text)
            and (_is_column(masked, gap, token) or (was == "column" and goes_on and said is None))
        ):
            found.names.append(("tables", f"{table}.{token.text}"))
            was = "column"
        else:
            found.names.append(named)
            table = named[1] if named[0] == "tables" and words.is_plain_name(named[1]) else ""
            was = "listed"
        position = token.end
    return found


def _named(token: _Token, kind: Kind | None, *, joined: bool) -> tuple[Kind, str] | None:
    """Return the kind and the name that a piece of code lists, or None when it is only mentioned."""
    if token.is_operation:
        return "operations", words.fitting(token.text, "operations") or token.text
    form = words.form_of(token.text)
    if form == "operations" and kind in (None, "operations"):
        return ("operations", token.text) if joined or kind else None
    if kind and (name := words.fitting(token.text, kind)) is not None:
        return kind, name
    if not joined:
        return None
    if form is not None and kind is None:
        name = words.fitting(token.text, form)
        return (form, name) if name else None
    if kind is None and (words.is_plain_name(token.text) or words.is_dotted(token.text)):
        return "", token.text
    return None


def _is_column(masked: str, gap: str, token: _Token) -> bool:
    """Return whether a name stands in the parentheses after its table, or after the word for columns."""
    return masked.count("(", 0, token.start) > masked.count(")", 0, token.start) or bool(_COLUMNS.search(gap))


def _tokens(text: str) -> Iterator[_Token]:
    """Yield the code spans, and the operations outside of them, in order."""
    found: list[_Token] = []
    taken: list[Span] = spans(text)
    for span in taken:
        found.append(_Token(span.text, span.start, span.end, OPERATION.fullmatch(span.text) is not None))
    outside = _mask(text, found)
    for match in OPERATION.finditer(outside):
        name = match[0].rstrip(".:)")
        found.append(_Token(name, match.start(), match.start() + len(name), True))
    yield from sorted(found, key=lambda token: token.start)


def _mask(text: str, tokens: list[_Token]) -> str:
    """Return a text in which every token is blanked out with a sign that is nowhere else, at its old length."""
    parts, position = [], 0
    for token in tokens:
        parts += [text[position : token.start], "\0" * (token.end - token.start)]
        position = token.end
    return "".join([*parts, text[position:]])


def _plain(text: str, kind: Kind | None) -> Listed:
    """Return what a line without code names: `Tables: orders, lines`, or `orders – words` under a heading."""
    label, colon, rest = text.partition(":")
    labelled = words.kind_in(label) if colon else None
    if colon and not rest.strip():
        return Listed(label=words.kind_in(label))
    if labelled is not None:
        kind, text = labelled, rest
    if kind is None:
        return Listed()
    told = _TOLD.search(text)
    head = (text[: told.start()] if told else text).strip()
    found = Listed()
    for name in _split_plain(head):
        name = re.sub(rf"(?i)^(?:the\s+)?(?:{'|'.join(_SINGULAR[kind])})\s+", "", name) if kind in _SINGULAR else name
        columns = _IN_PARENTHESES.fullmatch(name)
        fitting = words.fitting(columns[1] if columns else name, kind)
        if fitting is None:
            return Listed()
        found.names.append((kind, fitting))
        for column in _PLAIN_LIST.split(columns[2]) if columns and kind == "tables" else ():
            if words.is_plain_name(column.strip()):
                found.names.append(("tables", f"{fitting}.{column.strip()}"))
    return found


_SINGULAR: dict[Kind, tuple[str, ...]] = {
    "tables": ("table", "column"), "events": ("event", "message", "topic"), "environment": ("variable",),
}  # fmt: skip


def _split_plain(text: str) -> list[str]:
    """Return the names of a list, without taking those in parentheses apart."""
    parts, depth, begin = [], 0, 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character in ",;" and depth == 0:
            parts.append(text[begin:position])
            begin = position + 1
    parts.append(text[begin:])
    return [part.strip() for whole in parts for part in re.split(r"\s+and\s+", whole) if part.strip()]


def read_row(cells: tuple[str, ...], headings: tuple[str, ...], kind: Kind | None) -> Listed:
    """Return what a row names: by the headings of its columns, else its first cell as a line of a list."""
    heads = [heading.strip("*` ").lower() for heading in headings]
    by_head = dict(zip(heads, cells, strict=False))
    method = next((cell for head, cell in by_head.items() if head in ("method", "verb")), None)
    path = next((cell for head, cell in by_head.items() if head in ("path", "route", "url", "endpoint", "uri")), None)
    if method and path:
        name = f"{method.strip('` ').upper()} {path.strip('` ')}"
        rest = [cell for head, cell in by_head.items() if cell not in (method, path)]
        return Listed([("operations", name)], [span.text for cell in rest for span in spans(cell)])
    found, table = Listed(), ""
    for number, (head, cell) in enumerate(zip(heads, cells, strict=False)):
        said = words.kind_in(head)
        of_table = bool(_COLUMNS.search(head)) and bool(table)
        if said is None and number > 0:
            found.mentions += [span.text for span in spans(cell)]
            continue
        read = read_line(cell, said or kind)
        for one, name in read.names:
            column = of_table and words.is_plain_name(name)
            found.names.append(("tables", f"{table}.{name}") if column else (one, name))
        table = next((name for one, name in read.names if one == "tables" and words.is_plain_name(name)), table)
        found.mentions += read.mentions
    return found
