"""Requests are recorded on real backends, and sent again to later builds that keep or break what they answered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from promising import LOGIN, promising_context, run_of, signed

from gates.errors import NotMeasured
from gates.results import FindingState, GateResult, Readings, RecordedRequest, Run, Severity, Verdict
from gates.tools.replay import Replay
from gates.tools.replay.earlier import FIRST_PHASE
from gates.tools.replay.stored import Promise, from_recorded

HIGH, MEDIUM, LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW
WHOLE = {
    "GET /orders", "POST /orders", "GET /orders/{order_id}", "DELETE /orders/{order_id}", "POST /members",
    "GET /members/{member_id}", "GET /status",
}  # fmt: skip


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Readings:
    """Return what the first phase recorded."""
    return Replay().run(promising_context(tmp_path_factory.mktemp("first") / "phase"))


@pytest.fixture(scope="module")
def then(first: Readings) -> Mapping[str, Run]:
    """Return the first phase as it was signed off."""
    return signed("one", first, "replay")


def promises(readings: Readings) -> dict[tuple[str, str], Promise]:
    found = [from_recorded(one) for one in readings.requests]
    return {(one.operation, one.kind): one for one in found}


def broken(readings: Readings) -> set[tuple[str | None, str, Severity]]:
    return {(one.operation, one.rule, one.severity) for one in readings.findings}


def number(readings: Readings, name: str) -> tuple[int | None, int | None]:
    (found,) = [(one.count, one.total) for one in readings.measurements if one.name == name]
    return found


def test_the_first_phase_records_and_nothing_is_promised_yet(first: Readings) -> None:
    assert FIRST_PHASE in first.notes
    assert first.findings == first.gaps == ()
    kept = promises(first)
    assert {operation for operation, kind in kept if kind == "success"} == WHOLE
    assert number(first, "replay.operations") == (7, 8)
    assert any("POST /logout says by its name" in note for note in first.notes)
    statuses = {key: one.status for key, one in kept.items()}
    assert statuses["POST /orders", "success"] == 201
    assert statuses["POST /orders", "invalid"] == 422
    assert statuses["GET /orders/{order_id}", "missing"] == 404
    assert statuses["DELETE /orders/{order_id}", "success"] == 204
    assert {row.operation: row.success for row in first.operations}["DELETE /orders/{order_id}"] is True


def test_what_is_kept_holds_the_steps_and_no_identifier_answer_or_secret(first: Readings) -> None:
    kept = promises(first)
    read = kept["GET /orders/{order_id}", "success"]
    (step,) = read.steps
    assert (step.operation, dict(step.captures)) == ("POST /orders", {"~captured-1~": "body#/id"})
    assert read.asked.request.target == "/orders/~captured-1~"
    member = kept["POST /members", "success"]
    assert json.loads(member.asked.request.body or "")["password"] == "~secret-1~" or "~secret-" in str(member.asked)
    assert set(member.asked.secrets.values()) == {"body#/password"}
    text = repr(first.requests)
    assert "the-shown-secret-99" not in text
    assert "the-shown-key-77" not in text
    # Of the answers only shapes are kept: identifiers are above 1000, and differ from start to start.
    assert not [word for word in json.dumps([one.shape for one in first.requests]).split('"') if word.isdigit()]
    assert kept["GET /status", "success"].shape is not None
    assert "2026-11-24" not in text


def test_the_same_build_keeps_everything_and_the_same_is_recorded(
    first: Readings, then: Mapping[str, Run], tmp_path: Path
) -> None:
    again = Replay().run(promising_context(tmp_path / "phase", signed=then))
    assert again.findings == again.gaps == ()
    count = len(first.requests)
    assert number(again, "replay.kept") == (count, count)
    assert again.requests == first.requests
    seen = [row for row in again.operations if row.source == "replayed"]
    assert {row.operation for row in seen if row.success} == WHOLE
    assert all(row.documented for row in seen)
    assert {row.operation: row.statuses for row in seen}["GET /orders/{order_id}"] == {200: 1, 404: 1}


@pytest.mark.parametrize(
    ("features", "found"),
    [
        ("extra", set()),
        ("no-count", {("GET /orders", "replay.shape", HIGH), ("POST /orders", "replay.shape", HIGH),
                      ("GET /orders/{order_id}", "replay.shape", HIGH)}),
        ("nullable", {("GET /orders", "replay.shape", MEDIUM), ("POST /orders", "replay.shape", MEDIUM),
                      ("GET /orders/{order_id}", "replay.shape", MEDIUM)}),
        ("text-ids", {("GET /orders", "replay.shape", HIGH), ("POST /orders", "replay.shape", HIGH),
                      ("GET /orders/{order_id}", "replay.shape", HIGH)}),
        ("refuses", {("POST /orders", "replay.status-class", HIGH)}),
        ("renamed", {("POST /orders", "replay.gone", HIGH), ("GET /orders", "replay.gone", HIGH)}),
        ("renamed documented", {("POST /orders", "replay.gone", HIGH), ("GET /orders", "replay.gone", HIGH)}),
        ("created-200", {("POST /orders", "replay.status", LOW), ("POST /members", "replay.status", LOW)}),
        ("no-delete", {("DELETE /orders/{order_id}", "replay.gone", HIGH)}),
        ("no-id", {("POST /orders", "replay.shape", HIGH)}),
        ("text", {("GET /status", "replay.content-type", MEDIUM)}),
        ("crash", {("GET /status", "replay.status-class", HIGH)}),
        ("accepting", {("POST /orders", "replay.status-class", MEDIUM),
                       ("POST /members", "replay.status-class", MEDIUM)}),
    ],
)  # fmt: skip
def test_what_a_later_build_breaks_is_found(
    then: Mapping[str, Run], tmp_path: Path, features: str, found: set[Any]
) -> None:
    readings = Replay().run(promising_context(tmp_path / "phase", *features.split(), signed=then))
    assert broken(readings) == found
    assert {one.state for one in readings.findings} <= {FindingState.NEW}
    assert all("phase one promised" in one.fix for one in readings.findings)
    (kept, total) = number(readings, "replay.kept")
    assert kept is not None
    assert total is not None
    assert (kept == total) == all(severity is LOW for _, _, severity in found)


def test_what_depends_on_a_broken_step_is_a_gap(then: Mapping[str, Run], tmp_path: Path) -> None:
    readings = Replay().run(promising_context(tmp_path / "phase", "refuses", signed=then))
    (gap,) = readings.gaps
    assert "POST /orders, which makes what they need, fails" in gap.reason
    assert "GET /orders/{order_id}" in gap.reason
    assert "DELETE /orders/{order_id}" in gap.reason
    (finding,) = readings.findings
    assert 'POST /orders {"item":"tea","count":1}' in finding.message
    # What nothing new could be recorded of is kept as it was, unless it is broken.
    assert ("POST /orders", "success") not in promises(readings)
    assert ("GET /status", "success") in promises(readings)


def test_what_was_there_before_is_read_and_not_taken_away(tmp_path: Path) -> None:
    context = promising_context(tmp_path / "phase", "seeded")
    kept = promises(Replay().run(context))
    (step,) = kept["GET /orders/{order_id}", "success"].steps
    assert (step.operation, list(step.captures.values())) == ("GET /orders", ["body#/0/id"])
    assert ("DELETE /orders/{order_id}", "success") not in kept
    calls = "".join(path.read_text() for path in tmp_path.rglob("backend.log")).splitlines()
    assert {line for line in calls if line.startswith("DELETE")} == {"DELETE /orders/987654321"}


def test_what_can_be_made_only_once_is_recorded_and_serves_all_that_need_it(tmp_path: Path) -> None:
    recorded = Replay().run(promising_context(tmp_path / "one", "one-member"))
    assert {operation for operation, kind in promises(recorded) if kind == "success"} == WHOLE
    then = signed("one", recorded, "replay")
    again = Replay().run(promising_context(tmp_path / "two", "one-member", signed=then))
    assert again.findings == again.gaps == ()
    assert number(again, "replay.kept") == (len(recorded.requests),) * 2


def test_a_break_that_does_not_show_again_is_flaky(then: Mapping[str, Run], tmp_path: Path) -> None:
    readings = Replay().run(promising_context(tmp_path / "phase", "once", signed=then))
    (finding,) = readings.findings
    assert (finding.operation, finding.state) == ("GET /status", FindingState.FLAKY)


def test_a_login_goes_along_and_is_never_kept(tmp_path: Path) -> None:
    recorded = Replay().run(promising_context(tmp_path / "one", "login"))
    assert {operation for operation, kind in promises(recorded) if kind == "success"} == WHOLE
    assert all(one.login for one in promises(recorded).values())
    assert LOGIN["Authorization"].split()[1] not in repr(recorded)
    then = signed("one", recorded, "replay")
    again = Replay().run(promising_context(tmp_path / "two", "login", signed=then))
    assert again.findings == again.gaps == ()
    # Another login of today is used; without any, nothing can be said.
    without = Replay().run(promising_context(tmp_path / "three", "login", signed=then, login={}))
    assert without.findings == ()
    assert any("recorded with a login, and there is none now" in gap.reason for gap in without.gaps)


def test_what_two_starts_answer_differently_is_not_recorded(tmp_path: Path) -> None:
    readings = Replay().run(promising_context(tmp_path / "phase", "moody"))
    assert any("two fresh backends answered differently: GET /moody" in note for note in readings.notes)
    assert not [one for one in readings.requests if one.operation == "GET /moody"]


def test_an_operation_that_ends_the_backend_is_a_finding_and_the_rest_is_recorded(tmp_path: Path) -> None:
    readings = Replay().run(promising_context(tmp_path / "phase", "deadly"))
    (finding,) = readings.findings
    assert (finding.rule, finding.operation) == ("backend.died", "GET /deadly")
    assert {operation for operation, kind in promises(readings) if kind == "success"} == WHOLE


def test_a_promise_whose_request_ends_the_backend_now_is_broken_and_the_rest_is_judged(
    first: Readings, tmp_path: Path
) -> None:
    deadly = RecordedRequest("GET /deadly", "GET", "/deadly", {}, None, 200, first.requests[0].shape, "")
    status = next(one for one in first.requests if one.operation == "GET /status")
    deadly = replace(deadly, shape=status.shape, steps=status.steps)
    then = signed("one", replace(first, requests=(deadly, *first.requests)), "replay")
    readings = Replay().run(promising_context(tmp_path / "phase", "deadly", signed=then))
    assert ("GET /deadly", "replay.status-class", HIGH) in broken(readings)
    assert "going down" in next(one.message for one in readings.findings if one.rule == "replay.status-class")
    assert number(readings, "replay.kept") == (len(first.requests), len(first.requests) + 1)


def test_what_is_excluded_is_neither_sent_nor_recorded(then: Mapping[str, Run], tmp_path: Path) -> None:
    context = promising_context(tmp_path / "phase", signed=then)
    readings = Replay(exclude=("* /members*", "GET /status"), requests=4, per_operation=1).run(context)
    called = "".join(path.read_text() for path in tmp_path.rglob("backend.log"))
    assert "/members" not in called
    assert "GET /status" not in called
    assert "/logout" not in called
    assert "DELETE /orders" in called
    # Of four recorded ones; what is kept of the earlier phase does not go beyond the number.
    assert len(readings.requests) == 4
    assert {one.kind for one in promises(readings).values()} == {"success"}
    assert any("left out by `exclude`" in note for note in readings.notes)


def test_an_earlier_phase_that_recorded_nothing_is_held_to_what_it_was_loaded_with(tmp_path: Path) -> None:
    kind = {"Content-Type": "application/json"}
    loaded = Readings(
        requests=(
            RecordedRequest("POST /orders", "POST", "/orders", kind, '{"item":"tea","count":1}', 201),
            RecordedRequest("GET /orders/{order_id}", "GET", "/orders/77", {}, None, 200),
            RecordedRequest("GET /gone", "GET", "/gone", {}, None, 200),
            RecordedRequest("GET /gone/{id}", "GET", "/gone/1", {}, None, 200),
            RecordedRequest("GET /secret", "GET", "/secret", {"X-Api-Key": "[redacted]"}, None, 200),
        )
    )
    then = {"one": run_of("one", GateResult("load", "locust", Verdict.PASS, 1.0, readings=loaded))}
    readings = Replay().run(promising_context(tmp_path / "phase", signed=then))
    assert broken(readings) == {("GET /gone", "replay.gone", HIGH)}
    assert number(readings, "replay.kept") == (2, 3)
    assert sorted(gap.reason for gap in readings.gaps) == [
        "they cannot be sent as they were: GET /secret", "what they speak of is not there: GET /gone/{id}",
    ]  # fmt: skip
    assert any("recorded no requests to replay" in note for note in readings.notes)
    refused = Replay().run(promising_context(tmp_path / "later", "refuses", signed=then))
    assert ("POST /orders", "replay.status-class", MEDIUM) in broken(refused)


def test_phases_without_any_requests_promise_none(tmp_path: Path) -> None:
    then = {"one": run_of("one", GateResult("tests", "coverage", Verdict.PASS, 1.0))}
    readings = Replay().run(promising_context(tmp_path / "phase", signed=then))
    assert readings.findings == readings.gaps == ()
    assert "no phase up to one recorded requests, so there are none to send again" in readings.notes


def test_the_latest_phase_that_recorded_is_the_one_that_is_held(then: Mapping[str, Run], tmp_path: Path) -> None:
    later = {**then, "two": run_of("two", GateResult("tests", "coverage", Verdict.PASS, 1.0))}
    readings = Replay().run(promising_context(tmp_path / "phase", "crash", signed=later))
    (finding,) = readings.findings
    assert "in one" in finding.message


def test_what_the_time_does_not_suffice_for_is_a_gap(then: Mapping[str, Run], tmp_path: Path) -> None:
    readings = Replay(time="1 ms").run(promising_context(tmp_path / "phase", signed=then))
    assert any(gap.reason.startswith("the time was over") for gap in readings.gaps)
    with pytest.raises(NotMeasured, match="no request could be recorded"):
        Replay(time="1 ms").run(promising_context(tmp_path / "other"))
