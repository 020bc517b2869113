"""Two builds in turns: who is next is a coin's matter, and it ends when everything is decided or the time is over."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import pytest

from gates.alternating import (
    Alternation,
    NotBeside,
    Reading,
    Turn,
    check_measured_with,
    check_path,
    is_inside,
    without_earlier,
)
from gates.demands import Tolerances
from gates.errors import ToolError
from gates.results import Readings
from gates.sequential import BENCH, CONFIRMED, CONFIRMING, NUMBER, PLANNED, conclude, quantities_of

NOISE = (1.001, 0.998, 1.002, 0.999, 1.0, 1.001, 0.999, 1.002)


def steady(
    now: Mapping[str, float], then: Mapping[str, float] | None = None
) -> Callable[[Turn], Mapping[str, Reading]]:
    """Return a measurement in which the earlier build reads `then` (or 1), and this one `now`, with a little noise."""

    def measure(turn: Turn) -> Mapping[str, Reading]:
        if turn.new:
            return {name: Reading(value * NOISE[turn.block % len(NOISE)]) for name, value in now.items()}
        return {name: Reading(value) for name, value in (then or dict.fromkeys(now, 1.0)).items()}

    return measure


def alternation(planned: int = 12, **more: object) -> Alternation:
    return Alternation(BENCH, planned, 20, Tolerances(), **more)  # type: ignore[arg-type]


def test_each_block_is_one_process_of_each_build_in_the_order_of_a_fair_coin() -> None:
    turns: list[Turn] = []

    def read(turn: Turn) -> Mapping[str, Reading]:
        return {"a": Reading(1.04 + 0.2 * (turn.block % 2) if turn.new else 1.1)}

    alternation(40).run(lambda turn: turns.append(turn) or read(turn))
    pairs = [(turns[at], turns[at + 1]) for at in range(0, len(turns), 2)]
    assert len(pairs) == 40
    assert all(first.block == second.block and first.new != second.new for first, second in pairs)
    assert 10 < sum(first.new for first, _ in pairs) < 30
    again: list[Turn] = []
    alternation(40).run(lambda turn: again.append(turn) or read(turn))
    assert [turn.new for turn in again] == [turn.new for turn in turns][: len(again)]
    assert turns[0].told.startswith("block 1 of at most 40: ")
    assert [turn.share for turn in turns] == sorted(turn.share for turn in turns)


def test_what_did_not_change_is_decided_at_the_first_look() -> None:
    same = alternation()
    same.run(steady({"a": 1.0, "b": 1.0}))
    assert (same.blocks, same.confirmed, same.cut) == (4, 0, False)


def test_what_became_slower_is_confirmed_and_then_stands() -> None:
    slow = alternation()
    slow.run(steady({"a": 1.0, "b": 1.08}))
    assert (slow.blocks, slow.confirmed) == (4 + CONFIRMING, CONFIRMING)
    found = slow.measurements()
    decisions = conclude(quantities_of(found, Tolerances()), planned=12, confirmed=CONFIRMING)
    assert {one.quantity.scope: one.verdict for one in decisions} == {"a": "pass", "b": "fail"}
    assert {one.name: one.value for one in found if not one.samples} == {
        PLANNED: 12.0, CONFIRMED: 4.0, "pair.floor": 0.01,
    }  # fmt: skip


def test_of_some_numbers_more_is_better() -> None:
    rates = Alternation(NUMBER, 4, 20, Tolerances(), higher={"rate"})
    rates.run(steady({"rate": 0.9, "time": 0.9}))
    samples = {one.scope: one.samples for one in rates.measurements() if one.samples}
    assert min(samples["rate"]) > 0 > max(samples["time"])
    assert samples["rate"] == tuple(-value for value in samples["time"])


def test_numbers_that_are_equal_to_the_last_digit_are_decided_too() -> None:
    exact = alternation()
    exact.run(lambda turn: {"bundle": Reading(1024.0)})
    assert exact.blocks == 4
    grown = alternation()
    grown.run(lambda turn: {"bundle": Reading(1200.0 if turn.new else 1000.0)})
    (decision,) = conclude(quantities_of(grown.measurements(), Tolerances()), planned=12, confirmed=grown.confirmed)
    assert (decision.verdict, decision.low) == ("fail", pytest.approx(1.2))


def test_a_number_that_only_one_of_them_brings_is_no_ratio() -> None:
    partly = alternation(4)
    partly.run(lambda turn: {"a" if turn.new or turn.block > 1 else "b": Reading(1.0)})
    assert {scope: len(partly.ratios(scope)) for scope in partly.seen} == {"a": 4}
    assert partly.blocks == 5


def test_when_the_time_is_over_what_was_measured_is_kept_and_said() -> None:
    noisy = Alternation(BENCH, 12, 20, Tolerances(), room=lambda: noisy.blocks < 6)
    noisy.run(lambda turn: {"a": Reading(1 + 0.3 * (turn.block % 2) if turn.new else 1.1)})
    assert (noisy.blocks, noisy.cut) == (6, True)
    assert "ran out" in noisy.notes("one", "c0ffee1234")[-1]
    short = Alternation(BENCH, 12, 20, Tolerances(), room=lambda: short.blocks < 3)
    with pytest.raises(NotBeside, match="time for 3 of the 4 blocks"):
        short.run(steady({"a": 1.0}))


def test_a_fail_that_there_was_no_time_to_confirm_is_no_fail() -> None:
    slow = Alternation(BENCH, 12, 20, Tolerances(), room=lambda: slow.blocks < 5)
    slow.run(steady({"a": 1.3}))
    assert (slow.blocks, slow.confirmed, slow.cut) == (5, 1, True)
    (decision,) = conclude(quantities_of(slow.measurements(), Tolerances()), planned=12, confirmed=slow.confirmed)
    assert decision.verdict == "open"


def test_why_a_build_was_measured_alone_is_a_note_or_a_gap() -> None:
    refused = NotBeside("it cannot be built", "build it")
    noted = without_earlier(Readings(), refused, demanded=False)
    assert (noted.notes, noted.gaps) == (("not measured side by side: it cannot be built (build it)",), ())
    demanded = without_earlier(Readings(), refused, demanded=True)
    assert [(gap.what, gap.hint) for gap in demanded.gaps] == [("side by side", "build it")]


@pytest.mark.parametrize("path", ["", ".", "..", "../x", "a/../../b", "/etc", "~/x", "~", ".git", ".git/hooks"])
def test_paths_outside_the_project_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="inside the project"):
        check_path(path)


def test_paths_are_taken_as_they_are_meant() -> None:
    assert [check_path(path) for path in ("./a//b/", "a", ".hidden", "..a")] == ["a/b", "a", ".hidden", "..a"]
    assert is_inside("src/a", "src")
    assert is_inside("anything", ".")
    assert not is_inside("src2/a", "src")


def test_the_source_cannot_be_what_measures() -> None:
    check_measured_with(("src/orders/bench", "tests"), ("src/orders",), lambda name: True)
    for name in ("src", "src/orders"):
        with pytest.raises(ToolError, match="holds the source itself"):
            check_measured_with((name,), ("src/orders",), lambda name: True)
    with pytest.raises(ToolError, match="names x, which does not exist"):
        check_measured_with(("x",), (), lambda name: False)


def test_ratios_are_logarithms_and_the_value_is_the_ratio() -> None:
    single = alternation(1)
    single.run(lambda turn: {"a": Reading(3.0 if turn.new else 2.0)})
    (measured,) = [one for one in single.measurements() if one.name == BENCH]
    assert measured.samples == (math.log(1.5),)
    assert measured.value == pytest.approx(1.5)


def disturbed(*blocks: int, new: float = 1.0) -> Callable[[Turn], Mapping[str, Reading]]:
    """Return a measurement in which other programs take the processor from this build in some blocks."""

    def measure(turn: Turn) -> Mapping[str, Reading]:
        least = (new if turn.new else 1.0) * NOISE[turn.block % len(NOISE)]
        return {"a": Reading(least * (5 if turn.new and turn.block in blocks else 1.05), least)}

    return measure


def test_blocks_in_which_other_programs_took_the_processor_do_not_count() -> None:
    calm = alternation()
    calm.run(disturbed(2, 5))
    assert (calm.blocks, calm.counted) == (6, 4)
    assert "up to 2 of the blocks do not count" in calm.notes("one", "c0ffee1234")[1]
    (decision,) = conclude(quantities_of(calm.measurements(), Tolerances()), planned=12)
    assert decision.verdict == "pass"
    slow = alternation()
    slow.run(disturbed(1, 6, new=1.2))
    assert (slow.blocks, slow.counted, slow.confirmed) == (10, 8, 4)
    (decision,) = conclude(quantities_of(slow.measurements(), Tolerances()), planned=12, confirmed=4)
    assert decision.verdict == "fail"


def test_where_most_blocks_are_disturbed_all_count() -> None:
    busy = alternation()
    busy.run(disturbed(*range(2, 20)))
    assert busy.blocks >= 12
    assert len(busy.ratios("a")) == busy.blocks
    (decision,) = conclude(quantities_of(busy.measurements(), Tolerances()), planned=12)
    assert decision.verdict == "open"


def test_a_build_whose_middle_became_slower_is_not_taken_for_a_disturbed_one() -> None:
    def measure(turn: Turn) -> Mapping[str, Reading]:
        return {"a": Reading((2.0 if turn.new else 1.05) * NOISE[turn.block % len(NOISE)], 1.0)}

    slower = alternation()
    slower.run(measure)
    assert (slower.blocks, slower.counted) == (8, 8)
    (decision,) = conclude(quantities_of(slower.measurements(), Tolerances()), planned=12, confirmed=4)
    assert decision.verdict == "fail"
