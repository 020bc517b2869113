"""Judging as a whole: the order of verdicts, judging again, and what is told of changed demands and configurations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judging import after, cases, finding, gate, judged, number, policy, share, signed

from gates.compare import Earlier, configuration_changes, judge, policy_changes
from gates.demands import policy_from_data, policy_to_data
from gates.results import FindingState, Gap, GateResult, Measurement, OperationSeen, Severity, Subject, Verdict

RULES = policy({"coverage.lines": ">= 90 %", "security.high": "== 0"})


def busy(verdict: Verdict = Verdict.PASS) -> GateResult:
    """A gate in which everything that is judged happens at once."""
    return gate(
        "all", "tool", verdict=verdict, reason=None if verdict is Verdict.PASS else "killed by SIGKILL", hint="",
        items=["endpoints", "tests"],
        measurements=[
            share("coverage.lines", 80, 100), number("security.high", 2),
            Measurement("load.p95", 0.01, "s", "lower", "GET /a", total=900, samples=(0.01, 0.011, 0.012)),
        ],
        findings=[finding(), finding(mark="f2", state=FindingState.FLAKY)],
        subjects=[*cases(test_x="failed", test_y="skipped"), Subject("operation", "GET /a", "tested")],
        operations=[OperationSeen("GET /a", {200: 1}, True), OperationSeen("GET /b", {404: 1}, False)],
        gaps=[Gap("GET /c", "no time")],
    )  # fmt: skip


def before() -> Earlier:
    return after(
        "one",
        gate(
            "all", "tool", items=["endpoints", "tests"],
            measurements=[share("coverage.lines", 85, 100), number("security.high", 1)],
            findings=[finding(mark="old")],
            subjects=[
                *cases(test_x="failed", test_y="passed", test_z="passed"), Subject("operation", "GET /old", "tested")
            ],
        ),
        RULES,
    )  # fmt: skip


@pytest.mark.parametrize("verdict", [Verdict.PASS, Verdict.ERROR, Verdict.UNKNOWN])
@pytest.mark.parametrize("with_baseline", [True, False])
def test_judging_a_judged_result_again_gives_the_same(verdict: Verdict, with_baseline: bool) -> None:
    earlier = [before()] if with_baseline else []
    once = judged(busy(verdict), RULES, *earlier)
    assert once.judgements
    assert judged(once, RULES, *earlier) == once


def test_a_judged_result_keeps_what_the_engine_said_when_it_is_judged_by_other_rules() -> None:
    raw = gate(
        "scan", "x", verdict=Verdict.ERROR, reason="a file could not be read", measurements=[number("security.high", 1)]
    )
    strict = judged(raw, policy({"security.high": "== 0"}))
    assert strict.verdict is Verdict.FAIL
    lenient = judged(strict, policy({"security.high": "<= 5"}))
    assert (lenient.verdict, lenient.reason) == (Verdict.ERROR, "a file could not be read")


def test_a_fail_outweighs_missing_evidence_and_its_reason_is_told() -> None:
    result = judged(gate(findings=[finding(fix="repair it")], gaps=[Gap("GET /c", "no time", "more time")]))
    assert (result.verdict, result.hint) == (Verdict.FAIL, "repair it")


def test_a_gate_that_passes_has_no_reason_left() -> None:
    result = judged(gate(measurements=[number("n", 1)], hint="left over"))
    assert (result.verdict, result.reason, result.hint) == (Verdict.PASS, None, "")


def test_the_previous_phase_counts_once_even_when_it_is_not_among_the_earlier_ones() -> None:
    previous = signed("one", gate("fuzz", findings=[finding()]))
    for earlier in ([], [previous]):
        result = judge(
            gate("fuzz", findings=[finding()]), policy=policy(), classes={}, previous=previous, earlier=earlier,
            machine={}, target_owners={},
        )  # fmt: skip
        assert result.verdict is Verdict.PASS


def test_changed_demands_are_told_in_sentences() -> None:
    then = policy({"coverage.lines": ">= 90 %", "load.memory": "<= 1 MB"}, left_out={"auth": "no users yet"})
    now = policy(
        {"coverage.lines": ">= 80 %", "security.high": "== 0"}, left_out={"database": "there is none"},
        performance=0.1, coverage=0.01, findings="any",
    )  # fmt: skip
    assert policy_changes(then, then) == []
    assert policy_changes(policy_from_data(policy_to_data(then)), now) == [
        "targets.coverage.lines was >= 90 %, is >= 80 %",
        "targets.load.memory was <= 1 MB, is no longer demanded",
        "targets.security.high is new: == 0",
        "baseline.performance was 5 %, is 10 %",
        "baseline.coverage was 0 points, is 1 points",
        "baseline.findings was 'none new', is 'any'",
        "the item auth was left out, and counts again",
        "the item database is left out now: there is none",
    ]


def test_changed_configurations_versions_and_gates_are_told() -> None:
    then = signed(
        "one",
        gate(
            "scan",
            "bandit",
            measurements=[number("n", 1)],
            configurations={"bandit": "a"},
            versions={"bandit": "1.9.3"},
        ),
        gate("load", "locust", measurements=[number("n", 1)]),
        gate("fuzz", "schemathesis", measurements=[number("n", 1)], configurations={"schemathesis": "a"}),
    )
    now = [
        gate(
            "scan",
            "bandit",
            measurements=[number("n", 1)],
            configurations={"bandit": "b"},
            versions={"bandit": "1.9.4"},
        ),
        gate("fuzz", "schemathesis", verdict=Verdict.SKIPPED, reason="--skip"),
    ]
    assert configuration_changes(then, now) == [
        "the gate load (locust) was there in one, and is gone",
        "the effective configuration of bandit of scan changed since one",
        "bandit is 1.9.4, and was 1.9.3 in one",
    ]
    renamed = [replace(gate, gate="security") if gate.gate == "scan" else gate for gate in now]
    assert "the gate scan" not in " ".join(configuration_changes(then, renamed))
    assert configuration_changes(then, list(then.run.gates)) == []


def test_another_reason_for_leaving_an_item_out_is_told() -> None:
    then, now = (policy(left_out={"auth": reason}) for reason in ("no users yet", "it is a public service"))
    assert policy_changes(then, now) == ["the item auth is left out for another reason: it is a public service"]


def test_severities_and_states_reach_the_result() -> None:
    result = judged(busy(), RULES, before())
    assert {
        found.rule: found.state for found in result.readings.findings if found.rule.startswith(("tests", "op"))
    } == {
        "tests.failed": FindingState.KNOWN,
        "tests.newly-skipped": FindingState.NEW,
        "tests.vanished": FindingState.NEW,
        "operation.vanished": FindingState.NEW,
    }
    assert {found.severity for found in result.readings.findings} == {Severity.HIGH, Severity.MEDIUM}
