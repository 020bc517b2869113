"""A signed-off phase in a file of its own: written once and whole, read without being touched."""

from __future__ import annotations

import glob
import os
import shutil
import sqlite3
import zlib
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import psutil

from gates.errors import IntegrityError
from gates.results import Signoff
from gates.store.connection import (
    DamagedError,
    StoreError,
    decoding,
    explain_os,
    explained,
    insert,
    migrate,
    pending,
    select_run,
    writing,
)
from gates.store.digest import verify_baseline
from gates.store.rows import COLUMNS, SIGNOFFS, Rows, SqlValue, Unstorable, loaded_text, run_from, run_rows

# The run in a baseline is finished, whole, and belongs to no process.
_BOOKKEEPING: dict[str, SqlValue] = {
    "state": "finished", "state_reason": None, "process_id": None, "process_started": None, "host": None, "thinned": 0,
}  # fmt: skip
_FILE_COLUMNS: Mapping[str, tuple[str, ...]] = {
    **COLUMNS,
    "runs": (*COLUMNS["runs"], *_BOOKKEEPING),
    "signoffs": SIGNOFFS.names,
    "waivers": ("id",),
    "attestations": ("id",),
    "calibrations": ("id",),
    "calibration_noise": ("calibration_id", "position"),
}


def _file_rows(signoff: Signoff) -> Rows:
    """Return every row that the file of a sign-off holds, and no other."""
    rows = run_rows(signoff.run, first_gate_id=1)
    (run,) = rows["runs"]
    rows["runs"] = [(*run, *_BOOKKEEPING.values())]
    rows["signoffs"] = [SIGNOFFS.row((run[0],), signoff)]
    return rows | {"waivers": [], "attestations": [], "calibrations": [], "calibration_noise": []}


def write_baseline(path: Path, signoff: Signoff) -> None:
    """Write the file of a sign-off; it appears under its name whole and on the disk, or not at all.

    Raises IntegrityError when its digest is not that of its content, StoreError when the file exists already (a
    baseline is never overwritten) or cannot be written.
    """
    verify_baseline(signoff)
    workshop = path.with_name(f".{path.name}.{os.getpid()}.part")
    part = workshop / "baseline.db"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        workshop.mkdir()
    except OSError as error:
        raise explain_os(error, path) from error
    try:
        _write(part, signoff, path)
        if read_baseline(part) != signoff:
            raise StoreError(
                f"{path} was not written: it would not have read back as the run that was signed",
                "this is a mistake in gates; please report it",
            )
        _publish(part, path)
    except OSError as error:
        raise explain_os(error, path) from error
    finally:
        shutil.rmtree(workshop, ignore_errors=True)


def _write(part: Path, signoff: Signoff, path: Path) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as memory, explained(path):
        memory.execute("PRAGMA foreign_keys = ON")
        migrate(memory)
        with writing(memory):
            insert(memory, _FILE_COLUMNS, _file_rows(signoff))
        # One file without gaps; its journal, should the process be killed here, stays in the workshop.
        memory.execute("VACUUM INTO ?", [str(part)])
    _force_to_disk(part)


def _remove_leftovers(path: Path) -> None:
    """Remove what a killed process left behind when it was writing the same file."""
    for workshop in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        pid = workshop.name.split(".")[-2]
        if not pid.isdigit() or int(pid) == os.getpid() or not psutil.pid_exists(int(pid)):
            shutil.rmtree(workshop)


def _force_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _publish(part: Path, path: Path) -> None:
    exists = StoreError(
        f"{path} exists already; a baseline is never overwritten",
        "sign off the next phase, or remove the file through git when it was a mistake",
    )
    try:
        os.link(part, path)
    except FileExistsError as error:
        raise exists from error
    except OSError as error:
        # Some file systems know no hard links; replacing is as whole, though two at the same instant would not see
        # each other.
        if path.exists():
            raise exists from error
        os.replace(part, path)
    _force_to_disk(path.parent)


@contextmanager
def _open(path: Path) -> Iterator[sqlite3.Connection]:
    """Open a baseline for reading, in the newest layout, which an older file gets in memory only."""
    if not path.is_file():
        raise StoreError(f"there is no baseline {path}", "is it under its name in git, and checked out?")
    # Immutable: no lock, no journal, no file beside it, also in a folder that is read-only.
    address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(address, uri=True, isolation_level=None)) as file:
        file.execute("PRAGMA trusted_schema = OFF")
        if not pending(file, path):
            yield file
            return
        with closing(sqlite3.connect(":memory:", isolation_level=None)) as memory:
            file.backup(memory)
            memory.execute("PRAGMA trusted_schema = OFF")
            migrate(memory)
            yield memory


def _select_all(connection: sqlite3.Connection) -> Rows:
    rows: Rows = {}
    for name, names in _FILE_COLUMNS.items():
        order = ", ".join(key for key in ("id", "run_id", "gate_result_id", "position") if key in names)
        rows[name] = connection.execute(f"SELECT {', '.join(names)} FROM {name} ORDER BY {order}").fetchall()
    return rows


def _without_compression(rows: Rows) -> Rows:
    # Another build of zlib may compress the same bytes differently.
    return {
        name: [tuple(zlib.decompress(value) if isinstance(value, bytes) else value for value in row) for row in some]
        for name, some in rows.items()
    }


def _signoff_of(connection: sqlite3.Connection, path: Path) -> Signoff:
    found = connection.execute(f"SELECT {', '.join(SIGNOFFS.names)} FROM signoffs").fetchall()
    if len(found) != 1:
        raise IntegrityError(
            f"{path} holds {len(found)} sign-offs, where a baseline holds one", "bring the signed file back with git"
        )
    run = run_from(select_run(connection, loaded_text(str(found[0][0]))))
    return Signoff(**SIGNOFFS.fields(found[0]), run=run)


def read_baseline(path: Path) -> Signoff:
    """Return the sign-off that a file holds, without changing anything on the disk; `verify_baseline` judges it.

    Raises IntegrityError when the file is damaged or holds anything that the sign-off does not account for, NewerError
    when a newer gates wrote it, StoreError when it is not there or not a baseline.
    """
    try:
        with explained(path), decoding(path), _open(path) as connection:
            signoff = _signoff_of(connection, path)
            expected, actual = (_without_compression(rows) for rows in (_file_rows(signoff), _select_all(connection)))
            differing = [name for name in expected if expected[name] != actual[name]]
    except (DamagedError, Unstorable) as error:
        raise IntegrityError(
            error.message.replace("; nothing was deleted", ""), "bring the signed file back with git"
        ) from error
    if differing:
        raise IntegrityError(
            f"the baseline of phase {signoff.phase!r} is not what was signed: {path} has rows in "
            f"{', '.join(differing)} that do not belong to it",
            "bring the signed file back with git (git log -- baselines, git checkout COMMIT -- FILE)",
        )
    return signoff
