"""What is seen of the machine while load runs, from looks that are given; the parser on the text of a kernel."""

from __future__ import annotations

import pytest

from gates.load.assignment import Assignment
from gates.load.recording import Record
from gates.load.schedule import Arrivals
from gates.tools.locust.epoch import Loaded, assess
from gates.tools.locust.observation import Observation, Sample, Ticks, ticks_of
from gates.tools.locust.run import Outcome

STAT = """cpu  600 0 200 1000 50 0 30 120 7 0
cpu0 500 0 100 300 40 0 20 40 7 0
cpu1 100 0 100 700 10 0 10 80 0 0
cpu10 1 1 1 1 1 1 1 1 0 0
intr 209 0 0
ctxt 5
"""


def test_the_ticks_of_some_cores_are_what_the_kernel_counts_for_them() -> None:
    # Time of a guest is counted as the time of its user already.
    assert ticks_of(STAT, {0}) == Ticks(busy=620, stolen=40, whole=1000)
    assert ticks_of(STAT, {1}) == Ticks(busy=210, stolen=80, whole=1000)
    assert ticks_of(STAT, {0, 1}) == Ticks(busy=830, stolen=120, whole=2000)
    assert ticks_of(STAT) == Ticks(busy=835, stolen=121, whole=2008)


@pytest.mark.parametrize(
    ("text", "cores"), [("", ()), (STAT, {7}), ("cpu0 1 2 3\n", {0}), ("cpu0 0 0 0 0 0 0 0 0\n", {0})]
)
def test_what_nobody_counts_is_not_known(text: str, cores: tuple[int, ...]) -> None:
    assert ticks_of(text, cores) is None


def observed(*looks: Sample) -> Observation:
    seen = Observation(cores=frozenset({0}), generator_cores=frozenset({1}))
    for look in looks:
        seen.add(look)
    return seen


def test_only_what_was_seen_in_the_measured_time_counts() -> None:
    seen = observed(
        Sample(0.0, servers=Ticks(0, 0, 0), clock=0.0),
        Sample(1.0, servers=Ticks(90, 9, 100), clock=5.0),
        Sample(2.0, servers=Ticks(120, 10, 200), clock=5.02),
        Sample(3.0, servers=Ticks(220, 110, 300), clock=9.0),
    )
    assert seen.used(1.0, 2.0) == pytest.approx(0.3)
    assert seen.steal(1.0, 2.0) == pytest.approx(0.01)
    assert seen.clock_jump(1.0, 2.0) == pytest.approx(0.02)
    assert seen.used(1.5, 2.5) is seen.steal(1.5, 2.5) is seen.clock_jump(1.5, 2.5) is None


def test_the_core_that_lost_more_says_what_was_stolen() -> None:
    seen = observed(
        Sample(0.0, servers=Ticks(0, 0, 0), generator=Ticks(0, 0, 0)),
        Sample(1.0, servers=Ticks(50, 1, 100), generator=Ticks(10, 20, 100)),
    )
    assert seen.steal(0.0, 1.0) == pytest.approx(0.2)


def test_the_quota_that_was_used_up_most_often_counts() -> None:
    seen = observed(Sample(0.0, quotas=((5, 20), (3, 40))), Sample(1.0, quotas=((5, 30), (5, 50))))
    assert seen.throttled(0.0, 1.0) == pytest.approx(0.2)
    assert observed(Sample(0.0), Sample(1.0)).throttled(0.0, 1.0) is None
    assert observed(Sample(0.0, quotas=((1, 2),)), Sample(1.0, quotas=((1, 2),))).throttled(0.0, 1.0) is None


def an_epoch(*looks: Sample, cpus: tuple[int, ...] = (1,), beside: float = 0.0) -> Loaded:
    assignment = Assignment("open", "http://127.0.0.1:1", Arrivals(10.0, 0.0, 10.0), 5, 1.0, "seed", "", cpus=cpus)
    record = Record(end=10.0, last=10.0, scheduled=100, sent=100, generator_cpu=0.2)
    for _ in range(100):
        record.answered("GET /a", 200, 0.01)
    seen = Observation(cores=frozenset({0}), generator_cores=frozenset(cpus))
    for look in looks:
        seen.add(look)
    return assess(1, assignment, Outcome(record, seen, False), login_works=None, allowed_lag=1.0, beside_cpu=beside)


def checks(epoch: Loaded) -> list[str]:
    return [doubt.check for doubt in epoch.doubts]


FROM = Sample(0.0, 0.0, Ticks(0, 0, 0), Ticks(0, 0, 0), quotas=((0, 0),))


def until(busy: float = 40, *, stolen: float = 0, cpu: float = 4.0, used_up: int = 0, clock: float = 0.0) -> Sample:
    return Sample(10.0, cpu, Ticks(busy, 0, 100), Ticks(0, stolen, 100), quotas=((used_up, 100),), clock=clock)


def test_a_quiet_machine_is_not_doubted() -> None:
    assert checks(an_epoch(FROM, until())) == []
    assert an_epoch(FROM, until()).conditions["cores_share"] == pytest.approx(0.4)


def test_what_the_machine_took_away_is_a_doubt_by_its_name() -> None:
    assert checks(an_epoch(FROM, until(stolen=6))) == ["steal"]
    assert checks(an_epoch(FROM, until(used_up=6))) == ["throttled"]
    assert checks(an_epoch(FROM, until(clock=3.0))) == ["clock"]
    assert checks(an_epoch(FROM, until(busy=80))) == ["neighbours"]
    assert checks(an_epoch(FROM, until(busy=80, cpu=7.5))) == ["server"]
    told = an_epoch(FROM, until(clock=3.0)).doubts[0].text
    assert told == "the clock jumped by +3 s: the machine stood still, or its clock was set"


def test_another_build_on_the_same_core_is_no_neighbour() -> None:
    epoch = an_epoch(FROM, until(busy=80), beside=0.35)
    assert checks(epoch) == ["server"]
    assert epoch.conditions["servers_share"] == pytest.approx(0.75)


def test_a_generator_on_the_same_core_is_no_neighbour_either() -> None:
    epoch = an_epoch(FROM, until(busy=80, cpu=5.5), cpus=())
    assert checks(epoch) == ["server"]
    assert "the servers and the load generator used 75%" in epoch.doubts[0].text
    assert checks(an_epoch(FROM, until(busy=80, cpu=5.5))) == ["neighbours"]
