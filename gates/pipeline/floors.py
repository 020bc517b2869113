"""The floors that calibrations of this machine set for later checks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from gates.calibration import Calibration, Floor, choose_floor
from gates.pipeline.place import existing_history
from gates.store import Store
from gates.tools.base import Tool


def kept_calibrations(root: Path) -> list[Calibration]:
    """Return the calibrations in the history of a checkout, the newest first."""
    path = existing_history(root)
    if path is None:
        return []
    with Store(path) as store:
        return store.calibrations()


def floors(root: Path, gates: Mapping[str, Tool], machine: Mapping[str, str]) -> dict[str, Floor]:
    """Return the floor of each gate that can be calibrated, as a check here and now uses it."""
    able = {name: digest for name, tool in gates.items() if (digest := tool.pairing()) is not None}
    kept = kept_calibrations(root) if able else []
    now = datetime.now(UTC)
    return {
        name: choose_floor(kept, gate=name, settings=digest, machine=machine, now=now) for name, digest in able.items()
    }
