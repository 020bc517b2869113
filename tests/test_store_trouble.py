"""What a history goes through: damage, full disks, locks, crowds and sudden death; nothing stored is ever lost."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from store_samples import full_run, small_run

from gates.store import DamagedError, LockedError, Store, StoreError

HERE = str(Path(__file__).parent)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A closed history of two runs."""
    path = tmp_path / "a folder" / "history.db"
    with Store(path) as store:
        store.finish(full_run("first"))
        store.finish(small_run("second"))
    return path


def python(code: str, *arguments: object) -> list[str]:
    prelude = f"import sys; sys.path.insert(0, {HERE!r})\nfrom pathlib import Path\nfrom gates.store import Store\n"
    return [sys.executable, "-c", prelude + code, *map(str, arguments)]


# ---- damage


@pytest.mark.parametrize("content", [b"garbage " * 1000, b"SQLite format 3\x00" + b"\xff" * 5000, b"x"])
def test_garbage_is_named_and_left_where_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "history.db"
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=r"history\.db is damaged .*nothing was deleted"):
        Store(path)
    assert path.read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["history.db"]


@pytest.mark.parametrize("share", [0.05, 0.5, 0.95])
def test_a_truncated_history_is_named_and_left_as_it_is(path: Path, share: float) -> None:
    content = path.read_bytes()[: int(path.stat().st_size * share)]
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=r"history\.db is damaged"):
        Store(path)
    assert path.read_bytes() == content


def test_the_hint_moves_the_damaged_file_aside_and_a_new_history_begins(path: Path) -> None:
    content = b"garbage" * 1000
    path.write_bytes(content)
    with pytest.raises(DamagedError) as caught:
        Store(path)
    subprocess.run(["sh", "-c", caught.value.hint.partition(": ")[2]], check=True)
    with Store(path) as store:
        assert store.runs() == []
    (aside,) = path.parent.glob("damaged-*")
    assert (aside / "history.db").read_bytes() == content


