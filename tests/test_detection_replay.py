"""Recorded epochs are judged by gates itself, no epoch twice; and the counts are told with their bounds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from detection_rows import everything, made_row, made_rows

from benchmarks.detection import ours, replay, rows
from benchmarks.detection.counted import Cell, Goal, Share, goals
from benchmarks.detection.ours import Told
from gates.results import Verdict

RECORDED = Path(__file__).parent / "output" / "detection"


def test_builds_alike_pass_at_the_first_look_and_each_gate_takes_the_next_epochs() -> None:
    told, left = ours.play_gates(made_rows(11))
    assert [one.verdict for one in told] == [Verdict.PASS, Verdict.PASS]
    assert [one.epochs for one in told] == [4, 4]
    assert left == 3
    assert told[0].load == pytest.approx(4 * 9.5)
    assert told[0].wall == pytest.approx(4 * 10.4)


def test_what_is_slower_fails_after_it_was_confirmed_and_is_named() -> None:
    (told,), left = ours.play_gates(made_rows(8, slower={"GET /search": 1.1}))
    assert told.verdict is Verdict.FAIL
    assert told.epochs == 8
    assert left == 0
    assert ("pair.shift", "GET /search") in told.failed
    assert {scope for _, scope in told.failed} == {"GET /search"}


def test_failures_and_memory_are_judged_as_well() -> None:
    (failing, *_), _ = ours.play_gates(made_rows(8, failing=4))
    assert failing.verdict is Verdict.FAIL
    assert ("pair.errors", "") in failing.failed
    (leaking,), _ = ours.play_gates(made_rows(8, memory=1.3))
    assert leaking.verdict is Verdict.FAIL
    assert leaking.failed == (("pair.memory", ""),)


def test_an_epoch_that_cannot_be_believed_is_taken_again_and_its_load_counts() -> None:
    several = made_rows(5)
    several[1] = made_row(random.Random(1), slower=everything(3.0), doubts=("lag",))
    (told,), left = ours.play_gates(several)
    assert told.verdict is Verdict.PASS
    assert told.epochs == 4
    assert told.load == pytest.approx(5 * 9.5)
    assert left == 0


def test_a_gate_of_which_more_than_a_quarter_cannot_be_believed_is_unknown() -> None:
    (told, *_), _ = ours.play_gates(made_rows(40, doubts=("neighbours",)))
    assert told.verdict is Verdict.UNKNOWN
    assert ("", "load") in told.undecided
    assert told.failed == ()


def test_a_gate_whose_rows_end_too_early_is_none() -> None:
    assert ours.play_gates(made_rows(3)) == ([], 3)
    assert ours.play_gates(made_rows(7, slower=everything(1.3))) == ([], 7)


def test_the_stored_baseline_mode_judges_runs_at_different_times() -> None:
    twice = ours.against_stored(made_rows(8), made_rows(8, seed=2, slower=everything(3.0)))
    assert twice.verdict is Verdict.FAIL
    assert any(measurement == "load.p50" for measurement, _ in twice.failed)
    alike = ours.against_stored(made_rows(8), made_rows(8, seed=2))
    assert alike.verdict is Verdict.UNKNOWN, "two single runs cannot show that 5 % is not there"
    assert alike.failed == ()


@pytest.mark.parametrize(
    ("count", "of", "low", "high"), [(0, 60, 0.0, 0.0596), (5, 10, 0.1871, 0.8129), (30, 30, 0.8843, 1.0), (0, 0, 0, 1)]
)
def test_the_bounds_are_those_of_clopper_and_pearson(count: int, of: int, low: float, high: float) -> None:
    share = Share(count, of)
    assert (share.low, share.high) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def cell(effect: str, regime: str, **counts: int) -> Cell:
    told = [Told(Verdict(name), (), (), 4, 38.0, 42.0) for name, count in counts.items() for _ in range(count)]
    return Cell(effect, regime, tuple(told))


def by_words(found: list[Goal], words: str) -> Goal:
    (goal,) = [one for one in found if words in one.told]
    return goal


def test_a_goal_is_reached_or_not_or_there_are_too_few_gates_to_say() -> None:
    few = goals([cell("same", "quiet", **{"pass": 59})])
    assert by_words(few, "false alarms").verdict == "not enough rows"
    assert by_words(few, "+10 % fails, quiet").verdict == "not enough rows"
    many = goals([
        cell("same", "quiet", **{"pass": 60, "unknown": 3}), cell("same", "quota", **{"pass": 30, "unknown": 15}),
        cell("uniform_05", "quiet", **{"fail": 27, "pass": 3}), cell("uniform_10", "quiet", fail=28, unknown=2),
    ])  # fmt: skip
    assert by_words(many, "false alarms").verdict == "reached"
    assert by_words(many, "false alarms").seen == Share(0, 108)
    assert by_words(many, "+10 % fails, quiet").verdict == "not reached"
    assert by_words(many, "+5 % fails, quiet").verdict == "reached"
    assert by_words(many, "+5 % passes").verdict == "not reached"
    assert by_words(many, "+10 % passes").verdict == "reached"
    assert by_words(many, "alike, quiet").verdict == "reached"
    assert by_words(many, "alike, hard").verdict == "not reached"
    assert by_words(many, "load to a decision").seen == by_words(many, "until builds alike pass").seen == 38.0
    wrong = goals([cell("same", "quiet", **{"pass": 58, "fail": 2})])
    assert by_words(wrong, "false alarms").verdict == "not reached"


def test_all_tables_are_printed_with_their_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(_: object) -> None:
        raise replay.otava.NoOtava("apache-otava cannot be installed: no network")

    monkeypatch.setattr(replay.otava, "judge", nothing)
    (sitting,) = rows.sittings(RECORDED / "same.quiet.jsonl.gz").values()
    for effect, factor in (("same", 1.0), ("uniform_10", 1.1)):
        path = rows.path_of(effect, "quiet", tmp_path)
        rows.append(path, sitting)
        for row in made_rows(16, seed=len(effect), start=1e6 * (factor - 1), slower=everything(factor)):
            rows.append(path, rows.write_row(row))
    assert replay.main(["--rows", str(tmp_path)]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "quiet alike 16 0% 4 0 of 4 (0%–60%) 4 of 4 (40%–100%)" in printed
    assert "quiet +10 % 16 0% 2 2 of 2" in printed
    assert "gates, side by side the same epochs 0/4 2/2" in printed
    assert "gates against a stored run, alike: fail 0/1, pass 0/1, undecided 1/1" in printed
    assert "pytest-benchmark mean:5% the run before 0/1 2/2" in printed
    assert "apache-otava cannot be installed: no network – –" in printed
    assert "not enough rows" in printed
    assert replay.main(["--rows", str(tmp_path / "none")]) == 1
    assert "make detection-record" in capsys.readouterr().err


def test_recorded_rows_are_replayed() -> None:
    told, left = ours.play_gates(rows.read(RECORDED / "same.quiet.jsonl.gz"))
    assert (told, left) == ([], 4), "four epochs that cannot be believed are not yet a gate"
