"""The operations table and the item `endpoints`: who saw an operation answer, who tested it, and what nobody did."""

from __future__ import annotations

from typing import Any

import pytest
from judging import CLASSES, after, finding, gate, judged, number, policy, share

from gates.done import build_done, build_operations, who_tested
from gates.results import DoneItem, FindingState, GateResult, OperationRow, OperationSeen, Severity, Verdict

DOCUMENTED = ["GET /orders", "POST /orders", "GET /orders/{id}"]


def fuzz(*seen: OperationSeen, **more: Any) -> GateResult:
    return judged(gate("fuzz", "schemathesis", items=["endpoints"], operations=list(seen), **more))


def suite(*seen: OperationSeen, count: int = 0, **more: Any) -> GateResult:
    measured = [number("tests.total", 3), share("tests.operations", count, 3)]
    more.setdefault("items", ["tests"])
    return judged(gate("tests", "coverage", operations=list(seen), measurements=measured, **more))


def by_tests(operation: str, status: int, success: bool | None = True, documented: bool = True) -> OperationSeen:
    return OperationSeen(operation, {status: 1}, success, documented, "tests")


def endpoints(*gates: GateResult, documented: list[str] | None = None, **options: Any) -> DoneItem:
    done = build_done(
        gates, policy=policy(), target_owners={}, classes=CLASSES,
        documented=DOCUMENTED if documented is None else documented, **options,
    )  # fmt: skip
    return next(one for one in done if one.item == "endpoints")


def table(*gates: GateResult) -> dict[str, OperationRow]:
    return {row.operation: row for row in build_operations(gates, DOCUMENTED, CLASSES)}


ALL_BUT_ONE = (
    OperationSeen("GET /orders", {200: 3}, True), OperationSeen("POST /orders", {422: 3}, False),
    OperationSeen("GET /orders/{id}", {200: 1}, True),
)  # fmt: skip


def test_the_table_says_who_saw_an_operation_answer_and_who_tested_it() -> None:
    rows = table(
        fuzz(*ALL_BUT_ONE), suite(by_tests("GET /orders", 200), by_tests("POST /orders", 201), count=2),
        gate("replay", "replay", operations=[OperationSeen("GET /orders/{id}", {200: 1}, True, source="replayed")]),
        gate("log", "traffic", operations=[
            OperationSeen("GET /orders", {500: 1}, False, source="traffic"),
            OperationSeen("GET /extra", {200: 1}, None, False, "traffic"),
        ]),
    )  # fmt: skip
    assert [(row.operation, row.documented, row.answered, row.tested, row.tested_by) for row in rows.values()] == [
        ("GET /orders", True, True, True, ("tests", "generated")),
        ("POST /orders", True, False, True, ("tests",)),
        ("GET /orders/{id}", True, True, True, ("generated", "replayed")),
        ("GET /extra", False, None, False, ()),
    ]
    assert rows["GET /orders"].statuses_seen == (200, 500)
    assert who_tested(list(rows.values())) == (
        "2 of 3 operations tested by the project's own tests, 1 by generated requests only: GET /orders/{id}"
    )


def test_a_cell_is_empty_only_where_nobody_looked() -> None:
    untouched = table(fuzz(OperationSeen("GET /orders", {200: 1}, True), OperationSeen("POST /orders", {401: 1}, None)))
    assert (untouched["GET /orders/{id}"].tested, untouched["GET /orders/{id}"].answered) == (None, None)
    assert (untouched["POST /orders"].tested, untouched["POST /orders"].answered) == (False, None)
    # Once the calls of the tests are known, an operation that none of them asks is one without a test.
    assert table(suite())["GET /orders"].tested is False
    assert table(suite())["GET /orders"].answered is None
    assert who_tested(build_operations([gate()], DOCUMENTED, CLASSES)) == ""
    assert who_tested(list(table(suite()).values())) == (
        "0 of 3 operations tested by the project's own tests; 3 not tested: GET /orders, POST /orders, GET /orders/{id}"
    )


def test_every_operation_answers_and_is_tested() -> None:
    good = [OperationSeen(name, {200: 1}, True) for name in DOCUMENTED]
    one = endpoints(fuzz(*good), suite(by_tests("GET /orders", 200), count=1))
    assert one.verdict is Verdict.PASS
    assert one.reasons == (
        "3 of 3 operations answered a valid request with success",
        "1 of 3 operations tested by the project's own tests, 2 by generated requests only: POST /orders, "
        "GET /orders/{id}",
    )


def test_an_operation_that_only_a_test_could_reach_is_there() -> None:
    alone = endpoints(fuzz(*ALL_BUT_ONE))
    assert alone.verdict is Verdict.UNKNOWN
    fuzzing = fuzz(*ALL_BUT_ONE)
    one = endpoints(fuzzing, suite(by_tests("POST /orders", 201), count=1))
    assert (fuzzing.verdict, one.verdict) == (Verdict.UNKNOWN, Verdict.PASS)
    assert one.reasons[1] == "1 answered tests or recorded traffic, and no generated request: POST /orders"
    # A test that saw no documented success, or did not pass, shows nothing.
    assert endpoints(fuzzing, suite(by_tests("POST /orders", 422, False))).verdict is Verdict.UNKNOWN
    # Other things that the gate did not see stay.
    lost = fuzz(*ALL_BUT_ONE, gaps=[])
    assert endpoints(lost, suite(by_tests("GET /orders", 200), count=1)).verdict is Verdict.UNKNOWN


