"""The load gate beside an earlier build: real runs with two builds of the shop, and its rules on records alone."""

from __future__ import annotations

import contextlib
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "load"))  # the shop lives beside the tests of gates/load
from shop import LOGIN, Shop, open_shop, shop_context

from gates.alternating import NotBeside
from gates.demands import parse_demand
from gates.errors import GatesError, ToolError
from gates.load.assignment import Assignment, Sendable, Work
from gates.load.pairs import Ratios
from gates.load.preparation import Prepared
from gates.load.rate import Rates
from gates.load.recording import Record
from gates.load.schedule import Arrivals
from gates.load.validity import Doubt
from gates.results import Measurement, Readings
from gates.tools.base import Context, EarlierBuild
from gates.tools.locust import Locust
from gates.tools.locust.beside import BesideCampaign
from gates.tools.locust.epoch import Loaded
from gates.tools.locust.ratios import Paired, comparisons

SHORT: Mapping[str, Any] = {
    "seconds": 0.5, "longest": 0.5, "warm_up": 0.3, "rate": "60 /s", "epochs": 1, "users": 0, "request_timeout": 3,
    "pair_seconds": 2.0, "pair_epochs": 1, "pair_share": 0.95, "pair_throughput": 0,
}  # fmt: skip


def earlier(directory: Path, *features: str) -> EarlierBuild:
    def serve(*, cpus: frozenset[int] | None = None) -> contextlib.AbstractContextManager[Shop]:
        directory.mkdir(exist_ok=True)
        return open_shop(directory, *features, cpus=cpus)

    return EarlierBuild("first", "0123456789abcdef", serve)


def beside(directory: Path, new: Sequence[str], old: Sequence[str], **settings: Any) -> Readings:
    context = shop_context(directory, *new, earlier=earlier(directory / "earlier", *old))
    return Locust(**{**SHORT, **settings}).run(context)


def measured(readings: Readings | Sequence[Measurement], name: str) -> dict[str, Measurement]:
    found = readings.measurements if isinstance(readings, Readings) else readings
    return {one.scope: one for one in found if one.name == name}


