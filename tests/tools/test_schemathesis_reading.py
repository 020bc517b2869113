"""What is read from recorded reports of Schemathesis 4.32 (pruned), and what is made of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from gates.document import parse_document
from gates.errors import ToolError
from gates.results import FindingState, Severity
from gates.tools.schemathesis import evidence, findings, known
from gates.tools.schemathesis.events import Call, Failure, Observed, SentRequest, Tally, read_events

OUTPUT = Path(__file__).parent.parent / "output" / "schemathesis"


def observed(name: str, *login: str) -> Observed:
    with (OUTPUT / f"{name}.ndjson").open(encoding="utf-8") as lines:
        return read_events(lines, login)


def plain(text: str) -> str:
    return text


def call(operation: str, status: int | None, at: float = 0.0) -> Call:
    return Call(at, operation, status, with_login=True, own_method=True)


def test_failures_are_a_set_of_operation_and_code() -> None:
    assert set(observed("mixed").failures) == {
        ("GET /crash", "ST101"),
        ("GET /liar", "ST108"),
        ("GET /drop", "connection-dropped"),
        ("GET /slow", "timeout"),
    }


def test_a_server_error_is_not_also_an_undocumented_status() -> None:
    text = (OUTPUT / "mixed.ndjson").read_text()
    assert "UndefinedStatusCode" in text, "Schemathesis files it twice"
    assert ("GET /crash", "ST103") not in observed("mixed").failures


def test_the_request_of_a_failure_is_kept_with_its_answer() -> None:
    failure = observed("mixed").failures["GET /crash", "ST101"]
    assert (failure.status, failure.valid, failure.check) == (500, True, "not_a_server_error")
    assert (failure.request.method, failure.request.target) == ("GET", "/api/v1/crash?n=0")


def test_statuses_are_counted_for_the_operations_own_method_only() -> None:
    seen = observed("mixed")
    assert seen.stop_reason == "completed"
    assert seen.version == "4.32.5"
    assert 405 not in seen.tallies["GET /items"].statuses
    assert any(one.status == 405 and not one.own_method for one in seen.calls)
    assert seen.tallies["GET /drop"].unanswered > 0


def test_an_operation_that_cannot_be_tested_is_a_problem_of_that_operation() -> None:
    gaps = evidence.problem_gaps(observed("mixed"), plain)
    assert [gap.what for gap in gaps] == ["GET /broken was not tested"]
    assert "#/components/parameters/nowhere" in gaps[0].reason


def test_the_last_line_of_a_killed_run_may_be_cut_off_and_no_other() -> None:
    lines = (OUTPUT / "mixed.ndjson").read_text().splitlines(keepends=True)
    whole = read_events(lines)
    cut = read_events([*lines[:-1], lines[-1][:40]])
    assert cut.failures == whole.failures
    assert (whole.stop_reason, cut.stop_reason) == ("completed", None)
    with pytest.raises(ToolError, match="line 2 "):
        read_events([lines[0], lines[1][:40] + "\n", *lines[2:]])


def test_an_event_of_another_shape_is_an_error_that_names_its_line() -> None:
    with pytest.raises(ToolError, match=r"line 1 .*recorder"):
        read_events(['{"ScenarioFinished":{"phase":"x","recorder":{"interactions":{"a":{}},"cases":{"a":{}}}}}\n'])


def test_a_login_that_ended_itself_is_traced_to_the_request_that_ended_it() -> None:
    lost = evidence.lost_login(observed("logout", "authorization").calls)
    assert lost is not None
    number, operations = lost
    assert operations == ("POST /logout",)
    assert 1 < number < 20


def test_where_a_login_was_lost_is_where_successes_turn_into_refusals_for_good() -> None:
    calls = [
        call("GET /me", 200), call("POST /items", 201), call("DELETE /accounts", 200), call("GET /me", 401),
        call("GET /me", 401), call("POST /items", 400), call("PUT /accounts/{id}", 201),
        call("PUT /accounts/{id}", 401), call("POST /items", 401), call("GET /me", 401), call("GET /me", 401),
    ]  # fmt: skip
    assert evidence.lost_login(calls) == (4, ("POST /items", "DELETE /accounts"))
    assert evidence.lost_login(calls[:3]) is None
    assert "exclude" in evidence.login_gap(calls).hint


def test_a_backend_that_went_away_is_laid_at_the_door_of_the_right_operation() -> None:
    told = [call("POST /admin/shutdown", 200, 1.0), call("GET /a", 200, 1.1), call("GET /b", 200, 1.2)]
    assert evidence.deadly(told)[0] == "POST /admin/shutdown"
    assert evidence.deadly([*told, call("POST /boom", None, 1.3)])[0] == "POST /boom"
    assert evidence.deadly([call("GET /stop", 200, 1.0), call("GET /a", 200, 60.0)])[0] == "GET /a"
    assert evidence.deadly([]) == ("", ())
    assert observed("shutdown").stop_reason == "server_unavailable"
    assert evidence.deadly(observed("shutdown").calls)[0] == "POST /shutdown"


@pytest.mark.parametrize(
    ("valid", "responses", "path", "success"),
    [
        ({200: 1, 500: 3}, {"200": {}}, "/a", True),
        ({201: 1}, {"2XX": {}}, "/a", True),
        ({204: 1}, {"default": {}}, "/a", True),
        ({302: 1}, {"302": {}}, "/a", True),
        ({200: 5}, {"201": {}}, "/a", False),
        ({404: 5}, {"200": {}, "404": {}}, "/a", False),
        ({404: 5}, {"200": {}}, "/a/{id}", False),
        ({404: 5}, {"200": {}, "404": {}}, "/a/{id}", None),
        ({401: 5, 403: 1}, {"200": {}}, "/a", None),
        ({401: 5, 405: 1}, {"200": {}}, "/a", False),
        ({}, {"200": {}}, "/a", None),
    ],
)  # fmt: skip
def test_success_is_a_documented_one_to_a_valid_request(
    valid: dict[int, int], responses: dict[str, object], path: str, success: bool | None
) -> None:
    document = parse_document(json.dumps({"openapi": "3.0.0", "paths": {path: {"get": {"responses": responses}}}}))
    seen = Observed()
    seen.tallies[f"GET {path}"] = Tally()
    seen.tallies[f"GET {path}"].valid.update(valid)
    assert evidence.operations_seen(document, seen)[0].success is success


def test_operations_that_only_refuse_are_a_gap_that_says_how_to_get_in() -> None:
    seen = Observed()
    for name, statuses in {"GET /me": {401: 19, 200: 1}, "GET /open": {200: 9, 401: 2}}.items():
        seen.tallies[name] = Tally()
        seen.tallies[name].valid.update(statuses)
    outside = evidence.refused_gap(["GET /me", "GET /open"], seen, has_login=False)
    inside = evidence.refused_gap(["GET /me", "GET /open"], seen, has_login=True)
    assert outside is not None
    assert inside is not None
    assert outside.what.startswith("1 of 2 operations")
    assert "GET /me" in outside.reason
    assert "[backend.auth]" in outside.hint
    assert "in spite of the login" in inside.reason
    assert evidence.refused_gap(["GET /open"], seen, has_login=False) is None


def test_a_log_tells_what_was_cut_and_a_torn_last_line_is_left_out() -> None:
    log = evidence.read_log(
        '{"phase": "coverage"}\n{"began": "GET /a", "phase": "coverage"}\n'
        '{"cut": "GET /a", "phase": "coverage", "why": "time", "sent": 3}\n{"began": "GET'
    )
    assert log.began == (("coverage", "GET /a"),)
    assert log.cuts == (evidence.Cut("GET /a", "coverage", "time"),)


def test_what_the_time_did_not_suffice_for_is_named() -> None:
    seen = Observed()
    seen.tallies["GET /a"] = Tally(unanswered=1)
    log = evidence.Log(cuts=(evidence.Cut("GET /a", "coverage", "time"), evidence.Cut("GET /a", "coverage", "cases")))
    untested, short = evidence.time_gaps(["GET /a", "GET /b"], seen, log, "", 60)
    assert untested.what == "1 of 2 operations were not tested"
    assert untested.reason == "the 60 s were used up: GET /b"
    assert short.what == "1 of 2 operations were cut short"
    only_cases = evidence.Log(cuts=(evidence.Cut("GET /a", "coverage", "cases"),))
    assert evidence.time_gaps(["GET /a"], seen, only_cases, "", 60) == []
    (stopped,) = evidence.time_gaps(["GET /a"], seen, only_cases, "it was interrupted", 60)
    assert stopped.what == "the run was cut short"


def test_every_operation_says_whether_it_was_tested_to_the_end() -> None:
    seen = Observed()
    for name in ("GET /a", "GET /b"):
        seen.tallies[name] = Tally(unanswered=1)
    cuts = [evidence.Cut("GET /a", "coverage", "time"), evidence.Cut("GET /b", "coverage", "cases")]
    cuts += [evidence.Cut("GET /c", "coverage", "time"), evidence.Cut("", "stateful", "time")]
    told = evidence.subjects(["GET /a", "GET /b", "GET /c", "GET /d"], seen, ["GET /d"], evidence.Log(cuts=tuple(cuts)))
    assert [(one.outcome, one.message) for one in told] == [
        ("tested", "cut short"), ("tested", ""), ("untested", ""), ("untested", "left out by `exclude`"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "severity"),
    [
        ("ST101", Severity.HIGH), ("ST401", Severity.HIGH), ("connection-dropped", Severity.HIGH),
        ("ST103", Severity.MEDIUM), ("ST108", Severity.MEDIUM), ("timeout", Severity.MEDIUM),
        ("ST201", Severity.LOW), ("ST205", Severity.LOW), ("ST999", Severity.MEDIUM),
    ],
)  # fmt: skip
def test_severity_follows_the_code(code: str, severity: Severity) -> None:
    assert findings.severity_of(code) is severity


def failure(target: str = "/a", headers: dict[str, str] | None = None, body: bytes | None = None) -> Failure:
    request = SentRequest("POST", target, headers or {}, body)
    return Failure("POST /a", "ST101", "not_a_server_error", "Server error", "", 500, request, True)


def test_the_same_failure_with_another_payload_is_the_same_finding() -> None:
    one, other = findings.finding(failure(body=b"1"), plain), findings.finding(failure("/a?b=2", body=b"2"), plain)
    assert one.fingerprint == other.fingerprint
    assert one.message != other.message
    assert findings.identity("POST /a", "ST101") != findings.identity("POST /a", "ST102")
    assert findings.identity("POST /a", "ST101") != findings.identity("POST /b", "ST101")


def test_a_finding_says_method_status_and_how_to_see_it() -> None:
    one = findings.finding(
        failure("/a?q=it's$x", {"Authorization": "[Filtered]", "X-Schemathesis-TestCaseId": "1"}, b'{"n": 1}'),
        plain, FindingState.FLAKY,
    )  # fmt: skip
    assert one.message == (
        "POST /a answered 500 Internal Server Error to a valid request: server error (ST101). Reproduce: "
        'curl -X POST -H "Authorization: $AUTHORIZATION" --data-raw \'{"n": 1}\' "$URL/a?q=it\'s\\$x"'
    )
    assert (one.rule, one.severity, one.state) == ("fuzz.not_a_server_error", Severity.HIGH, FindingState.FLAKY)
    assert one.operation == "POST /a"
    assert one.fix


def test_a_finding_names_what_was_asked_when_that_is_not_the_operation_itself() -> None:
    request = SentRequest("GET", "/a/7", {})
    freed = Failure("DELETE /a/{id}", "ST301", "use_after_free", "Still there", "It answered 200..", 200, request, True)
    one = findings.finding(freed, plain)
    assert one.message.startswith("GET /a/{id} answered 200 OK to a valid request: still there (ST301), It answered")
    assert one.operation == "DELETE /a/{id}"


def test_a_title_that_begins_with_an_abbreviation_keeps_it() -> None:
    open_door = replace(failure(), code="ST401", title="API accepts requests without authentication", status=200)
    assert "answered 200 OK to a valid request: API accepts requests" in findings.finding(open_door, plain).message


def test_the_lines_of_a_detail_become_one_sentence() -> None:
    detail = "The following media types are documented:\n\t- `application/json`\n\t- `text/csv`.\n\nmore"
    told = findings.finding(replace(failure(), detail=detail), plain).message
    assert "(ST101), The following media types are documented: `application/json`; `text/csv`. Reproduce: curl" in told


def test_a_curl_line_is_one_line_of_bounded_length_whatever_was_sent() -> None:
    line = findings.curl(SentRequest("PUT", "/" + "x" * 9000, {"A": "b\nc" * 500}, b"\xff\x00" * 5000))
    assert len(line) < 1200
    assert "\n" not in line
    assert "9001 characters" in line
    assert "of 10000 bytes" in line


def test_the_login_and_its_parts_are_taken_out_of_texts() -> None:
    scrub = findings.scrubber({"Authorization": "Basic YWRtaW46czNjcmV0", "Cookie": "sid=0123456789"})
    assert scrub("got s3cret and YWRtaW46czNjcmV0 and 0123456789") == "got [redacted] and [redacted] and [redacted]"
    assert findings.scrubber({})("s3cret") == "s3cret"
    assert findings.scrubber({"Authorization": "Bearer abcdef"})("x abcdef y") == "x [redacted] y"


def test_only_accepted_failures_are_fed_back_and_they_come_out_again() -> None:
    failures = [
        Failure("GET /crash", "ST101", "c", "", "", 500, SentRequest("GET", "/", {}), True, "ServerError"),
        Failure("GET /liar", "ST108", "c", "", "", 200, SentRequest("GET", "/", {}), True, "JsonSchemaError"),
    ]  # fmt: skip
    stored = known.annotate((OUTPUT / "baseline.json").read_text(), failures)
    assert "first_seen" not in stored
    mark = findings.identity("GET /liar", "ST108")
    fed = known.select(stored, {mark})
    entries = json.loads(fed)["entries"]
    assert {(entry["operation"], entry["failure"]) for entry in entries} == {("GET /liar", "JsonSchemaError")}
    assert json.loads(known.select(None, {mark}))["entries"] == []
    ids = [entry["id"] for entry in entries]
    (again,) = known.known_findings(fed, ids, found=set(), scrub=plain)
    assert (again.fingerprint, again.operation, again.severity) == (mark, "GET /liar", Severity.MEDIUM)
    assert known.known_findings(fed, ids, found={mark}, scrub=plain) == []
    assert known.known_findings(fed, [], found=set(), scrub=plain) == []


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"format_version": 2, "entries": []}', '{"format_version": 1, "entries": [{"id": "a"}]}']
)
def test_a_baseline_file_of_another_format_is_an_error(text: str) -> None:
    with pytest.raises(ToolError):
        known.select(text, set())


def test_the_corpus_holds_one_success_per_operation_without_the_login() -> None:
    seen = observed("logout", "authorization")
    recorded = evidence.corpus(seen, findings.scrubber({"Authorization": "Bearer sesame-4711"}))
    assert "POST /logout" in {one.operation for one in recorded}
    assert all(one.status is not None and 200 <= one.status < 300 for one in recorded)
    assert {one.headers.get("Authorization") for one in recorded} == {"[redacted]"}
    assert "POST /logout" not in {one.operation for one in evidence.corpus(seen, plain, "POST /logout")}