def test_a_damaged_page_is_found_when_it_is_read(path: Path) -> None:
    content = bytearray(path.read_bytes())
    page = content.find(b"text ")
    content[page & ~4095 : (page | 4095) + 1] = b"\xee" * 4096
    path.write_bytes(content)
    with Store(path) as store, pytest.raises(DamagedError, match=r"history\.db is damaged"):
        store.run("first")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE runs SET machine = '{'",
        "UPDATE runs SET verdict = 'green'",
        "UPDATE gate_results SET items = '7'",
        "UPDATE histograms SET counts = x'00'",
        "UPDATE histograms SET counts = x'789c8b363483010003aa0139'",
        "UPDATE findings SET message = CAST(x'ff' AS TEXT)",
    ],
)
def test_a_row_that_makes_no_sense_is_damage_and_no_traceback(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute(sql)
        database.commit()
    with Store(path) as store, pytest.raises(DamagedError, match=r"history\.db is damaged"):
        store.run("first")


def test_the_database_of_something_else_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "orders.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE orders (id)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"orders\.db is a database, but not one of gates"):
        Store(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["orders.db"]


def test_an_empty_file_is_a_history_that_has_just_begun(tmp_path: Path) -> None:
    (tmp_path / "history.db").touch()
    with Store(tmp_path / "history.db") as store:
        assert store.runs() == []


# ---- no place to write


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"history\.db cannot be written") as caught:
        Store(tmp_path / "file" / "history.db")
    assert "a folder that you may write to" in caught.value.hint
    with pytest.raises(StoreError, match="cannot be opened or written"):
        Store(tmp_path)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a file system that nobody can write to: /proc")
def test_a_read_only_file_system_is_a_clear_error() -> None:
    with pytest.raises(StoreError, match="cannot be opened or written"):
        Store(Path("/proc/history.db"))


@pytest.mark.parametrize("begun", [False, True])
def test_a_folder_without_write_permission_is_a_clear_error(begun: bool) -> None:
    code = """
import os
from gates.errors import GatesError
from store_samples import small_run
import sqlite_utils, encodings.idna
if os.geteuid() == 0:
    os.setuid(65534)  # permissions do not bind an administrator
try:
    with Store(Path(sys.argv[1])) as store:
        store.finish(small_run("lost"))
except GatesError as error:
    print(error)
    sys.exit(3)
"""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        if begun:
            with Store(folder / "history.db") as store:
                store.finish(small_run("kept"))
        folder.chmod(0o555)
        done = subprocess.run(python(code, folder / "history.db"), capture_output=True, text=True, check=False)
        assert done.returncode == 3, done.stderr
        assert "cannot be opened or written" in done.stdout
        assert "a folder that you may write to" in done.stdout
        folder.chmod(0o755)
        if begun:
            with Store(folder / "history.db") as store:
                assert store.run("kept") == small_run("kept")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte; only an administrator can make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    try:
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode != 0:
        pytest.skip("mounting a small file system is not permitted here")
    try:
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def test_a_read_only_mount_is_a_clear_error(small_disk: Path) -> None:
    with Store(small_disk / "history.db") as store:
        store.finish(small_run("kept"))
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    with pytest.raises(StoreError, match="cannot be opened or written"), Store(small_disk / "history.db") as store:
        store.finish(small_run("lost"))
    subprocess.run(["mount", "-o", "remount,rw", small_disk], check=True)
    with Store(small_disk / "history.db") as store:
        assert [line.id for line in store.runs()] == ["kept"]


def test_a_full_disk_loses_nothing_that_was_stored(small_disk: Path) -> None:
    path = small_disk / "history.db"
    with Store(path) as store:
        store.finish(small_run("kept"))
        with pytest.raises(StoreError, match=r"the disk that holds .*history\.db is full"):
            store.finish(small_run("lost", policy="x" * 2_000_000))
        store.finish(small_run("after"))
    with Store(path) as store:
        assert {line.id for line in store.runs()} == {"kept", "after"}
        assert store.run("kept") == small_run("kept")


def test_a_disk_too_small_for_a_history_is_a_clear_error(small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(b"x" * 1020 * 1024)
    with pytest.raises(StoreError, match=r"full|could not be written"):
        Store(small_disk / "history.db")
    (small_disk / "filler").unlink()
    with Store(small_disk / "history.db") as store:
        store.finish(small_run("a"))


def test_a_file_that_may_not_grow_keeps_what_it_has(path: Path) -> None:
    code = """
import resource
from gates.errors import GatesError
from store_samples import small_run
with Store(Path(sys.argv[1])) as store:
    resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, -1))
    try:
        store.finish(small_run("lost", policy="x" * 2_000_000))
    except GatesError as error:
        print(error)
        store.finish(small_run("after"))
        sys.exit(3)
"""
    done = subprocess.run(python(code, path), capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "what was stored before is kept" in done.stdout
    with Store(path) as store:
        assert {line.id for line in store.runs()} == {"first", "second", "after"}
        assert store.run("first") == full_run("first")


# ---- others


def test_a_lock_that_is_never_released_is_named(path: Path) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as other, Store(path, busy_seconds=0.05) as store:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LockedError, match="in use by another process") as caught:
            store.begin(small_run("third"))
        assert "fuser" in caught.value.hint
        assert len(store.runs()) == 2  # those who only read need not wait
        other.execute("ROLLBACK")
        store.begin(small_run("third"))


def test_a_file_that_another_process_keeps_to_itself_is_named_when_it_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LockedError):
            Store(path, busy_seconds=0.05)
    with Store(path) as store:
        assert store.runs() == []


def test_several_processes_may_begin_a_history_at_once(tmp_path: Path) -> None:
    code = """
from store_samples import small_run
import sqlite_utils
print("ready", flush=True); sys.stdin.readline()
with Store(Path(sys.argv[1])) as store:
    for number in range(5):
        run = small_run(f"{sys.argv[2]}-{number}")
        store.begin(run); store.save_gate(run.id, run.gates[0]); store.finish(run)
"""
    path = tmp_path / "new" / "history.db"
    crowd = [
        subprocess.Popen(
            python(code, path, name), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for name in "abcd"
    ]
    for process in crowd:
        assert process.stdout is not None
        process.stdout.readline()
    for process in crowd:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    for process in crowd:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    with Store(path) as store:
        lines = store.runs()
        assert {line.id for line in lines} == {f"{name}-{number}" for name in "abcd" for number in range(5)}
        assert {line.state for line in lines} == {"finished"}
        assert all(store.run(line.id).gates == small_run(line.id).gates for line in lines)


KILLED = """
from store_samples import full_run
from dataclasses import replace
full = full_run()
with Store(Path(sys.argv[1])) as store:
    print("ready", flush=True)
    number = 0
    while True:
        run = replace(full, id=f"{sys.argv[2]}-{number:04}", notes=("y" * 100_000,))
        store.begin(replace(run, gates=(), done=(), operations=()))
        for gate in run.gates:
            store.save_gate(run.id, gate)
        store.finish(run)
        number += 1
"""


@pytest.mark.slow
def test_a_killed_process_leaves_a_history_that_opens_and_whole_runs(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    delays = random.Random(20)
    states = set()
    for attempt in range(12):
        with subprocess.Popen(python(KILLED, path, attempt), stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(delays.uniform(0.0, 0.12))
            process.send_signal(signal.SIGKILL)
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA quick_check").fetchone() == ("ok",)
            assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        with Store(path) as store:
            for line in store.runs(limit=5):
                run, whole = store.run(line.id), full_run(line.id)
                states.add(line.state)
                if line.state == "finished":
                    assert (run.gates, run.done, run.operations) == (whole.gates, whole.done, whole.operations)
                else:
                    assert line.state == "interrupted"
                    assert run.gates == whole.gates[: len(run.gates)]
    assert states == {"finished", "interrupted"}
    with Store(path) as store:
        store.finish(small_run("life goes on"))
