"""Baselines: written whole and once, read for ever without being touched, and any change to them is seen."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from store_samples import anything, full_run, signed, small_run

from gates.errors import GatesError, IntegrityError
from gates.results import Run, Signoff
from gates.store import (
    NewerError,
    Store,
    StoreError,
    canonical_content,
    content_digest,
    read_baseline,
    schema,
    verify_baseline,
    verify_chain,
    write_baseline,
)
from gates.store.digest import plain_fields
from gates.store.rows import INTEGER, TEXT, Column, Table

FIRST_VERSION = Path(__file__).parent / "output" / "store" / "baseline-v1.sql"


@pytest.fixture
def baseline(tmp_path: Path) -> Path:
    path = tmp_path / "baselines" / "01-foundation.db"
    write_baseline(path, signed(full_run()))
    return path


def read_and_verify(path: Path) -> None:
    verify_baseline(read_baseline(path))


def change(path: Path, sql: str, *parameters: Any) -> None:
    with closing(sqlite3.connect(path)) as database:
        assert database.execute(sql, parameters).rowcount == 1, sql
        database.commit()


def test_a_signoff_comes_back_equal_from_a_single_file(baseline: Path) -> None:
    found = read_baseline(baseline)
    assert found == signed(full_run())
    verify_baseline(found)
    assert [file.name for file in baseline.parent.iterdir()] == ["01-foundation.db"]
    with closing(sqlite3.connect(baseline)) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("SELECT signed_by FROM signoffs").fetchone() == ("Ada Lovelace",)


@given(run=anything(Run))
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_the_digest_of_any_run_is_the_same_after_sqlite(tmp_path_factory: pytest.TempPathFactory, run: Run) -> None:
    run = replace(run, id="r" + run.id)
    with Store(tmp_path_factory.getbasetemp() / "digests.db") as store:
        store.finish(run)
        assert content_digest(signed(store.run(run.id))) == content_digest(signed(run))


def test_reading_changes_nothing_on_the_disk(baseline: Path) -> None:
    before = (baseline.read_bytes(), baseline.stat().st_mtime_ns)
    read_and_verify(baseline)
    assert (baseline.read_bytes(), baseline.stat().st_mtime_ns) == before
    assert [file.name for file in baseline.parent.iterdir()] == ["01-foundation.db"]


def test_a_baseline_is_never_overwritten(baseline: Path) -> None:
    before = baseline.read_bytes()
    with pytest.raises(StoreError, match="exists already; a baseline is never overwritten"):
        write_baseline(baseline, signed(small_run("another")))
    assert baseline.read_bytes() == before
    assert [file.name for file in baseline.parent.iterdir()] == ["01-foundation.db"]


def test_a_signoff_without_its_digest_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError, match="'foundation' is not what was signed"):
        write_baseline(tmp_path / "01-a.db", replace(signed(small_run("a")), note="another note"))
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_behind_is_removed_at_the_next_signoff(tmp_path: Path) -> None:
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    left = tmp_path / f".01-a.db.{int(ended.stdout)}.part"
    left.mkdir()
    (left / "baseline.db").write_bytes(b"half")
    write_baseline(tmp_path / "01-a.db", signed(small_run("a")))
    assert [file.name for file in tmp_path.iterdir()] == ["01-a.db"]


# ---- nothing can be changed unseen


def cells() -> list[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as database:
        from gates.store.connection import migrate

        migrate(database)
        tables = [
            name
            for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if name != "_sqlite_migrations"
        ]
        return [(table, row[1]) for table in tables for row in database.execute(f"PRAGMA table_info({table})")]


NOT_OF_A_SIGNOFF = ("waivers", "attestations", "calibrations", "calibration_noise")  # no row of theirs belongs there


def altered(value: Any, kind: str) -> Any:
    """Return another valid value for a cell."""
    if isinstance(value, bytes):
        numbers = json.loads(zlib.decompress(value))
        return zlib.compress(json.dumps([numbers[0], numbers[1] + 1, *numbers[2:]]).encode())
    if isinstance(value, str) and value[:1] in ("[", "{"):
        return json.dumps({**json.loads(value), "9": 9} if value[0] == "{" else [*json.loads(value), 9])
    if isinstance(value, str):
        return value + "x"
    return {"TEXT": "x", "INTEGER": 1 if value in (0, None) else value + 1, "REAL": (value or 0.0) + 0.5}[kind]


@pytest.mark.parametrize(("table", "column"), [cell for cell in cells() if cell[0] not in NOT_OF_A_SIGNOFF])
def test_a_changed_cell_is_seen(baseline: Path, table: str, column: str) -> None:
    with closing(sqlite3.connect(baseline)) as database:
        database.execute("PRAGMA ignore_check_constraints = ON")
        rowid, value = database.execute(f"SELECT rowid, {column} FROM {table} ORDER BY rowid DESC").fetchone()
        kind = next(row[2] for row in database.execute(f"PRAGMA table_info({table})") if row[1] == column)
        database.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", [altered(value, kind), rowid])
        database.commit()
    with pytest.raises(IntegrityError):
        read_and_verify(baseline)


@pytest.mark.parametrize("table", sorted({table for table, _ in cells() if table not in NOT_OF_A_SIGNOFF}))
def test_a_deleted_row_is_seen(baseline: Path, table: str) -> None:
    change(baseline, f"DELETE FROM {table} WHERE rowid = (SELECT max(rowid) FROM {table})")
    with pytest.raises(IntegrityError):
        read_and_verify(baseline)


@pytest.mark.parametrize("table", sorted({table for table, _ in cells()}))
def test_an_added_row_is_seen(baseline: Path, table: str) -> None:
    with closing(sqlite3.connect(baseline)) as database:
        columns = database.execute(f"PRAGMA table_info({table})").fetchall()
        old = database.execute(f"SELECT * FROM {table} ORDER BY rowid DESC").fetchone()
        new = list(old or [{"TEXT": "x", "INTEGER": 1, "REAL": 1.0}[column[2]] for column in columns])
        keys = [index for index, column in enumerate(columns) if column[5]]
        new[keys[-1]] = altered(new[keys[-1]], columns[keys[-1]][2])
        if table == "gate_results":
            new[2] += 1
        database.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(new))})", new)
        database.commit()
    with pytest.raises(IntegrityError):
        read_and_verify(baseline)


def test_a_changed_number_is_readable_but_not_what_was_signed(baseline: Path) -> None:
    change(baseline, "UPDATE measurements SET value = value * 2 WHERE gate_result_id = 1 AND position = 0")
    found = read_baseline(baseline)
    with pytest.raises(IntegrityError, match="the baseline of phase 'foundation' is not what was signed") as caught:
        verify_baseline(found)
    assert "git" in caught.value.hint


def test_another_signer_is_seen_even_with_a_new_digest_by_the_chain(tmp_path: Path) -> None:
    first = signed(small_run("a"), 1, "one")
    second = signed(small_run("b"), 2, "two", first)
    third = signed(small_run("c"), 3, "three", second)
    verify_chain([third, first, second])
    verify_chain([])
    forged = replace(second, by="Somebody Else", digest="")
    forged = replace(forged, digest=content_digest(forged))
    verify_baseline(forged)
    with pytest.raises(IntegrityError, match="phase 'three' was signed off after another baseline"):
        verify_chain([first, forged, third])
    with pytest.raises(IntegrityError, match="phase 'three' was signed off after another baseline"):
        verify_chain([first, third])
    with pytest.raises(IntegrityError, match=r"phase 'two' was signed .* \(no earlier baseline\)"):
        verify_chain([second, third])
    with pytest.raises(IntegrityError, match="'one' and 'again' are both signed off as number 1"):
        verify_chain([first, replace(first, phase="again")])


# ---- for ever


def rebuilt(sql: Path, path: Path) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.executescript(sql.read_text("utf-8"))
    return path


def test_a_baseline_of_the_first_version_is_still_what_was_signed(tmp_path: Path) -> None:
    found = read_baseline(rebuilt(FIRST_VERSION, tmp_path / "old.db"))
    verify_baseline(found)
    assert (found.by, found.run.project) == ("Ada Lovelace", "text 2 …")
    assert found.digest == "sha256:af46978578a5de0de7d6f70f87cadedfb1ff290a94302cf38de3f1b9c787ac46"
    assert [measurement.value for measurement in found.run.gates[0].readings.measurements] == [30.1, 39.1]


@pytest.fixture
def next_version(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Make this program one that knows a version of the layout after the present one."""

    def v99_later(db: Any) -> None:
        db.table("measurements").add_column("later", str, not_null_default="")

    return lambda: monkeypatch.setitem(schema.VERSIONS, "v99_later", v99_later)


