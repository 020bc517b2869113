from __future__ import annotations

from typing import Any

import pytest
from judging import CLASSES, after, gate, judged, number, only, policy, share, signed

from gates.compare.demanded import targets_without_evidence
from gates.demands import Policy, Tolerances, parse_demand
from gates.results import Gap, GateResult, Measurement, Verdict
from gates.targets import TARGETS, find_measurements, find_owners, kind_of
from gates.tools.command import Command
from gates.tools.locust import Locust


def p95(scope: str, value: float, total: int | None = 500) -> Measurement:
    return Measurement("load.p95", value, "s", "lower", scope, total=total)


def load(*measurements: Measurement) -> GateResult:
    return gate("load", "locust", measurements=list(measurements))


def test_every_operation_of_a_class_is_judged_at_its_value() -> None:
    result = judged(
        load(p95("GET /orders", 0.0999), p95("GET /orders/{id}", 0.113), p95("POST /orders", 0.3)),
        policy({"response_time.simple": "<= 100 ms", "response_time.complex": "<= 500 ms"}),
    )
    assert only(result, "target", scope="GET /orders").verdict is Verdict.PASS
    assert only(result, "target", scope="POST /orders").demand == "<= 500 ms"
    assert only(result, "target", scope="POST /orders").verdict is Verdict.PASS
    assert result.verdict is Verdict.FAIL
    assert result.reason == "load.p95 of GET /orders/{id} is 113 ms, demanded is <= 100 ms"
    assert "[operations]" in result.hint


def test_an_operation_that_no_document_names_is_classed_by_its_method() -> None:
    result = judged(load(p95("GET /unknown", 0.2)), policy({"response_time.simple": "<= 100 ms"}))
    assert result.verdict is Verdict.FAIL


def test_few_requests_say_when_a_limit_is_missed_but_never_that_it_is_met() -> None:
    rules = policy({"response_time.simple": "<= 100 ms"})
    thin = judged(load(p95("GET /orders", 0.05, 99)), rules)
    assert thin.verdict is Verdict.UNKNOWN
    assert thin.reason == "load.p95 of GET /orders needs at least 100 requests to be judged, and there were 99"
    assert judged(load(p95("GET /orders", 0.05, None)), rules).verdict is Verdict.UNKNOWN
    assert judged(load(p95("GET /orders", 0.2, 60)), rules).verdict is Verdict.UNKNOWN
    slow = Measurement("load.p50", 0.15, "s", "lower", "GET /orders")
    assert judged(load(p95("GET /orders", 0.2, 60), slow), rules).verdict is Verdict.FAIL
    assert judged(load(p95("GET /orders", 0.2, 4), slow), rules).verdict is Verdict.UNKNOWN
    assert judged(load(p95("GET /orders", 0.05, 100)), rules).verdict is Verdict.PASS


def test_failing_answers_do_not_meet_a_response_time() -> None:
    result = judged(
        load(p95("GET /orders", 0.001), share("load.errors", 60, 500, "GET /orders", "lower")),
        policy({"response_time.simple": "<= 100 ms"}),
    )
    assert result.verdict is Verdict.UNKNOWN
    assert "12 % of its answers failed" in (result.reason or "")


def test_one_operation_or_a_pattern_of_them_can_be_named() -> None:
    rules = policy({"operation.GET /orders*": "<= 50 ms"})
    result = judged(load(p95("GET /orders", 0.04), p95("GET /orders/{id}", 0.06), p95("POST /orders", 9.0)), rules)
    assert {one.scope: one.verdict for one in result.judgements if one.kind == "target"} == {
        "GET /orders": Verdict.PASS,
        "GET /orders/{id}": Verdict.FAIL,
    }


def test_a_target_that_matched_no_operation_is_unknown_and_names_the_nearest() -> None:
    result = judged(load(p95("GET /orders", 0.04)), policy({"operation.GET /order": "<= 50 ms"}))
    assert result.verdict is Verdict.UNKNOWN
    assert result.reason == "the target operation.GET /order matched no operation in load; the nearest is GET /orders"


