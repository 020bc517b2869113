"""Tables that `schema.prisma` declares; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator

from gates.tools.phase.source.sql import Statement, described

_MODEL = re.compile(r"^\s*model\s+(\w+)\s*\{(.*?)^\s*\}", re.S | re.M)
_MAPPED = re.compile(r'@@map\(\s*(?:name:\s*)?"([^"]+)"\s*\)')
_FIELD = re.compile(r"^\s*(\w+)\s+(\w+)(\[\])?(\?)?(.*)$")
_COLUMN = re.compile(r'@map\(\s*(?:name:\s*)?"([^"]+)"\s*\)')


def models_of(text: str) -> Iterator[Statement]:
    """Yield the tables of a schema with their columns; fields that stand for other models are none."""
    models = list(_MODEL.finditer(text))
    names = {found[1] for found in models}
    for found in models:
        mapped = _MAPPED.search(found[2])
        columns = {}
        for line in found[2].split("\n"):
            field = _FIELD.match(line.partition("//")[0])
            if field is None or field[2] in names or field[3]:
                continue
            column = _COLUMN.search(field[5])
            columns[column[1] if column else field[1]] = described(
                field[2], required=not field[4], key="@id" in field[5]
            )
        yield Statement("create", mapped[1] if mapped else found[1], columns, text.count("\n", 0, found.start()) + 1)
