"""The history of a checkout: every run, saved gate by gate while it runs."""

from __future__ import annotations

import difflib
import os
import platform
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

import psutil

from gates.calibration import Calibration
from gates.errors import GatesError
from gates.results import GateResult, Run, Verdict
from gates.store import calibrations
from gates.store.connection import (
    BUSY_SECONDS,
    StoreError,
    decoding,
    explained,
    insert,
    open_history,
    query,
    reading,
    select_run,
    writing,
)
from gates.store.rows import COLUMNS, RUNS, SqlValue, gate_rows, run_from, run_rows

State = Literal["running", "finished", "interrupted"]

_BOOKKEEPING = ("state", "state_reason", "process_id", "process_started", "host", "thinned")
_BULKY = ("histograms", "requests", "documents", "subjects")
# A clock that is set moves the start time that a process is said to have; an id is hardly used again so soon.
_SAME_START_SECONDS = 60.0
_GONE = "the process that ran it is gone"


class RunNotFound(GatesError):
    """No run, or more than one, has the id that was asked for."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """A run in a list; `reason` says why it was interrupted, `thinned` that its bulky rows were removed."""

    id: str
    phase: str
    commit: str | None
    dirty: bool
    started: str
    seconds: float
    verdict: Verdict
    exit_code: int
    partial: bool
    state: State
    reason: str | None
    thinned: bool


@dataclass(frozen=True, slots=True)
class HistoryPoint:
    """One value of a measurement in one finished run; `count` of `total` where it is a share."""

    run_id: str
    started: str
    phase: str
    commit: str | None
    gate: str
    scope: str
    value: float
    unit: str
    count: int | None
    total: int | None


def _lives(process_id: int | None, process_started: float | None, host: str | None) -> bool:
    if process_id is None or process_started is None or host != platform.node():
        return False
    try:
        process = psutil.Process(process_id)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return abs(process.create_time() - process_started) < _SAME_START_SECONDS
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


class Store:
    """The history file of a checkout, open; leaving the `with` block closes it.

    Opening creates or migrates the file and may wait for other processes. Every method raises a StoreError that says
    what to do when the file is damaged, locked for too long, not writable or the disk is full; what was stored before
    is kept in all these cases.
    """

    def __init__(self, path: Path, busy_seconds: float = BUSY_SECONDS) -> None:
        self.path = path
        self._connection = open_history(path, busy_seconds)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._connection.close()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with explained(self.path), writing(self._connection):
            yield self._connection

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        with explained(self.path), decoding(self.path), reading(self._connection):
            yield self._connection

    # ---- while a run goes on

    def begin(self, run: Run) -> None:
        """Save the header of a run that starts now in this process.

        Raises StoreError when a run of this id is there already.
        """
        with self._writing() as connection:
            if query(connection, "SELECT 1 FROM runs WHERE id = ?", [run.id]):
                raise StoreError(f"{self.path} already has a run {run.id}", "each run needs an id of its own")
            process = psutil.Process()
            self._put_run(run, ("running", None, os.getpid(), process.create_time(), platform.node(), 0))

    def save_gate(self, run_id: str, result: GateResult) -> None:
        """Save what a gate brought back; what an earlier call saved of the same gate is replaced."""
        with self._writing() as connection:
            if not query(connection, "SELECT 1 FROM runs WHERE id = ?", [run_id]):
                raise RunNotFound(f"{self.path} has no run {run_id} that a gate could be saved to")
            position = query(
                connection,
                "SELECT coalesce(max(CASE gate WHEN ? THEN position END), max(position) + 1, 0) FROM gate_results "
                "WHERE run_id = ?",
                [result.gate, run_id],
            )[0][0]
            query(connection, "DELETE FROM gate_results WHERE run_id = ? AND position = ?", [run_id, position])
            insert(connection, COLUMNS, gate_rows(result, run_id, self._next_gate_id(), position))

    def finish(self, run: Run) -> None:
        """Save a whole judged run in place of what was saved of it gate by gate."""
        with self._writing() as connection:
            for table in ("gate_results", "done_items", "operations"):
                query(connection, f"DELETE FROM {table} WHERE run_id = ?", [run.id])
            self._put_run(run, ("finished", None, None, None, None, 0))
            parts = {name: names for name, names in COLUMNS.items() if name != "runs"}
            insert(connection, parts, run_rows(run, self._next_gate_id()))

    def interrupt(self, run_id: str, reason: str) -> None:
        """Note that a run ended before it was finished, and why; a finished run is left as it is."""
        with self._writing() as connection:
            query(
                connection,
                "UPDATE runs SET state = 'interrupted', state_reason = ? WHERE id = ? AND state = 'running'",
                [reason, run_id],
            )

    def _put_run(self, run: Run, bookkeeping: tuple[SqlValue, ...]) -> None:
        names = (*RUNS.names, *_BOOKKEEPING)
        self._connection.execute(
            f"INSERT INTO runs ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
            f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in names[1:])}",
            (*RUNS.row((), run), *bookkeeping),
        )

    def _next_gate_id(self) -> int:
        (number,) = self._connection.execute("SELECT coalesce(max(id), 0) + 1 FROM gate_results").fetchone()
        return int(number)

    # ---- afterwards

    def run(self, run_id_or_prefix: str) -> Run:
        """Return a run by its id, or by the beginning of its id when no other run has it.

        Raises RunNotFound, naming the runs that come nearest.
        """
        with self._reading() as connection:
            ids = [row[0] for row in query(connection, "SELECT id FROM runs ORDER BY started DESC, rowid DESC")]
            fitting = [name for name in ids if run_id_or_prefix and name.startswith(run_id_or_prefix)]
            if run_id_or_prefix in ids:
                fitting = [run_id_or_prefix]
            if len(fitting) == 1:
                return run_from(select_run(connection, fitting[0]))
        if fitting:
            raise RunNotFound(
                f"{len(fitting)} runs begin with {run_id_or_prefix!r}", f"which one: {', '.join(fitting[:5])}?"
            )
        if not ids:
            raise RunNotFound(f"there is no run yet in {self.path}", "run gates check first")
        near = difflib.get_close_matches(run_id_or_prefix, ids, n=3, cutoff=0.5)
        raise RunNotFound(
            f"there is no run {run_id_or_prefix!r}",
            f"did you mean {' or '.join(near)}?" if near else f"the latest are {', '.join(ids[:3])}",
        )

    def latest(
        self,
        *,
        phase: str | None = None,
        commit: str | None = None,
        finished: bool = True,
        partial: bool | None = None,
    ) -> Run | None:
        """Return the run that started last among those asked for; `partial` None takes both kinds."""
        wanted: dict[str, SqlValue] = {}
        if phase is not None:
            wanted["phase"] = phase
        if commit is not None:
            wanted["commit_id"] = commit
        if finished:
            wanted["state"] = "finished"
        if partial is not None:
            wanted["partial"] = int(partial)
        where = f"WHERE {' AND '.join(f'{name} = ?' for name in wanted)}" if wanted else ""
        with self._reading() as connection:
            newest = f"SELECT id FROM runs {where} ORDER BY started DESC, rowid DESC LIMIT 1"
            rows = query(connection, newest, [*wanted.values()])
            return run_from(select_run(connection, rows[0][0])) if rows else None

    def runs(self, limit: int = 50, phase: str | None = None) -> list[RunLine]:
        """Return the latest runs, newest first; a run whose process is gone is shown as interrupted."""
        with self._reading() as connection:
            rows = query(
                connection,
                "SELECT id, phase, commit_id, dirty, started, seconds, verdict, exit_code, partial, state, "
                "state_reason, thinned, process_id, process_started, host FROM runs WHERE ? IS NULL OR phase = ? "
                "ORDER BY started DESC, rowid DESC LIMIT ?",
                [phase, phase, limit],
            )
            return [_line(*row) for row in rows]

    def history(self, measurement: str, scope: str | None = None) -> list[HistoryPoint]:
        """Return a measurement over the finished runs, oldest first; `scope` None takes every scope."""
        with self._reading() as connection:
            rows = query(
                connection,
                "SELECT runs.id, started, phase, commit_id, gate, scope, value, unit, count, total "
                "FROM measurements JOIN gate_results ON gate_results.id = gate_result_id JOIN runs ON runs.id = run_id "
                "WHERE state = 'finished' AND name = ? AND (? IS NULL OR scope = ?) "
                "ORDER BY started, runs.rowid, gate_results.position, measurements.position",
                [measurement, scope, scope],
            )
            return [HistoryPoint(*row) for row in rows]

    def measurement_names(self) -> list[tuple[str, str]]:
        """Return every name and scope that was ever measured, sorted."""
        with self._reading() as connection:
            rows = query(connection, "SELECT DISTINCT name, scope FROM measurements ORDER BY name, scope")
            return [(name, scope) for name, scope in rows]

    # ---- of the machine

    def save_calibration(self, calibration: Calibration) -> None:
        """Save what this machine makes of a build that is measured beside itself."""
        with self._writing() as connection:
            calibrations.save(connection, calibration)

    def calibrations(self) -> list[Calibration]:
        """Return every calibration, the newest first."""
        with self._reading() as connection:
            return calibrations.select(connection)

    def prune(self, keep_runs: int) -> int:
        """Remove the bulky rows of all but the last runs, so that the file stays bounded; return how many were thinned.

        Histograms, recorded requests, documents and subjects go; measurements, findings and judgements stay for ever.
        The space is used again by later runs.
        """
        with self._writing() as connection:
            old = connection.execute(
                "SELECT id FROM runs WHERE thinned = 0 AND id NOT IN "
                "(SELECT id FROM runs ORDER BY started DESC, rowid DESC LIMIT ?)",
                [max(0, keep_runs)],
            ).fetchall()
            for run_id in old:
                for table in _BULKY:
                    connection.execute(
                        f"DELETE FROM {table} WHERE gate_result_id IN (SELECT id FROM gate_results WHERE run_id = ?)",
                        run_id,
                    )
                connection.execute("UPDATE runs SET thinned = 1 WHERE id = ?", run_id)
        return len(old)


def _line(
    run_id: str, phase: str, commit: str | None, dirty: int, started: str, seconds: float, verdict: str,
    exit_code: int, partial: int, state: State, reason: str | None, thinned: int,
    process_id: int | None, process_started: float | None, host: str | None,
) -> RunLine:  # fmt: skip
    if state == "running" and not _lives(process_id, process_started, host):
        state, reason = "interrupted", _GONE
    return RunLine(
        run_id, phase, commit, bool(dirty), started, seconds, Verdict(verdict), exit_code, bool(partial), state, reason,
        bool(thinned),
    )  # fmt: skip
