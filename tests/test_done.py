from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from judging import CLASSES, after, cases, finding, gate, judged, number, policy, share, signed

from gates.compare import Earlier
from gates.demands import Policy
from gates.done import ITEMS, build_done, build_operations, exit_code, run_verdict
from gates.results import (
    DoneItem,
    FindingState,
    Gap,
    GateResult,
    Measurement,
    OperationSeen,
    Severity,
    Subject,
    Verdict,
)

ALL = list(ITEMS)


def item(name: str, *gates: GateResult, rules: Policy | None = None, **options: Any) -> DoneItem:
    rules = rules or policy()
    options.setdefault("target_owners", dict.fromkeys(rules.targets, ("gate",)))
    done = build_done(gates, policy=rules, **{"classes": CLASSES, **options})
    assert [one.item for one in done] == ALL
    assert all(len(one.reasons) == len(one.hints) for one in done)
    return next(one for one in done if one.item == name)


def passing(name: str = "gate", items: Sequence[str] = ("tests",)) -> GateResult:
    return judged(gate(name, "tool", items=items, measurements=[number("n", 1)]))


def with_findings(*findings: Any, items: Sequence[str] = ("security",), earlier: Sequence[Earlier] = ()) -> GateResult:
    return judged(gate("gate", "tool", items=items, findings=list(findings)), None, *earlier)


def test_the_items_are_those_of_the_guidelines_in_their_words() -> None:
    assert [one.title for one in ITEMS.values()] == [
        "All API endpoints implemented and tested",
        "Database schema and operations optimized",
        "Authentication and authorization working",
        "Error handling and logging implemented",
        "Performance targets met",
        "Security best practices followed",
        "Unit and integration tests passing",
        "API documentation updated",
        "Phase integration points documented",
    ]


@pytest.mark.parametrize("name", ALL)
def test_an_item_that_no_gate_decides_is_unknown_and_says_what_is_missing(name: str) -> None:
    one = item(name)
    assert one.verdict is Verdict.UNKNOWN
    assert one.reasons == (ITEMS[name].undecided,)  # type: ignore[index]
    assert f'items = ["{name}"]' in one.hints[0]
    assert "[done.leave_out]" in one.hints[0]


def test_an_item_is_the_worst_of_its_gates() -> None:
    broken = gate("b", "x", verdict=Verdict.ERROR, reason="b was killed by SIGKILL", hint="see why", items=["tests"])
    one = item("tests", passing("a"), broken)
    assert (one.verdict, one.gates) == (Verdict.ERROR, ("a", "b"))
    assert (one.reasons, one.hints) == (("b: b was killed by SIGKILL",), ("see why",))
    assert item("tests", passing()).verdict is Verdict.PASS


def test_an_item_that_was_left_out_shows_the_written_reason() -> None:
    failing = with_findings(finding(), items=["auth"])
    one = item("auth", failing, rules=policy(left_out={"auth": "there are no users in this phase"}))
    assert (one.verdict, one.reasons, one.asked) == (Verdict.SKIPPED, ("there are no users in this phase",), True)


def test_reasons_are_the_failing_findings_worst_first_with_what_repairs_them() -> None:
    earlier = [signed("one", gate("gate", "tool", findings=[finding(mark="old", operation="GET /old")]))]
    one = item(
        "security",
        with_findings(
            finding("fuzz.style", Severity.LOW, "a", message="odd", fix="tidy up"),
            finding("fuzz.crash", Severity.HIGH, "b", message="500", operation="GET /a", fix="catch it"),
            finding("fuzz.note", Severity.INFO, "c"),
            finding(mark="old", operation="GET /old"),
            earlier=earlier,
        ),
    )
    assert one.verdict is Verdict.FAIL
    assert one.reasons == ("GET /a: 500 (fuzz.crash, high)", "odd (fuzz.style, low)")
    assert one.hints == ("catch it", "tidy up")
    assert one.known == ("known: GET /old: problem old (fuzz.crash, high)",)


def test_many_findings_of_one_rule_are_one_line_and_many_reasons_are_cut() -> None:
    same = item("security", with_findings(*(finding(mark=f"f{n}") for n in range(9))))
    assert same.reasons == ("problem f0 (fuzz.crash, high) and 8 more of fuzz.crash",)
    others = item("security", with_findings(*(finding(f"fuzz.r{n}", mark=f"f{n}") for n in range(9))))
    assert len(others.reasons) == 6
    assert (others.reasons[-1], others.hints[-1]) == ("and 4 more", "gates explain gate")


