"""The load gate against real backends, with the real Locust; and its rules on records alone."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

sys.path.insert(0, str(Path(__file__).parent.parent / "load"))  # the shop lives beside the tests of gates/load
from shop import LOGIN, open_shop, shop_context

import gates
from gates.demands import parse_demand
from gates.errors import BackendFailed, NotMeasured, ToolError
from gates.load.assignment import Assignment, Sendable, Work
from gates.load.histogram import quantile, total
from gates.load.schedule import Arrivals
from gates.profiles import list_profiles
from gates.results import GateResult, Measurement, Readings, Verdict
from gates.tools.locust import Locust
from gates.tools.locust.observation import Observation
from gates.tools.locust.run import locust_environment, run_load

SHORT: Mapping[str, Any] = {
    "seconds": 0.8, "longest": 0.8, "warm_up": 0.3, "rate": "60 /s", "epochs": 1, "users": 0, "request_timeout": 3,
}  # fmt: skip
OPERATIONS = {
    "GET /orders", "POST /orders", "GET /orders/{order_id}", "PUT /orders/{order_id}", "POST /customers",
    "POST /orders/{order_id}/notes", "GET /slow", "GET /rude", "GET /away",
}  # fmt: skip


UNHURRIED = {"response_time.simple": parse_demand("<= 30 s", "time")}
"""Demands so little that no epoch is measured again because this machine is busy."""


def load(directory: Path, *features: str, context: Mapping[str, Any] | None = None, **settings: Any) -> Readings:
    made = shop_context(directory, *features, **{"targets": UNHURRIED, **(context or {})})
    return Locust(**{**SHORT, **settings}).run(made)


def measured(readings: Readings, name: str) -> dict[str, Measurement]:
    return {one.scope: one for one in readings.measurements if one.name == name}


@pytest.fixture(scope="module", autouse=True)
def _patient() -> Iterator[None]:
    """Believe epochs however busy the machine of the tests is: neighbours are another test's."""
    with pytest.MonkeyPatch.context() as patch:
        for limit in ("CORES_USED", "STEAL", "THROTTLED"):
            patch.setattr(f"gates.load.validity.{limit}", 60.0)
        yield


@pytest.fixture(scope="module")
def phase_one(tmp_path_factory: pytest.TempPathFactory) -> Readings:
    told: list[tuple[float | None, str]] = []
    readings = load(
        tmp_path_factory.mktemp("one"), "customers", "slow", "rude", "away", "login", epochs=2, users=10,
        concurrency_seconds=0.3, context={"progress": lambda share, text: told.append((share, text))},
    )  # fmt: skip
    shares = [share for share, _ in told if share is not None]
    assert shares == sorted(shares)
    assert 0.0 <= shares[0] < shares[-1] <= 1.0
    return readings


@pytest.mark.slow
def test_every_operation_of_the_document_is_measured_but_what_deletes(phase_one: Readings) -> None:
    for name in ("load.p50", "load.p95", "load.p99", "load.errors"):
        assert measured(phase_one, name).keys() == {"", *OPERATIONS}
    p50 = measured(phase_one, "load.p50")
    assert p50["GET /slow"].value >= 0.02
    assert p50["GET /slow"].value > p50["GET /orders"].value
    assert (p50[""].unit, p50[""].better, len(p50[""].samples)) == ("s", "lower", 2)
    assert any("DELETE /orders/{order_id}" in note for note in phase_one.notes)
    assert phase_one.findings == ()
    assert phase_one.gaps == ()
    assert {subject.name for subject in phase_one.subjects if subject.outcome == "tested"} == OPERATIONS


@pytest.mark.slow
def test_every_request_is_counted_once_and_everywhere_the_same(phase_one: Readings) -> None:
    errors = measured(phase_one, "load.errors")[""]
    sent = sum(epoch.conditions["requests"] for epoch in phase_one.epochs)
    assert errors.total == sent == sum(total(row.counts) for row in phase_one.histograms)
    assert sent == pytest.approx(2 * 60 * 0.8, abs=3)
    assert errors.count == 0
    p95 = measured(phase_one, "load.p95")[""]
    assert p95.total == sent
    throughput = measured(phase_one, "load.throughput")[""]
    assert throughput.total == sent
    assert 0 < throughput.value <= 63
    for operation in OPERATIONS:
        counts = [row.counts for row in phase_one.histograms if row.scope == operation]
        assert sum(map(total, counts)) == measured(phase_one, "load.p50")[operation].total