def test_an_operation_that_is_not_implemented_is_so_whatever_a_test_says() -> None:
    broken = fuzz(*ALL_BUT_ONE[::2], OperationSeen("POST /orders", {405: 3}, False))
    one = endpoints(broken, suite(by_tests("POST /orders", 201), count=1))
    assert one.verdict is Verdict.FAIL
    assert any("POST /orders is not implemented: answered only 405" in reason for reason in one.reasons)


def test_an_operation_left_out_of_fuzzing_is_met_by_a_test_and_named_without_one() -> None:
    some = [OperationSeen("GET /orders", {200: 1}, True), OperationSeen("POST /orders", {201: 1}, True)]
    named = endpoints(fuzz(*some))
    assert named.verdict is Verdict.UNKNOWN
    assert named.reasons[-1] == "1 operation of the document was not asked at all: GET /orders/{id}"
    assert endpoints(fuzz(*some), suite(by_tests("GET /orders/{id}", 200), count=1)).verdict is Verdict.PASS
    hit = endpoints(fuzz(*some), suite(by_tests("GET /orders/{id}", 404, False)))
    assert (hit.verdict, hit.reasons[-1]) == (
        Verdict.UNKNOWN,
        "1 operation was asked and never seen to answer with a documented success: GET /orders/{id} (404)",
    )


@pytest.mark.parametrize("source", ["tests", "traffic"])
def test_tests_or_traffic_alone_can_decide_and_judge_no_refusal(source: Any) -> None:
    def seen(operation: str, status: int, success: bool) -> OperationSeen:
        return OperationSeen(operation, {status: 1}, success, source=source)

    asked = [seen("GET /orders", 200, True), seen("POST /orders", 401, False)]
    one = judged(gate("a", "x", items=["endpoints"], operations=asked))
    assert one.verdict is Verdict.PASS  # that a test asked to be refused is no gap
    found = endpoints(one)
    assert found.verdict is Verdict.UNKNOWN
    assert "POST /orders (401)" in found.reasons[-1]
    assert "not asked at all: GET /orders/{id}" in found.reasons[-2]
    whole = judged(gate("a", "x", items=["endpoints"], operations=[seen(name, 200, True) for name in DOCUMENTED]))
    assert endpoints(whole).verdict is Verdict.PASS


def test_a_route_in_no_document_fails_the_item_wherever_it_was_seen() -> None:
    good = fuzz(*(OperationSeen(name, {200: 1}, True) for name in DOCUMENTED))
    words = {"operation": "GET /debug", "message": "GET /debug answered", "fix": "describe it"}
    extra = finding("traffic.undocumented-route", Severity.MEDIUM, **words)
    own = suite(by_tests("GET /debug", 200, None, documented=False), findings=[extra])
    one = endpoints(good, own)
    assert (one.verdict, one.gates) == (Verdict.FAIL, ("fuzz",))
    position = one.reasons.index("1 route answered and is in no document: GET /debug")
    assert one.hints[position].endswith("or name them in `ignore` of the gate tests")
    # Once it was accepted at a sign-off it is known, and fails nothing.
    first = gate("tests", "coverage", items=["tests"], findings=[extra], measurements=[number("tests.total", 3)])
    known = judged(first, None, after("foundation", first))
    assert [one.state for one in known.readings.findings] == [FindingState.KNOWN]
    assert endpoints(good, known).verdict is Verdict.PASS
    # The gate that decides the item says so itself.
    log = judged(gate("log", "traffic", items=["endpoints"], findings=[extra], operations=[
        OperationSeen("GET /orders", {200: 1}, True, source="traffic")
    ]))  # fmt: skip
    assert sum("GET /debug" in reason for reason in endpoints(good, log).reasons) == 1


def test_an_operation_that_tests_ask_no_more_did_not_vanish() -> None:
    then = after("foundation", suite(by_tests("GET /gone", 200), count=1))
    now = judged(gate("tests", "coverage", items=["tests"], measurements=[number("tests.total", 3)]), None, then)
    assert now.verdict is Verdict.PASS


def test_whether_earlier_promises_hold_is_known_where_somebody_compared() -> None:
    assert table(fuzz(*ALL_BUT_ONE))["GET /orders"].compatible is None
    compared = gate("api", "openapi", measurements=[number("contract.changes", 2)], findings=[
        finding("contract.operation-removed", Severity.HIGH, "a", operation="GET /orders/{id}"),
        finding("contract.operation-added", Severity.INFO, "b", operation="GET /orders"),
        finding("contract.type-changed", Severity.HIGH, "c", message="Order.id changed, in POST /orders and 2 others"),
    ])  # fmt: skip
    rows = table(compared)
    assert [rows[name].compatible for name in DOCUMENTED] == [True, False, False]
    waived = finding("contract.x", Severity.HIGH, operation="GET /orders", state=FindingState.WAIVED)
    fixed = finding("replay.x", Severity.HIGH, operation="GET /orders", state=FindingState.FIXED)
    asked = [OperationSeen("GET /orders", {200: 1}, True, source="replayed"), OperationSeen("POST /orders", {}, None)]
    replay = gate("r", "replay", measurements=[number("replay.kept", 1)], findings=[waived, fixed], operations=asked)
    rows = table(replay)
    assert [rows[name].compatible for name in DOCUMENTED] == [True, None, None]
    crashed = gate("r", "replay", verdict=Verdict.ERROR, measurements=[number("replay.kept", 1)], operations=asked)
    assert table(crashed)["GET /orders"].compatible is None
