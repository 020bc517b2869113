"""One shape for errors, one for lists, JSON, pages, bounds, points in time."""

from __future__ import annotations

import json

import pytest
from rest_samples import Json, answer, body, document, found, operation, query, thing

from gates.document import parse_document
from gates.rest import Conventions, check_conventions
from gates.results import Severity

ERRORS, LISTS, PAGES = "rest.error-envelope", "rest.list-envelope", "rest.pagination"


def failing(**shapes: Json) -> Json:
    return {
        f"/{path}": {"get": {"responses": {"200": answer(), "400": answer(shape)}}} for path, shape in shapes.items()
    }


def test_errors_of_another_shape_are_told_by_their_shape() -> None:
    usual = thing("code", "message")
    (finding,) = found(ERRORS, failing(a=usual, b=usual, c=thing("error"), d=thing("error")))
    assert finding.message == "errors are {error} in 2 answers, and {code, message} elsewhere (GET /c 400, GET /d 400)"
    assert finding.severity is Severity.MEDIUM
    for other in (thing("detail"), {"type": "string"}, {"type": "array", "items": usual}):
        assert len(found(ERRORS, failing(a=usual, b=usual, c=other))) == 1


def test_errors_of_one_family_are_one_shape() -> None:
    usual = thing("code", "message")
    for other in (usual, thing("code", "message", "details"), thing("message"), {"allOf": [usual, thing("errors")]}):
        assert found(ERRORS, failing(a=usual, b=usual, c=other)) == []
    assert found(ERRORS, failing(a=usual, b={}, c={"type": "object"})) == []
    assert found(ERRORS, failing(a={"oneOf": [usual, thing("code", "message", "x")]}, b=usual)) == []


def test_only_errors_and_only_json_count() -> None:
    page = {"content": {"text/html": {"schema": {"type": "string"}}}, "description": "x"}
    paths = failing(a=thing("code"), b=thing("code"))
    paths["/c"] = {"get": {"responses": {"200": answer(thing("id")), "404": page, "302": answer(thing("url"))}}}
    assert found(ERRORS, paths) == []
    paths["/d"] = {"get": {"responses": {"default": answer(thing("id"))}}}
    assert found(ERRORS, paths) == []
    paths["/e"] = {"get": {"responses": {"200": answer(), "default": answer(thing("id"))}}}
    assert len(found(ERRORS, paths)) == 1


def test_a_project_can_say_what_every_error_has() -> None:
    said = Conventions(error_envelope=("code", "message"))
    assert found(ERRORS, failing(a=thing("code", "message", "x")), said) == []
    (finding,) = found(ERRORS, failing(a=thing("code")), said)
    assert "{code, message} elsewhere" in finding.message
    assert len(found(ERRORS, failing(a=thing("code"), b=thing("message")), said)) == 2


def listing(path: str, schema: Json, *parameters: Json, **more: object) -> Json:
    response = {"200": answer(schema, **more)}
    return {
        path: {"get": {"responses": response, "parameters": list(parameters)}},
        f"{path}/{{id}}": {"get": operation(), "delete": operation("204")},
    }


BARE = {"type": "array", "items": {"type": "object"}}
WRAPPED = {"type": "object", "properties": {"data": BARE}}


def test_lists_have_one_shape() -> None:
    bare = {**listing("/a", BARE), **listing("/b", BARE)}
    (finding,) = found(LISTS, {**bare, **listing("/c", WRAPPED)})
    assert finding.message == "GET /c answers {data}, and the rule here is an array in most lists"
    by_name = {"type": "object", "properties": {"orders": BARE}}
    (finding,) = found(LISTS, {**listing("/a", WRAPPED), **listing("/orders", by_name), **listing("/c", BARE)})
    assert "GET /c answers […]" in finding.message
    assert len(found(LISTS, bare, Conventions(list_envelope=("data",)))) == 2
    assert found(LISTS, listing("/a", WRAPPED), Conventions(list_envelope=("data",))) == []
    for more in (listing("/c", BARE), listing("/c", thing("id")), listing("/c", {"properties": {"tags": BARE}}), {}):
        assert found(LISTS, {**bare, **more}) == []


def test_growing_lists_can_be_paged_through() -> None:
    assert [one.operation for one in found(PAGES, listing("/orders", BARE))] == ["GET /orders"]
    assert len(found(PAGES, listing("/orders", WRAPPED))) == 1
    assert len(found(PAGES, {"/orders": {"get": operation("200"), "post": operation("201")}})) == 0
    posted = {"/orders": {"get": {"responses": {"200": answer(BARE)}}, "post": operation("201")}}
    assert len(found(PAGES, posted)) == 1


@pytest.mark.parametrize(
    "name", ["limit", "page", "pageSize", "per_page", "cursor", "starting_after", "$top", "page[size]", "Skip"]
)
def test_names_of_pages(name: str) -> None:
    assert found(PAGES, listing("/orders", BARE, *query(name))) == []


