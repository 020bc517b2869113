"""The rows: one line of JSON for each epoch that was recorded, in one compressed file for each effect and regime.

Each append is a gzip member of its own, written at once: whatever ends the recording, the rows before stay whole, and
what is left of a half-written one is cut off before the next. A sitting (one start of the recorder) has a line of its
own before its first row: machine, date, versions, the commit of gates.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gates.load.pairs import WIDTH, Ratios, median
from gates.load.recording import OperationRecord, Record
from gates.tools.locust.ratios import Paired

ROWS = Path(__file__).parent / "rows"
FORMAT = "gates.detection/1"
EXACT, COARSE = 240, 20
"""Bins of ratios are kept as they are up to 12 % beside their median; further away twenty are put together."""


@dataclass(frozen=True, slots=True)
class Half:
    """One raw request: which operation, when it was due (seconds after the start), its latency in seconds, status."""

    operation: str
    due: float
    latency: float
    status: int


@dataclass(frozen=True, slots=True)
class Row:
    """One epoch of two builds. `seconds` were measured after a warm up of `warm_up`; `wall` went by in all.

    `sample` holds some of the pairs as they were: (new, old) of each.
    """

    sitting: str
    at: float
    seconds: float
    warm_up: float
    wall: float
    paired: Paired
    doubts: tuple[str, ...] = ()
    conditions: Mapping[str, float] = field(default_factory=dict)
    sample: tuple[tuple[Half, Half], ...] = ()

    @property
    def valid(self) -> bool:
        """Whether the product would believe this epoch."""
        return not self.doubts


def path_of(effect: str, regime: str, folder: Path = ROWS) -> Path:
    """Return the file of an effect in a regime."""
    return folder / f"{effect}.{regime}.jsonl.gz"


def append(path: Path, line: Mapping[str, Any]) -> None:
    """Add one line, in one write."""
    member = gzip.compress(json.dumps(line, separators=(",", ":")).encode(), 9, mtime=0)
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        written = os.write(descriptor, member)
    finally:
        os.close(descriptor)
    if written != len(member):
        raise OSError(f"{path} took {written} of {len(member)} bytes: is the disk full?")


def repair(path: Path) -> int:
    """Cut off what is left of a half-written line; return how many bytes that were."""
    if not path.exists():
        return 0
    data = path.read_bytes()
    whole = sum(size for _, size in _members(data))
    if whole < len(data):
        os.truncate(path, whole)
    return len(data) - whole


def _members(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield the content of each whole member with its length in the file."""
    while data:
        reader = zlib.decompressobj(wbits=31)
        try:
            content = reader.decompress(data)
        except zlib.error:
            return
        if not reader.eof:
            return
        yield content, len(data) - len(reader.unused_data)
        data = reader.unused_data


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the lines of a file in the order in which they were recorded; none when there is no file."""
    if path.exists():
        for content, _ in _members(path.read_bytes()):
            yield json.loads(content)


def read(path: Path) -> list[Row]:
    """Return the rows of a file in the order in which they were recorded."""
    return [parse_row(line) for line in lines(path) if "sitting" in line and "new" in line]


def sittings(path: Path) -> dict[str, dict[str, Any]]:
    """Return what is known of each sitting that recorded rows in a file."""
    return {line["id"]: line for line in lines(path) if "machine" in line}


def write_row(row: Row) -> dict[str, Any]:
    """Return a row as plain data."""
    paired = row.paired
    return {
        "sitting": row.sitting, "at": round(row.at, 1), "seconds": row.seconds,
        "warm_up": row.warm_up, "wall": round(row.wall, 2),
        "doubts": list(row.doubts), "conditions": {name: _short(value) for name, value in row.conditions.items()},
        "memory": paired.memory, "new": _write_record(paired.new), "old": _write_record(paired.old),
        "ratios": {
            name: [_coded(_thinned(one.new_first)), _coded(_thinned(one.old_first))]
            for name, one in sorted(paired.ratios.items())
        },
        "sample": _write_sample(row.sample),
    }  # fmt: skip


def parse_row(data: Mapping[str, Any]) -> Row:
    """Return the row that `write_row` wrote."""
    ratios = {name: Ratios(_decoded(one[0]), _decoded(one[1])) for name, one in data["ratios"].items()}
    memory = tuple(data["memory"]) if data["memory"] else None
    seconds = data["seconds"]
    paired = Paired(_parse_record(data["new"], seconds), _parse_record(data["old"], seconds), ratios, memory)
    return Row(
        data["sitting"], data["at"], seconds, data["warm_up"], data["wall"], paired, tuple(data["doubts"]),
        data["conditions"], _parse_sample(data["sample"]),
    )  # fmt: skip


def _thinned(counts: Mapping[int, int]) -> dict[int, int]:
    """Return ratios in their fine bins around the median, and in coarse ones far from it, where no median moves."""
    middle = round(median(counts) / WIDTH) if counts else 0
    thinned: dict[int, int] = {}
    for number, count in counts.items():
        near = abs(number - middle) <= EXACT
        place = number if near else COARSE * round(number / COARSE)
        thinned[place] = thinned.get(place, 0) + count
    return thinned


def _short(value: float, digits: int = 4) -> float:
    return float(f"{value:.{digits}g}")


def _coded(counts: Mapping[int, int]) -> list[list[int]]:
    """Return a histogram as the gaps between its bins, and their counts: small numbers, which compress well."""
    numbers = sorted(counts)
    before = [0, *numbers]
    return [[number - last for number, last in zip(numbers, before, strict=False)], [counts[one] for one in numbers]]


def _decoded(coded: Sequence[Sequence[int]]) -> dict[int, int]:
    counts, number = {}, 0
    for gap, count in zip(*coded, strict=True):
        number += gap
        counts[number] = count
    return counts


def _write_record(record: Record) -> dict[str, Any]:
    return {
        name: [
            {str(status): count for status, count in sorted(one.statuses.items())}, one.failures,
            {str(digit): _coded(counts) for digit, counts in sorted(one.latencies.items())},
        ]
        for name, one in sorted(record.operations.items())
    }  # fmt: skip


def _parse_record(data: Mapping[str, Any], seconds: float) -> Record:
    return Record(
        end=seconds, last=seconds,
        operations={
            name: OperationRecord(
                {int(status): count for status, count in statuses.items()}, dict(failures),
                {int(digit): _decoded(coded) for digit, coded in latencies.items()},
            )
            for name, (statuses, failures, latencies) in data.items()
        }
    )  # fmt: skip


def _write_sample(sample: Iterable[tuple[Half, Half]]) -> dict[str, Any]:
    """Return raw pairs in columns: operations by their place in a list, dues in ms, latencies in µs of three digits."""
    pairs = list(sample)
    names = sorted({new.operation for new, _ in pairs})
    dues = [round(min(new.due, old.due) * 1000) for new, old in pairs]
    return {
        "operations": names,
        "which": "".join(str(names.index(new.operation)) for new, _ in pairs),
        "first": "".join("n" if new.due < old.due else "o" for new, old in pairs),
        "due": [due - before for due, before in zip(dues, [0, *dues], strict=False)],
        "new": [int(_short(new.latency * 1e6, 3)) for new, _ in pairs],
        "old": [int(_short(old.latency * 1e6, 3)) for _, old in pairs],
        "failed": {str(at): [new.status, old.status] for at, (new, old) in enumerate(pairs)
                   if not (200 <= new.status < 300 and 200 <= old.status < 300)},
    }  # fmt: skip


def _parse_sample(data: Mapping[str, Any]) -> tuple[tuple[Half, Half], ...]:
    found, due = [], 0.0
    columns = zip(data["which"], data["due"], data["new"], data["old"], strict=True)
    for at, (which, gap, new, old) in enumerate(columns):
        due += gap / 1000
        name = data["operations"][int(which)]
        statuses = data["failed"].get(str(at), (200, 200))
        found.append((Half(name, due, new / 1e6, statuses[0]), Half(name, due, old / 1e6, statuses[1])))
    return tuple(found)


def pair_up(halves: Iterable[Sequence[Any]]) -> tuple[tuple[Half, Half], ...]:
    """Return (new, old) of each pair of which both halves were answered, from what the locustfile kept."""
    waiting: dict[int, tuple[bool, Half]] = {}
    found = []
    for number, operation, new, due, status, latency in halves:
        half = Half(operation, due, latency, status or 0)
        if number not in waiting:
            waiting[number] = new, half
        else:
            was_new, other = waiting.pop(number)
            found.append((other, half) if was_new else (half, other))
    return tuple(sorted((pair for pair in found if pair[0].status and pair[1].status), key=lambda pair: pair[0].due))
