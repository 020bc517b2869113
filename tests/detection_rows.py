"""Rows as the recorder of benchmarks/detection would write them, made up: two builds, five operations, known ratios."""

from __future__ import annotations

import math
import random
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))  # benchmarks/ is no part of what is installed

from benchmarks.detection.rows import Half, Row
from gates.load.histogram import add
from gates.load.pairs import Ratios
from gates.load.recording import OperationRecord, Record
from gates.tools.locust.ratios import Paired

OPERATIONS = ("GET /items", "GET /items/{item_id}", "GET /report", "GET /search", "POST /items")
PAIRS = 40
"""Of each operation and epoch: too few for a p99, which is then left out."""


def made_row(
    draw: random.Random,
    *,
    slower: dict[str, float] | None = None,
    noise: float = 0.002,
    failing: int = 0,
    doubts: tuple[str, ...] = (),
    memory: float = 1.0,
    at: float = 0.0,
) -> Row:
    """Return an epoch in which the new build is `slower` by these factors, and `failing` of each operation fail."""
    new, old = Record(end=8.0, last=8.0), Record(end=8.0, last=8.0)
    ratios: dict[str, Ratios] = {}
    sample: list[tuple[Half, Half]] = []
    for operation in OPERATIONS:
        level = math.exp(draw.gauss(0.0, noise))
        factor = (slower or {}).get(operation, 1.0) * math.exp(draw.gauss(0.0, noise))
        each = ratios.setdefault(operation, Ratios())
        latencies: tuple[dict[int, int], dict[int, int]] = ({}, {})
        for number in range(PAIRS):
            base = 0.001 * (1 + (number % 20) / 20) * level
            add(latencies[0], base * factor)
            add(latencies[1], base)
            each.add(math.log(factor), new_first=bool(number % 2))
            due = 1.5 + 8 * number / PAIRS
            sample.append((Half(operation, due, base * factor, 200), Half(operation, due, base, 200)))
        wrong = {500: failing} if failing else {}
        new.operations[operation] = OperationRecord(
            {200: PAIRS, **wrong}, {}, {2: latencies[0], **({5: {9: failing}} if failing else {})}
        )
        old.operations[operation] = OperationRecord({200: PAIRS + failing}, {}, {2: {**latencies[1], 9: failing}})
    peaks = round(3e7 * memory * math.exp(draw.gauss(0.0, 0.001))), 30_000_000
    return Row(
        "made-up", at, 8.0, 1.5, 10.4, Paired(new, old, ratios, peaks), doubts, {"rate": 320.0},
        tuple(sorted(sample, key=lambda pair: pair[0].due)),
    )  # fmt: skip


def made_rows(count: int, seed: int = 1, start: float = 0.0, **traits: Any) -> list[Row]:
    """Return so many of them, one second apart."""
    draw = random.Random(seed)
    return [made_row(draw, at=start + number, **traits) for number in range(count)]


def everything(factor: float) -> dict[str, float]:
    """Return every operation slower by a factor."""
    return dict.fromkeys(OPERATIONS, factor)
