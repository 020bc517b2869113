from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from judging import MACHINE, OTHER_MACHINE, after, gate, judged, number, only, policy, share, signed

from gates.compare import Earlier
from gates.results import Epoch, GateResult, Judgement, Measurement, Verdict

WAVES = (-0.03, 0.01, 0.04, -0.02, 0.0, 0.02)
"""The same for every operation of a run, as neighbours on a machine are."""
NAMES = {"load.p50": "s", "load.p95": "s", "load.p99": "s", "load.throughput": "1/s", "load.memory": "B"}


def measured(
    name: str, value: float, scope: str = "", *, total: int | None = 60_000, waves: Iterable[float] = WAVES
) -> Measurement:
    samples = tuple(value * math.exp(wave) for wave in waves)
    better: Any = "higher" if name == "load.throughput" else "lower"
    unit = NAMES.get(name, "s")
    return Measurement(name, value, unit, better, scope, total=total, samples=samples)


def load(slow: Mapping[str, float] | None = None, *, factor: float = 1.0, **whole: float) -> GateResult:
    """A load gate with four operations, `slow` times as slow each, all of it `factor` times as slow."""
    slow = slow or {}
    found = []
    for position, name in enumerate(("GET /a", "GET /b", "GET /c", "POST /d"), 1):
        level = factor * slow.get(name, 1.0) * position
        found += [measured("load.p50", 0.002 * level, name), measured("load.p95", 0.005 * level, name)]
        found.append(share("load.errors", 0, 15_000, name, "lower"))
    found += [measured("load.p95", 0.02 * factor), measured("load.memory", whole.get("memory", 4e7), waves=(0.0,) * 6)]
    return gate("load", "locust", measurements=found)


def bench(value: float, *, name: str = "test_a", waves: Iterable[float] = WAVES) -> GateResult:
    return gate("bench", "benchmark", measurements=[measured("bench.median", value, name, waves=waves)])


def repeated(*results: GateResult, machine: Mapping[str, str] = MACHINE) -> list[Any]:
    return [signed("one", result, machine=machine).run for result in results]


def test_one_stored_run_never_proves_that_a_time_is_within_five_percent() -> None:
    result = judged(load(), None, signed("one", load()), classes={})
    overall = only(result, "baseline", "load.p95", "")
    assert (overall.verdict, overall.ratio) == (Verdict.UNKNOWN, pytest.approx(1.0))
    assert overall.detectable is not None
    assert 0.6 < overall.detectable < 0.8
    assert "5 % is tolerated, and two single runs only show a worsening of 6" in overall.reason
    assert overall.hint == "measure both builds side by side"
    assert result.verdict is Verdict.UNKNOWN
    assert not [one for one in result.judgements if one.verdict is Verdict.FAIL]


def test_an_operation_twice_as_slow_fails_by_itself_and_against_the_others() -> None:
    result = judged(load({"GET /b": 2.0}), None, signed("one", load()), classes={})
    assert result.verdict is Verdict.FAIL
    absolute = only(result, "baseline", "load.p95", "GET /b")
    assert (absolute.verdict, absolute.ratio) == (Verdict.FAIL, pytest.approx(2.0))
    assert absolute.reason.startswith("load.p95 of GET /b is 2× (1.4")
    assert "10 % is tolerated" in absolute.reason
    relative = only(result, "relative", scope="GET /b")
    assert (relative.verdict, relative.ratio) == (Verdict.FAIL, pytest.approx(2.0))
    assert "load.p50 of GET /b, relative to the other operations, is 2×" in relative.reason
    others = [one for one in result.judgements if one.kind == "relative" and one.scope != "GET /b"]
    assert {one.verdict for one in others} == {Verdict.PASS}


def test_a_run_that_is_slower_as_a_whole_is_not_blamed_on_an_operation() -> None:
    result = judged(load(factor=1.35), None, signed("one", load()), classes={})
    assert {one.verdict for one in result.judgements if one.kind == "relative"} == {Verdict.PASS}
    assert result.verdict is Verdict.UNKNOWN


def test_an_operation_that_is_slower_than_the_others_by_less_than_a_run_shows_fails_relatively() -> None:
    result = judged(load({"GET /b": 1.25}), None, signed("one", load()), classes={})
    assert only(result, "baseline", "load.p95", "GET /b").verdict is Verdict.UNKNOWN
    assert only(result, "relative", scope="GET /b").verdict is Verdict.FAIL
    assert result.verdict is Verdict.FAIL


