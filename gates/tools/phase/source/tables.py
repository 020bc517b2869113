"""The tables that files declare, taken together as a database would after all of them; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from gates.tools.phase.snapshot import Table
from gates.tools.phase.source import models, prisma, sql
from gates.tools.phase.source.sql import Statement

_TEXTS = (".sql", ".js", ".ts", ".mjs", ".cjs", ".go", ".java", ".kt", ".rb", ".rs", ".php", ".cs", ".scala")
_UNDOING = re.compile(r"(?:down|rollback|revert)\.sql|.*[._-](?:down|rollback|revert)\.sql|u\d[\d._]*__.*")
"""Of golang-migrate, sqlx, Diesel and Flyway."""


def declares_tables(name: str) -> bool:
    """Return whether files of this name are looked into."""
    return name.endswith((".py", ".prisma", *_TEXTS))


def statements_in(path: str, text: str) -> list[Statement]:
    """Return what a file does to tables."""
    if path.endswith(".py"):
        return [*models.declared_in(path, text), *sql.statements_of(text)]
    if path.endswith(".prisma"):
        return list(prisma.models_of(text))
    if _is_undoing(path):
        return []
    return list(sql.statements_of(text))


def _is_undoing(path: str) -> bool:
    """Return whether a migration takes another one back: its statements would undo what there is."""
    name = path.rpartition("/")[2].lower()
    return _UNDOING.fullmatch(name) is not None


def tables_after(files: Iterable[tuple[str, Iterable[Statement]]]) -> Mapping[str, Table]:
    """Return the tables that are left after all files, in the order of their paths: migrations are numbered."""
    tables: dict[str, Table] = {}
    names: dict[str, str] = {}
    for path, statements in sorted(files, key=lambda pair: pair[0]):
        for one in statements:
            if one.what == "name":
                names[one.table] = next(iter(one.columns))
            else:
                _apply(tables, one, path)
    return {names.get(key, key): table for key, table in tables.items()}


def _apply(tables: dict[str, Table], one: Statement, path: str) -> None:
    if one.what == "create":
        before = tables.get(one.table)
        columns = {**(before.columns if before else {}), **one.columns}
        tables[one.table] = Table(columns, "declared", before.place if before else f"{path}:{one.line}")
        return
    if one.what == "drop":
        tables.pop(one.table, None)
        return
    table = tables.get(one.table)
    if table is None:
        return
    columns = dict(table.columns)
    if one.what == "add":
        columns.update(one.columns)
    elif one.what == "remove":
        for name in one.columns:
            columns.pop(name, None)
    elif one.what == "rename-column":
        for name, renamed in one.columns.items():
            columns = {renamed if column == name else column: what for column, what in columns.items()}
    elif one.what == "rename":
        tables[next(iter(one.columns))] = tables.pop(one.table)
        return
    tables[one.table] = Table(columns, table.origin, table.place)
