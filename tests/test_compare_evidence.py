from __future__ import annotations

import pytest
from judging import after, finding, gate, judged, number, only

from gates.results import Gap, GateResult, OperationSeen, Subject, Verdict


def asked(*seen: OperationSeen, **more: list[object]) -> GateResult:
    return gate("fuzz", "schemathesis", items=["endpoints"], operations=list(seen), **more)


def test_operations_that_all_succeed_are_one_line() -> None:
    result = judged(asked(OperationSeen("GET /a", {200: 3}, True), OperationSeen("GET /b", {200: 1, 404: 2}, True)))
    whole = only(result, "evidence")
    assert (whole.verdict, whole.value) == (Verdict.PASS, 2)
    assert whole.reason == "2 of 2 operations answered a valid request with success"


@pytest.mark.parametrize(
    ("operation", "statuses", "success", "verdict", "words"),
    [
        ("GET /a", (405,), False, Verdict.FAIL, "GET /a is not implemented: answered only 405"),
        ("GET /a", (404, 501), False, Verdict.FAIL, "GET /a is not implemented: answered only 404, 501"),
        ("GET /a/{id}", (404,), False, Verdict.UNKNOWN, "(answers: 404)"),
        ("GET /a/{id}", (405, 501), False, Verdict.FAIL, "not implemented"),
        ("GET /a", (404, 422), False, Verdict.UNKNOWN, "no valid request to GET /a was answered with success"),
        ("GET /a", (500, 503), False, Verdict.FAIL, "GET /a answered every request with a server error: 500, 503"),
        ("GET /a", (500, 404), False, Verdict.UNKNOWN, "(answers: 404, 500)"),
        ("GET /a", (), False, Verdict.UNKNOWN, "(no answer at all)"),
        ("GET /a", (204, 400), False, Verdict.UNKNOWN, "a success that is documented (all: 204, 400)"),
        ("GET /a", (), None, Verdict.UNKNOWN, "no valid request to GET /a could be made"),
        ("GET /a", (401,), None, Verdict.UNKNOWN, "(answers: 401)"),
    ],
)
def test_an_operation_that_nobody_saw_succeed(
    operation: str, statuses: tuple[int, ...], success: bool | None, verdict: Verdict, words: str
) -> None:
    seen = OperationSeen(operation, dict.fromkeys(statuses, 2), success)
    result = judged(asked(OperationSeen("GET /ok", {200: 1}, True), seen))
    one = only(result, "evidence")
    assert (one.scope, one.verdict, result.verdict) == (operation, verdict, verdict)
    assert words in one.reason
    assert one.hint


def test_a_document_of_which_nothing_is_there_may_leave_out_a_prefix() -> None:
    seen = [OperationSeen("GET /a", {404: 3}, False), OperationSeen("GET /a/{id}", {404: 2}, False)]
    left_out = OperationSeen("GET /b", {}, None)
    result = judged(asked(*seen, left_out))
    assert result.verdict is Verdict.FAIL
    assert [one.scope for one in result.judgements if "base_path" in one.hint] == ["GET /a", "GET /a/{id}"]
    result = judged(asked(*seen, OperationSeen("GET /c", {401: 2}, False)))
    assert not any("base_path" in one.hint for one in result.judgements)


def test_only_gates_that_decide_endpoints_are_asked_for_success() -> None:
    result = judged(gate("load", "locust", operations=[OperationSeen("GET /a", {404: 9}, False)]))
    assert result.verdict is Verdict.PASS


def test_an_undocumented_operation_need_not_succeed() -> None:
    result = judged(asked(OperationSeen("GET /ok", {200: 1}, True), OperationSeen("GET /x", {404: 1}, False, False)))
    assert result.verdict is Verdict.PASS


def test_an_operation_that_was_left_out_is_named_with_the_reason() -> None:
    result = judged(
        asked(
            OperationSeen("POST /stop", {}, None),
            subjects=[Subject("operation", "POST /stop", "untested", "left out by `exclude`")],
        )
    )
    assert result.verdict is Verdict.UNKNOWN
    assert result.reason == "POST /stop was not tested: left out by `exclude`"