def test_what_relative_comparison_leaves_open_is_told_only_where_nothing_else_decided() -> None:
    then, now = signed("one", load()), load({"GET /b": 1.08})
    undecided = judged(now, None, then, classes={})
    assert only(undecided, "relative", scope="GET /b").verdict is Verdict.UNKNOWN
    quiet = [load(factor=factor) for factor in (1.001, 0.999, 1.0005, 0.9995)]
    decided = judged(load({"GET /b": 1.05}), None, then, classes={}, repeats=repeated(*quiet))
    assert only(decided, "baseline", "load.p95", "GET /b").verdict is Verdict.PASS
    assert {one.scope for one in decided.judgements if one.kind == "relative"} == {"GET /a", "GET /c", "POST /d"}


def test_repeated_runs_of_the_signed_build_tell_how_much_runs_differ() -> None:
    steady = (0.001, -0.001, 0.0, 0.0005, -0.0005, 0.0)
    quiet = [bench(0.01 * math.exp(shift), waves=steady) for shift in (0.003, -0.003, 0.001, -0.002, 0.002)]
    then = after("one", quiet[0])
    assert judged(bench(0.0101, waves=steady), None, then).verdict is Verdict.UNKNOWN
    same = judged(bench(0.0101, waves=steady), None, then, repeats=repeated(*quiet[1:]))
    assert same.verdict is Verdict.PASS
    slower = judged(bench(0.0112, waves=steady), None, then, repeats=repeated(*quiet[1:]))
    assert slower.verdict is Verdict.FAIL
    elsewhere = judged(bench(0.0101, waves=steady), None, then, repeats=repeated(*quiet[1:], machine=OTHER_MACHINE))
    assert elsewhere.verdict is Verdict.UNKNOWN


def test_noise_that_hides_the_tolerance_never_passes() -> None:
    rng = random.Random(3)
    for _ in range(200):
        noise = rng.choice([0.01, 0.05, 0.2])
        sides = [[rng.gauss(0, noise) for _ in range(rng.choice([3, 6, 12]))] for _ in range(2)]
        now, then = bench(rng.choice([0.005, 0.01]), waves=sides[0]), bench(0.01, waves=sides[1])
        result = judged(now, None, signed("one", then))
        one = only(result, "baseline")
        assert one.detectable is not None
        assert one.verdict is not Verdict.PASS or one.detectable <= 0.05


def test_throughput_is_better_when_it_is_higher() -> None:
    def served(rate: float) -> GateResult:
        return gate("load", "locust", measurements=[measured("load.throughput", rate)])

    lost = only(judged(served(40), None, signed("one", served(100))), "baseline")
    assert (lost.verdict, lost.ratio) == (Verdict.FAIL, pytest.approx(0.4))
    assert only(judged(served(250), None, signed("one", served(100))), "baseline").verdict is Verdict.UNKNOWN
    assert (
        only(judged(served(250), policy(performance=1.5), signed("one", served(100))), "baseline").verdict
        is Verdict.PASS
    )


def test_memory_can_be_told_from_one_run() -> None:
    then = signed("one", load())
    assert only(judged(load(), None, then), "baseline", "load.memory").verdict is Verdict.PASS
    assert only(judged(load(memory=4.22e7), None, then), "baseline", "load.memory").verdict is Verdict.FAIL


def test_on_another_machine_times_are_unknown_and_memory_and_errors_are_compared() -> None:
    then = signed("one", load(), machine=OTHER_MACHINE)
    result = judged(load({"GET /b": 5.0}, memory=6e7), None, then)
    by_name = {(one.measurement, one.scope): one for one in result.judgements if one.kind == "baseline"}
    assert by_name[("load.p95", "GET /b")].verdict is Verdict.UNKNOWN
    assert "was measured on another machine (cores: 4 and 2)" in by_name[("load.p95", "GET /b")].reason
    assert by_name[("load.memory", "")].verdict is Verdict.FAIL
    assert by_name[("load.errors", "GET /b")].verdict is Verdict.PASS
    assert not [one for one in result.judgements if one.kind == "relative"]


@pytest.mark.parametrize("missing", sorted(MACHINE))
def test_a_machine_that_is_not_known_is_another_one(missing: str) -> None:
    then = signed("one", bench(0.01), machine={key: value for key, value in MACHINE.items() if key != missing})
    assert "another machine" in only(judged(bench(0.01), None, then), "baseline").reason


def test_too_few_repetitions_say_how_many_are_enough() -> None:
    result = judged(bench(0.01, waves=(0.0,)), None, signed("one", bench(0.01, waves=(0.0, 0.1))))
    one = only(result, "baseline")
    assert one.verdict is Verdict.UNKNOWN
    assert "(2 in one, 1 now; three and three are enough)" in one.reason
    assert "`epochs` of a load gate, `processes` of a benchmark gate" in one.hint


