"""The history: what is saved comes back exactly, gate by gate and as a whole."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from store_samples import anything, full_run, small_run

from gates.errors import GatesError
from gates.results import Epoch, GateResult, Measurement, Readings, Run, Verdict
from gates.store import RunNotFound, Store, StoreError
from gates.store.rows import run_from, run_rows


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / ".gates" / "history.db"


def test_a_run_with_every_field_filled_comes_back_equal(path: Path) -> None:
    run = full_run()
    with Store(path) as store:
        store.finish(run)
    with Store(path) as store:
        assert store.run(run.id) == run


@given(run=anything(Run))
@settings(max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_any_run_becomes_rows_and_comes_back_equal(run: Run) -> None:
    assert run_from(run_rows(run, first_gate_id=7)) == run


@given(run=anything(Run))
@settings(max_examples=40, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_any_run_goes_through_sqlite_and_comes_back_equal(tmp_path_factory: pytest.TempPathFactory, run: Run) -> None:
    run = replace(run, id="r" + run.id)
    with Store(tmp_path_factory.getbasetemp() / "any.db") as store:
        store.finish(run)
        assert store.run(run.id) == run


def test_floats_are_exact_and_counts_stay_integers(path: Path) -> None:
    measurement = Measurement("load.p95", 0.1 + 0.2, "s", "lower", samples=(1e-308, 5e-324, 1 / 3))
    gate = GateResult("load", "locust", Verdict.PASS, 1.0, readings=Readings((measurement,), epochs=(Epoch(1, 20.0),)))
    with Store(path) as store:
        store.finish(small_run("a", gates=(gate,)))
        (loaded,) = store.run("a").gates[0].readings.measurements
    assert (loaded.value, loaded.samples) == (0.1 + 0.2, (1e-308, 5e-324, 1 / 3))


@pytest.mark.parametrize(
    "measurement",
    [
        Measurement("load.p95", float("nan"), "s", "lower"),
        Measurement("load.p95", 1.0, "s", "lower", samples=(1.0, float("nan"))),
        Measurement("tests.total", 1.0, "1", "higher", count=2**63),
    ],
)
def test_what_is_no_number_is_refused_and_leaves_the_history_as_it_was(path: Path, measurement: Measurement) -> None:
    bad = GateResult("load", "locust", Verdict.PASS, 1.0, readings=Readings((measurement,)))
    with Store(path) as store:
        store.begin(small_run("a", gates=()))
        with pytest.raises(GatesError, match="of a Measurement cannot be stored"):
            store.save_gate("a", bad)
        assert store.run("a").gates == ()
        store.save_gate("a", replace(bad, readings=Readings()))


def test_a_run_is_there_from_its_begin_and_grows_gate_by_gate(path: Path) -> None:
    full = full_run()
    header = replace(full, gates=(), done=(), operations=())
    first, second = full.gates
    with Store(path) as store, Store(path) as reader:
        store.begin(header)
        assert reader.run(full.id) == header
        assert reader.latest() is None
        assert reader.latest(finished=False) == header
        store.save_gate(full.id, first)
        store.save_gate(full.id, second)
        assert reader.run(full.id).gates == (first, second)
        store.save_gate(full.id, replace(first, reason="a second look"))
        assert [gate.reason for gate in reader.run(full.id).gates] == ["a second look", second.reason]
        store.finish(full)
        assert reader.run(full.id) == full
        assert reader.latest() == full


def test_finishing_leaves_nothing_of_the_raw_gates_behind(path: Path) -> None:
    run = full_run()
    with Store(path) as store:
        store.begin(run)
        for gate in run.gates:
            store.save_gate(run.id, gate)
        store.finish(replace(run, gates=(), done=(), operations=()))
    database = sqlite3.connect(path)
    tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    left = {name for name in tables if database.execute(f"SELECT count(*) FROM {name}").fetchone()[0]}
    assert left == {"runs", "_sqlite_migrations"}


def test_two_runs_of_one_id_or_a_gate_of_no_run_are_refused(path: Path) -> None:
    with Store(path) as store:
        store.begin(small_run("a"))
        with pytest.raises(StoreError, match="already has a run a"):
            store.begin(small_run("a"))
        with pytest.raises(RunNotFound, match="no run b"):
            store.save_gate("b", small_run("b").gates[0])


def test_an_interrupted_run_says_why_and_is_not_the_latest(path: Path) -> None:
    with Store(path) as store:
        store.finish(small_run("done", "2026-11-24T08:00:00Z"))
        store.begin(small_run("broken", "2026-11-24T09:00:00Z"))
        store.interrupt("broken", "Ctrl-C")
        store.interrupt("done", "too late")
        latest = store.latest()
        assert latest is not None
        assert latest.id == "done"
        assert [(line.id, line.state, line.reason) for line in store.runs()] == [
            ("broken", "interrupted", "Ctrl-C"),
            ("done", "finished", None),
        ]


def test_a_run_whose_process_is_gone_is_shown_as_interrupted(path: Path) -> None:
    code = (
        "import os, sys; sys.path.insert(0, sys.argv[2]); from pathlib import Path; from gates.store import Store;"
        "from store_samples import small_run;"
        "store = Store(Path(sys.argv[1])); store.begin(small_run('gone')); os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path), str(Path(__file__).parent)], check=False)
    assert done.returncode == 9
    with Store(path) as store:
        store.begin(small_run("here", "2026-11-24T09:00:00Z"))
        assert [(line.id, line.state) for line in store.runs()] == [("here", "running"), ("gone", "interrupted")]
        assert "gone" in str(store.runs()[1].reason)
    with Store(path) as store:
        sqlite3.connect(path).execute("UPDATE runs SET host = 'elsewhere'").connection.commit()
        assert {line.state for line in store.runs()} == {"interrupted"}


def test_a_dead_process_that_nobody_has_collected_yet_is_gone_too(path: Path) -> None:
    with Store(path) as store, subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        store.begin(small_run("a"))
        with closing(sqlite3.connect(path)) as database:
            started = psutil.Process(process.pid).create_time()
            database.execute("UPDATE runs SET process_id = ?, process_started = ?", [process.pid, started])
            database.commit()
        assert [line.state for line in store.runs()] == ["running"]
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert [line.state for line in store.runs()] == ["interrupted"]


def test_a_reused_process_id_is_not_the_process_that_began_the_run(path: Path) -> None:
    with Store(path) as store:
        store.begin(small_run("a"))
        database = sqlite3.connect(path)
        database.execute("UPDATE runs SET process_started = process_started - 86400")
        database.commit()
        assert [line.state for line in store.runs()] == ["interrupted"]
        assert database.execute("SELECT process_id FROM runs").fetchone() == (os.getpid(),)


def test_latest_obeys_phase_commit_and_partial(path: Path) -> None:
    with Store(path) as store:
        store.finish(small_run("a", "2026-11-24T01:00:00Z", phase="one", commit="1" * 40))
        store.finish(small_run("b", "2026-11-24T03:00:00Z", phase="one", commit=None, partial=True))
        store.finish(small_run("c", "2026-11-24T02:00:00Z", phase="two", commit="1" * 40))

        def latest(**asked: object) -> str | None:
            run = store.latest(**asked)  # type: ignore[arg-type]
            return run.id if run else None

        assert latest() == "b"
        assert latest(partial=False) == "c"
        assert latest(phase="one") == "b"
        assert latest(phase="one", partial=False) == "a"
        assert latest(commit="1" * 40) == "c"
        assert latest(phase="three") is None


def test_a_run_is_found_by_the_beginning_of_its_id_or_the_nearest_are_named(path: Path) -> None:
    with Store(path) as store:
        with pytest.raises(RunNotFound, match="no run yet") as nothing:
            store.run("anything")
        assert "gates check" in nothing.value.hint
        for run_id in ("20261124-aa11", "20261124-aa", "20261123-bb22"):
            store.finish(small_run(run_id))
        assert store.run("20261123").id == "20261123-bb22"
        assert store.run("20261124-aa").id == "20261124-aa"
        with pytest.raises(RunNotFound, match="2 runs begin with '20261124'") as several:
            store.run("20261124")
        assert "20261124-aa11" in several.value.hint
        with pytest.raises(RunNotFound, match="no run '20261123-bc22'") as near:
            store.run("20261123-bc22")
        assert "did you mean 20261123-bb22" in near.value.hint
        with pytest.raises(RunNotFound, match="no run ''") as empty:
            store.run("")
        assert "20261124-aa" in empty.value.hint
        with pytest.raises(RunNotFound):
            store.run("%")


def test_runs_lists_the_newest_first(path: Path) -> None:
    with Store(path) as store:
        for hour in range(5):
            store.finish(small_run(f"r{hour}", f"2026-11-24T0{hour}:00:00Z", phase="ab"[hour % 2]))
        assert [line.id for line in store.runs(limit=2)] == ["r4", "r3"]
        line = store.runs(phase="b")[0]
    assert (line.id, line.phase, line.commit, line.verdict, line.seconds) == ("r3", "b", "c" * 40, Verdict.PASS, 2.0)


def test_history_gives_a_measurement_over_finished_runs_with_its_counts(path: Path) -> None:
    with Store(path) as store:
        store.finish(small_run("b", "2026-11-24T02:00:00Z", coverage=91, phase="two"))
        store.finish(small_run("a", "2026-11-24T01:00:00Z", coverage=90))
        unfinished = small_run("c", "2026-11-24T03:00:00Z")
        store.begin(unfinished)
        store.save_gate("c", unfinished.gates[0])
        points = store.history("coverage.lines")
        assert [(point.run_id, point.phase, point.gate) for point in points] == [
            ("a", "foundation", "tests"),
            ("b", "two", "tests"),
        ]
        assert [(point.value, point.unit, point.count, point.total) for point in points] == [
            (0.9, "ratio", 90, 100),
            (0.91, "ratio", 91, 100),
        ]
        assert store.history("coverage.lines", "") == points
        assert store.history("coverage.lines", "GET /orders") == []
        assert store.measurement_names() == [("coverage.lines", "")]


def test_prune_takes_the_bulky_rows_of_old_runs_only(path: Path) -> None:
    old = full_run("old", started="2026-11-24T01:00:00Z")
    new = full_run("new", started="2026-11-24T02:00:00Z")
    with Store(path) as store:
        store.finish(new)
        store.finish(old)
        assert store.prune(2) == 0
        assert store.prune(1) == 1
        assert store.prune(1) == 0
        assert store.run("new") == new
        readings = store.run("old").gates[0].readings
        assert (readings.histograms, readings.requests, readings.documents) == ((), (), {})
        assert readings.measurements == old.gates[0].readings.measurements
        assert readings.findings == old.gates[0].readings.findings
        assert [(line.id, line.thinned) for line in store.runs()] == [("new", False), ("old", True)]


def test_every_table_is_strict_and_every_foreign_key_has_an_index(path: Path) -> None:
    with Store(path) as store:
        store.finish(full_run())
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA foreign_key_check").fetchall() == []
    tables = [row for row in database.execute("PRAGMA table_list") if row[0] == "main" and row[1][0] not in "_s"]
    assert {row[1] for row in tables} >= {
        "runs", "gate_results", "measurements", "histograms", "epochs", "findings", "judgements", "operations",
        "requests", "documents", "waivers", "attestations",
    }  # fmt: skip
    assert all(strict for *_, strict in tables)
    for _, table, *_ in tables:
        first_columns = {
            database.execute(f"PRAGMA index_info({index[1]})").fetchone()[2]
            for index in database.execute(f"PRAGMA index_list({table})").fetchall()
        }
        for key in database.execute(f"PRAGMA foreign_key_list({table})").fetchall():
            assert key[3] in first_columns, f"{table}.{key[3]} has no index"


def test_odd_text_keeps_the_file_readable_for_every_other_program(path: Path) -> None:
    run = small_run("a", notes=("a lone \ud800 surrogate", "\x00", "ü"))
    with Store(path) as store:
        store.finish(run)
        assert store.run("a") == run
    (notes,) = sqlite3.connect(path).execute("SELECT json_extract(notes, '$[2]') FROM runs").fetchone()
    assert notes == "ü"


def test_reading_and_importing_need_no_sqlite_utils(path: Path) -> None:
    with Store(path) as store:
        store.finish(small_run("a"))
    code = (
        "import sys; from pathlib import Path; from gates.store import Store;"
        "assert Store(Path(sys.argv[1])).run('a').id == 'a'; print('sqlite_utils' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
