"""Opening a database file of ours, and saying what is wrong when SQLite cannot."""

from __future__ import annotations

import errno
import shlex
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gates.errors import GatesError
from gates.store.rows import COLUMNS, OF_A_GATE, UNDECODABLE, Rows, SqlValue, loaded_text, stored_text
from gates.store.schema import MIGRATION_SET, VERSIONS, migrations

if TYPE_CHECKING:
    from sqlite_utils import Database

BUSY_SECONDS = 15.0
"""How long to wait for another process that writes; saving the largest run takes about a second."""

_POLL_SECONDS = 0.02
_SMALLEST_PAGE = 512
_OLDEST_SQLITE = (3, 37)  # the first with STRICT tables
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_LOCKED = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_NOT_WRITABLE = {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}


class StoreError(GatesError):
    """A history or a baseline could not be opened, read or written; what was stored before is still there."""


class DamagedError(StoreError):
    """A file is not the database it should be."""


class NewerError(StoreError):
    """A file was written by a newer gates than this."""


class LockedError(StoreError):
    """Another process kept the file to itself for longer than one can wait."""


def damaged(path: Path, detail: object) -> DamagedError:
    """Return the error for a file that cannot be understood; it says how to move the file aside."""
    aside = shlex.quote(str(path.with_name(time.strftime("damaged-%Y%m%dT%H%M%SZ", time.gmtime()))))
    return DamagedError(
        f"{path} is damaged ({detail}); nothing was deleted",
        f"move it aside, a new one is begun then: mkdir -p {aside} && mv {shlex.quote(str(path))}* {aside}/",
    )


def explain(error: sqlite3.Error, path: Path) -> StoreError:
    """Return what an error of SQLite means to the person who has to put it right."""
    code = getattr(error, "sqlite_errorcode", None)
    primary = None if code is None else code & 0xFF  # the rest of the bits only say where inside SQLite
    if primary in _DAMAGED or "decode to UTF-8" in str(error):
        return damaged(path, error)
    if primary in _LOCKED:
        return LockedError(
            f"{path} is in use by another process that does not let go of it",
            f"wait for the other gates to end, or find it with: fuser {shlex.quote(str(path))}",
        )
    if primary in _NOT_WRITABLE:
        return StoreError(
            f"{path} cannot be opened or written ({error})",
            f"is {path.parent} a folder that you may write to, and not mounted read-only?",
        )
    if primary == sqlite3.SQLITE_FULL:
        return StoreError(f"the disk that holds {path} is full; what was stored before is kept", "free some space")
    if primary == sqlite3.SQLITE_IOERR:
        return StoreError(
            f"{path} could not be written or read ({error}); what was stored before is kept",
            "is the disk full, or a limit on file sizes set (ulimit -f)?",
        )
    return StoreError(f"{path} could not be used: {error}", "this is a mistake in gates; please report it")


def explain_os(error: OSError, path: Path) -> StoreError:
    """Return what an error of the file system means to the person who has to put it right."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreError(f"the disk that holds {path} is full; nothing was changed", "free some space")
    return StoreError(
        f"{path} cannot be written: {error.strerror}", f"is {path.parent} a folder that you may write to?"
    )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite raises, and what damaged rows raise, into a StoreError that names the file."""
    try:
        yield
    except sqlite3.Error as error:
        raise explain(error, path) from error


@contextmanager
def decoding(path: Path) -> Iterator[None]:
    """Turn what damaged rows raise into a DamagedError that names the file."""
    try:
        yield
    except UNDECODABLE as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from error


def wrapped(connection: sqlite3.Connection) -> Database:
    """Return a connection as sqlite-utils knows it, without the plugins that a user may have installed for it."""
    from sqlite_utils import Database

    return Database(connection, recursive_triggers=False, execute_plugins=False)


