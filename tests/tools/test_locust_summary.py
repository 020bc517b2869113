"""What is made of records: doubtful epochs measured again, failures never taken for speed, gaps that give reasons."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "load"))  # the shop lives beside the tests of gates/load
from shop import shop_context

from gates.demands import Demand, parse_demand
from gates.document import parse_document
from gates.load.assignment import Assignment, Sendable, Work
from gates.load.histogram import add, quantile
from gates.load.preparation import Prepared, Tried
from gates.load.recording import Record
from gates.load.schedule import Arrivals
from gates.results import Readings
from gates.tools import locust
from gates.tools.locust import Locust, campaign, summary
from gates.tools.locust.epoch import Loaded, assess, recorded_rates
from gates.tools.locust.observation import Observation, Sample, Ticks
from gates.tools.locust.run import Outcome

ASSIGNMENT = Assignment(
    "open", "http://127.0.0.1:1", Arrivals(10.0, 0.0, 10.0), 5, 1.0, "seed", "",
    (Work("GET /a", Sendable("GET", "/a"), 8.0), Work("GET /slow", Sendable("GET", "/slow"), 2.0)),
)  # fmt: skip
UNHURRIED = {"response_time.simple": parse_demand("<= 30 s", "time")}


def record(
    *, latency: float = 0.01, failed: Sequence[int] = (), lag: float = 1e-4, requests: int = 100, cpu: float = 0.1
) -> Record:
    made = Record(begin=0.0, end=10.0, last=10.0, scheduled=requests, sent=requests, generator_cpu=cpu, locust="2.47.0")
    for number in range(requests):
        status = failed[number] if number < len(failed) else 200
        made.answered("GET /a", status, latency if status < 400 else 0.0001)
    for _ in range(100):
        add(made.lag, lag)
    return made


def loaded(number: int = 1, *, login: bool | None = None, **made: Any) -> Loaded:
    outcome = Outcome(record(**made), Observation(peak=1000), False)
    return assess(number, ASSIGNMENT, outcome, login_works=login, allowed_lag=0.001)


def test_an_epoch_knows_its_conditions_and_its_doubts() -> None:
    sound = loaded()
    assert sound.valid
    assert sound.conditions["valid"] == 1.0
    assert sound.conditions["rate"] == 10.0
    assert (sound.conditions["requests"], sound.conditions["failed_share"]) == (100.0, 0.0)
    late = loaded(lag=0.01)
    assert (late.valid, late.repeatable, late.conditions["valid"]) == (False, True, 0.0)
    lost = loaded(login=False)
    assert [doubt.check for doubt in lost.doubts] == ["login"]
    assert not lost.repeatable


def test_the_rates_of_an_epoch_can_be_read_back_by_a_later_phase() -> None:
    rates = recorded_rates(loaded().row())
    assert rates is not None
    assert (rates.common, rates.own) == (8.0, {"GET /slow": 2.0})
    assert recorded_rates(replace(loaded().row(), conditions={"users": 5.0})) is None


def test_latencies_are_of_all_epochs_with_a_sample_of_each() -> None:
    epochs = [loaded(1, latency=0.01), loaded(2, latency=0.02)]
    (p50,) = [one for one in summary.latencies(epochs) if (one.name, one.scope) == ("load.p50", "GET /a")]
    assert p50.samples == pytest.approx((0.01, 0.02), rel=0.005)
    assert p50.total == 200
    assert 0.0099 < p50.value < 0.0201


def test_failing_answers_do_not_make_an_operation_fast() -> None:
    epochs = [loaded(failed=[503] * 30)]
    p50 = next(one for one in summary.latencies(epochs) if one.scope == "GET /a")
    assert p50.total == 70
    assert p50.value == pytest.approx(0.01, rel=0.005)
    assert summary.failing_notes(epochs) == ["GET /a failed 30 of 100 times (503 30 times)"]
    throughput = next(one for one in summary.resources(epochs, None) if one.name == "load.throughput")
    assert throughput.value == pytest.approx(7.0)


def test_an_operation_that_mostly_fails_has_no_latency_but_a_gap() -> None:
    epochs = [loaded(failed=[429] * 51)]
    assert [one for one in summary.latencies(epochs) if one.scope] == []
    (gap,) = summary.failing_gaps(epochs)
    assert gap.what == "latency of GET /a"
    assert "51 of 100 requests failed (429 51 times)" in gap.reason


def test_errors_count_every_epoch_there_was() -> None:
    epochs = [loaded(1, failed=[500] * 2), loaded(2, lag=1.0, failed=[404])]
    whole = next(one for one in summary.errors(epochs) if not one.scope)
    assert (whole.count, whole.total, whole.value) == (3, 200, 0.015)
    assert whole.samples == (0.02, 0.01)


def test_server_errors_are_one_finding_an_operation_whenever_they_came() -> None:
    findings = summary.server_errors([loaded(failed=[500, 503, 503, 404])], {"POST /b": 500, "POST /c": 422})
    assert [(finding.operation, finding.message.partition(": ")[2]) for finding in findings] == [
        ("GET /a", "500 once, 503 2 times"), ("POST /b", "500 once"),
    ]  # fmt: skip
    again = summary.server_errors([loaded(failed=[502])], {})
    assert again[0].fingerprint == findings[0].fingerprint


def test_too_many_doubtful_epochs_are_a_gap_that_names_the_check() -> None:
    assert summary.validity_gaps([loaded(1), loaded(2), loaded(3), loaded(4, lag=1.0)]) == []
    (gap,) = summary.validity_gaps([loaded(1, lag=1.0), loaded(2, lag=1.0), loaded(3, cpu=0.9), loaded(4)])
    assert gap.what == "load"
    assert gap.reason.startswith("3 of 4 epochs cannot be believed: requests left up to")


def test_operations_whose_turn_never_came_are_a_gap() -> None:
    prepared = Prepared(ASSIGNMENT.work, {}, (), 1)
    (gap,) = locust._unreached(prepared, [loaded(1), loaded(2)])
    assert (gap.what, gap.reason.rpartition(": ")[2]) == ("1 of 2 operations got no request", "GET /slow")
    assert locust._unreached(replace(prepared, work=ASSIGNMENT.work[:1]), [loaded()]) == []
    assert locust._unreached(prepared, []) == locust._unreached(None, [loaded()]) == []


@pytest.mark.parametrize(("status", "helps"), [(404, "[backend] base_path"), (401, "[backend.auth]")])
def test_what_would_help_where_nothing_could_be_loaded(status: int, helps: str) -> None:
    document = parse_document(json.dumps({"openapi": "3.1.0", "paths": {f"/{n}": {"get": {}} for n in range(5)}}))
    tried = {one.name: Tried(one, {status: 1}, reason=f"answered {status}") for one in document.operations}
    message, hint = campaign.why_nothing(Prepared((), tried, (), 1))
    assert message.startswith(f"no operation could be loaded: GET /0 answered {status}; ")
    assert message.endswith("; and 2 more")
    assert helps in hint


def test_memory_is_the_peak_also_of_all_connections_at_once() -> None:
    memory = next(one for one in summary.resources([loaded()], 5000) if one.name == "load.memory")
    assert (memory.value, memory.samples) == (5000.0, (1000.0,))


def run(
    directory: Path,
    monkeypatch: pytest.MonkeyPatch,
    records: Sequence[Record],
    targets: Mapping[str, Demand] | None = None,
    **settings: Any,
) -> Readings:
    """Run the gate with records instead of Locust."""
    given = iter(records)
    monkeypatch.setattr(campaign, "run_load", lambda *_, **__: Outcome(next(given), Observation(), False))
    context = shop_context(directory, targets=targets or {})
    readings = Locust(**{"users": 0, "epochs": 2, "rate": 10, **settings}).run(context)
    (unreached,) = [gap for gap in readings.gaps if gap.what.endswith("got no request")]
    # The records are of GET /a, which the shop lacks.
    assert unreached.what == "4 of 4 operations got no request"
    return replace(readings, gaps=tuple(gap for gap in readings.gaps if gap is not unreached))


def test_a_doubtful_epoch_is_measured_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = run(tmp_path, monkeypatch, [record(lag=0.5), record(latency=0.03), record(latency=0.02)])
    p50 = next(one for one in readings.measurements if (one.name, one.scope) == ("load.p50", ""))
    assert p50.samples == pytest.approx((0.03, 0.02), rel=0.005)
    assert readings.gaps == ()
    assert any("epoch 1 was measured again" in note for note in readings.notes)
    assert [epoch.number for epoch in readings.epochs] == [1, 2]


def test_a_late_generator_is_forgiven_a_tenth_of_what_is_demanded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets = {
        "response_time.simple": parse_demand("<= 100 ms", "time"),
        "load.errors": parse_demand("<= 0 %", "share"),
    }
    readings = run(tmp_path, monkeypatch, [record(lag=0.009), record(lag=0.011), record()], targets)
    assert any("epoch 2 was measured again" in note for note in readings.notes)
    assert not any("epoch 1 was measured again" in note for note in readings.notes)


def test_what_targets_demand_is_tried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    targets = {
        "load.throughput": parse_demand(">= 900 /s", "rate"),
        "load.concurrency": parse_demand(">= 12", "count"),
    }
    crowd = replace(record(), connections=12)
    readings = run(tmp_path, monkeypatch, [record(), crowd], targets, users=8, epochs=1, rate=None, ramp=False)
    assert any("the throughput that is demanded" in note for note in readings.notes)
    assert next(one for one in readings.measurements if one.name == "load.concurrency").value == 12.0


def overrun(throughput: int) -> Record:
    """Return a record of a backend that got through so many requests per second, and left a queue behind."""
    return replace(record(requests=throughput * 10), queue={5: 50, 100: 1}, queue_end=100)


def test_a_rate_that_was_found_is_lowered_when_the_backend_does_not_keep_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd = replace(record(), connections=4)
    readings = run(tmp_path, monkeypatch, [overrun(20), record(), record(), crowd], users=4, rate=None, ramp=False)
    assert [round(epoch.conditions["rate"]) for epoch in readings.epochs] == [10, 10]
    assert any("did not keep up" in note for note in readings.notes)
    assert next(one for one in readings.measurements if (one.name, one.scope) == ("load.errors", "")).total == 200
    assert next(one for one in readings.measurements if one.name == "load.concurrency").value == 4.0


def test_a_rate_that_was_found_is_lowered_when_the_servers_use_their_cores_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def seen(cpu: float) -> Outcome:
        observation = Observation(cores=frozenset({0}))
        for moment in (0.0, 10.0):
            observation.add(Sample(moment, cpu * moment, Ticks(80 * moment, 0, 100 * moment)))
        return Outcome(record(), observation, False)

    given = iter([seen(0.75), seen(0.3), seen(0.3), seen(0.75)])
    monkeypatch.setattr(campaign, "run_load", lambda *_, **__: next(given))
    monkeypatch.setattr(campaign, "needs_ramp", lambda *_: False)
    readings = Locust(users=0, epochs=1).run(shop_context(tmp_path, targets=UNHURRIED))
    assert any(
        "so that fewer were sent; the servers and the load generator used 85%" in note for note in readings.notes
    )
    assert any("in 1 of 1 epochs others took time from the servers" in note for note in readings.notes)
    # A rate that was asked for is what it is, however busy that makes the servers.
    given = iter([seen(0.75)])
    readings = Locust(users=0, epochs=1, rate=10).run(shop_context(tmp_path, targets=UNHURRIED))
    assert [gap.what for gap in readings.gaps if not gap.what.endswith("got no request")] == []


def test_a_rate_that_was_given_is_kept_and_what_is_too_slow_under_it_can_fail_but_nothing_can_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = run(tmp_path, monkeypatch, [overrun(5)] * 4, rate=10)
    assert [round(epoch.conditions["rate"]) for epoch in readings.epochs] == [10, 10]
    assert {"load.p95", "load.throughput"} <= {one.name for one in readings.measurements}
    (gap,) = readings.gaps
    assert gap.reason.startswith("2 of 2 epochs cannot be believed: the backend's queue grew")


def test_a_rate_is_lowered_twice_and_then_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = run(
        tmp_path, monkeypatch, [overrun(20), overrun(8), overrun(2), overrun(2)], rate=None, ramp=False, epochs=1
    )
    assert round(readings.epochs[0].conditions["rate"]) == 4
    assert [gap.what for gap in readings.gaps] == ["load"]


def test_a_load_that_is_meant_to_be_too_much_is_measured_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = run(tmp_path, monkeypatch, [overrun(5)] * 2, rate=None, ramp=False, rate_share=1.5)
    assert readings.gaps == ()
    assert any(one.name == "load.p95" for one in readings.measurements)


def test_epochs_that_stay_doubtful_leave_no_latency(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readings = run(tmp_path, monkeypatch, [record(lag=0.5)] * 4)
    assert {one.name for one in readings.measurements} == {"load.errors"}
    assert readings.histograms == ()
    assert [gap.what for gap in readings.gaps] == ["load"]
    assert [epoch.conditions["valid"] for epoch in readings.epochs] == [0.0, 0.0]


def test_an_epoch_that_fails_is_not_tried_again_and_its_latency_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readings = run(tmp_path, monkeypatch, [record(failed=[429] * 60)], epochs=1)
    (gap,) = readings.gaps
    assert "60% of the requests failed" in gap.reason
    assert "429" in gap.reason
    assert "limits the rate" in gap.hint
    assert not any(one.name == "load.p50" for one in readings.measurements)
    assert next(one for one in readings.measurements if one.name == "load.errors").value == 0.6


def test_memory_that_only_the_crowd_took_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Outcome(replace(record(), connections=2), Observation(peak=9_000_000), False)
    given = iter([Outcome(record(), Observation(peak=4_000_000), False), crowd])
    monkeypatch.setattr(campaign, "run_load", lambda *_, **__: next(given))
    readings = Locust(users=2, epochs=1, rate=10).run(shop_context(tmp_path))
    memory = next(one for one in readings.measurements if one.name == "load.memory")
    assert (memory.value, memory.samples) == (9e6, (4e6,))
    assert any(
        "9 MB, came with all connections at once; the arriving load took 4 MB" in note for note in readings.notes
    )


def test_fewer_connections_are_tried_when_all_were_too_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = replace(record(failed=[500]), connections=8)
    half = replace(record(), connections=4)
    readings = run(tmp_path, monkeypatch, [record(), crowd, half], epochs=1, users=8)
    borne = next(one for one in readings.measurements if one.name == "load.concurrency")
    assert (borne.value, borne.count, borne.total) == (4.0, 4, 8)
    assert "8 connections at once were not all served without errors (500 once), 4 were" in readings.notes


def test_connections_that_were_never_served_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unserved = [replace(record(), connections=count) for count in (7, 3, 1)]
    readings = run(tmp_path, monkeypatch, [record(), *unserved], epochs=1, users=8)
    assert next(one for one in readings.measurements if one.name == "load.concurrency").value == 0.0
    assert any("(1 of the connections got no answer at all), nor were fewer" in note for note in readings.notes)


def test_a_quantile_of_what_was_recorded_is_what_was_put_in() -> None:
    assert quantile(record(latency=0.25).success_latencies(), 0.99) == pytest.approx(0.25, rel=0.005)