@pytest.mark.slow
def test_the_backend_is_watched_while_it_is_loaded(phase_one: Readings) -> None:
    memory, cpu = measured(phase_one, "load.memory")[""], measured(phase_one, "load.cpu")[""]
    assert 2e6 < memory.value < 1e9
    assert len(memory.samples) == 2
    assert 0 <= cpu.value < 4  # so short a time may be less than a tick of the clock that counts it
    borne = measured(phase_one, "load.concurrency")[""]
    assert (borne.value, borne.count, borne.total) == (10.0, 10, 10)
    for epoch in phase_one.epochs:
        assert epoch.conditions["rate"] == pytest.approx(60.0)
        assert epoch.conditions["sent_share"] == 1.0
        assert {"lag_p99", "generator_cpu", "server_cpu", "valid"} <= epoch.conditions.keys()


@pytest.mark.slow
def test_connections_that_the_backend_closes_are_no_failures(phase_one: Readings) -> None:
    assert sum(epoch.conditions["reopened"] for epoch in phase_one.epochs) > 0
    assert measured(phase_one, "load.errors")["GET /rude"].value == 0.0


@pytest.mark.slow
def test_what_was_sent_is_kept_without_the_login(phase_one: Readings) -> None:
    corpus = {request.operation: request for request in phase_one.requests}
    assert corpus.keys() == OPERATIONS
    assert corpus["POST /orders"].body == '{"item":"tea","count":2}'
    assert corpus["GET /orders/{order_id}"].path == "/api/orders/41"
    assert corpus["GET /away"].status == 302
    assert LOGIN["Authorization"].split()[1] not in repr(phase_one)


@pytest.mark.slow
def test_a_later_phase_is_loaded_with_the_same_work(phase_one: Readings, tmp_path: Path) -> None:
    baseline = GateResult("load", "locust", Verdict.PASS, 1.0, readings=phase_one)
    readings = load(tmp_path, "customers", "moody", "failing", context={"baseline": baseline}, rate=None)
    (epoch,) = readings.epochs
    # 60 requests/s over nine operations then; of these six are left, and one is new.
    assert epoch.conditions["operation_rate"] == pytest.approx(60 / 9)
    assert epoch.conditions["rate"] == pytest.approx(60 / 9 * 7)
    now = {request.operation: request.body for request in readings.requests}
    then = {request.operation: request.body for request in phase_one.requests}
    assert all(now[name] == then[name] for name in now.keys() & then)
    assert len(now.keys() & then) == 6
    assert "GET /moody" in now
    errors = measured(readings, "load.errors")["GET /moody"]
    assert errors.count
    assert errors.count < (errors.total or 0)
    assert {(finding.rule, finding.operation) for finding in readings.findings} == {
        ("load.server-errors", "GET /moody"), ("load.server-errors", "GET /failing"),
    }  # fmt: skip
    # Failing answers are left out of the latency.
    p50 = measured(readings, "load.p50")["GET /moody"]
    assert p50.total == (errors.total or 0) - errors.count
    (gap,) = readings.gaps
    assert gap.what == "1 of 8 operations were not loaded"
    assert gap.reason == "GET /failing answered 500"


@pytest.mark.slow
def test_a_backend_that_dies_under_load_is_a_finding_with_its_last_words(tmp_path: Path) -> None:
    readings = load(tmp_path, "crashing", seconds=5)
    (died,) = [finding for finding in readings.findings if finding.rule == "backend.died"]
    assert died.severity == "high"
    assert "going down" in died.message
    assert not any(one.name.startswith("load.p") for one in readings.measurements)


@pytest.mark.slow
def test_operations_that_end_backend_or_login_are_left_out_and_the_rest_is_loaded(tmp_path: Path) -> None:
    readings = load(tmp_path, "login", "logout", "shutdown", "deadly", "forgetful", exclude=["PUT *"])
    assert measured(readings, "load.p50").keys() == {"", "GET /orders", "POST /orders", "GET /orders/{order_id}"}
    assert [(finding.rule, finding.operation) for finding in readings.findings] == [("backend.died", "POST /deadly")]
    (gap,) = readings.gaps
    assert gap.reason == "POST /deadly ended the backend; POST /forgetful ended the login"
    assert any("by its name: POST /logout, POST /admin/shutdown" in note for note in readings.notes)
    assert any("PUT /orders/{order_id}" in note for note in readings.notes)
    secret = LOGIN["Authorization"].split()[1]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "assignment.json" for path in files)
    assert [path for path in files if secret.encode() in path.read_bytes()] == []