def test_lists_that_need_no_pages_or_have_them_otherwise() -> None:
    linked = {"headers": {"Link": {"schema": {"type": "string"}}}}
    more = {"type": "object", "properties": {"data": BARE, "next_cursor": {"type": "string"}}}
    for paths in (
        listing("/orders", more), listing("/orders", BARE, **linked),
        {"/countries": {"get": {"responses": {"200": answer(BARE)}}}},
        listing("/orders", thing("id")), listing("/orders", BARE, {"$ref": "other.json#/Limit"}),
    ):  # fmt: skip
        assert found(PAGES, paths) == []
    assert len(found(PAGES, listing("/orders", BARE, *query("q")), Conventions(pagination=("seite",)))) == 1
    assert found(PAGES, listing("/orders", BARE, *query("seite")), Conventions(pagination=("seite",))) == []


def test_data_is_json() -> None:
    def sent(media: str, answered: str = "application/json") -> Json:
        return {"/orders": {"post": {"requestBody": body({}, media), "responses": {"201": answer({}, answered)}}}}

    for media in ("application/xml", "text/xml", "application/x-www-form-urlencoded"):
        (finding,) = found("rest.media-type", sent(media))
        assert f"takes only {media}" in finding.message
    assert (
        "answers only application/xml"
        in found("rest.media-type", sent("application/json", "application/xml"))[0].message
    )
    for media in (
        "application/json",
        "application/problem+json",
        "multipart/form-data",
        "application/octet-stream",
        "image/png",
    ):
        assert found("rest.media-type", sent(media, media)) == []
    both = {
        "/orders": {
            "post": {"requestBody": {"content": {"application/json": {}, "application/xml": {}}}, "responses": {}}
        }
    }
    assert found("rest.media-type", both) == []


def test_bounds_are_off_until_they_are_asked_for() -> None:
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string"}, "kind": {"enum": ["a"], "type": "string"}, "age": {"type": "integer"},
            "size": {"type": "integer", "maximum": 9}, "tags": {"type": "array", "maxItems": 9,
            "items": {"type": "string"}},
            "id": {"type": "string", "readOnly": True}, "rows": {"type": "array", "items": {"type": "string",
            "maxLength": 9}},
        },
    }  # fmt: skip
    paths = {
        "/orders": {
            "post": operation("201", requestBody=body(schema)),
            "get": {"responses": {"200": answer(thing("x"))}},
        }
    }
    assert found("rest.bounds", paths) == []
    told = found("rest.bounds", paths, Conventions(severities={"rest.bounds": Severity.LOW}))
    assert [one.message.split("`")[1] for one in told] == ["rows", "age", "name", "tags[]"]
    assert {one.severity for one in told} == {Severity.LOW}


def test_points_in_time_have_a_format() -> None:
    def timed(**properties: Json) -> list[str]:
        paths = {"/orders": {"get": {"responses": {"200": answer({"properties": properties})}}}}
        return [one.message.split("`")[1] for one in found("rest.date-time", paths)]

    text = {"type": "string"}
    assert timed(created_at=text, updatedAt=text, timestamp=text, event_datetime=text) == [
        "created_at", "event_datetime", "timestamp", "updatedAt",
    ]  # fmt: skip
    dated = {"type": "string", "format": "date-time"}
    assert (
        timed(created_at=dated, sold_at={"type": "integer"}, format=text, chat=text, look_at_me=text, flat=text) == []
    )
    assert timed(created_at={"type": ["string", "null"]}) == ["created_at"]
    assert timed(created_at={"type": "string", "pattern": "^2"}) == []


def test_both_shapes_of_openapi_are_read() -> None:
    swagger = {
        "swagger": "2.0", "info": {"title": "t", "version": "1"}, "basePath": "/v1", "produces": ["application/xml"],
        "definitions": {"Order": {"properties": {"created_at": {"type": "string"}, "shipTo": {}, "bill_to": {},
        "zip_code": {}}}},
        "paths": {
            "/orders": {
                "get": {"responses": {"200": {"description": "x", "schema": {"$ref": "#/definitions/Order"}}}},
                "post": {"consumes": ["application/x-www-form-urlencoded"], "produces": ["application/json"],
                         "parameters": [{"name": "a", "in": "formData", "type": "string"}],
                         "responses": {"201": {"description": "x", "schema": {"$ref": "#/definitions/Order"}},
                                       "204": {"description": "x", "schema": {"type": "string"}}}},
            },
        },
    }  # fmt: skip
    told = {one.rule: one.message for one in check_conventions(parse_document(json.dumps(swagger)))}
    assert {"rest.date-time", "rest.property-case", "rest.documented-4xx", "rest.no-content"} <= told.keys()
    media = [
        one.message for one in check_conventions(parse_document(json.dumps(swagger))) if one.rule == "rest.media-type"
    ]
    assert [text.split(" (")[0] for text in media] == [
        "1 operation answers only application/xml", "1 operation takes only application/x-www-form-urlencoded",
    ]  # fmt: skip


def test_a_document_without_anything_breaks_nothing() -> None:
    assert check_conventions(document({})) == []
