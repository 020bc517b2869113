"""What was answered, held against what was recorded: kept, broken, or not known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from gates.load.assignment import Sendable
from gates.results import FindingState, Severity
from gates.tools.replay.comparing import changed_their_mind, compare, shown
from gates.tools.replay.shape import shape_of
from gates.tools.replay.stored import Asked, Kind, Outcome, Promise

JSON = "application/json"
POST = Asked("POST /orders", Sendable("POST", "/orders", {}, '{"item":"tea"}'), {}, {"~captured-1~": "body#/id"})


def promised(status: int = 200, kind: Kind = "success", media: str = JSON, value: Any = None, **more: Any) -> Promise:
    asked = Asked("GET /orders/{id}", Sendable("GET", "/orders/~captured-1~?k=~secret-1~"))
    return Promise(kind, asked, (POST,), status=status, media=media, shape=shape_of(value or {"id": 1}), **more)


def answered(status: int | None = 200, media: str = JSON, value: Any = None, **more: Any) -> Outcome:
    return Outcome(status, media, shape_of(value or {"id": 2}), **more)


def rules(promise: Promise, outcome: Outcome) -> list[tuple[str, Severity]]:
    compared = compare("one", [promise], {0: outcome}, has_login=True)
    assert compared.judged == 1
    return [(one.rule, one.severity) for one in compared.findings()]


HIGH, MEDIUM, LOW = Severity.HIGH, Severity.MEDIUM, Severity.LOW


@pytest.mark.parametrize(
    ("then", "kind", "now", "found"),
    [
        (200, "success", 200, []),
        (200, "success", 201, [("replay.status", LOW)]),
        (200, "success", 302, [("replay.status-class", HIGH)]),
        (200, "success", 404, [("replay.gone", HIGH)]),
        (204, "success", 405, [("replay.gone", HIGH)]),
        (200, "success", 501, [("replay.gone", HIGH)]),
        (200, "success", 403, [("replay.status-class", HIGH)]),
        (200, "success", 422, [("replay.status-class", HIGH)]),
        (200, "success", 500, [("replay.status-class", HIGH)]),
        (200, "success", None, [("replay.status-class", HIGH)]),
        (404, "missing", 404, []),
        (404, "missing", 410, [("replay.status", LOW)]),
        (404, "missing", 200, [("replay.status-class", MEDIUM)]),
        (404, "missing", 500, [("replay.status-class", HIGH)]),
        (422, "invalid", 201, [("replay.status-class", MEDIUM)]),
        (422, "invalid", 400, [("replay.status", LOW)]),
    ],
)
def test_the_class_of_the_status_is_promised(
    then: int, kind: Kind, now: int | None, found: list[tuple[str, Severity]]
) -> None:
    assert rules(promised(then, kind), answered(now, trouble="was not answered within 10 s")) == found


def test_shape_and_media_type_are_promised() -> None:
    promise = promised(value={"id": 1, "item": "tea"})
    assert rules(promise, answered(value={"id": 1, "item": "tea", "more": 1})) == []
    assert rules(promise, answered(value={"id": 1})) == [("replay.shape", HIGH)]
    assert rules(promise, answered(value={"id": 1, "item": None})) == [("replay.shape", MEDIUM)]
    assert rules(replace(promise, status=404, kind="missing"), answered(404, value={"id": 1})) == [
        ("replay.shape", MEDIUM)
    ]
    # Another refusal has another answer.
    assert rules(replace(promise, status=404, kind="missing"), answered(405, "text/html")) == [("replay.status", LOW)]
    assert rules(promise, answered(media="text/html")) == [("replay.content-type", MEDIUM)]
    assert rules(promise, Outcome(200)) == [("replay.content-type", MEDIUM)]
    assert rules(replace(promise, media="", shape=None), Outcome(200)) == []


def test_a_finding_says_what_was_sent_and_promised_and_what_came() -> None:
    compared = compare(
        "one", [promised(value={"id": 1, "a": 2})], {0: answered(201, value={"id": "1"})}, has_login=True
    )
    (status, shape) = compared.findings()
    assert status.message == (
        "GET /orders/{id}: a valid request was answered 200 in one and is answered 201 now. Sent: GET /orders/…?k=…"
    )
    assert "/a is gone, /id was a number and is a string" in shape.message
    assert shape.operation == "GET /orders/{id}"
    assert "phase one promised that" in shape.fix
    assert compared.kept == []


def test_another_loss_of_the_same_answer_is_another_finding() -> None:
    promise = promised(value={"a": 1, "b": 1})
    marks = {
        compare("one", [promise], {0: answered(value=value)}, has_login=True).findings()[0].fingerprint
        for value in ({"a": 1}, {"b": 1}, {"a": 1, "b": "x"})
    }
    assert len(marks) == 3


@pytest.mark.parametrize(
    ("outcome", "rule"),
    [
        (Outcome(422, trouble="was answered 422", blamed=POST), "replay.status-class"),
        (Outcome(404, trouble="was answered 404", blamed=POST), "replay.gone"),
        (Outcome(201, trouble="was answered 201 without /id", blamed=POST), "replay.shape"),
        (Outcome(None, trouble="was not answered", blamed=POST), "replay.status-class"),
    ],
)
def test_a_step_that_fails_is_the_fault_of_its_own_operation(outcome: Outcome, rule: str) -> None:
    compared = compare("one", [promised(), promised()], {0: outcome, 1: outcome}, has_login=True)
    (finding,) = compared.findings()
    assert (finding.rule, finding.operation, finding.severity) == (rule, "POST /orders", HIGH)
    (gap,) = compared.gaps()
    assert gap.what == "2 recorded requests of one could not be judged"
    assert gap.reason == "POST /orders, which makes what they need, fails: GET /orders/{id}"
    assert (compared.judged, compared.kept) == (0, [])


def test_an_operation_that_fails_itself_is_told_once() -> None:
    own = Promise("success", POST, status=201, media=JSON, shape=shape_of({"id": 1}))
    outcomes = {0: answered(422), 1: Outcome(422, trouble="was answered 422", blamed=POST)}
    compared = compare("one", [own, promised()], outcomes, has_login=True)
    assert [(one.rule, one.operation) for one in compared.findings()] == [("replay.status-class", "POST /orders")]


def test_what_says_nothing_is_a_gap() -> None:
    promises = [promised(), promised(), promised(login=True)]
    compared = compare("one", promises, {1: answered(429), 2: answered(401)}, has_login=False)
    assert compared.findings() == []
    assert [gap.reason.partition(":")[0] for gap in compared.gaps()] == [
        "the time was over", "the backend takes no more requests for now (429)",
        "they were recorded with a login, and there is none now",
    ]  # fmt: skip
    # With a login it is a refusal like any other.
    assert rules(promised(login=True), answered(401)) == [("replay.status-class", HIGH)]


def test_what_is_broken_only_once_is_flaky() -> None:
    first = compare("one", [promised(), promised(404, "missing")], {0: answered(500), 1: answered(200)}, has_login=True)
    assert first.doubtful == [0, 1]
    second = compare("one", [promised(), promised(404, "missing")], {0: answered(), 1: answered(200)}, has_login=True)
    (flaky,) = changed_their_mind(first, second)
    assert (flaky.rule, flaky.severity, flaky.state) == ("replay.status-class", HIGH, FindingState.FLAKY)


def test_what_is_shown_is_short_and_in_one_line() -> None:
    asked = Asked("POST /a", Sendable("POST", "/a", {}, '{"text":"' + "x\\n" * 300 + '\x1b[31m"}'))
    text = shown(asked)
    assert "\x1b" not in text
    assert "\n" not in text
    assert len(text) < 200