def test_a_percentile_of_a_handful_of_requests_is_not_compared() -> None:
    def thin(total: int, name: str = "load.p95") -> GateResult:
        return gate("load", "locust", measurements=[measured(name, 0.1, total=total)])

    one = only(judged(thin(119), None, signed("one", thin(6000))), "baseline")
    assert one.verdict is Verdict.UNKNOWN
    assert "it needs 120 requests, and this run had 119" in one.reason
    assert one.hint == "load it longer, or at a higher rate"
    assert only(judged(thin(6000), None, signed("one", thin(119))), "baseline").ratio is None
    assert only(judged(thin(120), None, signed("one", thin(120))), "baseline").ratio is not None


def test_the_slowest_hundredth_is_left_out_and_said_to_be_where_it_is_too_thin() -> None:
    def thin(total: int) -> GateResult:
        both = [measured("load.p50", 0.1, total=total), measured("load.p99", 0.1, total=total)]
        return gate("load", "locust", measurements=both)

    one = only(judged(thin(5999), None, signed("one", thin(5999))), "baseline", "load.p99")
    assert one.verdict is Verdict.SKIPPED
    assert "it needs 6000 requests, and this run had 5999" in one.reason
    assert only(judged(thin(6000), None, signed("one", thin(6000))), "baseline", "load.p99").ratio is not None


def test_what_is_no_longer_measured_is_unknown() -> None:
    now = gate(
        "load", "locust", measurements=[one for one in load().readings.measurements if one.name != "load.memory"]
    )
    one = only(judged(now, None, signed("one", load())), "baseline", "load.memory")
    assert one.verdict is Verdict.UNKNOWN
    assert "load.memory was 40 MB in one and was not measured this time" in one.reason


def test_a_new_operation_has_nothing_to_be_compared_with() -> None:
    result = judged(load(), None, signed("one", gate("load", "locust", measurements=[measured("load.p95", 0.02)])))
    assert [one.scope for one in result.judgements if one.kind == "baseline"] == [""]


def test_one_suspicious_comparison_of_many_is_not_yet_proof() -> None:
    def many(count: int, value: float) -> GateResult:
        first = measured("bench.median", value, "test_0")
        return gate(
            "bench", measurements=[first, *(measured("bench.median", 0.01, f"test_{n}") for n in range(1, count))]
        )

    alone = only(judged(many(1, 0.0155), None, signed("one", many(1, 0.01))), "baseline")
    assert alone.verdict is Verdict.FAIL
    among = only(judged(many(9, 0.0155), None, signed("one", many(9, 0.01))), "baseline", scope="test_0")
    assert among.verdict is Verdict.UNKNOWN
    assert among.low is not None
    assert among.low > 1.01
    assert "(as one of 9 comparisons, this is not yet proof)" in among.reason


# Failing answers.


def failing(count: int, *, total: int = 1000, speed: float = 1.0) -> GateResult:
    kept = [
        one
        for one in load({"GET /b": speed}).readings.measurements
        if (one.name, one.scope) != ("load.errors", "GET /b")
    ]
    return gate("load", "locust", measurements=[*kept, share("load.errors", count, total, "GET /b", "lower")])


def test_where_failures_rose_the_failures_are_reported_and_not_the_times() -> None:
    result = judged(failing(30, speed=0.1), None, signed("one", failing(1)))
    (errors,) = [one for one in result.judgements if (one.measurement, one.scope) == ("load.errors", "GET /b")]
    assert errors.verdict is Verdict.FAIL
    assert "load.errors of GET /b is 3 % (30 of 1000); it was 0.1 % (1 of 1000) in one; times are not" in errors.reason
    assert not [one for one in result.judgements if one.scope == "GET /b" and one.measurement != "load.errors"]
    assert [one for one in result.judgements if one.scope == "GET /c" and one.kind == "relative"]


def test_a_few_more_failures_are_chance() -> None:
    result = judged(failing(4), None, signed("one", failing(1)))
    assert not [one for one in result.judgements if one.verdict is Verdict.FAIL]
    assert [one for one in result.judgements if one.scope == "GET /b" and one.measurement == "load.p95"]
    (errors,) = [one for one in result.judgements if (one.measurement, one.scope) == ("load.errors", "GET /b")]
    assert errors.reason.endswith("it was 0.1 % (1 of 1000) in one")


