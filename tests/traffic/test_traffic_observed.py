from __future__ import annotations

from collections.abc import Sequence

import pytest
from traffic_documents import document

from gates.results import OperationSeen, Severity
from gates.traffic.calls import Call
from gates.traffic.evidence import evidence_of, share_of_operations
from gates.traffic.observed import MOST_UNDOCUMENTED, Observation, observe

SHOP = document("GET /orders", "POST /orders", "GET /orders/{id}", base="/api", responses={
    "POST /orders": {"201": {"description": "made"}, "422": {"description": "wrong"}},
    "GET /orders/{id}": {"2XX": {"description": "one"}},
})  # fmt: skip


def seen(*calls: Call, ignore: Sequence[str] = ()) -> Observation:
    return observe(calls, SHOP, "tests", ignore)


def routes(*calls: Call, ignore: Sequence[str] = ()) -> list[str]:
    return [route.name for route in seen(Call("GET", "/orders", 200), *calls, ignore=ignore).undocumented]


def test_calls_become_operations_with_their_statuses_in_the_order_of_the_document() -> None:
    found = seen(
        Call("GET", "/api/orders/1", 200, 3), Call("GET", "/orders/2", 404), Call("POST", "/api/orders", 201),
        Call("POST", "/api/orders/", 422, 2), Call("GET", "/orders", 500),
    )  # fmt: skip
    assert found.operations == (
        OperationSeen("GET /orders", {500: 1}, False, source="tests"),
        OperationSeen("POST /orders", {201: 1, 422: 2}, True, source="tests"),
        OperationSeen("GET /orders/{id}", {200: 3, 404: 1}, True, source="tests"),
    )
    assert (found.succeeded, found.matched, found.undocumented) == (2, 8, ())
    share = share_of_operations("tests.operations", found, SHOP)
    assert (share.count, share.total, share.unit) == (2, 3, "ratio")


@pytest.mark.parametrize(
    ("call", "success"),
    [
        (Call("POST", "/orders", 201), True),
        (Call("POST", "/orders", 200), False),  # a success that nobody documented
        (Call("POST", "/orders", 422), False),  # documented, and no success
        (Call("POST", "/orders", 201, passed=False), False),
        (Call("GET", "/orders/1", 206), True),
        (Call("GET", "/orders", 301), False),
    ],
)
def test_only_a_documented_success_in_a_test_that_passed_counts(call: Call, success: bool) -> None:
    assert [one.success for one in seen(call).operations] == [success]


@pytest.mark.parametrize(("names", "status", "success"), [
    ({"default": {}}, 200, True), ({"default": {}}, 302, False), ({"302": {}}, 302, True), ({"3xx": {}}, 302, True),
    ({}, 200, False),
])  # fmt: skip
def test_default_stands_for_a_2xx_and_a_redirection_must_be_named(
    names: dict[str, dict[str, object]], status: int, success: bool
) -> None:
    one = observe([Call("GET", "/a", status)], document("GET /a", responses={"GET /a": names}), "tests")
    assert one.operations[0].success is success


def test_a_route_that_answered_and_is_in_no_document_is_a_finding() -> None:
    found = seen(
        Call("GET", "/orders", 200), Call("GET", "/internal/1", 200), Call("GET", "/internal/2", 500, 4),
        Call("DELETE", "/api/orders/7", 204),
    )  # fmt: skip
    first, second = evidence_of(found, "tests").findings
    assert (first.rule, first.severity, first.operation) == (
        "traffic.undocumented-route", Severity.MEDIUM, "DELETE /orders/{id}",
    )  # fmt: skip
    assert second.operation == "GET /internal/{id}"
    assert second.message == (
        "GET /internal/{id} answered a request of the tests with 200, 500 (such as /internal/1), and is in no document"
    )
    again = seen(Call("GET", "/orders", 200), Call("GET", "/internal/99", 201)).undocumented[0].as_finding("x")
    assert again.fingerprint == second.fingerprint != first.fingerprint
    others = [one for one in found.everything("tests") if not one.documented]
    assert [(one.operation, one.statuses, one.success) for one in others] == [
        ("DELETE /orders/{id}", {204: 1}, None), ("GET /internal/{id}", {200: 1, 500: 4}, None),
    ]  # fmt: skip


@pytest.mark.parametrize("path", [
    "/health", "/api/v1/healthz", "/docs", "/docs/oauth2-redirect", "/openapi.json", "/v3/api-docs", "/favicon.ico",
    "/static/app.js", "/metrics", "/a/logo.png", "/swagger-ui/index.html", "/.well-known/security.txt",
])  # fmt: skip
def test_documents_probes_and_files_are_no_routes_of_the_api(path: str) -> None:
    assert routes(Call("GET", path, 200)) == []


@pytest.mark.parametrize("status", [101, 302, 400, 401, 403, 404, 405, 429, 501, 503])
def test_what_is_answered_ahead_of_every_route_shows_none(status: int) -> None:
    assert routes(Call("GET", "/secret", status)) == []


@pytest.mark.parametrize("status", [200, 201, 204, 409, 422, 500])
def test_what_only_a_route_answers_shows_one(status: int) -> None:
    assert routes(Call("GET", "/secret", status)) == ["GET /secret"]


def test_a_route_that_the_backend_names_itself_is_one_whatever_it_answers() -> None:
    named = Call("GET", "/u/ada", 401, template="/u/{name}")
    assert routes(named) == ["GET /u/{name}"]
    assert routes(Call("GET", "/u/ada", 404, template="/u/{name}")) == []


@pytest.mark.parametrize("call", [
    Call("HEAD", "/x", 200), Call("OPTIONS", "/x", 200), Call("GET", "/x", 200, page=True),
    Call("GET", "/x", 200, application="net:127.0.0.1:1"),
])  # fmt: skip
def test_what_no_document_would_have_is_left_out(call: Call) -> None:
    assert routes(call) == []


def test_patterns_leave_routes_out_with_or_without_a_method() -> None:
    calls = [Call("GET", "/internal/a", 200), Call("POST", "/hooks/b", 200), Call("GET", "/hooks/b", 200)]
    assert routes(*calls, ignore=["/internal/*", "POST /hooks/*"]) == ["GET /hooks/b"]


def test_applications_that_are_not_the_one_under_test_do_not_count() -> None:
    found = seen(
        Call("GET", "/orders", 200, application="app:shop"), Call("GET", "/extra", 200, application="app:shop"),
        Call("GET", "/boom", 500, application="app:small"), Call("GET", "/orders", 404, application="app:small"),
        Call("POST", "/session", 200, application="net:127.0.0.1:4444"),
    )  # fmt: skip
    assert [(one.operation, one.statuses) for one in found.operations] == [("GET /orders", {200: 1})]
    assert [route.name for route in found.undocumented] == ["GET /extra"]
    assert found.elsewhere == {"app:small": "GET /boom", "net:127.0.0.1:4444": "POST /session"}
    assert "2 other applications or services" in evidence_of(found, "tests").notes[0]


def test_hundreds_of_routes_are_told_by_their_number() -> None:
    calls = [Call("GET", f"/r-{number}-x", 200) for number in range(MOST_UNDOCUMENTED + 7)]
    found = seen(*calls)
    assert (len(found.undocumented), found.left_out) == (MOST_UNDOCUMENTED, 7)
    assert "7 routes more" in evidence_of(found, "tests").notes[-1]