def medians(*names: str) -> list[Measurement]:
    return [number("bench.median", 0.01, "s", scope=name) for name in names]


def test_benchmarks_are_named_with_brackets_and_stars() -> None:
    rules = policy({"benchmark.test_sort[1-2]": "<= 1 s", "benchmark.test_*[big]": "<= 1 ms"})
    bench = gate("bench", "benchmark", measurements=medians("test_sort[1-2]", "test_sort1", "test_sum[big]"))
    result = judged(bench, rules)
    assert {one.scope: one.verdict for one in result.judgements if one.kind == "target"} == {
        "test_sort[1-2]": Verdict.PASS,
        "test_sum[big]": Verdict.FAIL,
    }
    renamed = judged(
        gate("bench", "benchmark", measurements=medians("test_sorting")), policy({"benchmark.test_sort": "<= 1 s"})
    )
    assert renamed.verdict is Verdict.UNKNOWN
    assert "the nearest is test_sorting" in (renamed.reason or "")


def test_a_default_is_silent_where_there_is_nothing_of_the_kind_and_a_written_target_is_not() -> None:
    targets = {"response_time.external": "<= 1 s"}
    silent = judged(load(p95("GET /orders", 0.1)), policy(targets, defaults=["response_time.external"]))
    assert silent.verdict is Verdict.PASS
    assert not [one for one in silent.judgements if one.kind == "target"]
    written = judged(load(p95("GET /orders", 0.1)), policy(targets))
    assert written.verdict is Verdict.UNKNOWN
    assert "no operation is of class external" in (written.reason or "")


def test_a_default_is_not_silent_where_operations_of_the_class_were_not_loaded() -> None:
    rules = policy({"response_time.complex": "<= 500 ms"}, defaults=["response_time.complex"])
    result = judged(load(p95("GET /orders", 0.1)), rules)
    assert result.verdict is Verdict.UNKNOWN
    assert "found no request to POST /orders in load" in (result.reason or "")


def test_a_default_that_a_gate_should_have_brought_is_unknown() -> None:
    rules = policy({"coverage.lines": ">= 90 %"}, defaults=["coverage.lines"])
    result = judged(gate("tests", "coverage", measurements=[number("tests.total", 4)]), rules)
    assert result.verdict is Verdict.UNKNOWN
    assert "looked for covered lines in tests, and found none" in (result.reason or "")


def test_a_gap_that_says_why_is_enough() -> None:
    result = judged(
        gate("tests", "coverage", gaps=[Gap("coverage", "no data was written")]), policy({"coverage.lines": ">= 90 %"})
    )
    assert [one.reason for one in result.judgements if one.verdict is Verdict.UNKNOWN] == [
        "coverage: no data was written"
    ]


def test_a_gate_that_did_not_end_well_is_not_asked_for_what_is_missing() -> None:
    broken = gate("load", "locust", verdict=Verdict.ERROR, reason="killed", measurements=[p95("GET /orders", 9.0)])
    result = judged(broken, policy({"response_time.simple": "<= 100 ms", "load.memory": "<= 1 MB"}))
    # What was measured still counts, and a fail outweighs an error.
    assert result.verdict is Verdict.FAIL
    assert {one.measurement for one in result.judgements if one.kind == "target"} == {"load.p95"}


@pytest.mark.parametrize(("covered", "verdict"), [(57, Verdict.PASS), (56, Verdict.FAIL)])
def test_shares_are_met_exactly(covered: int, verdict: Verdict) -> None:
    # 57 * 0.01 is 0.5700000000000001.
    tests = gate("tests", "coverage", measurements=[share("coverage.lines", covered, 100)])
    assert judged(tests, policy({"coverage.lines": ">= 57 %"})).verdict is verdict


def test_a_unit_that_does_not_fit_is_unknown() -> None:
    result = judged(gate("own", "command", measurements=[number("own.size", 3, "s")]), policy({"own.size": "<= 4"}))
    assert result.verdict is Verdict.UNKNOWN
    assert "measured in s" in (result.reason or "")


