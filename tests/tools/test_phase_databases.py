"""Tables of SQLite files, as a backend leaves them: open, in WAL mode, damaged, or none at all."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from gates.tools.phase.databases import Live, live_tables


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path, Path]:
    """A data folder, a project, and a folder for copies."""
    data, root = tmp_path / "data", tmp_path / "project"
    data.mkdir()
    root.mkdir()
    return data, root, tmp_path / "copies"


def look(folders: tuple[Path, Path, Path], since: float = 0.0) -> Live:
    data, root, copies = folders
    live = live_tables(data, root, since, copies)
    assert not list(copies.glob("copy.db*")), "a copy is never left behind"
    return live


def database(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_tables_and_columns_with_what_they_are(folders: tuple[Path, Path, Path]) -> None:
    data = folders[0]
    (data / "deep").mkdir()
    database(
        data / "deep" / "orders.db",
        "CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, customer text NOT NULL, total REAL, plain)",
        "CREATE TABLE lines (order_id INT, number INT, PRIMARY KEY (order_id, number)) WITHOUT ROWID",
        "CREATE VIEW totals AS SELECT total FROM orders",
        "CREATE VIRTUAL TABLE found USING fts5(words)",
    )
    (data / "notes.txt").write_text("no database")
    (data / "empty.db").write_bytes(b"")
    live = look(folders)
    assert live.databases == ["deep/orders.db"]
    assert {name: dict(table.columns) for name, table in live.tables.items()} == {
        "orders": {"id": "INTEGER, key", "customer": "TEXT, not null", "total": "REAL", "plain": ""},
        "lines": {"order_id": "INT, key", "number": "INT, key"},
        "found": {"words": ""},
    }
    assert {(table.origin, table.place) for table in live.tables.values()} == {("live", "deep/orders.db")}
    assert live.notes == []


def test_what_a_running_backend_has_written_and_not_checkpointed_is_seen(folders: tuple[Path, Path, Path]) -> None:
    path = folders[0] / "orders.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE only_in_the_log (id INTEGER)")
        connection.commit()
        before = hashlib.sha256(path.read_bytes()).hexdigest()
        assert list(look(folders).tables) == ["only_in_the_log"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == before, "the backend's file is not touched"


def test_a_damaged_file_is_told_and_the_others_are_read(folders: tuple[Path, Path, Path]) -> None:
    data = folders[0]
    database(data / "good.db", "CREATE TABLE good (id INTEGER)")
    (data / "bad.db").write_bytes(b"SQLite format 3\0" + b"\xff" * 5000)
    live = look(folders)
    assert list(live.tables) == ["good"]
    assert len(live.notes) == 1
    assert live.notes[0].startswith("bad.db: its tables could not be read: ")


def test_a_link_out_of_the_data_folder_is_not_followed(folders: tuple[Path, Path, Path], tmp_path: Path) -> None:
    database(tmp_path / "secret.db", "CREATE TABLE secret (id INTEGER)")
    (folders[0] / "link.db").symlink_to(tmp_path / "secret.db")
    assert look(folders).databases == []


def test_without_one_those_count_that_were_written_in_the_project_since_the_start(
    folders: tuple[Path, Path, Path],
) -> None:
    root = folders[1]
    database(root / "orders.db", "CREATE TABLE orders (id INTEGER)")
    (root / "instance").mkdir()
    database(root / "instance" / "app.sqlite", "CREATE TABLE users (id INTEGER)")
    (root / ".gates").mkdir()
    database(root / ".gates" / "history.db", "CREATE TABLE runs (id INTEGER)")
    written = (root / "orders.db").stat().st_mtime
    assert look(folders, written - 10).databases == ["instance/app.sqlite", "orders.db"]
    assert look(folders, written + 3600).databases == []
    database(folders[0] / "own.db", "CREATE TABLE own (id INTEGER)")
    assert look(folders, written - 10).databases == ["own.db"]


def test_many_files_are_bounded_and_told(folders: tuple[Path, Path, Path]) -> None:
    for number in range(10):
        database(folders[0] / f"{number:02}.db", f"CREATE TABLE t{number} (id INTEGER)")
    live = look(folders)
    assert len(live.databases) == 8
    assert live.notes == ["of 10 SQLite files only 8 were looked at"]
