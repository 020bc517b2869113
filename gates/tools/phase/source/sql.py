"""Tables that SQL makes, wherever it stands: migrations, schema files, texts in source code; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_QUOTED = r"""(?:"[^"\n]+"|`[^`\n]+`|\[[^\]\n]+\]|[^\W\d][\w$]*)"""
_NAME = rf"{_QUOTED}(?:\s*\.\s*{_QUOTED}){{0,2}}"
_STATEMENT = re.compile(
    rf"\bCREATE\s+(?:(?:GLOBAL|LOCAL|TEMP(?:ORARY)?|UNLOGGED|VIRTUAL)\s+)*TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?(?P<new>{_NAME})"
    rf"|\bDROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?P<gone>{_NAME})"
    rf"|\bALTER\s+TABLE\s+(?:IF\s+EXISTS\s+)?(?:ONLY\s+)?(?P<altered>{_NAME})\s+(?P<how>ADD|DROP|RENAME)\s+"
    rf"(?:(?P<column>COLUMN)\s+)?(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?P<to>TO\s+)?(?P<name>{_QUOTED})"
    rf"(?:\s+TO\s+(?P<renamed>{_QUOTED}))?",
    re.IGNORECASE,
)
_TEMPORARY = re.compile(r"(?i)\bTEMP(?:ORARY)?\b")
_NO_COLUMNS = frozenset(
    "constraint primary foreign unique check key index fulltext spatial exclude like period partition".split()  # noqa: SIM905
)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.S)
_STRING = re.compile(r"'(?:[^']|'')*'")
_MOST_TEXT = 20_000
"""Characters of one list of columns."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What one statement does to a table: `create` it with columns, `drop` it, `add`, `remove` or `rename` a column.

    A table that is renamed is `rename` with the new name as its only column and no type. A model of Django is
    `app.model` until `name` says, as its only column, what its table is called.
    """

    what: str
    table: str
    columns: dict[str, str]
    line: int


def statements_of(text: str) -> Iterator[Statement]:
    """Yield what the statements in a text do to tables, in their order, temporary tables left out."""
    for found in _STATEMENT.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        if found["new"]:
            if not _TEMPORARY.search(found[0][: found.start("new") - found.start()]):
                yield Statement("create", plain(found["new"]), _columns(text, found.end()), line)
        elif found["gone"]:
            yield Statement("drop", plain(found["gone"]), {}, line)
        else:
            yield from _altered(found, text, line)


def _altered(found: re.Match[str], text: str, line: int) -> Iterator[Statement]:
    table, name, how = plain(found["altered"]), plain(found["name"]), found["how"].upper()
    if name.lower() in _NO_COLUMNS:
        return
    if how == "ADD":
        yield Statement("add", table, {name: _type_of(text[found.end() : found.end() + 200])}, line)
    elif how == "DROP":
        yield Statement("remove", table, {name: ""}, line)
    elif found["renamed"]:
        yield Statement("rename-column", table, {name: plain(found["renamed"])}, line)
    elif found["to"]:
        yield Statement("rename", table, {name: ""}, line)


def plain(name: str) -> str:
    """Return a name without its quotes and without the schema before it: the tables of a backend share one."""
    last = re.split(r"\.(?=[^\"`\]]*(?:[\"`\[]|$))", name)[-1].strip()
    return last[1:-1] if last[:1] in '"`[' else last


def _columns(text: str, position: int) -> dict[str, str]:
    """Return the columns in the parentheses that follow, with what is said of each."""
    following = text[position : position + _MOST_TEXT].lstrip()
    if not following.startswith("("):
        return {}
    # In a text and in a comment, neither a comma nor a parenthesis means anything.
    inside = _inside(_STRING.sub("''", _COMMENT.sub(" ", following)))
    columns = {}
    for part in _parts(inside):
        found = re.match(rf"\s*({_QUOTED})\s*(.*)", part, re.S)
        if found and found[1].lower() not in _NO_COLUMNS:
            columns[plain(found[1])] = _type_of(found[2])
    return columns


def _inside(text: str) -> str:
    """Return what is in the first parentheses, or nothing when they are not closed."""
    depth = 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return text[1:position]
    return ""


def _parts(text: str) -> Iterator[str]:
    depth, begin = 0, 0
    for position, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            yield text[begin:position]
            begin = position + 1
    yield text[begin:]


def _type_of(rest: str) -> str:
    """Return a column's type and what matters of the rest, in the words that are used for live columns."""
    typed = re.match(r"\s*([A-Za-z][\w]*(?:\s+(?:varying|precision|unsigned))?(?:\s*\([\d\s,]*\))?)", rest)
    kind = " ".join(typed[1].upper().split()) if typed and typed[1].upper() not in ("NOT", "PRIMARY", "NULL") else ""
    until = rest.split(";")[0]
    is_key = re.search(r"(?i)\bPRIMARY\s+KEY\b", until) is not None
    required = re.search(r"(?i)\bNOT\s+NULL\b", until) is not None
    return described(kind, required=required, key=is_key)


def described(kind: str, *, required: bool, key: bool) -> str:
    """Return what is told of a column: `INTEGER, key`, `TEXT, not null`."""
    return ", ".join(part for part in (kind, "key" if key else "not null" if required else "") if part)
