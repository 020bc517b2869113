"""Load that finds something out: the rate by a ramp, the knee, a leak, recovery, connections; and the mix of it."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

sys.path.insert(0, str(Path(__file__).parent.parent / "load"))  # its backend lives beside the tests of gates/load
from shop import shop_context

from gates.demands import parse_demand
from gates.errors import ToolError
from gates.load.assignment import Assignment, Sendable, Work
from gates.load.ramp import STEP
from gates.load.rate import Rates
from gates.load.recording import Record
from gates.load.schedule import Arrivals
from gates.load.slices import Slices
from gates.results import GateResult, Measurement, Readings, Verdict
from gates.tools.locust import Locust, knee, leak, opened, recovery
from gates.tools.locust.epoch import Loaded
from gates.tools.locust.knee import Searched
from gates.tools.locust.mix import mix_changes, weight_of, weights
from gates.tools.locust.ramp import needs_ramp, plan_ramp, told_by
from gates.tools.locust.watch import MemoryTrace, Watched

PROGRAM = Path(__file__).parent.parent / "load" / "shapes_backend.py"
SHORT: Mapping[str, Any] = {"epochs": 1, "seconds": 1.0, "longest": 1.0, "warm_up": 0.3, "users": 0, "requests": 0}
UNHURRIED = {"response_time.simple": parse_demand("<= 30 s", "time")}


def load(directory: Path, *features: str, context: Mapping[str, Any] | None = None, **settings: Any) -> Readings:
    made = shop_context(directory, *features, program=PROGRAM, **{"targets": UNHURRIED, **(context or {})})
    return Locust(**{**SHORT, **settings}).run(made)


def measured(readings: Readings, name: str) -> dict[str, Measurement]:
    return {one.scope: one for one in readings.measurements if one.name == name}


# ---- the ramp


@pytest.mark.slow
def test_the_rate_stays_under_what_the_backend_really_bears(tmp_path: Path) -> None:
    # Eight at a time for 20 ms each are 400/s; one connection would have seen 50/s.
    readings = load(tmp_path, "ms=20", "parallel=8", rate_limit=2000)
    (epoch,) = readings.epochs
    assert 35 < epoch.conditions["rate"] < 245
    assert any("a short ramp: it bears" in note for note in readings.notes)


@pytest.mark.slow
def test_a_backend_that_dies_under_the_ramp_is_a_finding(tmp_path: Path) -> None:
    readings = load(tmp_path, "ms=2", "crash=700")
    (died,) = readings.findings
    assert died.rule == "backend.died"
    assert "when it was seen how much it bears" in died.message
    assert "too much for me" in died.message
    assert readings.epochs == ()


@pytest.mark.slow
def test_a_backend_that_refuses_what_is_too_fast_is_loaded_below_that_and_it_is_told(tmp_path: Path) -> None:
    readings = load(tmp_path, "ms=4", "most=150")
    assert readings.epochs[0].conditions["rate"] <= 100
    assert measured(readings, "load.errors")[""].value == 0.0
    assert any("limits the rate (429)" in note for note in readings.notes)


NATURAL = Assignment(
    "open", "http://127.0.0.1:1", Arrivals(10.0, 2.0, 8.0, burst=5.0), 5, 1.0, "seed", "",
    (Work("GET /a", Sendable("GET", "/a"), 8.0), Work("GET /b", Sendable("GET", "/b"), 2.0)),
)  # fmt: skip
RATES = Rates(8.0, {"GET /a": 8.0, "GET /b": 2.0}, 8.0, "as guessed", found=True)


def steps_of(*medians: float) -> Record:
    record = Record(slices=Slices(STEP))
    assert record.slices is not None
    for number, latency in enumerate(medians):
        for one in range(60):
            record.slices.count(number * STEP + one / 60, latency)
    return record


def test_a_ramp_on_two_builds_counts_the_slower_one() -> None:
    times = {"GET /a": 0.01, "GET /b": 0.01}
    alone, both = plan_ramp(NATURAL, RATES, times, 1000.0), plan_ramp(NATURAL, RATES, times, 1000.0, builds=2)
    assert alone.arrivals.steps[0] == pytest.approx(both.arrivals.steps[0])  # twice half of it
    assert alone.arrivals.burst == 1.0
    ramp = told_by(both, RATES, times, (steps_of(0.01, 0.01, 0.01), steps_of(0.01, 0.01, 0.9)))
    assert ramp.borne is not None
    second = both.arrivals.steps[1] / 2
    assert second / 2.5 <= ramp.borne.rate <= second
    swift = steps_of(*[0.01] * len(both.arrivals.steps))
    found = told_by(both, RATES, times, (swift, swift)).borne
    assert found is not None
    assert found.rate == pytest.approx(both.arrivals.steps[-1] / 2)
    # Both together, at what they bear, use all the time there is.
    assert 2 * ramp.borne.rate * ramp.times["GET /a"] == pytest.approx(1.0)


def test_nothing_is_tried_where_the_rate_is_known() -> None:
    assert needs_ramp(Locust(), None)
    for settings in (Locust(rate=5), Locust(ramp=False), Locust(find="knee")):
        assert not needs_ramp(settings, None)
    assert plan_ramp(NATURAL, RATES, {"GET /a": 3.0, "GET /b": 3.0}, 500.0).arrivals.steps == ()


# ---- the knee


@pytest.mark.slow
def test_the_knee_of_a_backend_that_does_two_things_at_a_time_is_near_the_truth(tmp_path: Path) -> None:
    targets = {"response_time.simple": parse_demand("<= 200 ms", "time")}
    readings = load(
        tmp_path, "ms=40", "parallel=2", find="knee", seconds=1, rate_limit=100, connections=80,
        context={"targets": targets}, exclude=["GET /other"],
    )  # fmt: skip
    knee_of = measured(readings, "load.knee")[""]
    # Two at a time for 40 ms each are 50/s; a short step holds a little more before its queue is 200 ms long.
    assert 25 < knee_of.value < 65
    assert (knee_of.unit, knee_of.better) == ("1/s", "higher")
    assert not measured(readings, "load.p95")
    assert any(note.startswith("search 1: ") for note in readings.notes)
    assert readings.epochs[0].conditions["knee"] == pytest.approx(knee_of.value, rel=0.01)


def searched(rate: float, gave_way: str = "at 9 requests/s its queue grew", *, own: bool = False) -> Searched:
    return Searched(1, rate, gave_way, own, [(2 * rate, "its queue grew")], 5_000_000, 30.0)


def test_a_knee_that_was_not_the_backends_is_only_at_least_that() -> None:
    (found, memory) = knee.measured([searched(100.0), searched(90.0), searched(80.0, own=True)])
    assert (found.value, found.samples) == (95.0, (100.0, 90.0))
    assert memory.name == "load.memory"
    (found, _) = knee.measured([searched(100.0, own=True), searched(90.0, own=True), searched(80.0)])
    assert (found.value, found.samples) == (95.0, ())
    (found, _) = knee.measured([searched(400.0, "")])
    assert (found.value, found.samples) == (400.0, ())
    assert "at least" in knee.notes([searched(400.0, "")], 400.0)[0]


def test_no_knee_at_all_is_a_finding_unless_the_generator_gave_way() -> None:
    (finding,) = knee.findings([searched(0.0)])
    assert finding.rule == "load.no-knee"
    assert knee.findings([searched(0.0, own=True)]) == []
    (gap,) = knee.gaps([searched(0.0, own=True)])
    assert gap.what == "load.knee"
    assert knee.gaps([searched(10.0)]) == []


# ---- a leak


def trace(seconds: int, memory: Any) -> MemoryTrace:
    made = MemoryTrace()
    for tick in range(seconds * 5):
        made.add(1000.0 + tick / 5, int(memory(tick / 5)))
    return made


def test_a_leak_is_seen_through_the_saw_of_a_collector_and_a_warm_up_is_not_one() -> None:
    leaking = leak.growth(trace(600, lambda at: 50e6 + 1000 * at + 8e6 * (at % 7) / 7), 1000.0, 1600.0)
    assert leaking["leak"] == pytest.approx(1000.0, rel=0.1)
    assert leaking["leak_low"] > 0
    warming = leak.growth(trace(600, lambda at: 50e6 + 100_000 * min(at, 150)), 1000.0, 1600.0)
    assert warming["leak"] == warming["leak_low"] == 0.0
    assert warming["memory_level"] == pytest.approx(65e6)
    assert leak.growth(MemoryTrace(), 0.0, 10.0) == {}


def test_the_trace_of_memory_is_bounded_and_keeps_the_least() -> None:
    made = trace(7200, lambda at: 10e6 if int(at) % 60 == 0 else 90e6)
    looks = made.between(1000.0, 8200.0)
    assert len(looks) <= 600
    assert min(least for _, least in looks) == 10_000_000
    assert max(moment for moment, _ in looks) > 8100


@pytest.mark.slow
def test_memory_that_every_request_leaves_behind_is_measured(tmp_path: Path) -> None:
    readings = load(tmp_path, "leak=20000", find="leak", rate=50, seconds=6, longest=6)
    grown = measured(readings, "load.leak")[""]
    assert grown.value == pytest.approx(50 * 20_000, rel=0.3)
    assert grown.unit == "B/s"
    assert 0 < readings.epochs[0].conditions["leak_low"] <= grown.value <= readings.epochs[0].conditions["leak_high"]
    assert measured(readings, "load.p95") or readings.gaps


def test_without_a_look_at_the_memory_there_is_a_gap(tmp_path: Path) -> None:
    readings = load(tmp_path, find="leak", rate=20, context={"ours": False})
    assert "load.leak" in {gap.what for gap in readings.gaps}


# ---- recovery


@pytest.mark.slow
def test_recovery_takes_as_long_as_the_queue_that_the_burst_left(tmp_path: Path) -> None:
    # It bears 100/s. Of 50/s times four, two seconds leave 200 behind, for which 50/s are free: four seconds.
    readings = load(
        tmp_path, "ms=20", "parallel=2", find="recovery", rate=50, burst=4, seconds=8, longest=8, connections=200,
        exclude=["GET /other"],
    )  # fmt: skip
    found = measured(readings, "load.recovery").get("")
    assert not measured(readings, "load.p95")
    if found is None:  # a busy machine: it was seen not to recover, and not taken for anything else
        assert readings.gaps or [finding.rule for finding in readings.findings] == ["load.not-recovered"]
        return
    assert 1 <= found.value <= 4
    assert found.unit == "s"


def bursts(*each: tuple[float, ...]) -> list[Loaded]:
    epochs = []
    for number, latencies in enumerate(each, 1):
        slices = Slices(1.0)
        for second, latency in enumerate(latencies):
            for one in range(50):
                slices.count(second + one / 50, latency)
        assignment = Assignment("open", "", Arrivals(50.0, 1.0, 8.0, 5.0), 5, 1.0, "seed", "")
        epochs.append(Loaded(number, assignment, Record(slices=slices), {}, (), None, None))
    return epochs


CALM, RUSH = 0.01, 0.5


def test_the_middle_epoch_counts_and_what_lasts_in_half_of_them_is_a_finding() -> None:
    quick, slow, never = (
        [CALM] * 2 + [RUSH] * 2 + [CALM] * 4,
        [CALM] * 2 + [RUSH] * 4 + [CALM] * 2,
        [CALM] * 2 + [RUSH] * 6,
    )
    found = recovery.recoveries(bursts(quick, slow, never), 0.25)
    (one,) = recovery.measured(found)
    assert (one.value, one.samples, one.count, one.total) == (2.0, (0.0, 2.0), 2, 3)
    assert recovery.findings(found, 5.0) == []
    assert len(recovery.notes(found)) == 3
    found = recovery.recoveries(bursts(quick, never), 0.25)
    assert recovery.measured(found) == []
    (finding,) = recovery.findings(found, 5.0)
    assert finding.rule == "load.not-recovered"
    assert "in 1 of 2 epochs" in finding.message
    (gap,) = recovery.gaps(bursts(quick), {})
    assert gap.what == "load.recovery"


# ---- connections


@pytest.fixture
def database() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        held: list[socket.socket] = []
        closing = threading.Event()

        def accept() -> None:
            while not closing.is_set():
                try:
                    held.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=accept, daemon=True).start()
        yield listener.getsockname()[1]
        closing.set()
        for one in held:
            one.close()


@pytest.mark.slow
def test_connections_to_a_database_that_is_named_are_counted_apart(tmp_path: Path, database: int) -> None:
    address = f"127.0.0.1:{database}"
    readings = load(tmp_path, f"dial={database}:3", rate=40, databases=[address], users=20, concurrency_seconds=0.3)
    assert {scope: one.value for scope, one in measured(readings, "load.connections").items()} == {"": 3, address: 3}
    assert measured(readings, "database.connections")[""].value == 3


def test_databases_are_known_by_their_ports_and_sockets() -> None:
    for remote in ("127.0.0.1:5432", "[::1]:3306", "10.0.0.5:27017", "unix:/run/postgresql/.s.PGSQL.5433"):
        assert opened.is_database(remote, ())
    for remote in ("127.0.0.1:8080", "unix:/run/dbus/system_bus_socket"):
        assert not opened.is_database(remote, ())
    assert opened.is_database("127.0.0.1:8080", ["127.0.0.1:8080"])


def test_most_connections_at_once_are_counted_over_all_databases_together() -> None:
    first, second = Watched.__new__(Watched), Watched.__new__(Watched)
    first.opened, second.opened = {"": 9, "10.0.0.1:5432": 5, "10.0.0.2:6379": 4}, {"": 3, "10.0.0.1:5432": 3}
    found = {(one.name, one.scope): one for one in opened.measured([first, second], ())}
    assert found["load.connections", ""].value == 9
    assert found["load.connections", "10.0.0.1:5432"].samples == (5.0, 3.0)
    assert found["database.connections", ""].samples == (9.0, 3.0)
    assert opened.measured([], ()) == []
    first.opened = {"": 3, "10.0.0.1:7777": 3}
    assert [one.name for one in opened.measured([first], ())] == ["load.connections", "load.connections"]


# ---- the mix


def test_a_name_goes_before_a_pattern_and_of_patterns_the_first_counts() -> None:
    mix = {"* /admin/*": 0.2, "GET /*": 3.0, "GET /admin/health": 7.0}
    assert [weight_of(name, mix) for name in ("GET /admin/health", "GET /admin/x", "GET /items", "POST /items")] == [
        7.0, 0.2, 3.0, 1.0,
    ]  # fmt: skip
    assert weights(mix, ["GET /items", "POST /items"], ["GET /admin/health", "GET /items"]) == {"GET /items": 3.0}


def test_a_weight_that_fits_nothing_is_an_error_with_the_nearest_operation() -> None:
    with pytest.raises(ToolError, match="GET /itmes") as raised:
        weights({"GET /itmes": 5}, ["GET /items"], ["GET /items", "POST /items"])
    assert "did you mean 'GET /items'" in raised.value.hint


def test_a_mix_that_changed_is_told() -> None:
    assert mix_changes({"a": 5.0}, {"a": 5.0, "b": 2.0}, ["a", "b"]) == ["b 2 (was 1)"]
    assert mix_changes({"a": 5.0}, {}, ["a"]) == ["a 1 (was 5)"]


@pytest.mark.slow
def test_the_mix_is_sent_and_kept_with_the_baseline(tmp_path: Path) -> None:
    readings = load(tmp_path, rate=100, mix={"GET /work": 4})
    errors = measured(readings, "load.errors")
    assert (errors["GET /work"].total or 0) / (errors["GET /other"].total or 1) == pytest.approx(4, rel=0.1)
    baseline = GateResult("load", "locust", Verdict.PASS, 1.0, readings=readings)
    assert readings.epochs[0].conditions["weight of GET /work"] == 4.0
    changed = load(tmp_path, context={"baseline": baseline}, mix={"GET /other": 2})
    assert changed.epochs[0].conditions["rate"] == pytest.approx(20 + 40)
    assert any("GET /work 1 (was 4), GET /other 2 (was 1)" in note for note in changed.notes)
    assert not any("ramp" in note for note in changed.notes)


def test_a_wrong_mix_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="GET /wrok"):
        load(tmp_path, rate=10, mix={"GET /wrok": 2})


# ---- settings


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"mix": {"/items": 1}}, "is not an operation such as"),
        ({"mix": {"GET": 1}}, "is not an operation such as"),
        ({"mix": {"GETT /items": 1}}, "did you mean 'GET'"),
        ({"mix": {"GET /items": 0}}, "a weight is above 0"),
        ({"mix": {"GET /items": -1}}, "a weight is above 0"),
        ({"mix": {"GET /items": float("inf")}}, "a weight is above 0"),
        ({"mix": {"GET /items": "often"}}, "valid number"),
        ({"mix": ["GET /items"]}, "valid dictionary"),
        ({"mix": {"GET /items": 1}, "locustfile": "a.py"}, "brings its own"),
        ({"find": "knees"}, "'knee', 'leak' or 'recovery'"),
        ({"find": "recovery"}, "needs a `burst` above 1"),
        ({"find": "knee", "rate": 5}, "searches the rate by itself"),
        ({"find": "knee", "locustfile": "a.py"}, "brings its own"),
        ({"recovered_within": "25 ms"}, "needs one of the units"),
        ({"recovered_within": 0}, "greater than 0"),
        ({"databases": "10.0.0.7:5433"}, "valid tuple"),
        ({"databases": ["postgres"]}, "host and port"),
        ({"rate_share": 0}, "greater than 0"),
    ],
)
def test_settings_that_mean_nothing_are_refused_in_words(wrong: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError) as raised:
        Locust(**wrong)
    assert told in str(raised.value)
