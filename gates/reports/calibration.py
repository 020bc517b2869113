"""A calibration for other programs: `gates.calibration/1`, stable and versioned."""

from __future__ import annotations

import json
import math
from dataclasses import asdict
from typing import Any

from gates.calibration import FRESH_DAYS, Calibration, Noise
from gates.sequential import FLOOR

CALIBRATION_FORMAT = "gates.calibration/1"


def calibration_json(calibration: Calibration) -> str:
    """Return a calibration as JSON: ratios new to old, shares (0.05 for 5 %), seconds; what is impossible is null."""
    one = calibration
    return json.dumps(
        {
            "format": CALIBRATION_FORMAT,
            "at": one.at, "gate": one.gate, "commit": one.commit, "gates": one.gates, "rule": one.rule,
            "settings": one.settings, "machine": dict(one.machine), "days": FRESH_DAYS,
            "epochs": one.epochs, "epoch_seconds": one.epoch_seconds, "planned": one.planned, "needed": one.needed,
            "floor": one.floor, "ordinary_floor": FLOOR, "wanted": one.wanted, "too_noisy": one.too_noisy,
            "order": math.exp(one.order),
            "noise": [_noise(each) for each in one.noise],
            "trial": asdict(one.trial),
        },
        indent=2,
    )  # fmt: skip


def _noise(one: Noise) -> dict[str, Any]:
    return {
        "measurement": one.name, "scope": one.scope, "tolerance": one.tolerance,
        "ratio": math.exp(one.bias), "low": math.exp(one.bias - one.reach), "high": math.exp(one.bias + one.reach),
        "sd": one.sd, "detectable": one.detectable if math.isfinite(one.detectable) else None, "needed": one.needed,
        "samples": list(one.samples),
    }  # fmt: skip