@pytest.mark.slow
def test_the_projects_own_locustfile_is_run_and_its_names_become_operations(tmp_path: Path) -> None:
    (tmp_path / "shared.py").write_text("ITEM = 'tea'\n", "utf-8")
    (tmp_path / "load").mkdir()
    (tmp_path / "load" / "locustfile.py").write_text(
        "import json, os\n"
        "from locust import HttpUser, constant, task\n"
        "from shared import ITEM\n"
        "class Buyer(HttpUser):\n"
        "    wait_time = constant(0.02)\n"
        "    def on_start(self):\n"
        "        self.client.headers.update(json.loads(os.environ['GATES_LOAD_HEADERS']))\n"
        "    @task\n"
        "    def order(self):\n"
        "        made = self.client.post('/api/orders', json={'item': ITEM, 'count': 2}).json()\n"
        "        self.client.get(f'/api/orders/{made[\"id\"]}?x=1')\n"
        "        self.client.get('/api/nowhere', name='a name of its own')\n"
        "        with self.client.get('/api/orders', catch_response=True) as answer:\n"
        "            answer.failure('not what it should be')\n",
        "utf-8",
    )
    context = {"ours": False, "root": tmp_path}
    readings = load(tmp_path, "login", locustfile="load/locustfile.py", users=3, context=context)
    errors = measured(readings, "load.errors")
    assert errors.keys() == {"", "GET /orders", "POST /orders", "GET /orders/{order_id}", "GET a name of its own"}
    assert errors["GET a name of its own"].value == errors["GET /orders"].value == 1.0
    assert errors["POST /orders"].value == errors["GET /orders/{order_id}"].value == 0.0
    assert measured(readings, "load.concurrency")[""].value == 0.0
    assert "load.memory" in {gap.what for gap in readings.gaps}
    assert any("closed loop" in note for note in readings.notes)
    assert any("already up" in note for note in readings.notes)
    assert {seen.operation for seen in readings.operations if not seen.documented} == {"GET a name of its own"}


@pytest.mark.slow
def test_a_locustfile_that_does_not_work_is_an_error_with_its_reason(tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text("import no_such_module", "utf-8")
    with pytest.raises(ToolError, match="no_such_module"):
        load(tmp_path, locustfile="locustfile.py", users=1, context={"root": tmp_path})


@pytest.mark.slow
def test_users_that_send_nothing_are_not_measured(tmp_path: Path) -> None:
    (tmp_path / "locustfile.py").write_text(
        "from locust import User, constant, task\nclass Idle(User):\n    wait_time = constant(1)\n"
        "    @task\n    def nothing(self):\n        pass\n",
        "utf-8",
    )
    with pytest.raises(NotMeasured, match="no request"):
        load(tmp_path, locustfile="locustfile.py", users=1, context={"root": tmp_path})


def test_a_locustfile_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="does not exist"):
        load(tmp_path, locustfile="gone.py", users=1)


def test_without_a_document_there_is_nothing_to_send(tmp_path: Path) -> None:
    context = shop_context(tmp_path)
    with open_shop(tmp_path) as shop:
        shop.document, shop.document_error = None, "GET /openapi.json answered 404"  # type: ignore[assignment]

        class Serve:
            def __enter__(self) -> object:
                return shop

            def __exit__(self, *_: object) -> None:
                return None

        object.__setattr__(context, "serve", Serve)
        with pytest.raises(NotMeasured, match="answered 404"):
            Locust(**SHORT).run(context)


def test_when_nothing_answers_with_success_the_reasons_are_told(tmp_path: Path) -> None:
    with pytest.raises(NotMeasured, match="is left out by `exclude`"):
        load(tmp_path, exclude=["* /*"])


def test_a_backend_at_a_url_that_is_ended_by_a_request_fails(tmp_path: Path) -> None:
    with pytest.raises(BackendFailed, match="POST /deadly ended the backend"):
        load(tmp_path, "deadly", context={"ours": False})


def test_the_time_of_the_gate_is_kept(tmp_path: Path) -> None:
    with pytest.raises(ToolError, match=r"0 of 1 epochs"):
        load(tmp_path, timeout=1e-9)