def test_numbers_of_a_command_are_judged_by_their_name() -> None:
    own = gate("own", "command", measurements=[number("own.size", 3), number("own.size", 9, scope="part")])
    assert judged(own, policy({"own.size": "<= 4"})).verdict is Verdict.PASS
    missing = judged(own, policy({"own.sise": "<= 4"}))
    assert missing.verdict is Verdict.UNKNOWN
    assert "a number own.sise in own, and found none; the nearest is own.size" in (missing.reason or "")


def test_coverage_of_nothing_is_unknown_but_no_changed_line_is_fine() -> None:
    rules = policy({"coverage.lines": ">= 90 %", "coverage.changed_lines": ">= 95 %"})
    nothing = gate(
        "tests", "coverage", measurements=[share("coverage.lines", 0, 0), share("coverage.changed_lines", 0, 0)]
    )
    result = judged(nothing, rules)
    assert only(result, "target", "coverage.lines").verdict is Verdict.UNKNOWN
    assert only(result, "target", "coverage.changed_lines").verdict is Verdict.PASS


def test_changed_lines_need_an_earlier_phase() -> None:
    rules = policy({"coverage.changed_lines": ">= 95 %"})
    tests = gate("tests", "coverage", measurements=[share("coverage.lines", 9, 10)])
    assert judged(tests, rules).verdict is Verdict.PASS
    assert judged(tests, rules, signed("one", tests)).verdict is Verdict.UNKNOWN


# Debt: what failed at a sign-off that accepted it.


def scan(high: int) -> GateResult:
    return gate("scan", "bandit", measurements=[number("security.high", high)])


def covered(count: int, total: int = 100) -> GateResult:
    return gate("tests", "coverage", measurements=[share("coverage.lines", count, total)])


@pytest.mark.parametrize(
    ("rules", "then", "now", "verdict"),
    [
        (policy({"coverage.lines": ">= 90 %"}), covered(71), covered(71), Verdict.PASS),
        (policy({"coverage.lines": ">= 90 %"}), covered(71), covered(142, 200), Verdict.PASS),
        (policy({"coverage.lines": ">= 90 %"}), covered(71), covered(7099, 10000), Verdict.FAIL),
        (policy({"security.high": "== 0"}), scan(3), scan(3), Verdict.PASS),
        (policy({"security.high": "== 0"}), scan(3), scan(2), Verdict.PASS),
        (policy({"security.high": "== 0"}), scan(3), scan(4), Verdict.FAIL),
    ],
)
def test_an_accepted_debt_passes_while_it_does_not_get_worse(
    rules: Policy, then: GateResult, now: GateResult, verdict: Verdict
) -> None:
    result = judged(now, rules, after("one", then, rules))
    debt = only(result, "target")
    assert debt.verdict is verdict
    assert debt.debt is (verdict is Verdict.PASS)
    assert ("known debt since one: " if verdict is Verdict.PASS else "got worse: it was") in debt.reason


def test_a_debt_keeps_its_origin_over_phases_and_is_repaired_once() -> None:
    rules = policy({"security.high": "== 0"})
    first = after("one", scan(3), rules)
    second = after("two", scan(2), rules, first)
    third = judged(scan(2), rules, first, second)
    assert only(third, "target").reason.startswith("known debt since one: ")
    # The level of the last sign-off binds, not that of the first.
    assert judged(scan(3), rules, first, second).verdict is Verdict.FAIL
    repaired = after("three", scan(0), rules, first, second)
    assert "repaired, it was known debt since one" in only(repaired.run.gates[0], "target").reason
    again = judged(scan(1), rules, first, second, repaired)
    assert again.verdict is Verdict.FAIL


def test_a_target_that_was_met_is_no_debt() -> None:
    rules = policy({"coverage.lines": ">= 90 %"})
    assert judged(covered(71), rules, after("one", covered(95), rules)).verdict is Verdict.FAIL


def test_a_debt_that_can_no_longer_be_seen_is_unknown() -> None:
    rules = policy({"security.high": "== 0"})
    blind = gate("scan", "bandit", measurements=[number("security.lines", 10, better="neither")])
    assert judged(blind, rules, after("one", scan(3), rules)).verdict is Verdict.UNKNOWN