@pytest.fixture(scope="module", autouse=True)
def _patient() -> Iterator[None]:
    """Believe epochs however busy the machine of the tests is: late requests are another test's."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("campaign", "together"):
            patch.setattr(f"gates.tools.locust.{module}.SHORTEST_LAG", 60.0)
        for limit in ("CORES_USED", "STEAL", "THROTTLED"):
            patch.setattr(f"gates.load.validity.{limit}", 60.0)
        yield


@pytest.fixture(scope="module")
def two_builds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Readings, Path]:
    directory = tmp_path_factory.mktemp("two")
    return beside(
        directory, ("login", "customers", "sluggish"), ("login",), users=5, concurrency_seconds=0.3
    ), directory


BOTH = {"GET /orders", "POST /orders", "GET /orders/{order_id}", "PUT /orders/{order_id}"}
ONLY_NEW = {"POST /customers", "POST /orders/{order_id}/notes"}


@pytest.mark.slow
def test_the_operation_that_became_slower_is_seen_and_the_others_are_not(two_builds: tuple[Readings, Path]) -> None:
    readings, _ = two_builds
    shifts = measured(readings, "pair.shift")
    assert shifts.keys() == {"", *BOTH}
    assert shifts["GET /orders"].value > 1.5
    for name in BOTH - {"GET /orders"}:
        assert 0.7 < shifts[name].value < 1.4
    assert shifts["GET /orders"].samples == (pytest.approx(math.log(shifts["GET /orders"].value)),)
    assert measured(readings, "pair.p50")["GET /orders"].value > 1.5
    assert readings.gaps == ()


@pytest.mark.slow
def test_each_build_is_sent_the_same_requests_with_its_own_login(two_builds: tuple[Readings, Path]) -> None:
    readings, directory = two_builds
    now, before = measured(readings, "pair.errors"), measured(readings, "pair.errors_before")
    assert now.keys() == before.keys() == {"", *BOTH}
    for scope, one in now.items():
        assert one.total == before[scope].total == measured(readings, "pair.shift")[scope].total
        assert one.count == before[scope].count == 0
    for file in directory.rglob("*"):
        assert not file.is_file() or LOGIN["Authorization"].split()[1].encode() not in file.read_bytes(), file


@pytest.mark.slow
def test_what_only_the_new_build_has_is_loaded_on_it_all_the_same(two_builds: tuple[Readings, Path]) -> None:
    readings, _ = two_builds
    p50 = measured(readings, "load.p50")
    assert p50.keys() == {"", *BOTH, *ONLY_NEW}
    counts = {name: one.total for name, one in measured(readings, "load.errors").items() if name}
    assert max(counts.values()) - min(counts.values()) <= 8, "every operation gets its share"
    assert p50[""].total == sum(counts.values())
    assert 45 < measured(readings, "load.throughput")[""].value < 65
    assert any("POST /customers" in note and "only loaded on this build" in note for note in readings.notes)


@pytest.mark.slow
def test_the_measurement_of_the_new_build_is_whole(two_builds: tuple[Readings, Path]) -> None:
    readings, _ = two_builds
    assert measured(readings, "load.concurrency")[""].value == 5.0
    assert 0.5 < measured(readings, "pair.memory")[""].value < 2.0
    assert measured(readings, "load.memory")[""].value > 2e6
    assert {row.scope for row in readings.histograms} == {*BOTH, *ONLY_NEW}
    assert readings.epochs[0].conditions["rate"] == pytest.approx(60.0)
    assert any(note.startswith("measured beside first (0123456): 1 epochs of 2 s, ") for note in readings.notes)
    planned = {one.name: one.value for one in readings.measurements if one.name in ("pair.planned", "pair.confirmed")}
    assert planned == {"pair.planned": 1.0, "pair.confirmed": 0.0}


def unbuildable(*, cpus: frozenset[int] | None = None) -> contextlib.AbstractContextManager[Any]:
    raise GatesError("its dependencies are gone", "put them back")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "fails_late"), [("auto", True), ("auto", False), ("always", True), ("always", False), ("never", True)]
)
def test_without_the_earlier_build_the_new_one_is_measured_alone(tmp_path: Path, mode: Any, fails_late: bool) -> None:
    build = EarlierBuild("first", "0123456789", unbuildable if fails_late else None, "its dependencies are gone")
    short = {**SHORT, "seconds": 0.2, "longest": 0.2, "warm_up": 0.1}
    readings = Locust(**short).run(shop_context(tmp_path, earlier=build, side_by_side=mode))
    assert measured(readings, "load.p50")[""].value > 0
    assert measured(readings, "pair.shift") == {}
    reason = "its dependencies are gone" + (" (put them back)" if fails_late else "")
    told = [note for note in readings.notes if note == f"not measured side by side: {reason}"]
    assert len(told) == (mode == "auto")
    assert [(gap.what, gap.reason) for gap in readings.gaps] == (
        [("side by side", "its dependencies are gone")] if mode == "always" else []
    )


@pytest.mark.slow
def test_an_earlier_build_that_dies_under_load_is_no_failure_of_this_one(tmp_path: Path) -> None:
    readings = beside(tmp_path, ("crashing", "healed"), ("crashing",), pair_seconds=1.0)
    assert readings.findings == ()
    assert "not measured side by side: the earlier build died under load (going down going down)" in readings.notes
    assert measured(readings, "load.p50")["GET /crashing"].value > 0


@pytest.mark.slow
def test_a_build_that_dies_beside_the_earlier_one_has_a_finding(tmp_path: Path) -> None:
    readings = beside(tmp_path, ("crashing",), ("crashing", "healed"), pair_seconds=1.0)
    assert [finding.rule for finding in readings.findings] == ["backend.died"]
    assert measured(readings, "pair.shift") == {}


def a_record(latency: float, requests: int = 40, failed: int = 0) -> Record:
    record = Record(begin=0.0, end=20.0, last=20.0, scheduled=requests, sent=requests)
    for number in range(requests):
        record.answered("GET /a", 500 if number < failed else 200, latency)
    return record


def an_epoch(ratio: float, *, failed: int = 0, requests: int = 40, peak: int = 3000) -> Paired:
    ratios = Ratios()
    for number in range(requests - failed):
        ratios.add(math.log(ratio), new_first=number % 2 == 0)
    return Paired(
        a_record(0.01 * ratio, requests, failed), a_record(0.01, requests), {"GET /a": ratios}, (peak, 2000)
    )  # fmt: skip


def test_every_epoch_is_one_log_ratio_and_the_value_is_their_mean() -> None:
    epochs = [an_epoch(1.1), an_epoch(1.3)]
    found = comparisons(epochs, epochs, planned=12, confirmed=0)
    for scope in ("", "GET /a"):
        shift = measured(found, "pair.shift")[scope]
        assert shift.samples == pytest.approx((math.log(1.1), math.log(1.3)), abs=6e-4)
        assert shift.value == pytest.approx(math.sqrt(1.1 * 1.3), rel=1e-3)
        assert (shift.unit, shift.better, shift.total) == ("ratio", "lower", 80)
        assert measured(found, "pair.p95")[scope].value == pytest.approx(math.sqrt(1.1 * 1.3), rel=0.01)
    assert measured(found, "pair.p99").keys() == {""}
    memory = measured(found, "pair.memory")[""]
    assert (memory.value, memory.total) == (pytest.approx(1.5), None)
    assert measured(found, "pair.planned")[""].value == 12.0


def test_failures_are_counted_for_both_and_what_failed_is_not_timed() -> None:
    epochs = [an_epoch(1.1, failed=10), an_epoch(1.1)]
    found = comparisons(epochs, epochs, planned=4, confirmed=0)
    now, before = measured(found, "pair.errors")["GET /a"], measured(found, "pair.errors_before")["GET /a"]
    assert (now.count, now.total, before.count, before.total) == (10, 80, 0, 80)
    assert now.samples == (0.25, 0.0)
    assert measured(found, "pair.shift")["GET /a"].total == 70
    assert comparisons([], [], planned=4, confirmed=0) == []


def test_failures_count_in_epochs_whose_times_cannot_be_believed() -> None:
    found = comparisons([an_epoch(1.1)], [an_epoch(1.1), an_epoch(1.1, failed=40)], planned=4, confirmed=0)
    assert measured(found, "pair.errors")["GET /a"].count == 40
    assert len(measured(found, "pair.shift")["GET /a"].samples) == 1


class Played(BesideCampaign):
    """A campaign whose epochs are given instead of measured: a ratio, or a check that fails."""

    script: Sequence[float | str] = ()
    measured = 0

    def _both(self, number: int, *, again: bool) -> tuple[Loaded, Paired] | None:
        step = self.script[min(self.measured, len(self.script) - 1)]
        self.measured += 1
        doubts = (Doubt(step, f"{step} was too much", "wait"),) if isinstance(step, str) else ()
        wobble = 1 + 0.002 * (-1) ** self.measured
        paired = an_epoch(1.0 if isinstance(step, str) else step * wobble, requests=600, peak=2000)
        assignment = Assignment("open", "http://127.0.0.1:1", Arrivals(1.0, 0.0, 1.0), 1, 1.0, "", "")
        return Loaded(number, assignment, paired.new, {}, doubts, None, None), paired


def played(directory: Path, *script: float | str) -> Played:
    class Script(Played):
        pass

    Script.script = script
    context: Context = shop_context(directory, earlier=earlier(directory / "earlier"))
    campaign = Script(Locust(users=0, pair_epochs=12), context)
    campaign.rates = Rates(1.0, {"GET /a": 1.0}, 1.0, "")
    campaign.run()
    return campaign


def test_it_ends_as_soon_as_everything_is_decided(tmp_path: Path) -> None:
    campaign = played(tmp_path, 1.0)
    assert len(campaign.epochs) == len(campaign.pairs) == 4
    assert campaign.confirmed == 0


def test_what_became_slower_is_confirmed_by_four_more_epochs(tmp_path: Path) -> None:
    campaign = played(tmp_path, 1.3)
    assert len(campaign.pairs) == 8
    assert campaign.confirmed == 4
    found = campaign.comparisons()
    assert measured(found, "pair.confirmed")[""].value == 4.0
    assert len(measured(found, "pair.shift")["GET /a"].samples) == 8


def test_what_is_not_decided_is_looked_at_again_until_the_epochs_are_used_up(tmp_path: Path) -> None:
    campaign = played(tmp_path, *([0.8, 1.4] * 12))
    assert len(campaign.epochs) == 12
    assert campaign.confirmed == 0


def test_an_epoch_that_cannot_be_believed_is_measured_again(tmp_path: Path) -> None:
    campaign = played(tmp_path, "lag", 1.0)
    assert [epoch.valid for epoch in campaign.discarded] == [False]
    assert [epoch.number for epoch in campaign.epochs] == [1, 2, 3, 4]
    assert len(campaign.pairs) == 4


def test_when_too_many_cannot_be_believed_it_ends_and_nothing_is_compared(tmp_path: Path) -> None:
    campaign = played(tmp_path, "lag")
    assert len(campaign.epochs) == 4
    assert campaign.pairs == []
    assert measured(campaign.comparisons(), "pair.shift") == {}
    assert measured(campaign.comparisons(), "pair.errors")["GET /a"].total == 8 * 600


class Slow(Played):
    """Each epoch takes a minute of the clock that the gate looks at."""

    script = (0.8, 1.4)

    def _both(self, number: int, *, again: bool) -> tuple[Loaded, Paired] | None:
        self._began -= 60.0
        return super()._both(number, again=again)


def test_when_the_time_is_over_what_was_measured_stays_and_the_gate_says_so(tmp_path: Path) -> None:
    context = shop_context(tmp_path, earlier=earlier(tmp_path / "earlier"))
    campaign = Slow(Locust(users=5, pair_epochs=12, timeout=330.0), context)
    campaign.rates = Rates(1.0, {"GET /a": 1.0}, 1.0, "")
    campaign.run()
    assert len(campaign.epochs) == 6
    assert [gap.reason for gap in campaign.gaps()] == ["its 330 s were over after 6 of at most 12 epochs"]
    assert len(measured(campaign.comparisons(), "pair.shift")["GET /a"].samples) == 6


def test_no_epoch_at_all_within_the_time_is_an_error(tmp_path: Path) -> None:
    context = shop_context(tmp_path, earlier=earlier(tmp_path / "earlier"))
    campaign = Slow(Locust(users=0, pair_epochs=12, timeout=10.0), context)
    campaign.rates, campaign._began = Rates(1.0, {"GET /a": 1.0}, 1.0, ""), campaign._began - 60.0
    with pytest.raises(ToolError, match="no epoch side by side came to an end within 10 s"):
        campaign.run()


def chosen(directory: Path, seconds: float, demanded: float | None = None, **settings: Any) -> float:
    """Return the rate of each build when its one operation takes so long."""
    targets = {} if demanded is None else {"load.throughput": parse_demand(f">= {demanded:g} /s", "rate")}
    context = shop_context(directory, earlier=earlier(directory / "earlier"), targets=targets)
    campaign = BesideCampaign(Locust(**settings), context)
    campaign._slower, campaign._paired = {"GET /a": seconds}, frozenset({"GET /a"})
    campaign._choose_rates(Prepared((Work("GET /a", Sendable("GET", "/a")),), {}, (), 0))
    assert campaign.rates is not None
    return campaign.rates.total


def test_both_builds_together_stay_under_what_the_slower_one_bears(tmp_path: Path) -> None:
    assert chosen(tmp_path, 0.01) == pytest.approx(30.0)
    assert chosen(tmp_path, 0.01, pair_share=0.2) == pytest.approx(10.0)
    assert chosen(tmp_path, 0.01, rate=20.0) == pytest.approx(20.0)
    assert chosen(tmp_path, 0.01, rate=90.0) == pytest.approx(30.0)
    assert chosen(tmp_path, 0.01, rate=30.0, burst=3.0) == pytest.approx(10.0)
    assert chosen(tmp_path, 0.0001) == pytest.approx(Locust().rate_limit)


def test_a_throughput_that_is_demanded_is_sent_or_the_build_is_measured_alone(tmp_path: Path) -> None:
    assert chosen(tmp_path, 0.01, demanded=40.0) == pytest.approx(42.0)
    with pytest.raises(NotBeside, match="80 requests/s are demanded"):
        chosen(tmp_path, 0.01, demanded=80.0)


def test_what_both_do_not_bear_comes_slower_until_something_was_measured(tmp_path: Path) -> None:
    campaign = played(tmp_path, 1.0, "server", 1.0)
    assert campaign.rates == Rates(1.0, {"GET /a": 1.0}, 1.0, "")
    campaign = played(tmp_path, "server", "server", 1.0)
    assert campaign.rates is not None
    assert campaign.rates.total == pytest.approx(0.49)
    assert len(campaign.epochs) == 4


def test_without_epochs_of_pairs_nothing_is_measured_side_by_side(tmp_path: Path) -> None:
    context = shop_context(tmp_path, earlier=earlier(tmp_path / "earlier"))
    with pytest.raises(NotBeside, match="pair_epochs"):
        BesideCampaign(Locust(pair_epochs=0), context).run()