def test_an_older_baseline_is_read_without_being_migrated(baseline: Path, next_version: Callable[[], None]) -> None:
    before = baseline.read_bytes()
    next_version()
    read_and_verify(baseline)
    assert baseline.read_bytes() == before
    assert [file.name for file in baseline.parent.iterdir()] == ["01-foundation.db"]


def test_an_older_history_is_migrated_and_loses_nothing(tmp_path: Path, next_version: Callable[[], None]) -> None:
    path, run = tmp_path / "history.db", full_run()
    with Store(path) as store:
        store.finish(run)
    next_version()
    with Store(path) as store:
        assert store.run(run.id) == run
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT DISTINCT later FROM measurements").fetchall() == [("",)]
        assert [name for (name,) in database.execute("SELECT name FROM _sqlite_migrations ORDER BY id")] == [
            *schema.VERSIONS
        ]


def test_a_file_of_a_newer_gates_says_so(baseline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    history = tmp_path / "history.db"
    with Store(history) as store:
        store.finish(small_run("a"))
    for path in (history, baseline):
        change(path, "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('gates', 'v77', '')")
    with pytest.raises(NewerError, match=r"history\.db was written by a newer gates \(its layout is v77\)"):
        Store(history)
    with pytest.raises(NewerError, match=r"01-foundation\.db was written by a newer gates"):
        read_baseline(baseline)


@dataclass(frozen=True)
class Grown:
    name: str
    added: int = 0


def test_a_field_that_is_added_later_leaves_older_digests_alone() -> None:
    before = Table("grown", Grown, (), Column("name", TEXT, "name"))
    after = Table("grown", Grown, (), Column("name", TEXT, "name"), Column("added", INTEGER, "added", since=2))
    assert plain_fields(after, Grown("a")) == plain_fields(before, Grown("a")) == {"name": "a"}
    assert plain_fields(after, Grown("a", 3)) == {"name": "a", "added": 3}


def test_the_content_leaves_out_the_digest_and_nothing_else() -> None:
    signoff = signed(full_run())
    assert canonical_content(signoff) == canonical_content(replace(signoff, digest="x"))
    content = json.loads(canonical_content(signoff))
    assert content["format"] == "gates.signoff/1"
    for name in ("phase", "number", "by", "at", "note", "debts", "previous_digest"):
        assert name in content
    other = {"phase": "p", "number": 9, "by": "b", "at": "t", "note": "n", "debts": (), "previous_digest": "sha256:1"}
    for name, value in other.items():
        changed = replace(signoff, **{name: value})
        assert content_digest(changed) != content_digest(signoff), name


# ---- bad files


def test_a_missing_file_is_not_damage(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"there is no baseline .*02-search\.db"):
        read_baseline(tmp_path / "02-search.db")


@pytest.mark.parametrize("content", [b"\x00garbage" * 500, b"SQLite format 3\x00" + b"\xff" * 5000, b"short"])
def test_garbage_is_an_integrity_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "01-a.db"
    path.write_bytes(content)
    with pytest.raises(IntegrityError, match=r"01-a\.db is damaged"):
        read_baseline(path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_truncated_baseline_is_an_integrity_error(baseline: Path, share: float) -> None:
    whole = baseline.read_bytes()
    baseline.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(IntegrityError, match=r"01-foundation\.db is damaged"):
        read_baseline(baseline)


def test_an_empty_file_and_a_history_are_no_baselines(tmp_path: Path) -> None:
    empty = tmp_path / "01-a.db"
    empty.touch()
    with pytest.raises(IntegrityError, match="holds 0 sign-offs"):
        read_baseline(empty)
    assert empty.read_bytes() == b""
    with Store(tmp_path / "history.db") as store:
        store.finish(small_run("a"))
    with pytest.raises(IntegrityError, match="holds 0 sign-offs"):
        read_baseline(tmp_path / "history.db")


def test_another_database_is_no_baseline(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "orders.db")) as database:
        database.execute("CREATE TABLE orders (id)")
    with pytest.raises(StoreError, match="is a database, but not one of gates"):
        read_baseline(tmp_path / "orders.db")


def test_a_folder_that_cannot_be_written_to_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "baselines").write_text("a file where the folder should be")
    with pytest.raises(StoreError, match=r"01-a\.db cannot be written"):
        write_baseline(tmp_path / "baselines" / "01-a.db", signed(small_run("a")))


