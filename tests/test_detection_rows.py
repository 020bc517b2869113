"""Recorded epochs come back as they were, whatever interrupts the recording."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from detection_rows import everything, made_row, made_rows

from benchmarks.detection import needed, rows, variants
from gates.load.pairs import Ratios, together

RECORDED = Path(__file__).parent / "output" / "detection" / "same.quiet.jsonl.gz"


def written(path: Path, *several: rows.Row) -> Path:
    for row in several:
        rows.append(path, rows.write_row(row))
    return path


def test_a_row_comes_back(tmp_path: Path) -> None:
    row = replace(made_row(random.Random(1), slower=everything(1.07), failing=3), doubts=("lag", "queue"))
    back = rows.read(written(tmp_path / "a.gz", row))[0]
    assert back.doubts == ("lag", "queue")
    assert not back.valid
    assert back.paired.memory == row.paired.memory
    assert back.paired.new.operations == row.paired.new.operations
    assert back.paired.old.operations == row.paired.old.operations
    assert back.paired.ratios == row.paired.ratios
    assert back.paired.new.throughput == pytest.approx(row.paired.new.throughput)
    assert [new.operation for new, _ in back.sample] == [new.operation for new, _ in row.sample]
    for (new, old), (was_new, was_old) in zip(back.sample, row.sample, strict=True):
        assert new.latency == pytest.approx(was_new.latency, rel=0.01)
        assert old.latency == pytest.approx(was_old.latency, rel=0.01)
        assert new.due == pytest.approx(was_new.due, abs=0.002)


def test_ratios_far_from_their_median_are_put_together_without_moving_it() -> None:
    draw, ratios = random.Random(5), Ratios()
    for _ in range(2000):
        ratios.add(draw.gauss(0.05, 0.3), new_first=draw.random() < 0.5)
    row = made_row(draw)
    row.paired.ratios["GET /items"] = ratios  # type: ignore[index]
    back = rows.parse_row(rows.write_row(row))
    thinned = back.paired.ratios["GET /items"]
    assert thinned.shift() == ratios.shift()
    assert thinned.pairs == ratios.pairs
    assert together(back.paired.ratios).shift() == together(row.paired.ratios).shift()
    assert len(thinned.new_first) < len(ratios.new_first)


def test_whatever_is_cut_off_at_the_end_leaves_the_rows_before_it_whole(tmp_path: Path) -> None:
    first, second = made_rows(2)
    path = written(tmp_path / "a.gz", first)
    whole = path.stat().st_size
    data = written(path, second).read_bytes()
    for cut in (*range(whole + 1, len(data), 97), len(data) - 1):
        path.write_bytes(data[:cut])
        assert len(rows.read(path)) == 1
        assert rows.repair(path) == cut - whole
        assert path.stat().st_size == whole
        assert len(rows.read(written(path, second))) == 2
    path.write_bytes(data)
    assert rows.repair(path) == 0
    assert rows.repair(tmp_path / "not there") == 0


def test_what_was_recorded_stays_readable() -> None:
    several = rows.read(RECORDED)
    assert len(several) == 4
    for row in several:
        assert row.paired.pairs == 2560
        assert row.paired.new.requests == row.paired.old.requests == 2560
        assert len(row.paired.ratios) == 5
        assert 200 <= len(row.sample) <= 300
        assert "neighbours" in row.doubts
    (sitting,) = rows.sittings(RECORDED).values()
    assert sitting["format"] == rows.FORMAT
    assert {"machine", "versions", "date", "commit"} <= sitting.keys()


def test_halves_become_pairs_and_those_without_an_answer_do_not() -> None:
    halves = [
        (4, "GET /a", True, 1.0, 200, 0.002), (5, "GET /a", False, 2.0, 200, 0.003),
        (4, "GET /a", False, 1.1, 200, 0.001), (5, "GET /a", True, 2.1, None, 0.5), (6, "GET /a", True, 3.0, 200, 0.1),
    ]  # fmt: skip
    ((new, old),) = rows.pair_up(halves)
    assert (new.latency, old.latency) == (0.002, 0.001)


def test_identical_builds_are_recorded_first_and_what_is_complete_is_not_recorded_again(tmp_path: Path) -> None:
    lacking = needed.lacking(tmp_path)
    assert lacking["same", "quiet"] >= 60 * 10
    assert {effect for effect, _ in lacking} == set(variants.EFFECTS)
    row = rows.write_row(made_row(random.Random(1)))
    for _ in range(needed.wanted("leak", "quota")):
        rows.append(rows.path_of("leak", "quota", tmp_path), row)
    assert ("leak", "quota") not in needed.lacking(tmp_path)
    draw = random.Random(2)
    cells = [needed.next_cell(draw, tmp_path, None, None) for _ in range(40)]
    assert ("leak", "quota") not in cells
    assert sum(cell == ("same", "quiet") for cell in cells) >= 8
    assert needed.next_cell(draw, tmp_path, "leak", None) in {("leak", "quiet"), ("leak", "neighbours")}
    assert needed.next_cell(draw, tmp_path, "leak", "quota") == ("leak", "quota")


def test_each_build_is_the_service_with_its_own_effect(tmp_path: Path) -> None:
    asked_for = "same uniform_02 uniform_05 uniform_10 uniform_20 one_10 additive tail errors lock leak"
    assert set(variants.EFFECTS) == set(asked_for.split())
    for effect in variants.EFFECTS:
        folder = variants.build(effect, tmp_path)
        assert (folder / "service.py").read_bytes() == (variants.SERVICE / "service.py").read_bytes()
        assert (folder / "effect.py").read_bytes() == (variants.SERVICE / "effects" / f"{effect}.py").read_bytes()
