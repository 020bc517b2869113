"""The load gate with a locustfile of the project's own beside an earlier build."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "load"))  # the shop lives beside the tests of gates/load
from shop import Shop, open_shop, shop_context

from gates.alternating import NotBeside
from gates.demands import parse_demand
from gates.errors import BackendFailed, NotMeasured
from gates.load.pairs import PairRecord, Ratios
from gates.load.recording import Record
from gates.load.scenario import Scenario
from gates.results import Measurement, Readings
from gates.tools.base import EarlierBuild
from gates.tools.locust import Locust
from gates.tools.locust.scenarios import Borne, ScenarioCampaign

USERS = """
import json, os, random
from locust import FastHttpUser, SequentialTaskSet, task

class Order(SequentialTaskSet):
    @task
    def place(self):
        answer = self.client.post("/api/orders", json={"item": "tea", "count": random.randint(2, 9)},
                                  headers=self.user.login)
        self.number = answer.json()["id"]

    @task
    def follow(self):
        self.client.get(f"/api/orders/{self.number}", headers=self.user.login)
        self.client.get("/api/orders", headers=self.user.login)
        self.interrupt()

class Customer(FastHttpUser):
    tasks = [Order]

    def on_start(self):
        self.login = json.loads(os.environ["GATES_LOAD_HEADERS"])
        self.client.get("/api/orders/1", name="first", headers=self.login)
"""
SHORT: Mapping[str, Any] = {
    "seconds": 0.5, "warm_up": 0.3, "rate": "60 /s", "epochs": 1, "users": 6, "request_timeout": 3,
    "concurrency_seconds": 0.5, "pair_seconds": 2.0, "pair_epochs": 1, "pair_share": 0.95, "locustfile": "users.py",
}  # fmt: skip


@pytest.fixture(scope="module", autouse=True)
def _patient() -> Iterator[None]:
    """Believe epochs however busy the machine of the tests is: what is late is another test's."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("campaign", "together"):
            patch.setattr(f"gates.tools.locust.{module}.SHORTEST_LAG", 60.0)
        for limit in ("CORES_USED", "STEAL", "THROTTLED"):
            patch.setattr(f"gates.load.validity.{limit}", 60.0)
        patch.setattr("gates.tools.locust.scenarios.TRIAL_SECONDS", 1.0)
        yield


def earlier(directory: Path, *features: str) -> EarlierBuild:
    def serve(*, cpus: frozenset[int] | None = None) -> contextlib.AbstractContextManager[Shop]:
        directory.mkdir(exist_ok=True)
        return open_shop(directory, *features, cpus=cpus)

    return EarlierBuild("first", "0123456789abcdef", serve)


def beside(
    directory: Path, new: Sequence[str], old: Sequence[str], users: str = USERS, mode: Any = "auto", **settings: Any
) -> Readings:
    (directory / "users.py").write_text(users)
    context = shop_context(directory, *new, earlier=earlier(directory / "earlier", *old), side_by_side=mode)
    return Locust(**{**SHORT, **settings}).run(context)


def measured(readings: Readings, name: str) -> dict[str, Measurement]:
    return {one.scope: one for one in readings.measurements if one.name == name}


ORDERS = {"GET /orders", "POST /orders", "GET /orders/{order_id}"}


@pytest.mark.slow
def test_the_operation_that_became_slower_is_seen(tmp_path: Path) -> None:
    # What follows a late answer on its connection is 0.15 ms slower by itself, which would be half of so fast a shop.
    readings = beside(tmp_path, ("login", "steady", "sluggish"), ("login", "steady"), pair_seconds=4.0)
    assert readings.gaps == ()
    shifts = measured(readings, "pair.shift")
    assert shifts.keys() == {"", *ORDERS}
    assert shifts["GET /orders"].value > 1.3
    for name in ORDERS - {"GET /orders"}:
        assert 0.7 < shifts[name].value < 1.4
    now, before = measured(readings, "pair.errors"), measured(readings, "pair.errors_before")
    for scope in ("", *ORDERS):
        assert now[scope].total == before[scope].total == shifts[scope].total
        assert now[scope].count == before[scope].count == 0
    assert measured(readings, "load.concurrency")[""].value == 6.0
    assert measured(readings, "pair.memory")[""].value > 0
    assert readings.epochs[0].conditions["rate"] == pytest.approx(60.0)
    assert {subject.name for subject in readings.subjects} == {*ORDERS, "GET first"}
    told = " ".join(readings.notes)
    assert "measured beside first (0123456): 1 epochs of 4 s, " in told
    assert "users.py: " in told
    assert "requests/s (as configured)" in told
    assert "not measured, because only on_start or on_stop sends it: GET first" in told


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["auto", "always"])
def test_a_locustfile_that_cannot_be_run_on_two_builds_is_run_on_this_one(tmp_path: Path, mode: Any) -> None:
    shape = "\nfrom locust import LoadTestShape\nclass Shape(LoadTestShape):\n    def tick(self): return (2, 9)\n"
    pausing = USERS.replace("tasks = [Order]", "tasks = [Order]\n    wait_time = staticmethod(lambda: 0.02)")
    readings = beside(tmp_path, (), (), pausing + shape, mode)
    assert measured(readings, "pair.shift") == {}
    assert measured(readings, "load.p50")["GET /orders"].value > 0
    told = [note for note in readings.notes if "users.py cannot be run on two builds at once: it has a Load" in note]
    assert len(told) == (mode == "auto")
    assert [gap.what for gap in readings.gaps] == (["side by side"] if mode == "always" else [])