STALLING = """
import http.server, sys, time
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def log_message(self, *_): pass
    def do_GET(self):
        if self.path == "/stall":
            time.sleep(1.0)
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


class Alive:
    """A backend that is watched from outside."""

    headers: Mapping[str, str] = {}
    started_by_us = False

    def alive(self) -> bool:
        return True

    def usage(self) -> None:
        return None


@pytest.mark.slow
def test_requests_that_a_stall_kept_waiting_count_from_when_they_were_due(tmp_path: Path) -> None:
    """One answer takes a second, and one connection is all there is: a hundred requests wait behind it."""
    from gates.client import free_port
    from gates.process import start

    port = free_port()
    (tmp_path / "stalling.py").write_text(STALLING, "utf-8")
    work = (
        Work("GET /fast", Sendable("GET", "/fast"), 100.0),
        Work("GET /stall", Sendable("GET", "/stall"), 0.4),
    )
    assignment = Assignment(
        "open", f"http://127.0.0.1:{port}", Arrivals(100.0, 0.5, 2.5), 1, 5.0, "a stall early in the time", "", work
    )
    with start([sys.executable, str(tmp_path / "stalling.py"), str(port)], cwd=tmp_path, env=dict(os.environ),
               stdout=tmp_path / "log"):  # fmt: skip
        outcome = run_load(assignment, Alive(), tmp_path)
    record = outcome.record
    assert record is not None
    assert record.sent == record.scheduled == record.requests
    assert record.operations["GET /stall"].requests == 1
    # A loop that sends the next request after the answer would have seen one slow request and no more.
    fast = record.operations["GET /fast"].success_latencies()
    slow = total(fast) * 0.1
    assert quantile(fast, 1 - slow / total(fast)) > 0.2
    assert total(record.waited) > 50
    assert quantile(record.waited, 1.0) > 0.8


@pytest.mark.slow
def test_connections_that_nobody_accepts_are_failures_and_bear_nothing(tmp_path: Path) -> None:
    from gates.client import free_port

    work = (Work("GET /a", Sendable("GET", "/a")),)
    assignment = Assignment(
        "closed", f"http://127.0.0.1:{free_port()}", Arrivals(1.0, 0.0, 0.2), 3, 1.0, "seed", "", work
    )
    record = run_load(assignment, Alive(), tmp_path).record
    assert record is not None
    assert record.operations["GET /a"].failures == {"refused": 3}
    assert record.connections == 0


def test_nothing_of_the_users_environment_changes_what_locust_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LOCUST_USERS", "LOCUST_RUN_TIME", "LOCUST_SKIP_MONKEY_PATCH", "http_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "1")
    environment = locust_environment(
        tmp_path, tmp_path / "assignment.json", {"GATES_LOAD_HEADERS": {"Authorization": "x"}}
    )
    assert not [name for name in environment if name.startswith("LOCUST") or name.lower().endswith("proxy")]
    assert environment["HOME"] == str(tmp_path)
    assert json.loads(environment["GATES_LOAD_HEADERS"]) == {"Authorization": "x"}
    assert environment["PATH"] == os.environ["PATH"]
    assert str(Path(gates.__file__).parent.parent) in environment["PYTHONPATH"].split(os.pathsep)


def test_the_locust_process_is_spared_pydantic() -> None:
    from gates.process import capture

    script = (
        "import sys; import gates.load.assignment, gates.load.client, gates.load.recording, gates.document; "
        "print([name for name in sys.modules if name.startswith('pydantic')])"
    )
    assert capture([sys.executable, "-c", script], cwd=Path.cwd()) == (0, "[]\n", "")


def test_memory_of_a_long_observation_is_its_peak_and_cpu_its_use() -> None:
    from gates.process import Usage

    seen = Observation()
    for cpu, memory in ((1.0, 100), (1.5, 300), (0.2, 50), (0.4, 60)):
        seen.take(lambda cpu=cpu, memory=memory: Usage(cpu, memory, 1))  # type: ignore[misc]
    seen.take(lambda: Usage(0.0, 0, 0))
    seen.take(lambda: None)
    assert seen.peak == 300
    begin, end = seen._samples[0].moment, seen._samples[3].moment
    # A worker ended between the second look and the third, and took its time along.
    assert seen.cpu(begin, end) == pytest.approx((0.5 + 0.2) / (end - begin))
    assert seen.cpu(end + 1, end + 2) is None
    assert seen.steal(end + 1, end + 2) is None


def test_the_profile_normal_says_what_is_done_without_one(tmp_path: Path) -> None:
    profiles = {profile.name: profile for profile in list_profiles("loads", tmp_path)}
    assert {"smoke", "normal", "peak", "stress", "soak", "spike"} <= profiles.keys()
    made = {
        name: Locust(profile=name, **{key: value for key, value in profile.content.items() if key != "title"})
        for name, profile in profiles.items()
    }
    assert made["normal"] == Locust()
    for locust in made.values():
        assert locust.epochs * (locust.warm_up + locust.seconds) < locust.timeout


@pytest.mark.parametrize(
    "wrong", [{"rate": "fast"}, {"rate": 0}, {"users": -1}, {"locustfile": "a.py", "users": 0}, {"epoch": 3}]
)
def test_settings_that_mean_nothing_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Locust(**wrong)


def test_rates_are_written_with_their_unit() -> None:
    assert Locust(rate="600 /min").rate == 10.0
    assert Locust(rate=5).rate == 5.0


def test_what_is_needed_is_told(tmp_path: Path) -> None:
    found = Locust(locustfile="gone.py").requirements(shop_context(tmp_path))
    assert [requirement.met for requirement in found] == [True, False]