def test_missing_evidence_that_was_accepted_does_not_excuse_a_failure() -> None:
    rules = policy({"security.high": "== 0"})
    blind = gate("scan", "bandit", measurements=[number("security.lines", 10, better="neither")])
    first = after("one", blind, rules)
    owed = judged(blind, rules, first)
    assert (owed.verdict, only(owed, "target").debt) == (Verdict.PASS, True)
    second = after("two", blind, rules, first)
    assert judged(scan(1), rules, first, second).verdict is Verdict.FAIL


def test_changed_lines_are_other_lines_in_each_phase_and_never_a_debt() -> None:
    def changed(count: int) -> GateResult:
        return gate("tests", "coverage", measurements=[share("coverage.changed_lines", count, 100)])

    rules = policy({"coverage.changed_lines": ">= 95 %"})
    assert judged(changed(80), rules, after("one", changed(70), rules)).verdict is Verdict.FAIL


def test_a_tightened_target_still_continues_its_debt() -> None:
    first = after("one", scan(3), policy({"security.high": "<= 1"}))
    assert judged(scan(3), policy({"security.high": "== 0"}), first).verdict is Verdict.PASS


@pytest.mark.parametrize(
    ("unit", "then", "now", "verdict"),
    [("s", 0.20, 0.205, Verdict.PASS), ("s", 0.20, 0.22, Verdict.FAIL), ("B", 100.0, 104.0, Verdict.PASS)],
)
def test_a_debt_in_time_without_repetitions_has_the_tolerance(
    unit: str, then: float, now: float, verdict: Verdict
) -> None:
    dimension: Any = {"s": "time", "B": "size"}[unit]
    rules = Policy({"own.n": parse_demand("<= 0.1 s" if unit == "s" else "<= 1 B", dimension)}, Tolerances(), {})

    def own(value: float) -> GateResult:
        return gate("own", "command", measurements=[number("own.n", value, unit)])

    assert judged(own(now), rules, after("one", own(then), rules)).verdict is verdict


def test_a_debt_in_failing_answers_is_compared_beyond_chance() -> None:
    def errors(count: int) -> GateResult:
        return load(share("load.errors", count, 1000, better="lower"))

    rules = policy({"load.errors": "<= 0.1 %"})
    first = after("one", errors(30), rules)
    assert only(judged(errors(33), rules, first), "target").debt
    assert only(judged(errors(70), rules, first), "target").verdict is Verdict.FAIL


# Who brings what.


def test_owners_are_found_by_what_a_gate_measures() -> None:
    measures = {
        "tests": ("coverage.", "tests."), "load": ("load.",), "coverage": ("coverage.lines",), "own": ("own.size",),
    }  # fmt: skip
    assert find_owners(
        ["coverage.lines", "response_time.simple", "operation.GET /x", "own.size", "database.connections"], measures
    ) == {
        "coverage.lines": ("tests", "coverage"),
        "response_time.simple": ("load",),
        "operation.GET /x": ("load",),
        "own.size": ("own",),
        "database.connections": (),
    }
    # A load gate sees connections to databases; a command gate may count them better.
    names = {"load": ("load.", "database.connections"), "database": ("database.connections",)}
    assert find_owners(["database.connections"], names) == {"database.connections": ("load", "database")}


def test_the_name_of_a_command_gate_does_not_make_it_the_owner_of_what_a_tool_measures() -> None:
    load = Command(command="true", numbers={"seconds": {"pattern": "([0-9]+) s", "unit": "s"}})
    measures = {"load": load.measured_as("load"), "real": Locust().measured_as("real")}
    assert find_owners(["load.errors", "response_time.simple", "load.seconds"], measures) == {
        "load.errors": ("real",), "response_time.simple": ("real",), "load.seconds": ("load", "real"),
    }  # fmt: skip
    assert find_owners(["load.errors"], {"load": Command(command="true").measured_as("load")}) == {"load.errors": ()}