def test_what_is_undecided_is_not_lost_behind_many_failures() -> None:
    bad = [finding(f"fuzz.r{n}", mark=f"f{n}") for n in range(9)]
    gaps = [Gap("the login was lost", "it was refused", "exclude it"), Gap("more", "is missing", "bring it")]
    told = item("security", judged(gate(items=["security"], findings=bad, gaps=gaps)))
    assert [reason.split()[0] for reason in told.reasons] == ["problem"] * 4 + ["the", "and"]
    assert told.reasons[-2:] == ("the login was lost: it was refused", "and 6 more")


def test_findings_that_may_be_old_are_undecided_in_one_line() -> None:
    def fuzz(*findings: Any, cut: str = "") -> GateResult:
        seen = [Subject("operation", "GET /a", "tested", cut)]
        return gate("fuzz", "schemathesis", items=["endpoints"], findings=list(findings), subjects=seen)

    found = [finding(mark=f"f{n}", operation="GET /a") for n in range(2)]
    one = item("endpoints", judged(fuzz(*found), None, signed("one", fuzz(cut="cut short"))))
    assert one.verdict is Verdict.UNKNOWN
    assert one.reasons == (
        "2 new findings where the run of one was cut short, so whether it had them is not known: "
        "GET /a: problem f0 (fuzz.crash, high) (and 1 more)",
    )
    assert one.hints == ("repair them, or give the gate the time that it needs and sign that off",)


def test_tests_are_counted_whether_they_pass_or_not() -> None:
    def suite(**outcomes: str) -> GateResult:
        return judged(gate("tests", "coverage", items=["tests"], subjects=cases(**outcomes)))

    fine = item("tests", suite(test_x="passed", test_y="passed", test_z="skipped"))
    assert (fine.verdict, fine.reasons) == (Verdict.PASS, ("3 tests: 2 passed, 1 skipped",))
    broken = item("tests", suite(test_x="passed", test_y="failed"))
    assert broken.reasons[0] == "2 tests: 1 passed, 1 failed"
    assert broken.reasons[1].startswith("tests/test_a.py: test_y failed")


def test_hundreds_of_vanished_tests_are_one_line_with_their_number() -> None:
    then = signed("one", gate("tests", "coverage", subjects=cases(**{f"test_{n}": "passed" for n in range(500)})))
    now = judged(gate("tests", "coverage", items=["tests"], subjects=cases(test_0="passed")), None, then)
    one = item("tests", now)
    assert len(one.reasons) == 2
    assert "499 of the 500 tests of one are gone" in one.reasons[1]


def test_flaky_and_waived_findings_and_debts_are_listed_once_over_all_items() -> None:
    rules = policy({"security.high": "== 0"}, waived=["b"])
    raw = gate(
        "gate", "tool", items=["endpoints", "security"], measurements=[number("security.high", 2)],
        findings=[finding(mark="a", state=FindingState.FLAKY), finding(mark="b")],
    )  # fmt: skip
    result = judged(raw, rules, after("one", raw, rules))
    first, second = (item(name, result, rules=rules) for name in ("endpoints", "security"))
    assert (first.verdict, second.verdict) == (Verdict.PASS, Verdict.PASS)
    assert [line.partition(":")[0] for line in first.known] == ["known debt since one", "waived", "flaky"]
    assert second.known == ()


def test_a_skipped_gate_is_told_and_takes_its_item_with_it() -> None:
    skipped = gate("load", "locust", verdict=Verdict.SKIPPED, reason="left out with --skip", items=["performance"])
    alone = item("performance", skipped)
    assert alone.verdict is Verdict.SKIPPED
    assert alone.reasons == ("load was skipped: left out with --skip",)
    beside = item("performance", skipped, passing("bench", ["performance"]))
    assert beside.verdict is Verdict.PASS
    assert beside.reasons == ("load was skipped: left out with --skip",)


def test_only_the_named_gates_are_judged() -> None:
    failing, fine = with_findings(finding(), items=["security"]), passing("load", ["performance"])
    done = build_done([failing, fine], policy=policy(), target_owners={}, classes={}, asked={"load"})
    by_name = {one.item: one for one in done}
    assert by_name["performance"].verdict is Verdict.PASS
    others = [one for one in done if one.item != "performance"]
    assert {(one.verdict, one.asked, one.reasons) for one in others} == {(Verdict.SKIPPED, False, ("not asked for",))}
    assert run_verdict(done, [failing, fine], {"load"}) is Verdict.PASS
    assert run_verdict(done, [failing, fine], {"gate"}) is Verdict.FAIL