def test_an_operation_that_was_cut_short_is_told_in_the_gap_that_counts_it() -> None:
    result = judged(
        asked(
            OperationSeen("GET /a", {400: 2}, False),
            subjects=[Subject("operation", "GET /a", "tested", "cut short")],
            gaps=[Gap("30 of 40 operations were cut short", "the 60 s were used up: GET /x and 29 more")],
        )
    )
    assert [one.scope for one in result.judgements if one.kind == "evidence"] == ["30 of 40 operations were cut short"]


def test_a_gap_is_unknown_and_tells_what_would_help() -> None:
    result = judged(gate(measurements=[number("n", 1)], gaps=[Gap("GET /a", "the time ran out", "more time")]))
    assert (result.verdict, result.reason, result.hint) == (Verdict.UNKNOWN, "GET /a: the time ran out", "more time")


def test_what_a_gap_says_of_an_operation_is_not_said_twice() -> None:
    seen = [OperationSeen("GET /a", {}, None), OperationSeen("GET /a/b", {}, None)]
    result = judged(asked(*seen, gaps=[Gap("1 of 2 operations were not tested", "no time was left: GET /a")]))
    assert [one.scope for one in result.judgements if one.verdict is Verdict.UNKNOWN] == [
        "1 of 2 operations were not tested",
        "GET /a/b",
    ]


def test_gaps_that_were_accepted_are_debt_and_new_ones_are_not() -> None:
    def gaps(*what: str) -> GateResult:
        return gate(measurements=[number("n", 1)], gaps=[Gap(one, "no time") for one in what])

    first = after("one", gaps("GET /a"))
    owed = judged(gaps("GET /a"), None, first)
    assert owed.verdict is Verdict.PASS
    assert only(owed, "evidence").debt
    assert only(owed, "evidence").reason.startswith("known debt since one: GET /a: no time")
    assert judged(gaps("GET /a", "GET /b"), None, first).verdict is Verdict.UNKNOWN
    counted = after("one", gaps("3 of 9 operations were not tested"))
    for fewer in (2, 3):
        assert judged(gaps(f"{fewer} of 9 operations were not tested"), None, counted).verdict is Verdict.PASS
    assert judged(gaps("4 of 9 operations were not tested"), None, counted).verdict is Verdict.UNKNOWN


def test_an_operation_that_failed_at_the_sign_off_is_debt_until_it_succeeds() -> None:
    missing, refused = OperationSeen("GET /a", {405: 1}, False), OperationSeen("GET /a", {422: 1}, False)
    fine, ok = OperationSeen("GET /a", {200: 1}, True), OperationSeen("GET /b", {200: 1}, True)
    failed = after("one", asked(missing, ok))
    assert judged(asked(missing, ok), None, failed).verdict is Verdict.PASS
    assert judged(asked(refused, ok), None, failed).verdict is Verdict.PASS
    assert "repaired" in only(judged(asked(fine, ok), None, failed), "evidence", scope="GET /a").reason
    # What was only not seen before, and is now seen to be missing, is worse.
    unseen = after("one", asked(refused, ok))
    assert judged(asked(refused, ok), None, unseen).verdict is Verdict.PASS
    assert judged(asked(missing, ok), None, unseen).verdict is Verdict.FAIL


def test_a_gate_that_ended_well_and_measured_nothing_is_unknown() -> None:
    assert judged(gate("load", "locust")).verdict is Verdict.UNKNOWN
    assert judged(gate("lint", "command")).verdict is Verdict.PASS


@pytest.mark.parametrize("verdict", [Verdict.ERROR, Verdict.FAIL, Verdict.UNKNOWN, Verdict.SKIPPED])
def test_what_the_engine_said_stays(verdict: Verdict) -> None:
    raw = gate("load", "locust", verdict=verdict, reason="the backend died: boom", hint="see its output")
    assert judged(raw, None, after("one", gate("load", "locust", measurements=[number("n", 1)]))) == raw


def test_what_the_engine_said_can_only_get_worse() -> None:
    bad = gate("fuzz", "x", verdict=Verdict.ERROR, reason="killed by SIGKILL", findings=[finding()])
    assert judged(bad).verdict is Verdict.FAIL
    fine = gate("fuzz", "x", verdict=Verdict.ERROR, reason="killed by SIGKILL", measurements=[number("n", 1)])
    result = judged(fine)
    assert (result.verdict, result.reason) == (Verdict.ERROR, "killed by SIGKILL")
