"""The product's own locustfile, which keeps some of the pairs as they were besides: raw requests, for other rules.

Runs in Locust's process in the place of `gates/load/locustfile.py`. What the product records is not touched.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from gates.load import pairs
from gates.load.assignment import ASSIGNMENT_VARIABLE, read_assignment

SAMPLED = "sampled.json"
MOST = 240
"""Pairs of an epoch that are kept."""
_ASSIGNMENT = read_assignment(Path(os.environ[ASSIGNMENT_VARIABLE]).read_text("utf-8"))
_EVERY = int(_ASSIGNMENT.arrivals.rate / 2 * _ASSIGNMENT.arrivals.seconds / MOST) + 1
_halves: list[tuple[int, str, bool, float, int | None, float]] = []
_ended, _text = pairs.PairRecord.ended, pairs.write_pairs


def _keep_and_end(self: pairs.PairRecord, slot: pairs.PairSlot, status: int | None, latency: float) -> None:
    if slot.number % _EVERY == 0:
        _halves.append((slot.number, slot.operation, slot.new, slot.due, status, latency))
    _ended(self, slot, status, latency)


def _write_both(record: pairs.PairRecord) -> str:
    Path(_ASSIGNMENT.result).with_name(SAMPLED).write_text(json.dumps(_halves), "utf-8")
    return _text(record)


pairs.PairRecord.ended = _keep_and_end  # type: ignore[method-assign]
pairs.write_pairs = _write_both

from gates.load.locustfile import *  # noqa: E402, F403 - it finds what was replaced above, so it comes last
