"""Throughput beside an earlier build: when it is known, when it says nothing, and one real epoch of two builds."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

sys.path.insert(0, str(Path(__file__).parent))
from test_locust_pairs import beside, earlier, measured

sys.path.insert(0, str(Path(__file__).parent.parent / "load"))
from shop import shop_context

from gates.demands import Tolerances
from gates.load.assignment import Assignment
from gates.load.rate import Rates
from gates.load.recording import Record
from gates.load.schedule import Arrivals
from gates.load.turns import Told, TurnsRecord, write_turns
from gates.sequential import quantities_of
from gates.tools.locust import Locust
from gates.tools.locust.beside import BesideCampaign
from gates.tools.locust.ratios import Paired, comparisons
from gates.tools.locust.scenarios import Borne, ScenarioCampaign
from gates.tools.locust.throughput import Throughput, compared, hopeless, in_turns, judged, throughput_notes

TURNS = Assignment("turns", "", Arrivals(1.0, 0.0, 2.0), 8, 3.0, "", "")
KNOWN = Throughput(800.0, 1000.0, math.log(1.25))
UNKNOWN = Throughput(why_not="why not")


def record(*, new: float = 2.0, failed: int = 0, cpu: float = 0.2, **more: Any) -> TurnsRecord:
    turns = [Told(True, 1000, failed, new, cpu), Told(False, 1000, 0, 1.0, cpu)]
    return TurnsRecord(turns, {"new": {"429": failed, "500": 1} if failed else {}, "old": {}}, **more)


def test_what_both_get_through_is_known_when_nothing_speaks_against_it() -> None:
    assert judged(record(), TURNS) == Throughput(500.0, 1000.0, pytest.approx(math.log(2)))
    assert judged(record(failed=9), TURNS).why_not == "", "a few may fail"


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        (record(failed=30), "3% of the answers of this build failed in its turns (mostly 429)"),
        (record(cpu=0.8), "the load generator used 80% of its core"),
        (record(trouble="few"), "too few answers in 2 s: it takes 32"),
        (record(trouble="long"), "a turn took several times too long"),
        (TurnsRecord([], {"new": {"429": 5}, "old": {}}, "few"), "(429 among them)"),
    ],
)
def test_what_means_nothing_is_left_out_and_said(seen: TurnsRecord, told: str) -> None:
    found = judged(seen, TURNS)
    assert told in found.why_not
    assert compared([found]) == []


def test_an_epoch_without_it_is_forgiven_and_more_are_not() -> None:
    assert compared([KNOWN] * 3 + [UNKNOWN]) == [KNOWN] * 3
    assert compared([KNOWN] * 2 + [UNKNOWN] * 2) == compared([]) == []
    assert throughput_notes([KNOWN] * 4) == []
    (note,) = throughput_notes([KNOWN] * 3 + [UNKNOWN])
    assert note.endswith("is left out in 1 of 4 epochs: why not")
    (note,) = throughput_notes([UNKNOWN] * 2)
    assert note.endswith("is not judged: why not")


def test_it_is_looked_for_no_longer_when_it_is_never_there() -> None:
    assert hopeless([UNKNOWN, UNKNOWN])
    assert hopeless([KNOWN, UNKNOWN, UNKNOWN])
    assert not hopeless([UNKNOWN, KNOWN])
    assert not hopeless([UNKNOWN])


def epochs(*seen: Throughput | None) -> list[Paired]:
    return [Paired(Record(), Record(), {}, None, one) for one in seen]


def told(*seen: Throughput | None) -> dict[str, Any]:
    paired = epochs(*seen)
    found = comparisons(paired, paired, planned=12, confirmed=0)
    return {one.name: one for one in found if one.name in ("pair.throughput", "pair.rate", "pair.rate_before")}


def test_less_throughput_is_a_larger_ratio_like_everything_that_became_worse() -> None:
    found = told(KNOWN, Throughput(1000.0, 1000.0), KNOWN, UNKNOWN)
    assert found["pair.throughput"].samples == (pytest.approx(math.log(1.25)), 0.0, pytest.approx(math.log(1.25)))
    assert found["pair.throughput"].value == pytest.approx(1.25 ** (2 / 3))
    assert found["pair.rate"].value == pytest.approx(2600 / 3)
    assert found["pair.rate_before"].value == pytest.approx(1000.0)
    (quantity,) = quantities_of(list(found.values()), Tolerances(0.04, 0.2))
    assert (quantity.name, quantity.scope, quantity.tolerance) == ("pair.throughput", "", 0.04)


def test_without_it_nothing_is_said_of_it() -> None:
    assert told(None, None) == told(UNKNOWN, UNKNOWN) == told() == {}


@pytest.mark.parametrize("wrong", [-1, "-2 s", "2 MiB", "many", float("nan"), float("inf"), None, [2], "", "2 /s"])
def test_only_a_time_is_how_long_the_turns_take(wrong: Any) -> None:
    with pytest.raises(ValidationError):
        Locust(pair_throughput=wrong)


@pytest.mark.parametrize(("given", "seconds"), [("500 ms", 0.5), ("0 s", 0.0), (0, 0.0), (3.5, 3.5)])
def test_the_time_of_the_turns_is_written_like_others(given: Any, seconds: float) -> None:
    assert Locust(pair_throughput=given).pair_throughput == seconds


def campaign(directory: Path, cores: tuple[set[int], set[int]], **settings: Any) -> BesideCampaign:
    made = BesideCampaign(Locust(**settings), shop_context(directory, earlier=earlier(directory / "earlier")))
    made._cores = frozenset(cores[0]), frozenset(cores[1])
    return made


PAIRS = Assignment("pairs", "", Arrivals(100.0, 2.0, 8.0, 3.0), 200, 3.0, "", "", first=10)


def test_turns_come_after_everything_else_with_numbers_of_their_own(tmp_path: Path) -> None:
    turns = campaign(tmp_path, ({0}, {1}))._turns(PAIRS, PAIRS)
    assert turns is not None
    assert (turns.kind, turns.connections, turns.arrivals.seconds) == ("turns", 8, 2.0)
    assert turns.first >= 10 + 100 * 3 * 10 + 200
    few = campaign(tmp_path, ({0}, {1}))._turns(PAIRS, Assignment("open", "", PAIRS.arrivals, 3, 3.0, "", ""))
    assert few is not None
    assert few.connections == 8


def test_without_a_core_of_its_own_for_the_generator_there_are_no_turns_and_a_note_says_so(tmp_path: Path) -> None:
    for cores in (({0}, {0}), (set[int](), set[int]())):
        crowded = campaign(tmp_path, cores)
        assert crowded._turns(PAIRS, PAIRS) is None
        assert "core of its own" in crowded.throughput_notes()[0]
    off = campaign(tmp_path, ({0}, {0}), pair_throughput=0)
    assert off._turns(PAIRS, PAIRS) is None
    assert off.throughput_notes() == []
    tired = campaign(tmp_path, ({0}, {1}))
    tired.counted = epochs(UNKNOWN, UNKNOWN)
    assert tired._turns(PAIRS, PAIRS) is None


@pytest.mark.parametrize(("seconds", "said"), [(2, True), (0, False)])
def test_a_locustfile_says_that_there_is_none(tmp_path: Path, seconds: float, said: bool) -> None:
    settings = Locust(locustfile="users.py", pair_throughput=seconds)
    own = ScenarioCampaign(settings, shop_context(tmp_path, earlier=earlier(tmp_path / "earlier")))
    own.rates, own._borne = Rates(10.0, {"": 10.0}, 2.0, "as tested"), Borne(1.0, 10.0, 0.1, 0.01)
    assert any("throughput beside the earlier build is not judged" in note for note in own.notes()) is said


@pytest.mark.slow
def test_a_real_epoch_ends_with_turns_and_its_pairs_are_as_they_were(tmp_path: Path) -> None:
    readings = beside(
        tmp_path, ("login", "customers", "sluggish"), ("login",), pair_throughput=1.5, pair_seconds=1.0, rate="40 /s"
    )
    if any("core of its own" in note for note in readings.notes):
        pytest.skip("the machine has a single core")
    found = measured(readings, "pair.throughput")
    assert found.keys() == {""}, readings.notes
    assert found[""].value > 1.05, "one of its operations is slower"
    rates = [measured(readings, name)[""].value for name in ("pair.rate_before", "pair.rate")]
    assert found[""].value == pytest.approx(rates[0] / rates[1], rel=0.3)
    assert measured(readings, "pair.errors")[""].count == 0
    assert measured(readings, "load.throughput")[""].value < 60, "turns do not count as arrivals"


class Build:
    """A build that is up, or died in its turns."""

    def __init__(self, lives: bool) -> None:
        self.lives, self.headers = lives, dict[str, str]()

    def alive(self) -> bool:
        return self.lives


@pytest.mark.parametrize(
    ("lives", "told"), [((False, True), None), ((True, False), "the earlier build died"), ((True, True), "")]
)
def test_a_build_that_dies_in_its_turns_is_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lives: tuple[bool, bool], told: str | None
) -> None:
    new, old = map(Build, lives)

    def load(assignment: Assignment, directory: Path, logins: Any, look: Any) -> str | None:
        return None if look(0.5) else write_turns(record())

    monkeypatch.setattr("gates.tools.locust.throughput.drive", load)
    found = in_turns(TURNS, new, old, tmp_path, lambda share: None)  # type: ignore[arg-type]
    assert (found is None) is (told is None)
    if found is not None and told is not None:
        assert found.why_not.startswith(told)
        assert bool(found.why_not) is bool(told)
