"""The tables of the SQLite files that a started backend has made: copies are looked at, never the files themselves."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import gates
from gates import process
from gates.errors import GatesError
from gates.tools.phase.snapshot import Table

_PROGRAM = Path(gates.__file__).parent / "store" / "backend_tables.py"
_MAGIC = b"SQLite format 3\0"
_MOST_BYTES = 2 * 1024**3
_MOST_FILES = 2000
_MOST_DATABASES = 8
_SECONDS = 60.0
_BESIDE = ("-wal",)
"""What belongs to a database file: what was written and is not in it yet."""


@dataclass
class Live:
    """Tables by name, the database files they are in, and what could not be read."""

    tables: dict[str, Table] = field(default_factory=dict)
    databases: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def live_tables(data: Path, root: Path, since: float, directory: Path) -> Live:
    """Return the tables in the SQLite files of a backend's data folder.

    Where there is none, those are taken that it has written in the project's own folder since it was started (`since`,
    in seconds of the file system's clock). `directory` takes the copies, one after another.
    """
    live = Live()
    found = list(_databases(data)) or [path for path in _in_project(root) if path.stat().st_mtime >= since]
    if len(found) > _MOST_DATABASES:
        live.notes.append(f"of {len(found)} SQLite files only {_MOST_DATABASES} were looked at")
    for path in sorted(found)[:_MOST_DATABASES]:
        name = str(path.relative_to(data if path.is_relative_to(data) else root))
        try:
            tables = _tables_of(path, directory)
        except (GatesError, OSError) as error:
            live.notes.append(f"{name}: its tables could not be read: {error}")
            continue
        live.databases.append(name)
        for table, columns in tables.items():
            live.tables.setdefault(table, Table(columns, "live", name))
    return live


def _databases(folder: Path) -> Iterator[Path]:
    count = 0
    for here, _, files in os.walk(folder):
        for name in sorted(files):
            count += 1
            if count > _MOST_FILES:
                return
            if _is_database(Path(here) / name):
                yield Path(here) / name


def _in_project(root: Path) -> Iterator[Path]:
    """Yield the SQLite files that lie in the project's folder, or in one directly below it."""
    for pattern in ("*", "*/*"):
        for path in sorted(root.glob(pattern))[:_MOST_FILES]:
            if not path.relative_to(root).parts[0].startswith((".", "baselines")) and _is_database(path):
                yield path


def _is_database(path: Path) -> bool:
    try:
        if path.is_symlink() or not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def _tables_of(path: Path, directory: Path) -> dict[str, dict[str, str]]:
    """Return the tables of one file, by a program of its own that gets a copy."""
    if path.stat().st_size > _MOST_BYTES:
        raise GatesError(f"it is larger than {_MOST_BYTES // 1024**3} GiB", "start the backend with less data")
    directory.mkdir(parents=True, exist_ok=True)
    copy, output = directory / "copy.db", directory / "tables.json"
    try:
        shutil.copyfile(path, copy)
        for ending in _BESIDE:
            beside = path.with_name(path.name + ending)
            if beside.is_file():
                shutil.copyfile(beside, copy.with_name(copy.name + ending))
        process.run(
            [sys.executable, "-I", str(_PROGRAM), str(copy), str(output)], cwd=directory, env=dict(os.environ),
            stdout=directory / "tables.log", stderr=directory / "tables.err", timeout=_SECONDS,
        )  # fmt: skip
        content = json.loads(output.read_text("utf-8"))
    finally:
        for left in directory.glob("copy.db*"):
            left.unlink()
    if "error" in content:
        raise GatesError(str(content["error"]))
    return dict(content["tables"])
