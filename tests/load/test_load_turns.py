"""Load in turns: what a turn counts, how turns are shared out, and two real builds loaded by real Locust."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from test_load_pairs import pair_server

from gates.errors import ToolError
from gates.load.assignment import (
    EARLIER_HEADERS_VARIABLE,
    HEADERS_VARIABLE,
    Assignment,
    Counterpart,
    Sendable,
    Work,
)
from gates.load.schedule import Arrivals
from gates.load.turns import (
    FEWEST,
    LEAST,
    SHORTEST,
    WARMING,
    Told,
    Turn,
    TurnsRecord,
    parse_turns,
    rounds_of,
    take_turns,
    write_turns,
)
from gates.tools.locust.run import drive

WORK = (Work("GET /a", Sendable("GET", "/a"), 3.0), Work("GET /slow", Sendable("GET", "/slow"), 1.0))


def turn(*, settle: int = 2, count: int = 3, most: float = 60.0, least: float = 0.0) -> Turn:
    cpu = iter((10.0, 10.5))
    names, numbers = iter(["GET /a"] * 99), iter(range(99))
    return Turn(True, names, numbers, settle=settle, count=count, most=most, least=least, spent=lambda: next(cpu))


def test_a_turn_counts_from_when_all_are_at_work_until_it_has_its_answers() -> None:
    one = turn()
    for moment in (5.0, 6.0, 6.5, 7.0):
        one.ended(200, moment)
        assert not one.over
    one.ended(304, 8.0)
    assert one.over
    assert one.complete
    one.ended(200, 9.0)  # was on its way when it was over
    assert one.told() == Told(True, 3, 0, 2.0, 0.5)


def test_a_turn_may_have_to_last_for_a_while() -> None:
    one = turn(least=4.0)
    for moment in (1.0, 2.0, 3.0, 3.5, 4.0):
        one.ended(200, moment)
        assert not one.over
    one.ended(200, 5.0)
    assert one.over
    assert one.told() == Told(True, 4, 0, 3.0, 0.5)


def test_a_failure_is_an_answer_and_is_told_with_its_reason() -> None:
    one = turn()
    for status in (500, 200, 429, 200, None):
        one.ended(status, 1.0)
    assert one.told().answers == 3
    assert one.told().failed == 2
    assert one.failures == {"500": 1, "429": 1, "no answer": 1}


def test_a_turn_that_takes_too_long_is_over_and_not_complete() -> None:
    one = turn(count=100, most=4.0)
    for moment in (1.0, 2.0, 3.0):
        one.ended(200, moment)
    assert not one.over
    one.ended(200, 5.1)
    assert one.over
    assert not one.complete
    never = turn(count=100, most=4.0)
    never.ended(200, 1.0)
    never.ended(200, 7.0)
    assert never.told() == Told(True, 0, 0, 0.0, 0.0)


@pytest.mark.parametrize("rate", [40.0, 150.0, 400.0, 3000.0, 20_000.0])
@pytest.mark.parametrize("seconds", [1.0, 2.0, 10.0])
def test_turns_fill_the_time_and_are_short_but_not_too_short(rate: float, seconds: float) -> None:
    rounds, count = rounds_of(rate, seconds)
    assert rounds >= 1
    assert seconds * 0.9 - 4 / rate * rounds <= 4 * rounds * count / rate <= seconds
    if rounds > 1:
        assert count >= FEWEST - 1
        assert count / rate >= SHORTEST - 1 / rate


def assignment(seconds: float = 2.0, connections: int = 4) -> Assignment:
    return Assignment(
        "turns", "http://127.0.0.1:1", Arrivals(1.0, 0.0, seconds), connections, 3.0, "seed", "", work=WORK, first=50,
        earlier=Counterpart("http://127.0.0.1:2", WORK),
    )  # fmt: skip


class Builds:
    """Two builds that take so many seconds for each operation, one after another, and what they were asked."""

    def __init__(self, new: Mapping[str, float], old: Mapping[str, float], status: Callable[[int], int | None]) -> None:
        self.seconds = {True: new, False: old}
        self.status = status
        self.asked: list[tuple[bool, list[str], list[int]]] = []
        self.now = 1.0

    def play(self, one: Turn) -> None:
        names, numbers = list[str](), list[int]()
        while not one.over:
            name, number = one.take()
            names.append(name)
            numbers.append(number)
            self.now += self.seconds[one.new][name]
            one.ended(self.status(number), self.now)
        self.asked.append((one.new, names, numbers))


def builds(slower: float, status: Callable[[int], int | None] = lambda number: 200) -> Builds:
    old = {"GET /a": 0.001, "GET /slow": 0.02}
    return Builds({name: seconds * slower for name, seconds in old.items()}, old, status)


def test_both_are_asked_the_same_in_turns_that_balance() -> None:
    both = builds(1.25)
    record = take_turns(assignment(), both.play)
    assert record.trouble == ""
    assert record.rate(False) / record.rate(True) == pytest.approx(1.25, rel=0.1)
    assert record.ratio() == pytest.approx(math.log(1.25))
    measured = both.asked[2:]
    assert len(measured) == len(record.turns)
    assert len(measured) % 4 == 0
    for first in range(0, len(measured), 4):
        order = [new for new, _, _ in measured[first : first + 4]]
        assert order in ([True, False, False, True], [False, True, True, False])
    for (new, names, _), (other, other_names, _) in zip(measured[::2], measured[1::2], strict=True):
        assert new is not other
        assert names == other_names
    assert len({tuple(names) for _, names, _ in measured}) == len(measured) / 2, "no two pairs of turns are alike"
    for new in (True, False):
        numbers = [number for build, _, own in both.asked if build is new for number in own]
        assert numbers == list(range(50, 50 + len(numbers))), "no number comes twice, none from before"
    first_turns = sum(len(names) for _, names, _ in both.asked[:2]) / 2
    assert first_turns < len(measured) * len(measured[0][1])
    assert both.now - 1.0 < 2.0 * (1 + WARMING)


def test_the_order_is_that_of_a_coin() -> None:
    orders = set()
    for number in range(40):
        both = builds(1.0)
        take_turns(replace(assignment(), seed=f"seed {number}"), both.play)
        orders.add((both.asked[0][0], both.asked[2][0]))
    assert len(orders) == 4


def test_builds_that_are_too_slow_show_nothing_and_take_no_longer() -> None:
    both = Builds(*[{"GET /a": 0.05, "GET /slow": 0.05}] * 2, status=lambda number: 200)
    record = take_turns(assignment(2.0), both.play)
    assert (record.trouble, record.turns) == ("few", [])
    assert both.now - 1.0 < 2.0
    enough = take_turns(assignment(4 * LEAST * 0.05 * 1.2), both.play)
    assert (enough.trouble, len(enough.turns)) == ("", 4)


def test_a_turn_that_comes_to_a_stop_ends_all_of_them() -> None:
    both = builds(1.0)

    def stall(one: Turn) -> None:
        if len(both.asked) == 4:
            both.seconds = {new: {"GET /a": 2.0, "GET /slow": 2.0} for new in (True, False)}
        both.play(one)

    record = take_turns(assignment(), stall)
    assert record.trouble == "long"
    assert len(record.turns) == 2
    assert both.now < 20.0


def test_failures_are_counted_by_build_and_are_no_throughput() -> None:
    both = builds(1.0, lambda number: 429 if number % 10 == 0 else 200)
    record = take_turns(assignment(), both.play)
    assert record.failed_share(True) == pytest.approx(0.1, abs=0.02)
    assert record.failures.keys() == {"new", "old"}
    assert record.failures["old"]["429"] >= sum(one.failed for one in record.turns if not one.new) > 0
    for one in record.turns:
        assert one.rate == pytest.approx((one.answers - one.failed) / one.seconds)


def test_a_burst_of_a_neighbour_in_some_turns_does_not_move_the_ratio() -> None:
    turns = [Told(new, 100, 0, 1.2 if new else 1.0, 0.1) for new in (True, False, False, True) * 4]
    steady = TurnsRecord(turns)
    assert steady.ratio() == pytest.approx(math.log(1.2))
    for hit in (3, 8, 13):
        turns[hit] = replace(turns[hit], seconds=3.0)
    assert steady.ratio() == pytest.approx(math.log(1.2))
    assert (steady.rate(True), steady.rate(False)) == (pytest.approx(100 / 1.2), 100.0)


def test_the_generator_is_as_busy_as_with_the_build_that_keeps_it_busier() -> None:
    record = TurnsRecord([Told(True, 10, 0, 1.0, 0.2), Told(False, 10, 0, 1.0, 0.8), Told(False, 10, 0, 1.0, 0.6)])
    assert record.generator() == pytest.approx(0.7)
    wholly = [Told(True, 64, 64, 1.0, 0.1), *[Told(True, 64, 0, 1.0, 0.1)] * 99]
    assert TurnsRecord(wholly).failed_share(True) == 1.0, "a turn without a single success has no rate"
    assert TurnsRecord().generator() == TurnsRecord().failed_share(False) == 0.0


def test_a_record_is_read_as_it_was_written_and_nothing_else_is() -> None:
    record = TurnsRecord([Told(True, 40, 1, 0.5, 0.1)], {"new": {"500": 1}, "old": {}}, "long")
    assert parse_turns(write_turns(record)) == record
    for text in (
        "",
        "{}",
        "[]",
        json.dumps({"format": "gates.load/1"}),
        write_turns(record).replace('"cpu"', '"cpus"'),
    ):
        with pytest.raises(ToolError, match="record of the turns"):
            parse_turns(text)


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[str, str]]:
    with pair_server(tmp_path, "login-new", 0.004) as new, pair_server(tmp_path, "login-old", 0.0) as old:
        yield new, old


@pytest.mark.slow
def test_real_builds_show_which_of_them_gets_more_through(tmp_path: Path, two: tuple[str, str]) -> None:
    new, old = two
    told = Assignment(
        "turns", new, Arrivals(1.0, 0.0, 1.5), 4, 3.0, "seed", "", work=WORK, earlier=Counterpart(old, WORK)
    )
    logins = {
        HEADERS_VARIABLE: {"Authorization": "login-new"}, EARLIER_HEADERS_VARIABLE: {"Authorization": "login-old"},
    }  # fmt: skip
    text = drive(told, tmp_path / "load", logins, lambda share: False)
    assert text is not None
    record = parse_turns(text)
    assert record.trouble == ""
    assert record.failures == {"new": {}, "old": {}}
    # One of four requests takes twice as long.
    assert 1.05 < math.exp(record.ratio()) < 1.5
    assert record.generator() < 0.9
    assert len(record.turns) % 4 == 0
    assert sum(one.seconds for one in record.turns) < 3.0