# Comparisons that could not be decided.


def compared(scopes: int) -> GateResult:
    """A load gate with operations that are as they were, but for a doubt about the eighth."""

    def load(*, doubt: float) -> GateResult:
        found = [
            Measurement(
                "load.p95", 0.01, "s", "lower", f"GET /{n}", total=900,
                samples=tuple(value * (doubt if n == 7 else 1.0) for value in (0.01, 0.011, 0.012)),
            )
            for n in range(scopes)
        ]  # fmt: skip
        return gate("load", "locust", items=["performance"], measurements=found)

    return judged(load(doubt=1.2), None, signed("one", load(doubt=1.0)), classes={})


def test_undecided_comparisons_of_one_kind_are_one_line_that_begins_with_the_worst() -> None:
    few, many = item("performance", compared(2)), item("performance", compared(12))
    assert (len(few.reasons), few.verdict) == (2, Verdict.UNKNOWN)
    assert len(many.reasons) == 1
    assert many.reasons[0].startswith("load.p95 of GET /7 is 1.2×")
    assert many.reasons[0].endswith("and 11 more like this: GET /0, GET /1, GET /2, GET /3, GET /4 and 6 more")
    assert many.hints == ("measure both builds side by side",)


def test_undecided_comparisons_of_several_measurements_are_one_line() -> None:
    samples = (0.01, 0.011, 0.012)
    names = ("load.p50", "load.p95", "load.p99", "load.throughput")
    raw = gate(
        "load", "locust", items=["performance"],
        measurements=[Measurement(name, 0.01, "s", "lower", total=3000, samples=samples) for name in names],
    )  # fmt: skip
    one = item("performance", judged(raw, None, signed("one", raw), classes={}))
    assert len(one.reasons) == 1
    assert "load.p50 is 1×" in one.reasons[0]
    assert "load.p95, load.p99, load.throughput" in one.reasons[0]


def test_the_best_phase_is_not_told_where_the_previous_one_says_the_same() -> None:
    def bench(value: float) -> GateResult:
        samples = tuple(value * factor for factor in (0.99, 1.0, 1.01))
        return gate(
            "gate", "benchmark", items=["performance"],
            measurements=[Measurement("bench.median", value, "s", "lower", "test_a", samples=samples)],
        )  # fmt: skip

    result = judged(bench(0.05), None, signed("one", bench(0.01)), signed("two", bench(0.011)))
    assert {one.kind for one in result.judgements if one.verdict is Verdict.FAIL} == {"baseline", "best"}
    assert len(item("performance", result).reasons) == 1


# Targets that nobody brings.


def test_a_written_target_without_a_gate_makes_its_item_unknown() -> None:
    rules = policy({"database.connections": "<= 20"})
    one = item("database", passing("own", ["database"]), rules=rules, target_owners={"database.connections": ()})
    assert one.verdict is Verdict.UNKNOWN
    assert one.reasons == ("no gate here measures what the target database.connections demands",)
    assert item("tests", passing(), rules=rules, target_owners={}).verdict is Verdict.PASS
    asked = build_done(
        [passing("own", ["database"])], policy=rules, target_owners={}, classes={}, asked={"own"}
    )  # fmt: skip
    assert next(one for one in asked if one.item == "database").verdict is Verdict.PASS


# Operations.


def fuzz(*seen: OperationSeen, **more: Any) -> GateResult:
    return judged(gate("gate", "schemathesis", items=["endpoints"], operations=list(seen), **more))


def test_operations_are_counted_over_all_gates() -> None:
    one = item(
        "endpoints", fuzz(OperationSeen("GET /a", {200: 1}, True), OperationSeen("GET /b", {422: 1}, False)),
        documented=["GET /a", "GET /b"],
    )  # fmt: skip
    assert one.verdict is Verdict.UNKNOWN
    assert one.reasons[0] == "1 of 2 operations answered a valid request with success"
    assert one.reasons[1].startswith("no valid request to GET /b")


def test_a_documented_operation_that_no_gate_asked_is_unknown() -> None:
    ok = fuzz(OperationSeen("GET /a", {200: 1}, True))
    assert item("endpoints", ok, documented=["GET /a"]).verdict is Verdict.PASS
    one = item("endpoints", ok, documented=["GET /a", "POST /stop"])
    assert one.verdict is Verdict.UNKNOWN
    assert one.reasons[-1] == "1 operation of the document was not asked at all: POST /stop"
    gap = Gap("POST /stop", "it would end the backend")
    told = item(
        "endpoints", fuzz(OperationSeen("GET /a", {200: 1}, True), gaps=[gap]), documented=["GET /a", "POST /stop"]
    )
    assert told.reasons[1:] == ("POST /stop: it would end the backend",)
    by_exit_code = judged(gate("own", "command", items=["endpoints"]))
    assert item("endpoints", by_exit_code, documented=["GET /a"]).verdict is Verdict.PASS