WRITE = """
import resource, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from gates.errors import GatesError
from gates.store import write_baseline
from store_samples import full_run, signed
signoff = signed(full_run())
if len(sys.argv) > 3:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), -1))
print("ready", flush=True)
try:
    write_baseline(Path(sys.argv[1]), signoff)
except GatesError as error:
    print(error)
    sys.exit(3)
"""


def test_a_disk_that_takes_no_more_leaves_no_half_baseline(tmp_path: Path) -> None:
    path = tmp_path / "01-foundation.db"
    done = subprocess.run(
        [sys.executable, "-c", WRITE, str(path), str(Path(__file__).parent), "20000"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert "could not be written" in done.stdout or "is full" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_killed_signoff_leaves_a_whole_baseline_or_none(tmp_path: Path) -> None:
    expected: Signoff = signed(full_run())
    path = tmp_path / "01-foundation.db"
    outcomes = set()
    for attempt in range(16):
        with subprocess.Popen(
            [sys.executable, "-c", WRITE, str(path), str(Path(__file__).parent)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(attempt * 0.01)
            process.send_signal(signal.SIGKILL)
        outcomes.add(path.exists())
        if path.exists():
            assert read_baseline(path) == expected
            path.unlink()
    write_baseline(path, expected)
    assert [file.name for file in tmp_path.iterdir()] == ["01-foundation.db"]
    assert False in outcomes


def test_a_baseline_can_be_copied_and_read_anywhere(baseline: Path, tmp_path: Path) -> None:
    odd = tmp_path / "a folder #1? 100%" / "01-ü.db"
    odd.parent.mkdir()
    shutil.copy(baseline, odd)
    read_and_verify(odd)


def test_a_value_that_is_no_number_is_an_integrity_error(baseline: Path) -> None:
    change(baseline, "UPDATE measurements SET samples = '[NaN]' WHERE gate_result_id = 1 AND position = 0")
    with pytest.raises(GatesError) as caught:
        read_and_verify(baseline)
    assert isinstance(caught.value, IntegrityError)
