"""Responses: statuses with their ranges and `default`, bodies, media types, headers."""

from __future__ import annotations

from typing import Any

import pytest
from small_documents import JSON, changes, document, edited, rules

from gates.results import Severity

EMPTY = {"description": "ok"}


def with_body(schema: Any = None, media: str = JSON) -> dict[str, Any]:
    return {"description": "ok", "content": {media: {"schema": schema or {"type": "string"}}}}


def with_header(**header: Any) -> dict[str, Any]:
    return {"description": "ok", "headers": {"X-Total": {"schema": {"type": "integer"}, **header}}}


def getting(**responses: Any) -> dict[str, Any]:
    """Return a document by the statuses of its one operation, written `s200`, `s2XX` or `default`."""
    return document({"/a": {"get": {"responses": {name.removeprefix("s"): one for name, one in responses.items()}}}})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (["s200"], ["s201"], {"success-status-removed", "status-added"}),
        (["s200", "s202"], ["s200"], {"success-status-removed"}),
        (["s200"], ["s200", "s404"], {"status-added"}),
        (["s200", "s404"], ["s200"], {"error-status-removed"}),
        (["s200"], ["s2XX"], set()),
        (["s2XX"], ["s200"], set()),
        (["s200"], ["default"], set()),
        (["default"], ["s200"], set()),
        (["s200", "s404"], ["s200", "default"], {"status-added"}),
        (["s200", "default"], ["s200", "s404", "default"], set()),
        (["s200", "s404"], ["s200", "s4xx"], set()),
        (["s200", "default"], ["default"], set()),
        (["s302"], ["s200"], {"success-status-removed", "status-added"}),
        (["s200"], ["s200", "default"], {"status-added"}),
    ],
)
def test_statuses_and_what_holds_them(old: list[str], new: list[str], expected: set[str]) -> None:
    one, other = (getting(**dict.fromkeys(names, EMPTY)) for names in (old, new))
    assert rules(one, other) == expected


def test_a_removed_success_breaks_and_a_removed_error_does_not() -> None:
    found = changes(getting(s200=EMPTY, s404=EMPTY), getting(s204=EMPTY))
    assert found["success-status-removed"].severity is Severity.HIGH
    assert found["success-status-removed"].message == "GET /a, response 200: gone"
    assert found["error-status-removed"].severity is Severity.INFO
    assert found["status-added"].pointer == "/paths/~1a/get/responses/204"


def test_a_status_is_compared_with_what_held_it() -> None:
    old = getting(s200=EMPTY, default=with_body({"type": "object", "properties": {"code": {}}, "required": ["code"]}))
    new = edited(old, "paths", "/a", "get", "responses", "404", to=with_body({"type": "object"}))
    assert rules(old, new) == {"response-property-removed"}


def test_a_body_that_goes_and_comes() -> None:
    assert changes(getting(s200=with_body()), getting(s200=EMPTY))["response-body-removed"].severity is Severity.HIGH
    assert rules(getting(s200=EMPTY), getting(s200=with_body())) == {"response-body-added"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (JSON, "text/xml", {"response-media-type-removed", "response-media-type-added"}),
        (JSON, "application/json;charset=UTF-8", set()),
        ("*/*", JSON, {"response-narrowed"}),
        (JSON, "*/*", {"response-media-type-added"}),
    ],
)
def test_media_types(old: str, new: str, expected: set[str]) -> None:
    assert rules(getting(s200=with_body(media=old)), getting(s200=with_body(media=new))) == expected


def test_headers() -> None:
    plain, sent, always = getting(s200=EMPTY), getting(s200=with_header()), getting(s200=with_header(required=True))
    assert changes(always, plain)["response-header-removed"].severity is Severity.HIGH
    assert changes(sent, plain)["optional-header-removed"].severity is Severity.MEDIUM
    assert rules(plain, sent) == {"response-header-added"}
    assert changes(always, sent)["response-header-became-optional"].severity is Severity.HIGH
    assert rules(sent, always) == {"response-narrowed"}
    assert rules(sent, getting(s200=with_header(schema={"type": "string"}))) == {"type-changed"}
    assert rules(sent, getting(s200=with_header(deprecated=True))) == {"deprecated"}


def test_headers_have_no_case_and_content_type_is_none() -> None:
    old = getting(s200={**EMPTY, "headers": {"X-Total": {}, "Content-Type": {}}})
    new = getting(s200={**EMPTY, "headers": {"x-total": {}}})
    assert rules(old, new) == set()


def test_a_shared_response_and_header_are_one_change_each() -> None:
    operation = {"responses": {"200": {"$ref": "#/components/responses/R"}}}
    header = {"schema": {"type": "integer"}, "required": True}
    shared = {**with_body(), "headers": {"X-Total": {"$ref": "#/components/headers/Total"}}}
    old = document(
        {f"/{number}": {"get": operation} for number in range(30)},
        components={"responses": {"R": shared}, "headers": {"Total": header}},
    )
    new = edited(old, "components", "headers", "Total", "required")
    found = changes(old, new)["response-header-became-optional"]
    assert (found.pointer, len(found.operations)) == ("/components/headers/Total", 30)
    other = edited(old, "components", "responses", "R", "content", JSON, "schema", "type", to="integer")
    assert len(changes(old, other)["type-changed"].operations) == 30
