"""A known failure that did not show is repaired only when its own request is answered well; else it stays known."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from fuzzed import LOGIN, fuzz_context
from judging import judged, signed

from gates.client import Answer
from gates.document import parse_document
from gates.errors import ToolError
from gates.results import Finding, FindingState, GateResult, Readings, Severity, Verdict
from gates.tools.schemathesis import Schemathesis
from gates.tools.schemathesis.confirm import headers_of
from gates.tools.schemathesis.events import Failure, SentRequest
from gates.tools.schemathesis.findings import identity, scrubber
from gates.tools.schemathesis.remembered import (
    DOCUMENT,
    Replayed,
    check_bodies,
    not_seen,
    passes,
    recall,
    remember,
    unseen,
)

ITEM = {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]}
API = parse_document(
    json.dumps(
        {
            "openapi": "3.0.3",
            "info": {"title": "a", "version": "1"},
            "paths": {
                "/a": {
                    "get": {
                        "responses": {
                            "200": {"description": "Good", "content": {"application/json": {"schema": ITEM}}},
                            "4XX": {"description": "Bad"},
                        }
                    }
                },
                "/a/{id}": {"get": {"responses": {"200": {"description": "Good"}}}},
            },
        }
    )
)


def failure(
    check: str = "not_a_server_error", status: int | None = 500, operation: str = "GET /a", **request: Any
) -> Failure:
    sent = SentRequest(**{"method": "GET", "target": "/a?n=0", "headers": {"X-A": "1"}, **request})
    return Failure(operation, f"code of {check}", check, "", "", status, sent, valid=True)


def plain(text: str) -> str:
    return text


def a_finding(operation: str | None = "GET /a", **more: Any) -> Finding:
    return Finding("fuzz.crash", Severity.HIGH, "it crashed", "f1", operation=operation, **more)


def test_requests_of_failures_are_kept_with_their_bodies_and_without_the_login() -> None:
    one = failure(method="POST", body=b"\xff\x00 tea", headers={"Authorization": "[Filtered]", "X-Note": "sesame-4711"})
    text = remember([one], scrubber(LOGIN), None, ())
    assert "sesame" not in text
    (back,) = recall(text).values()
    assert (back.request.body, back.request.method, back.status) == (b"\xff\x00 tea", "POST", 500)
    assert recall(text).keys() == {identity("GET /a", one.code)}
    # What was taken out with the login in it cannot be sent again.
    assert headers_of(back, LOGIN) is None
    assert headers_of(failure(headers={"Authorization": "[Filtered]"}), LOGIN) == {
        "Authorization": "Bearer sesame-4711"
    }
    assert headers_of(failure(body=b"token=[redacted]"), LOGIN) is None
    assert recall(remember([failure(body=b"x" * 5000)], plain, None, ())) == {}


def test_of_earlier_requests_only_those_that_stay_known_are_kept() -> None:
    first = remember([failure(), failure("timeout", None)], plain, None, ())
    kept = identity("GET /a", "code of timeout")
    assert recall(remember([], plain, first, {kept})).keys() == {kept}


@pytest.mark.parametrize("text", ["", "{}", '{"format": 2, "requests": []}', '{"format": 1, "requests": [{}]}',
                                  '{"format": 1, "requests": [{"fingerprint": "a"}]}', "[1]"])  # fmt: skip
def test_requests_that_cannot_be_read_are_an_error_that_says_what_to_do(text: str) -> None:
    with pytest.raises(ToolError, match="requests of an earlier phase") as caught:
        recall(text)
    assert caught.value.hint == "sign it off again"


@pytest.mark.parametrize(
    ("check", "then", "now", "operation", "repaired"),
    [
        ("not_a_server_error", 500, 200, "GET /a", True),
        ("not_a_server_error", 500, 400, "GET /a", True),
        ("not_a_server_error", 500, 503, "GET /a", False),
        ("not_a_server_error", 500, 401, "GET /a", False),
        ("not_a_server_error", 500, 429, "GET /a", False),
        ("not_a_server_error", 500, 404, "GET /a/{id}", False),
        ("not_a_server_error", 500, 404, "GET /a", True),
        ("ignored_auth", 200, 401, "GET /a", True),
        ("ignored_auth", 200, 200, "GET /a", False),
        ("negative_data_rejection", 200, 422, "GET /a", True),
        ("negative_data_rejection", 200, 200, "GET /a", False),
        ("status_code_conformance", 302, 302, "GET /a", False),
        ("status_code_conformance", 418, 418, "GET /a", True),
        ("connection-dropped", None, 200, "GET /a", True),
        ("connection-dropped", None, 500, "GET /a", False),
        ("content_type_conformance", 200, 200, "GET /a", True),
        ("response_headers_conformance", 200, 200, "GET /a", False),
    ],
)
def test_an_answer_passes_when_it_is_what_the_check_asks_for(
    check: str, then: int | None, now: int, operation: str, repaired: bool
) -> None:
    answer = Answer(now, {"content-type": "application/json; charset=utf-8"}, b"{}")
    assert passes(Replayed(failure(check, then, operation), answer), API, valid_body=None) is repaired


@pytest.mark.slow
def test_a_body_is_held_against_its_schema_by_schemathesis_itself(tmp_path: Path) -> None:
    wrong, right, html = (
        Replayed(failure("response_schema_conformance", 200), Answer(200, {"content-type": kind}, body))
        for kind, body in (
            ("application/json", b'{"id": "x"}'),
            ("application/json", b'{"id": 1}'),
            ("text/html", b"<"),
        )
    )
    found = check_bodies({"wrong": wrong, "right": right, "html": html}, API, tmp_path / "replayed")
    assert (found["wrong"], found["right"]) == (False, True)
    assert passes(right, API, valid_body=found["right"])
    assert not passes(wrong, API, valid_body=found["wrong"])
    assert not passes(right, API, valid_body=None)
    assert not (tmp_path / "replayed" / "questions.json").exists()


def test_only_findings_of_operations_that_are_still_there_can_stay_unseen() -> None:
    assert unseen([a_finding()], (), API) == [a_finding()]
    assert unseen([a_finding()], {"f1"}, API) == []
    assert unseen([a_finding("GET /gone")], (), API) == []
    assert unseen([a_finding(state=FindingState.FIXED)], (), API) == []


def test_what_was_not_seen_says_so_once_however_many_phases_pass() -> None:
    twice = not_seen(not_seen(a_finding(state=FindingState.KNOWN), again=True), again=False)
    assert (twice.message, twice.state) == ("it crashed (not seen this time)", FindingState.NEW)
    assert not_seen(a_finding(state=FindingState.FLAKY), again=False).state is FindingState.FLAKY


SETTINGS: Mapping[str, Any] = {"phases": ("examples", "coverage")}


def fuzz(
    directory: Path, *features: str, baseline: GateResult | None = None, fast: bool = False, **more: Any
) -> Readings:
    marks = frozenset(one.fingerprint for one in baseline.readings.findings) if baseline else frozenset()
    context = fuzz_context(directory, *features, baseline=baseline, known=marks, fast=fast)
    return Schemathesis(**{**SETTINGS, **more}).run(context)


def gate_of(readings: Readings) -> GateResult:
    return GateResult("fuzz", "schemathesis", Verdict.PASS, 1.0, readings=readings)


@pytest.mark.slow
def test_a_known_failure_that_only_did_not_show_stays_known_and_is_not_new_when_it_returns(tmp_path: Path) -> None:
    first = signed("one", gate_of(fuzz(tmp_path / "a", "items", "crash", "liar")))
    accepted = first.run.gates[0]
    # Without the check nothing can show; the requests that crashed and lied still do when they are sent.
    blind = fuzz(
        tmp_path / "b",
        "items",
        "crash",
        "liar",
        baseline=accepted,
        exclude_checks=("not_a_server_error", "response_schema_conformance", "status_code_conformance"),
    )
    assert {one.fingerprint for one in accepted.readings.findings} <= {one.fingerprint for one in blind.findings}
    second = judged(gate_of(blind), None, first)
    states = {one.operation: (one.state, one.message) for one in second.readings.findings}
    for operation in ("GET /crash", "GET /liar"):
        assert states[operation][0] is FindingState.KNOWN
        assert states[operation][1].endswith("(seen when its request was sent again)")
    later = gate_of(fuzz(tmp_path / "c", "items", "crash", "liar", baseline=second))
    third = judged(later, None, first, signed("two", second))
    assert {one.state for one in third.readings.findings} == {FindingState.KNOWN}


@pytest.mark.slow
def test_a_known_failure_whose_request_is_answered_well_is_repaired(tmp_path: Path) -> None:
    first = signed("one", gate_of(fuzz(tmp_path / "a", "items", "crash", "liar")))
    accepted = first.run.gates[0]
    assert DOCUMENT in accepted.readings.documents
    readings = fuzz(tmp_path / "b", "items", "crash", "liar", "healed", baseline=accepted)
    states = {one.operation: one.state for one in judged(gate_of(readings), None, first).readings.findings}
    assert states == {"GET /crash": FindingState.FIXED, "GET /liar": FindingState.FIXED}
    # In a fast run nothing is sent again, and nothing is called repaired.
    fast = fuzz(tmp_path / "c", "items", "crash", "liar", "healed", baseline=accepted, fast=True)
    states = {one.operation: one.state for one in judged(gate_of(fast), None, first).readings.findings}
    assert states == {"GET /crash": FindingState.KNOWN, "GET /liar": FindingState.KNOWN}


@pytest.mark.slow
def test_with_its_operation_a_failure_is_gone(tmp_path: Path) -> None:
    first = signed("one", gate_of(fuzz(tmp_path / "a", "items", "crash")))
    readings = fuzz(tmp_path / "b", "items", baseline=first.run.gates[0])
    found = judged(gate_of(readings), None, first).readings.findings
    assert {(one.rule, one.state) for one in found if one.operation == "GET /crash"} >= {
        ("fuzz.not_a_server_error", FindingState.FIXED)
    }
