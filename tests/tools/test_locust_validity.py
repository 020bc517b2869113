"""When a number means nothing, provoked for real: slow generators, neighbours, backends that do not bear the load.

Other doubts may come along on a busy machine: each test asks for its own, by name.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "load"))  # the shop lives beside the tests of gates/load
from judging import judged, policy
from shop import Shop, open_shop, shop_context

from gates.demands import parse_demand
from gates.load import validity
from gates.load.assignment import Assignment, Counterpart, Sendable, Work
from gates.load.preparation import Prepared
from gates.load.schedule import Arrivals
from gates.load.validity import OVERLOAD, Doubt
from gates.process import available_cores, split_cores, start
from gates.results import GateResult, Readings, Verdict
from gates.tools.base import EarlierBuild
from gates.tools.locust import Locust
from gates.tools.locust.beside import BesideCampaign
from gates.tools.locust.campaign import Campaign
from gates.tools.locust.together import PreparedBuilds, Stretches, load_both

pytestmark = pytest.mark.slow

SHORT: Mapping[str, Any] = {
    "seconds": 1.2, "longest": 1.2, "warm_up": 0.2, "rate": "60 /s", "epochs": 1, "users": 0, "request_timeout": 4,
    "pair_seconds": 1.2, "pair_epochs": 1, "pair_share": 0.9, "pair_throughput": 0,
    "exclude": ["* /orders*"],
}  # fmt: skip
LONGER: Mapping[str, Any] = {"seconds": 2.4, "longest": 2.4}
ENDLESS = "while True: pass"
TROUBLE = """
import atexit, ctypes, os, signal, sys, time
def stall():
    ctypes.CDLL(None).usleep(40_000)
def burn():
    end = time.monotonic() + 0.1
    while time.monotonic() < end:
        pass
def again(*_):
    globals()[os.environ["TROUBLE"]]()
    signal.setitimer(signal.ITIMER_REAL, 0.05)
if "locust" in sys.orig_argv:
    signal.signal(signal.SIGALRM, again)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    atexit.register(signal.signal, signal.SIGALRM, signal.SIG_IGN)
"""
"""Makes Locust's own process slow, as a `sitecustomize` on its path."""


@dataclass(frozen=True)
class Measured:
    """What a campaign found: of each epoch's last try and of those that were thrown away, the doubts by check."""

    readings: Readings
    final: Mapping[str, Doubt]
    thrown_away: Mapping[str, Doubt]
    tries: int

    def judged(self, **targets: str) -> Any:
        """Return the gate as it is judged with nothing before it."""
        return judged(GateResult("load", "locust", Verdict.PASS, 1.0, readings=self.readings), policy(targets))


def by_check(campaign: Campaign, name: str) -> dict[str, Doubt]:
    return {doubt.check: doubt for epoch in getattr(campaign, name) for doubt in epoch.doubts}


def measure(campaign: Campaign) -> Measured:
    campaign.run()
    readings = campaign.settings._readings(campaign)  # type: ignore[attr-defined]
    tries = len(campaign.epochs) + len(campaign.discarded) + len(campaign.too_much)
    return Measured(readings, by_check(campaign, "epochs"), by_check(campaign, "discarded"), tries)


def alone(directory: Path, *features: str, simple: str = "", **settings: Any) -> Measured:
    targets = {"response_time.simple": parse_demand(simple, "time")} if simple else {}
    return measure(Campaign(Locust(**{**SHORT, **settings}), shop_context(directory, *features, targets=targets)))


def beside(directory: Path, *features: str, **settings: Any) -> Measured:
    def serve(*, cpus: frozenset[int] | None = None) -> contextlib.AbstractContextManager[Shop]:
        (directory / "earlier").mkdir(exist_ok=True)
        return open_shop(directory / "earlier", *features, cpus=cpus)

    earlier = EarlierBuild("first", "0123456789abcdef", serve)
    return measure(BesideCampaign(Locust(**{**SHORT, **settings}), shop_context(directory, *features, earlier=earlier)))


MODES = pytest.mark.parametrize("mode", [alone, beside])


@contextlib.contextmanager
def neighbour(directory: Path, cores: frozenset[int]) -> Iterator[None]:
    """Keep some cores busy with a program that has nothing to do with the load."""
    with contextlib.ExitStack() as stack:
        for core in cores:
            stack.enter_context(
                start([sys.executable, "-c", ENDLESS], cwd=directory, env=dict(os.environ),
                      stdout=directory / "neighbour.log", cpus=frozenset({core}))
            )  # fmt: skip
        yield