def test_the_operations_table_has_a_row_for_every_operation_and_none_where_nobody_looked() -> None:
    seen = fuzz(
        OperationSeen("GET /orders", {200: 2, 404: 1}, True), OperationSeen("POST /orders", {422: 1}, False),
        OperationSeen("GET /extra", {200: 1}, True, documented=False),
        findings=[
            finding("fuzz.ignored_auth", operation="POST /orders"), finding("fuzz.crash", operation="GET /orders"),
        ],
    )  # fmt: skip
    load = gate(
        "load", measurements=[number("load.p95", 0.03, "s", scope="GET /orders"), number("load.p95", 0.05, "s")]
    )
    rows = build_operations([seen, load], ["GET /orders", "POST /orders", "GET /orders/{id}"], CLASSES)
    assert [row.operation for row in rows] == ["GET /orders", "POST /orders", "GET /orders/{id}", "GET /extra"]
    first, second, third, extra = rows
    assert first.auth_enforced is None
    assert (first.documented, first.tested, first.statuses_seen, first.p95) == (True, True, (200, 404), 0.03)
    assert (second.operation_class, second.tested, second.auth_enforced) == ("complex", False, False)
    assert (third.tested, third.statuses_seen, third.p95, third.auth_enforced) == (None, (), None, None)
    assert (extra.documented, extra.operation_class) == (False, "simple")
    assert build_operations([seen], [], CLASSES)[0].documented is None


# The run.


def test_the_run_is_the_worst_of_its_items_and_of_gates_without_one() -> None:
    fine = [DoneItem("tests", "", Verdict.PASS), DoneItem("auth", "", Verdict.SKIPPED)]
    assert run_verdict(fine, []) is Verdict.PASS
    assert run_verdict([*fine, DoneItem("errors", "", Verdict.UNKNOWN)], []) is Verdict.UNKNOWN
    assert run_verdict(fine, [with_findings(finding(), items=[])]) is Verdict.FAIL
    # A gate of an item that was left out with a reason does not count.
    assert run_verdict(fine, [with_findings(finding(), items=["auth"])]) is Verdict.PASS


def test_a_run_in_which_everything_was_skipped_is_undecided() -> None:
    skipped = gate("load", verdict=Verdict.SKIPPED, reason="left out with --skip")
    assert run_verdict([DoneItem("tests", "", Verdict.SKIPPED)], [skipped]) is Verdict.UNKNOWN
    assert run_verdict([], [skipped], {"load"}) is Verdict.UNKNOWN
    assert run_verdict([], [], {"load"}) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("verdict", "code", "allowed"),
    [(Verdict.PASS, 0, 0), (Verdict.FAIL, 1, 1), (Verdict.ERROR, 3, 3), (Verdict.UNKNOWN, 4, 0)],
)
def test_exit_codes(verdict: Verdict, code: int, allowed: int) -> None:
    assert exit_code(verdict) == code
    assert exit_code(verdict, allow_unknown=True) == allowed


def test_a_fail_comes_before_an_error_and_an_error_before_an_unknown() -> None:
    verdicts = [Verdict.UNKNOWN, Verdict.ERROR, Verdict.FAIL, Verdict.PASS]
    for position in range(3):
        left = [one for one in verdicts if one is not Verdict.FAIL][: 3 - position]
        items = [DoneItem("tests", "", one) for one in left]
        assert exit_code(run_verdict(items, [])) == (3 if Verdict.ERROR in left else 4)
    assert exit_code(run_verdict([DoneItem("tests", "", one) for one in verdicts], [])) == 1


def test_gaps_are_told_with_what_would_bring_the_evidence() -> None:
    raw = gate(
        "gate", "tool", items=["tests"], measurements=[share("coverage.lines", 9, 10)],
        subjects=[Subject("file", "a.py", "scanned")], gaps=[Gap("coverage of b.py", "no data", "run it")],
    )  # fmt: skip
    one = item("tests", judged(raw))
    assert (one.verdict, one.reasons, one.hints) == (Verdict.UNKNOWN, ("coverage of b.py: no data",), ("run it",))