@pytest.mark.slow
def test_who_gets_in_only_on_the_earlier_build_fails_the_gate(tmp_path: Path) -> None:
    strict = (
        USERS
        + """
class Regular(FastHttpUser):
    tasks = [Order]

    def on_start(self):
        self.client.get("/openapi.json").json()["paths"]["/customers"]

del Customer
"""
    )
    with pytest.raises(BackendFailed, match=r"no user of users.py got through on_start, though all did on first: Key"):
        beside(tmp_path, (), ("customers",), strict)


def a_campaign(directory: Path, demanded: float | None = None, **settings: Any) -> ScenarioCampaign:
    (directory / "users.py").touch()
    targets = {} if demanded is None else {"load.throughput": parse_demand(f">= {demanded:g} /s", "rate")}
    context = shop_context(directory, earlier=earlier(directory / "earlier"), targets=targets)
    return ScenarioCampaign(Locust(locustfile="users.py", **settings), context)


BORNE = Borne(requests=2.0, runs=25.0, taking=0.05, generator=0.002)


def test_both_builds_together_stay_under_what_the_slower_one_bears(tmp_path: Path) -> None:
    def rate(borne: Borne = BORNE, demanded: float | None = None, **settings: Any) -> float:
        return a_campaign(tmp_path, demanded, **settings)._rates(borne).total

    assert rate() == pytest.approx(30.0)
    assert rate(rate=20.0) == pytest.approx(20.0)
    assert rate(rate=90.0) == pytest.approx(30.0)
    assert rate(burst=3.0) == pytest.approx(10.0)
    assert rate(Borne(2.0, 5000.0, 0.05, 0.0001)) == pytest.approx(Locust().rate_limit)
    assert rate(Borne(2.0, 5000.0, 0.05, 0.05)) == pytest.approx(14.0), "more than the generator can send"
    assert rate(demanded=40.0) == pytest.approx(42.0)
    with pytest.raises(NotBeside, match="80 requests/s are demanded"):
        rate(demanded=80.0)


def a_record(pairs: int, answered: int, **scenario: Any) -> PairRecord:
    new, old, ratios = Record(), Record(), Ratios()
    for _ in range(answered):
        new.answered("GET /a", 200, 0.01)
        old.answered("GET /a", 200, 0.01)
    for _ in range(pairs):
        ratios.add(0.0, new_first=True)
    about = Scenario(runs=answered, comparable={"GET /a": answered}, **scenario)
    return PairRecord(new, old, {"GET /a": ratios}, scenario=about)


def test_builds_that_did_not_do_the_same_are_not_compared(tmp_path: Path) -> None:
    campaign = a_campaign(tmp_path)
    campaign._inspect(a_record(60, 100))
    assert campaign.gaps() == []
    with pytest.raises(NotBeside, match=r"only 40 of 100 requests of users.py were the same.*their names or st"):
        campaign._inspect(a_record(40, 100))
    with pytest.raises(NotBeside, match="60 of 100 runs took another course"):
        campaign._inspect(a_record(40, 100, unlike=60))


def test_an_operation_that_could_mostly_not_be_compared_is_a_gap(tmp_path: Path) -> None:
    campaign = a_campaign(tmp_path)
    record = a_record(100, 100)
    assert record.scenario is not None
    record.scenario.comparable["GET /b"] = 40
    campaign._inspect(record)
    assert [gap.reason for gap in campaign.gaps()] == ["too few of their requests could be matched: GET /b (0 of 40)"]


def test_users_who_do_not_get_in_are_told_by_the_build(tmp_path: Path) -> None:
    campaign = a_campaign(tmp_path)
    for broken, error in (
        ({"new": "KeyError", "old": "KeyError"}, NotMeasured), ({"new": "KeyError"}, BackendFailed),
        ({"old": "KeyError"}, NotBeside),
    ):  # fmt: skip
        with pytest.raises(error, match="got through on_start"):
            campaign._inspect(a_record(0, 0, broken=broken))
