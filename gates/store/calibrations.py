"""Calibrations in the history: what a machine makes of a build that is measured beside itself."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from gates.calibration import Calibration, Noise, Trial
from gates.store.connection import insert
from gates.store.rows import INTEGER, NUMBERS, REAL, TEXT, TEXT_MAP, WORDS, Column, Row, Rows, Table, keyed

HEADERS = Table(
    "calibrations", Calibration, ("id",),
    *keyed(at=TEXT, gate=TEXT, settings=TEXT, machine=TEXT_MAP, gates=TEXT), Column("commit_id", TEXT, "commit"),
    *keyed(planned=INTEGER, epochs=INTEGER, epoch_seconds=REAL, floor=REAL, wanted=REAL),
    Column("order_effect", REAL, "order"), Column("rule", INTEGER, "rule"),
)  # fmt: skip
TRIALS = Table(
    "calibrations", Trial, (),
    Column("trial_verdict", TEXT, "verdict"), Column("trial_epochs", INTEGER, "epochs"),
    Column("trial_blamed", WORDS, "blamed"),
)  # fmt: skip
"""The columns of calibrations that belong to its trial, after those of HEADERS."""
NOISE = Table(
    "calibration_noise", Noise, ("calibration_id", "position"),
    *keyed(
        name=TEXT, scope=TEXT, tolerance=REAL, samples=NUMBERS, bias=REAL, reach=REAL, sd=REAL, detectable=REAL,
        needed=INTEGER,
    ),
)  # fmt: skip
CALIBRATION_COLUMNS: Mapping[str, tuple[str, ...]] = {
    HEADERS.name: (*HEADERS.names, *TRIALS.names),
    NOISE.name: NOISE.names,
}


def save(connection: sqlite3.Connection, calibration: Calibration) -> None:
    """Add a calibration, inside the caller's transaction."""
    (number,) = connection.execute("SELECT coalesce(max(id), 0) + 1 FROM calibrations").fetchone()
    rows: Rows = {
        HEADERS.name: [(*HEADERS.row((number,), calibration), *TRIALS.row((), calibration.trial))],
        NOISE.name: [NOISE.row((number, position), one) for position, one in enumerate(calibration.noise)],
    }
    insert(connection, CALIBRATION_COLUMNS, rows)


def select(connection: sqlite3.Connection) -> list[Calibration]:
    """Return every calibration, the newest first."""
    noise: dict[object, list[Noise]] = {}
    for row in connection.execute(
        f"SELECT {', '.join(NOISE.names)} FROM calibration_noise ORDER BY calibration_id, position"
    ):
        noise.setdefault(row[0], []).append(NOISE.record(row))
    columns = ", ".join(CALIBRATION_COLUMNS[HEADERS.name])
    rows = connection.execute(f"SELECT {columns} FROM calibrations ORDER BY at DESC, id DESC")
    return [_calibration(row, tuple(noise.get(row[0], ()))) for row in rows]


def _calibration(row: Row, noise: tuple[Noise, ...]) -> Calibration:
    split = len(HEADERS.names)
    return Calibration(**HEADERS.fields(row[:split]), noise=noise, trial=TRIALS.record(row[split:]))
