"""A program of its own: which tables a backend's SQLite file has, with their columns.

    python -I backend_tables.py COPY.db OUTPUT.json

It works on a copy, in a process with a time limit, because the file is the backend's and may be anything. Only the
standard library is imported: it is started by its path, whatever is installed.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

_MOST_TABLES = 2000


def tables_of(database: Path) -> dict[str, dict[str, str]]:
    """Return the columns of each table in words, `INTEGER, key`; those that SQLite keeps for itself are left out."""
    tables: dict[str, dict[str, str]] = {}
    with closing(sqlite3.connect(database)) as connection:
        # A damaged schema, or one with functions that only the backend has, is still a list of names.
        connection.execute("PRAGMA trusted_schema = OFF")
        rows = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' "
            "AND name NOT IN (SELECT name || '_' || kind FROM sqlite_schema, "
            "(SELECT 'data' AS kind UNION SELECT 'idx' UNION SELECT 'content' UNION SELECT 'docsize' "
            "UNION SELECT 'config' UNION SELECT 'segments' UNION SELECT 'segdir' UNION SELECT 'stat' "
            "UNION SELECT 'node' UNION SELECT 'parent' UNION SELECT 'rowid') "
            "WHERE sql LIKE 'CREATE VIRTUAL TABLE%') ORDER BY name LIMIT ?",
            (_MOST_TABLES + 1,),
        ).fetchall()
        for (name,) in rows:
            try:
                columns = connection.execute('SELECT name, type, "notnull", pk FROM pragma_table_info(?)', (name,))
                tables[name] = {column: _told(kind, required, key) for column, kind, required, key in columns}
            except sqlite3.Error:
                tables[name] = {}
    return tables


def _told(kind: str, required: int, key: int) -> str:
    mark = "key" if key else "not null" if required else ""
    return ", ".join(part for part in (kind.upper(), mark) if part)


def main() -> None:
    """Write the tables of a copy, or why they cannot be read."""
    database, output = Path(sys.argv[1]), Path(sys.argv[2])
    try:
        content: dict[str, object] = {"tables": tables_of(database)}
    except sqlite3.Error as error:
        content = {"error": str(error)}
    output.write_text(json.dumps(content), "utf-8")


if __name__ == "__main__":
    main()
