"""Calibrations in the history: they come back exactly, the newest first, also in a file that an older gates made."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from store_samples import filled, small_run

from gates.calibration import Calibration
from gates.store import Store, schema


def test_a_calibration_with_every_field_filled_comes_back_equal(tmp_path: Path) -> None:
    calibration: Calibration = filled(Calibration)
    undecided = replace(calibration, at="a", noise=(replace(calibration.noise[0], needed=None),))
    with Store(tmp_path / "history.db") as store:
        store.save_calibration(calibration)
        store.save_calibration(undecided)
    with Store(tmp_path / "history.db") as store:
        assert store.calibrations() == [calibration, undecided]
        assert store.runs() == []


def test_the_newest_comes_first_and_of_the_same_second_the_later(tmp_path: Path) -> None:
    calibration: Calibration = filled(Calibration)
    order = ["2026-11-02T10:00:00Z", "2026-11-09T10:00:00Z", "2026-11-01T10:00:00Z", "2026-11-09T10:00:00Z"]
    with Store(tmp_path / "history.db") as store:
        for number, at in enumerate(order):
            store.save_calibration(replace(calibration, at=at, planned=number))
        assert [one.planned for one in store.calibrations()] == [3, 1, 0, 2]


def test_a_history_of_the_first_layout_takes_calibrations(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    with closing(sqlite3.connect(path)) as database:
        from sqlite_utils import Database, Migrations

        first = Migrations(schema.MIGRATION_SET)
        first(name="v1_first_layout")(schema.VERSIONS["v1_first_layout"])
        first.apply(Database(database))
    with Store(path) as store:
        store.finish(small_run("a"))
        store.save_calibration(filled(Calibration))
        assert len(store.calibrations()) == 1
        assert store.run("a") == small_run("a")
