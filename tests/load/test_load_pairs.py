"""Pairs of requests: their schedule, their ratios, and a real run against two servers."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from gates import process
from gates.client import NoAnswer, free_port, request
from gates.errors import ToolError
from gates.load.assignment import (
    EARLIER_HEADERS_VARIABLE,
    HEADERS_VARIABLE,
    Assignment,
    Counterpart,
    Sendable,
    Work,
    read_assignment,
    write_assignment,
)
from gates.load.histogram import quantile, total
from gates.load.pairs import (
    WIDTH,
    PairRecord,
    PairSlot,
    Ratios,
    median,
    pair_slots,
    parse_pairs,
    together,
    with_single,
    write_pairs,
)
from gates.load.recording import Record
from gates.load.schedule import Arrivals
from gates.tools.locust.run import drive

PROGRAM = Path(__file__).with_name("pair_backend.py")


def halves(*, seed: str = "s", rate: float = 100.0) -> list[tuple[PairSlot, PairSlot]]:
    schedule = list(pair_slots(Arrivals(rate, 1.0, 9.0), {"a": 3.0, "b": 1.0}, seed))
    return list(zip(schedule[::2], schedule[1::2], strict=True))


def test_both_halves_of_a_pair_are_the_same_work_for_different_builds() -> None:
    for number, (first, second) in enumerate(halves()):
        assert (first.number, first.operation) == (second.number, second.operation) == (number, first.operation)
        assert first.new is not second.new
        assert first.measured is second.measured


def test_slots_are_due_one_after_another_at_the_rate_of_both_builds_together() -> None:
    dues = [slot.due for pair in halves() for slot in pair]
    assert all(later - due == pytest.approx(0.01) for due, later in itertools.pairwise(dues))
    assert len(dues) == pytest.approx(1000, abs=2)
    assert all(first.measured is (first.due >= 1.0) for first, _ in halves())


def test_operations_keep_their_shares_and_a_fair_coin_says_who_goes_first() -> None:
    pairs = halves(rate=400.0)
    shares = Counter(first.operation for first, _ in pairs)
    assert shares["a"] / len(pairs) == pytest.approx(0.75, abs=0.01)
    for operation in ("a", "b"):
        coins = [first.new for first, _ in pairs if first.operation == operation]
        assert 0.4 < sum(coins) / len(coins) < 0.6


def test_the_seed_decides_everything() -> None:
    assert halves() == halves()
    assert [first.new for first, _ in halves()] != [first.new for first, _ in halves(seed="t")]
    assert list(pair_slots(Arrivals(10.0, 0.0, 1.0), {}, "s")) == []


def test_which_of_two_identical_builds_is_called_new_makes_no_difference() -> None:
    """The median of an even number of ratios is between the middle two, whichever side it is seen from."""
    assert median({-100: 1, 300: 1}) == pytest.approx(100 * WIDTH)
    assert median({-7: 2, 5: 1, 9: 1}) == pytest.approx((-6.5 + 4.5) / 2 * WIDTH)
    drawn = random.Random(4)
    for number in range(1, 40):
        counts = Counter(drawn.randint(-900, 900) for _ in range(number))
        assert median(counts) == pytest.approx(-median({-key: count for key, count in counts.items()}), abs=1e-12)


def test_the_median_is_found_inside_its_bin() -> None:
    counts: Counter[int] = Counter()
    ratios = Ratios()
    values = [random.Random(number).gauss(0.03, 0.2) for number in range(4001)]
    for value in values:
        counts[round(value / WIDTH)] += 1
        ratios.add(value, new_first=True)
    assert ratios.new_first == counts
    assert median(counts) == pytest.approx(sorted(values)[2000], abs=WIDTH)
    assert median({4: 1}) == pytest.approx(4 * WIDTH)
    with pytest.raises(ValueError, match="no median"):
        median({})


def test_memory_is_bounded_whatever_the_ratios_are() -> None:
    ratios = Ratios()
    for value in (1e9, -1e9, 7.0):
        ratios.add(value, new_first=False)
    assert ratios.old_first == {10000: 2, -10000: 1}


def test_what_the_second_of_a_pair_loses_cancels_out_however_the_coin_fell() -> None:
    ratios = Ratios()
    for number in range(100):
        ratios.add(0.05 + (-0.4 if number < 30 else 0.4), new_first=number < 30)
    assert ratios.shift() == pytest.approx(0.05, abs=WIDTH)
    assert ratios.pairs == 100
    with pytest.raises(ValueError, match="no shift"):
        Ratios().shift()


def pair(operation: str, number: int, *, new_first: bool = True) -> tuple[PairSlot, PairSlot]:
    return (
        PairSlot(number, 1.0, operation, new_first, True), PairSlot(number, 1.1, operation, not new_first, True)
    )  # fmt: skip


@pytest.mark.parametrize("new_first", [True, False])
@pytest.mark.parametrize("answered_in_order", [True, False])
def test_a_ratio_is_new_to_old_whoever_was_asked_or_answered_first(new_first: bool, answered_in_order: bool) -> None:
    record = PairRecord(Record(), Record())
    slots = pair("a", 0, new_first=new_first)
    for slot in slots if answered_in_order else reversed(slots):
        record.ended(slot, 200, 0.02 if slot.new else 0.01)
    ratios = record.ratios["a"]
    counted = ratios.new_first if new_first else ratios.old_first
    assert counted == {round(math.log(2) / WIDTH): 1}
    assert ratios.pairs == 1
    assert record.waiting == {}


@pytest.mark.parametrize(("new", "old"), [(500, 200), (200, 404), (500, 500), (None, 200), (200, None), (201, 200)])
def test_pairs_that_did_not_both_succeed_alike_are_not_compared(new: int | None, old: int | None) -> None:
    record = PairRecord(Record(), Record())
    for slot in pair("a", 0):
        record.ended(slot, new if slot.new else old, 0.01)
    assert record.ratios == {}
    assert record.waiting == {}


def a_record() -> PairRecord:
    record = PairRecord(Record(begin=1.0, end=5.0, sent=2), Record(begin=1.0, end=5.0, sent=2))
    for number in (0, 1):
        for slot in pair("a", number, new_first=number == 0):
            record.of(slot.new).answered("a", 200, 0.02)
            record.ended(slot, 200, 0.02)
    return record


def test_a_record_survives_being_written() -> None:
    record = a_record()
    again = parse_pairs(write_pairs(record))
    assert again == record
    assert together(again.ratios).pairs == 2


@pytest.mark.parametrize("text", ["", "[]", '{"format": "gates.load/1"}', '{"format": "gates.load.pairs/1"}'])
def test_what_is_no_record_of_pairs_is_refused(text: str) -> None:
    with pytest.raises(ToolError, match="record of the load"):
        parse_pairs(text)


def test_more_pairs_than_answers_are_refused() -> None:
    data = json.loads(write_pairs(a_record()))
    data["ratios"]["a"]["new_first"] = {"0": 7}
    with pytest.raises(ToolError, match="8 pairs of 2 answers"):
        parse_pairs(json.dumps(data))


def test_what_only_one_build_has_is_put_after_the_pairs() -> None:
    paired, single = Record(begin=10.0, end=20.0, last=20.5, sent=5, scheduled=5), Record(begin=30.0, end=34.0)
    paired.answered("a", 200, 0.01)
    single.answered("b", 200, 0.01)
    single.sent = single.scheduled = 1
    single.last = 33.0
    whole = with_single(paired, single)
    assert (whole.begin, whole.end, whole.last, whole.sent) == (10.0, 24.0, 23.0, 6)
    assert whole.operations.keys() == {"a", "b"}
    assert paired.operations.keys() == {"a"}


@contextlib.contextmanager
def pair_server(directory: Path, login: str, extra: float) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-P", str(PROGRAM), str(port), login, str(extra)]
    with process.start(command, cwd=directory, env=dict(os.environ), stdout=directory / f"{port}.log"):
        for _ in range(200):
            with contextlib.suppress(NoAnswer):
                request(f"http://127.0.0.1:{port}", "GET", "/plain", timeout=5)
                break
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"


@pytest.mark.slow
def test_two_real_servers_are_compared_operation_by_operation(tmp_path: Path) -> None:
    work = tuple(Work(f"GET {path}", Sendable("GET", path)) for path in ("/plain", "/slow"))
    with pair_server(tmp_path, "new-login", 0.004) as new, pair_server(tmp_path, "old-login", 0.0) as old:
        assignment = Assignment(
            "pairs", new, Arrivals(100.0, 0.3, 3.0), 10, 3.0, "seed", "", work=work, earlier=Counterpart(old, work),
            cpus=(max(os.sched_getaffinity(0)),) if hasattr(os, "sched_getaffinity") else (),
        )  # fmt: skip
        assert read_assignment(write_assignment(assignment)) == assignment
        logins = {
            HEADERS_VARIABLE: {"Authorization": "new-login"}, EARLIER_HEADERS_VARIABLE: {"Authorization": "old-login"}
        }  # fmt: skip
        text = drive(assignment, tmp_path / "load", logins, lambda share: False)
    assert text is not None
    record = parse_pairs(text)
    for build in (record.new, record.old):
        assert build.requests == build.sent == build.scheduled == pytest.approx(150, abs=3)
        assert build.succeeded == build.requests, "each build was sent its own login"
        assert total(build.lag) + total(build.waited) == build.sent
        assert build.generator_cpu > 0
    assert record.new.sent == record.old.sent
    assert {name: one.pairs for name, one in record.ratios.items()} == {
        name: one.requests for name, one in record.new.operations.items()
    }
    assert math.exp(record.ratios["GET /plain"].shift()) == pytest.approx(1.0, abs=0.15)
    assert 1.3 < math.exp(record.ratios["GET /slow"].shift()) < 2.2
    slow = [quantile(build.operations["GET /slow"].success_latencies(), 0.5) for build in (record.new, record.old)]
    assert slow[0] > slow[1]
    for file in (tmp_path / "load").iterdir():
        assert b"-login" not in file.read_bytes() if file.is_file() else True