def test_times_of_an_operation_that_mostly_failed_at_the_sign_off_are_not_held_against_it() -> None:
    result = judged(failing(0, speed=10.0), None, signed("one", failing(900)))
    assert not [one for one in result.judgements if one.scope == "GET /b" and one.measurement != "load.errors"]


def test_failures_without_counts_cannot_be_compared() -> None:
    bare = gate("load", "locust", measurements=[number("load.errors", 0.0, "ratio", scope="GET /b")])
    assert only(judged(bare, None, signed("one", bare)), "baseline").verdict is Verdict.UNKNOWN


# The best earlier phase.


def phases(*values: float, machine: Mapping[str, str] = MACHINE) -> list[Earlier]:
    return [signed(f"p{number}", bench(value), machine=machine) for number, value in enumerate(values, 1)]


def test_small_losses_cannot_add_up() -> None:
    result = judged(bench(0.02), policy(performance=0.5), *phases(0.01, 0.0135, 0.0165))
    assert only(result, "baseline").verdict is Verdict.UNKNOWN
    best = only(result, "best")
    assert (best.verdict, best.ratio) == (Verdict.FAIL, pytest.approx(2.0))
    assert "that of the best earlier phase, p1" in best.reason


def test_the_best_of_many_phases_has_to_be_missed_by_more() -> None:
    few = only(judged(bench(0.0175), None, *phases(0.01, 0.011)), "best")
    many = only(judged(bench(0.0175), None, *phases(0.01, *[0.011] * 12)), "best")
    assert (few.ratio, few.verdict, many.ratio, many.verdict) == (many.ratio, Verdict.FAIL, few.ratio, Verdict.UNKNOWN)


def test_the_previous_phase_is_not_compared_with_twice_nor_another_machine_at_all() -> None:
    assert not [one for one in judged(bench(0.01), None, *phases(0.02, 0.01)).judgements if one.kind == "best"]
    elsewhere = [*phases(0.001, machine=OTHER_MACHINE), signed("last", bench(0.01))]
    assert not [one for one in judged(bench(0.01), None, *elsewhere).judgements if one.kind == "best"]


def test_a_loss_that_was_signed_for_binds_no_longer() -> None:
    first = signed("one", bench(0.005))
    second = after("two", bench(0.02), None, first)
    assert second.run.gates[0].verdict is Verdict.FAIL
    result = judged(bench(0.02), None, first, second)
    assert not [one for one in result.judgements if one.kind == "best" or one.verdict is Verdict.FAIL]


def test_a_loss_against_the_other_operations_that_was_signed_for_binds_no_longer() -> None:
    first = signed("one", load())
    second = after("two", load({"GET /b": 1.5}), None, first)
    losses = [one for one in second.run.gates[0].judgements if one.verdict is Verdict.FAIL]
    assert {(one.kind, one.scope) for one in losses} == {("relative", "GET /b")}
    best = [one for one in judged(load({"GET /b": 1.5}), None, first, second).judgements if one.kind == "best"]
    assert [one for one in best if one.scope == "GET /b"] == []


# Debts in time.


def test_a_time_that_missed_its_target_at_the_sign_off_may_not_get_worse() -> None:
    rules = policy({"benchmark.test_a": "<= 5 ms"})
    first = after("one", bench(0.01), rules)
    same = only(judged(bench(0.012), rules, first), "target")
    assert (same.verdict, same.debt) == (Verdict.PASS, True)
    worse = only(judged(bench(0.025), rules, first), "target")
    assert (worse.verdict, worse.debt) == (Verdict.FAIL, False)
    assert "known debt since one got worse: it was 10 ms in one" in worse.reason


# False alarms, simulated.


def noisy(rng: random.Random, slow: Mapping[int, float] | None = None) -> GateResult:
    """One run of a build: a share of its own, waves that all operations feel, and each operation's own noise."""
    run, waves = rng.gauss(0, 0.15), [rng.gauss(0, 0.08) for _ in range(6)]
    found = []

    def add(name: str, level: float, sd: float, scope: str = "", total: int = 1200) -> None:
        samples = tuple(level * math.exp(run + wave + rng.gauss(0, sd)) for wave in waves)
        found.append(Measurement(name, sorted(samples)[3], "s", "lower", scope, total=total, samples=samples))

    for position in range(8):
        scope, own = f"GET /{position}", (slow or {}).get(position, 1.0) * math.exp(rng.gauss(0, 0.02))
        add("load.p50", 0.004 * own, 0.03, scope)
        add("load.p95", 0.012 * own, 0.06, scope)
        errors = sum(rng.random() < 0.001 for _ in range(1200))
        found.append(share("load.errors", errors, 1200, scope, "lower"))
    for name, level in (("load.p50", 0.005), ("load.p95", 0.02), ("load.p99", 0.05)):
        add(name, level, 0.04, total=9600)
    starts = tuple(4e7 * math.exp(rng.gauss(0, 0.02)) for _ in range(6))
    found.append(Measurement("load.memory", max(starts), "B", "lower", samples=starts))
    return gate("load", "locust", measurements=found)


