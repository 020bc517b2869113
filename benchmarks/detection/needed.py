"""What the table needs, cell by cell, and what of it is not recorded yet."""

from __future__ import annotations

import random
from pathlib import Path

from benchmarks.detection import regimes, rows, variants

PER_GATE, PER_GATE_ALIKE = 8, 10
"""Epochs that a gate takes on average, near enough to plan with: a pass comes later than a fail."""
GATES = {
    ("same", "quiet"): 60, ("same", "neighbours"): 24, ("same", "quota"): 24,
    ("uniform_05", "quiet"): 24, ("uniform_10", "quiet"): 24, ("uniform_05", "neighbours"): 12,
    ("uniform_10", "neighbours"): 12, ("uniform_05", "quota"): 12, ("uniform_10", "quota"): 12,
}  # fmt: skip
OTHERS = {"quiet": 8, "neighbours": 3, "quota": 3}
"""Gates of the effects that are not named above: the goals do not speak of them."""
_WEIGHT_OF_SAME = 3.0


def wanted(effect: str, regime: str) -> int:
    """Return how many epochs a cell should have."""
    per_gate = PER_GATE_ALIKE if effect == variants.SAME else PER_GATE
    return per_gate * GATES.get((effect, regime), OTHERS[regime])


def recorded(effect: str, regime: str, folder: Path) -> int:
    """Return how many epochs a cell has."""
    return sum("new" in line for line in rows.lines(rows.path_of(effect, regime, folder)))


def lacking(folder: Path) -> dict[tuple[str, str], int]:
    """Return how many epochs each cell lacks, without those that lack none."""
    cells = [(effect, regime) for regime in regimes.REGIMES for effect in variants.EFFECTS]
    found = {cell: wanted(*cell) - recorded(*cell, folder) for cell in cells}
    return {cell: number for cell, number in found.items() if number > 0}


def next_cell(draw: random.Random, folder: Path, effect: str | None, regime: str | None) -> tuple[str, str] | None:
    """Return what to record next: at random, in proportion to what is lacking, identical builds first of all.

    A cell that is named is recorded however much of it there is; None when nothing is lacking.
    """
    if effect and regime:
        return effect, regime
    open_cells = {
        cell: number * (_WEIGHT_OF_SAME if cell[0] == variants.SAME else 1.0)
        for cell, number in lacking(folder).items()
        if effect in (None, cell[0]) and regime in (None, cell[1])
    }
    if not open_cells:
        return None
    return draw.choices(list(open_cells), list(open_cells.values()))[0]


def told(folder: Path) -> str:
    """Return in lines how much of each cell there is."""
    found = lacking(folder)
    lines = [
        f"{effect:12} {regime:10} {recorded(effect, regime, folder):4} of {wanted(effect, regime):4} epochs"
        for regime in regimes.REGIMES
        for effect in variants.EFFECTS
    ]
    size = sum(path.stat().st_size for path in folder.glob("*.jsonl.gz"))
    return "\n".join([*lines, f"{sum(found.values())} epochs are missing; {size / 1e6:.1f} MB so far"])