def test_every_target_has_a_measurement_that_it_finds() -> None:
    for name, kind in TARGETS.items():
        scope = {"whole": "", "class": "GET /x", "operation": "GET /x", "benchmark": "GET /x"}[kind.reach]
        full = f"{name}GET /x" if name.endswith(".") else name
        assert kind_of(full) is kind
        wanted = name.rpartition(".")[2]
        found = find_measurements(full, [number(kind.measurement, 1, scope=scope)], {"GET /x": wanted})
        assert len(found) == 1, name
    assert kind_of("own.size") is None


def evidence(
    rules: Policy, owners: dict[str, tuple[str, ...]], *gates: GateResult
) -> list[tuple[str, str | None, str]]:
    return [*targets_without_evidence(rules, owners, gates, CLASSES)]


def test_a_written_target_that_no_gate_brings_is_missed_and_a_default_is_not() -> None:
    rules = policy({"database.connections": "<= 20"})
    (missing,) = evidence(rules, {}, gate())
    assert missing[:2] == ("database.connections", "database")
    assert "no gate here measures what the target database.connections demands" in missing[2]
    assert evidence(policy({"database.connections": "<= 20"}, defaults=["database.connections"]), {}, gate()) == []


def test_a_target_of_several_gates_needs_one_of_them() -> None:
    rules = policy({"benchmark.test_a": "<= 1 s"})
    owners = {"benchmark.test_a": ("fast", "slow")}
    fast, slow = gate("fast", measurements=medians("test_a")), gate("slow", measurements=medians("test_b"))
    for one in (fast, slow):
        assert judged(one, rules, target_owners=owners).verdict is Verdict.PASS
    assert evidence(rules, owners, fast, slow) == []
    (missing,) = evidence(rules, owners, gate("fast"), slow)
    assert missing[2] == "the target benchmark.test_a matched no benchmark in fast, slow; the nearest is test_b"


def test_a_default_of_several_gates_is_silent_where_there_is_nothing_of_the_kind() -> None:
    owners = {"response_time.external": ("load", "peak")}
    gates = [load(p95("GET /orders", 0.1)), gate("peak", "locust", measurements=[p95("GET /orders", 0.1)])]
    targets = {"response_time.external": "<= 1 s"}
    assert evidence(policy(targets, defaults=list(targets)), owners, *gates) == []
    assert len(evidence(policy(targets), owners, *gates)) == 1


def test_a_gate_that_broke_says_itself_why_its_targets_are_not_judged() -> None:
    broken = [gate(name, verdict=Verdict.ERROR, reason="killed") for name in ("fast", "slow")]
    rules = policy({"benchmark.test_a": "<= 1 s"})
    assert evidence(rules, {"benchmark.test_a": ("fast", "slow")}, *broken) == []


def test_a_debt_in_a_count_that_should_be_high_may_not_fall() -> None:
    def borne(count: int) -> GateResult:
        return load(number("load.concurrency", count, better="higher"))

    rules = policy({"load.concurrency": ">= 100"})
    first = after("one", borne(60), rules)
    assert [judged(borne(count), rules, first).verdict for count in (61, 60, 59)] == [
        Verdict.PASS, Verdict.PASS, Verdict.FAIL,
    ]  # fmt: skip


def test_a_debt_that_got_worse_and_was_accepted_again_begins_there() -> None:
    rules = policy({"security.high": "== 0"})
    first = after("one", scan(2), rules)
    second = after("two", scan(3), rules, first)
    assert second.run.gates[0].verdict is Verdict.FAIL
    assert only(judged(scan(3), rules, first, second), "target").reason.startswith("known debt since two: ")


def test_stars_match_in_the_middle_of_a_benchmark() -> None:
    rules = policy({"benchmark.test_*_of_*s": "<= 1 ms"})
    bench = gate("bench", "benchmark", measurements=medians("test_sum_of_lists", "test_of_a", "test_sums", "x_of_s"))
    assert [one.scope for one in judged(bench, rules).judgements if one.kind == "target"] == ["test_sum_of_lists"]