@pytest.fixture
def trouble(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    (tmp_path / "trouble").mkdir()
    (tmp_path / "trouble" / "sitecustomize.py").write_text(TROUBLE, "utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "trouble"))
    return lambda kind: monkeypatch.setenv("TROUBLE", kind)


def assert_undecided(measured: Measured, check: str) -> None:
    """The epoch was measured again, stayed what it was, and the gate says why it decides nothing."""
    assert check in measured.thrown_away
    assert measured.tries > 1
    assert check in measured.final
    gap = next(gap for gap in measured.readings.gaps if gap.what == "load")
    assert gap.reason.startswith("1 of 1 epochs cannot be believed: ")
    assert gap.reason.partition(": ")[2] in {doubt.text for doubt in measured.final.values()}
    result = measured.judged()
    assert result.verdict is Verdict.UNKNOWN
    told = "; ".join(measured.readings.notes)
    assert measured.final[check].text in told
    assert "epoch 1 was measured again: " in told


@MODES
def test_a_generator_that_is_late_is_noticed(
    mode: Callable[..., Measured], trouble: Callable[[str], None], tmp_path: Path
) -> None:
    trouble("stall")
    measured = mode(tmp_path, "away")
    assert_undecided(measured, "lag")
    assert "ms late (p99; " in measured.final["lag"].text
    assert not any(one.name == "load.p95" for one in measured.readings.measurements)


def test_a_generator_that_uses_its_core_up_is_noticed(
    trouble: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On a machine that is busy with something else, it does not get as much of its core as it wants.
    monkeypatch.setattr(validity, "GENERATOR_CPU", 0.2)
    trouble("burn")
    measured = alone(tmp_path, "away")
    assert_undecided(measured, "generator")
    assert "the load generator used" in measured.final["generator"].text


@MODES
def test_a_neighbour_on_the_cores_of_the_servers_is_noticed(mode: Callable[..., Measured], tmp_path: Path) -> None:
    servers = available_cores() if mode is alone else split_cores(available_cores())[0]
    with neighbour(tmp_path, servers):
        measured = mode(tmp_path, "away")
    assert_undecided(measured, "neighbours")
    assert "with other programs" in measured.final["neighbours"].text
    assert "server" not in measured.final


def test_a_neighbour_is_forgiven_as_long_as_nothing_that_is_demanded_is_near(tmp_path: Path) -> None:
    with neighbour(tmp_path, available_cores()):
        far = alone(tmp_path, "away", simple="<= 30 s")
        near = alone(tmp_path, "slow", simple="<= 21 ms")
    assert far.final == {}
    assert any("in 1 of 1 epochs others took time" in note and "busy" in note for note in far.readings.notes)
    assert "neighbours" in near.final


def test_a_queue_that_grows_is_noticed_and_such_a_backend_misses_targets_and_meets_none(tmp_path: Path) -> None:
    measured = alone(tmp_path, "growing", **LONGER)
    assert_undecided(measured, "queue")
    assert "requests were unanswered" in measured.final["queue"].text
    if measured.final.keys() <= OVERLOAD:  # nothing else was wrong with this machine
        missed = measured.judged(**{"load.throughput": ">= 60 /s"})
        assert missed.verdict is Verdict.FAIL
        assert "load.throughput" in (missed.reason or "")
    met = measured.judged(**{"load.throughput": ">= 1 /s"})
    assert met.verdict is Verdict.UNKNOWN
    assert "cannot be believed" in (met.reason or "")


def test_a_schedule_that_cannot_be_sent_is_noticed(tmp_path: Path) -> None:
    measured = alone(tmp_path, "growing", connections=2, request_timeout=0.3, **LONGER)
    assert_undecided(measured, "schedule")
    assert "of the requests that were due could be sent" in measured.final["schedule"].text


def two_builds(directory: Path, feature: str, rate: float, connections: int = 50, timeout: float = 4.0) -> set[str]:
    """Load two builds of the shop in pairs, each at so many requests/s, and return the checks that failed."""
    cores, loader = split_cores(available_cores())
    (directory / "earlier").mkdir()
    with open_shop(directory, feature, cpus=cores) as new, open_shop(directory / "earlier", feature, cpus=cores) as old:
        name = f"GET /{feature}"
        work = (Work(name, Sendable("GET", f"/api/{feature}"), rate),)
        ready = Prepared(work, {}, (), 1)
        natural = Assignment(
            "open",
            new.url,
            Arrivals(rate, 0.2, 2.4),
            connections,
            timeout,
            "seed",
            "",
            work,
            cpus=tuple(sorted(loader)),
        )
        pairs = replace(
            natural, kind="pairs", arrivals=replace(natural.arrivals, rate=2 * rate), earlier=Counterpart(old.url, work)
        )
        builds = PreparedBuilds(new, old, ready, ready, frozenset({name}), frozenset())
        loaded = load_both(1, Stretches(pairs, None, natural, cores), builds, directory / "load", lambda share: None)
    assert not isinstance(loaded, str)
    assert loaded[0].conditions["valid"] == 0.0
    assert loaded[0].repeatable
    return {doubt.check for doubt in loaded[0].doubts}


def test_beside_an_earlier_build_a_queue_that_grows_is_noticed(tmp_path: Path) -> None:
    assert "queue" in two_builds(tmp_path, "growing", 60.0)


def test_beside_an_earlier_build_a_schedule_that_cannot_be_sent_is_noticed(tmp_path: Path) -> None:
    assert "schedule" in two_builds(tmp_path, "growing", 60.0, connections=2, timeout=0.3)


def test_servers_that_use_up_the_core_they_share_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validity, "CORES_USED", 0.25)
    assert "server" in two_builds(tmp_path, "busy", 60.0)


def test_beside_an_earlier_build_a_generator_that_uses_its_core_up_is_noticed(
    trouble: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validity, "GENERATOR_CPU", 0.2)
    trouble("burn")
    assert "generator" in two_builds(tmp_path, "away", 30.0)