def versions_of(connection: sqlite3.Connection) -> list[str] | None:
    """Return the versions of the layout that a file has; None when it is a database of something else."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return []
    if "_sqlite_migrations" not in tables:
        return None
    rows = connection.execute(
        "SELECT name FROM _sqlite_migrations WHERE migration_set = ? ORDER BY id", [MIGRATION_SET]
    )
    return [name for (name,) in rows] or None


def pending(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether a file needs migrating; raises a StoreError when it is not ours or too new."""
    found = versions_of(connection)
    if found is None:
        raise StoreError(
            f"{path} is a database, but not one of gates", "move it away, or work in another folder; it was not touched"
        )
    unknown = [name for name in found if name not in VERSIONS]
    if unknown:
        raise NewerError(
            f"{path} was written by a newer gates (its layout is {unknown[-1]})",
            "upgrade gates: pip install --upgrade phase-gates",
        )
    return len(found) < len(VERSIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring an open database to the newest layout; the caller holds the write lock where others may come."""
    migrations().apply(wrapped(connection))


@contextmanager
def writing(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold the write lock for one transaction: all of it is kept, or nothing.

    Taken at once: a transaction that begins by reading cannot wait for the lock when it wants to write.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _switch_to_wal(connection: sqlite3.Connection, busy_seconds: float) -> None:
    # SQLite does not wait for others here, whatever the busy timeout is: two that create a file at once would fail.
    deadline = time.monotonic() + busy_seconds
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _LOCKED or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_SECONDS)
        else:
            return


def _require_sqlite() -> None:
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise StoreError(
            f"this Python is built with SQLite {sqlite3.sqlite_version}, which is too old",
            f"use a Python with SQLite {'.'.join(map(str, _OLDEST_SQLITE))} or newer",
        )


def _require_whole_page(path: Path) -> None:
    # SQLite takes anything shorter than its smallest page for a database that is still empty, and writes over it.
    size = path.stat().st_size if path.exists() else 0
    if 0 < size < _SMALLEST_PAGE:
        raise damaged(path, f"it has {size} bytes")


def open_history(path: Path, busy_seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open or create a history, in its newest layout; several processes may do so at the same time.

    Raises a StoreError that says what to do: damaged, newer than this program, locked, not writable, disk full.
    """
    _require_sqlite()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain_os(error, path) from error
    with explained(path):
        connection = sqlite3.connect(path, timeout=busy_seconds, isolation_level=None)
    try:
        with explained(path):
            _require_whole_page(path)
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
            # In WAL mode this loses no transaction when a process is killed; only a power cut may take the last ones.
            connection.execute("PRAGMA synchronous = NORMAL")
            needs_migrating = pending(connection, path)
            _switch_to_wal(connection, busy_seconds)
            if needs_migrating:
                with writing(connection):
                    migrate(connection)  # applies nothing when another process was faster
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """See one state of the database through several queries, whatever others write meanwhile."""
    connection.execute("BEGIN")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")


def insert(connection: sqlite3.Connection, columns: Mapping[str, Sequence[str]], rows: Rows) -> None:
    """Insert rows, table by table in the order of `columns`, inside the caller's transaction."""
    database = wrapped(connection)
    for name, names in columns.items():
        if rows.get(name):
            database.table(name).insert_all([names, *rows[name]])


def query(connection: sqlite3.Connection, sql: str, parameters: Sequence[SqlValue] = ()) -> list[tuple[Any, ...]]:
    """Run one statement whose texts, given and returned, may be any; for all but whole rows of a run."""
    given = [stored_text(value) if isinstance(value, str) else value for value in parameters]
    return [
        tuple(loaded_text(value) if isinstance(value, str) else value for value in row)
        for row in connection.execute(sql, given)
    ]


def select_run(connection: sqlite3.Connection, run_id: str) -> Rows:
    """Return all rows of a run, by table and in order."""
    of_a_gate = {table.name for table in OF_A_GATE}
    rows: Rows = {}
    for name, names in COLUMNS.items():
        if name == "runs":
            which = "id = ?"
        elif name in of_a_gate:
            which = "gate_result_id IN (SELECT id FROM gate_results WHERE run_id = ?) ORDER BY gate_result_id, position"
        else:
            which = "run_id = ? ORDER BY position"
        rows[name] = connection.execute(
            f"SELECT {', '.join(names)} FROM {name} WHERE {which}", [stored_text(run_id)]
        ).fetchall()
    return rows
