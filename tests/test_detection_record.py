"""The recorder, with its real servers and real Locust, for one epoch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import detection_rows
import pytest

from benchmarks.detection import rows

ROOT = Path(detection_rows.__file__).parent.parent


@pytest.mark.slow
def test_an_epoch_is_recorded_with_all_that_is_replayed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.detection.record", "--effect", "additive", "--regime", "quiet",
               "--epochs", "1", "--rows", str(tmp_path)]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "1 of   64 epochs" in done.stdout
    path = rows.path_of("additive", "quiet", tmp_path)
    (row,) = rows.read(path)
    (sitting,) = rows.sittings(path).values()
    assert row.sitting == sitting["id"]
    assert sitting["rate"] == 320.0
    assert 0 < row.paired.pairs <= 2560  # all of them, unless the machine of the tests is overloaded
    assert set(row.paired.new.operations) == set(detection_rows.OPERATIONS)
    assert set(row.paired.ratios) == set(detection_rows.OPERATIONS)
    assert row.paired.memory is not None
    assert {"lag_p99", "p50"} & row.conditions.keys()
    assert 0 < len(row.sample) <= 240