def failures(result: GateResult) -> list[Judgement]:
    return [one for one in result.judgements if one.verdict is Verdict.FAIL]


def test_the_same_build_measured_twice_does_not_fail() -> None:
    rng = random.Random(20)
    alarms = sum(bool(failures(judged(noisy(rng), None, signed("one", noisy(rng)), classes={}))) for _ in range(300))
    assert alarms <= 3


def test_a_slow_operation_is_found_under_the_same_noise_and_no_other_is_blamed() -> None:
    rng = random.Random(21)
    found, blamed = 0, 0
    for _ in range(60):
        result = judged(noisy(rng, {2: 1.6}), None, signed("one", noisy(rng)), classes={})
        relative = [one for one in failures(result) if one.kind == "relative"]
        found += any(one.scope == "GET /2" for one in relative)
        blamed += any(one.scope != "GET /2" for one in relative)
    assert found >= 57
    assert blamed <= 1


@pytest.mark.parametrize("waves", [(0.0,), WAVES])
def test_a_debt_in_time_is_not_held_against_another_machine(waves: tuple[float, ...]) -> None:
    rules = policy({"benchmark.test_a": "<= 5 ms"})
    then = judged(bench(0.01, waves=waves), rules)
    elsewhere = judged(bench(0.025, waves=waves), rules, signed("one", then, machine=OTHER_MACHINE))
    assert only(elsewhere, "target").debt
    assert only(elsewhere, "baseline").verdict is Verdict.UNKNOWN


def test_a_debt_in_time_with_too_few_repetitions_has_the_tolerance() -> None:
    rules = policy({"benchmark.test_a": "<= 5 ms"})
    first = after("one", bench(0.01, waves=(0.0,)), rules)
    assert only(judged(bench(0.0104, waves=(0.0,)), rules, first), "target").debt
    assert only(judged(bench(0.0106, waves=(0.0,)), rules, first), "target").verdict is Verdict.FAIL


def breath(slow: float = 1.0, epochs: int = 1) -> GateResult:
    """A load gate of so many epochs, as the profile `smoke` has one."""
    one = [
        measured(name, value * slow, scope, total=60, waves=WAVES[:epochs])
        for name, value, scope in (("load.p50", 0.002, ""), ("load.p95", 0.005, ""), ("load.p95", 0.005, "GET /a"),
                                   ("load.throughput", 50.0, ""), ("load.memory", 4e7, ""))
    ]  # fmt: skip
    rows = [Epoch(number + 1, 3.0, {"valid": 1.0}) for number in range(epochs)]
    return gate("load", "locust", measurements=one, epochs=rows)


def test_of_two_single_epochs_only_the_targets_are_judged_and_that_is_said() -> None:
    rules = policy({"load.memory": "<= 512 MB"})
    result = judged(breath(slow=1.3), rules, signed("one", breath()), classes={})
    assert result.verdict is Verdict.PASS
    skipped = [one for one in result.judgements if one.verdict is Verdict.SKIPPED]
    assert {one.measurement for one in skipped} == {"load.p50", "load.p95", "load.throughput", "load.memory"}
    assert all("both were loaded in a single epoch, as the profile says" in one.reason for one in skipped)
    assert "only its targets are judged" in skipped[0].hint
    assert judged(breath(), policy({"load.memory": "<= 1 MB"}), signed("one", breath())).verdict is Verdict.FAIL


def test_a_load_that_shrank_to_one_epoch_is_undecided_as_before() -> None:
    result = judged(breath(), None, signed("one", breath(epochs=2)), classes={})
    assert result.verdict is Verdict.UNKNOWN
    assert not [one for one in result.judgements if one.verdict is Verdict.SKIPPED]


def test_what_waits_behind_a_slow_operation_points_to_it() -> None:
    result = judged(load({"GET /b": 2.2}, factor=1.9), None, signed("one", load()), classes={})
    failed = [one for one in result.judgements if one.verdict is Verdict.FAIL]
    assert failed[0].scope == "GET /b"
    assert (result.reason or "").startswith("load.p95 of GET /b is 4.18×")
    behind = only(result, "baseline", "load.p95", "GET /a")
    assert "probably because of GET /b (2.20×): what waits behind it becomes slower as well" in behind.reason
