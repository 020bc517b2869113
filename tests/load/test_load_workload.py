"""Requests from documents: parameters in every place and style, bodies of every kind, and back from a recording."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

import pytest

from gates.document import Document, Operation, parse_document
from gates.load.assignment import Sendable
from gates.load.scalars import Unbuildable
from gates.load.workload import draw, redraw, render
from gates.results import RecordedRequest


class Nothing:
    """A backend of which nothing is known."""

    def of_path(self, operation: Operation, parameter: str) -> Any:
        return None

    def of_field(self, operation: Operation, name: str) -> Any:
        return None


class Known(Nothing):
    def of_path(self, operation: Operation, parameter: str) -> Any:
        return {"order_id": 41, "slug": "a/b c"}.get(parameter)

    def of_field(self, operation: Operation, name: str) -> Any:
        return {"customer_id": 7, "tag_id": "t1"}.get(name)


def api(path: str, operation: dict[str, Any], version: str = "3.0.3", **more: Any) -> Document:
    head = {"swagger": "2.0"} if version == "2.0" else {"openapi": version}
    return parse_document(json.dumps({**head, "info": {}, "paths": {path: {"post": operation}}, **more}))


def sent(document: Document, identifiers: Nothing | None = None, **drawn: bool) -> Sendable:
    return render(draw(document, document.operations[0], **drawn), identifiers or Nothing())


def parameter(name: str, place: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "in": place, **more}


def body(media: str, schema: Any = None, **more: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {media: {**({} if schema is None else {"schema": schema}), **more}}}}


def test_only_required_parameters_and_those_with_examples_are_sent() -> None:
    document = api(
        "/things/{thing_id}",
        {
            "parameters": [
                parameter("thing_id", "path", required=True, schema={"type": "integer"}),
                parameter("needed", "query", required=True, schema={"type": "string"}),
                parameter("optional", "query", schema={"type": "string", "default": "x"}),
                parameter("shown", "query", example="a b&c", schema={"type": "string"}),
                parameter("inside", "query", schema={"type": "string", "example": "y"}),
                parameter("X-Trace", "header", required=True, schema={"type": "string"}),
                parameter("Authorization", "header", required=True, schema={"type": "string"}),
                parameter("session", "cookie", required=True, schema={"type": "string", "example": "s 1"}),
            ]
        },
        servers=[{"url": "https://api.example.com/v2/"}],
    )
    request = sent(document)
    path, _, query = request.target.partition("?")
    assert path == "/v2/things/1"
    assert parse_qsl(query) == [("needed", "needed"), ("shown", "a b&c"), ("inside", "y")]
    assert request.headers == {"X-Trace": "X-Trace", "Cookie": "session=s%201"}
    assert request.body is None


@pytest.mark.parametrize(
    ("more", "query"),
    [
        ({}, [("q", "a"), ("q", "b")]),
        ({"explode": False}, [("q", "a,b")]),
        ({"explode": False, "style": "pipeDelimited"}, [("q", "a|b")]),
    ],
)
def test_lists_in_a_query_are_written_as_the_document_says(more: dict[str, Any], query: list[tuple[str, str]]) -> None:
    shown = parameter("q", "query", example=["a", "b"], schema={"type": "array"}, **more)
    assert parse_qsl(sent(api("/", {"parameters": [shown]})).target[2:]) == query


@pytest.mark.parametrize(
    ("more", "query"),
    [
        ({}, [("q", "a,b")]),
        ({"collectionFormat": "multi"}, [("q", "a"), ("q", "b")]),
        ({"collectionFormat": "pipes"}, [("q", "a|b")]),
    ],
)
def test_swagger_joins_lists_unless_told_otherwise(more: dict[str, Any], query: list[tuple[str, str]]) -> None:
    shown = {**parameter("q", "query", required=True, type="array", items={"enum": ["a"]}, default=["a", "b"]), **more}
    assert parse_qsl(sent(api("/", {"parameters": [shown]}, "2.0")).target[2:]) == query


def test_objects_in_a_query() -> None:
    deep = parameter("f", "query", example={"a": 1}, style="deepObject", schema={})
    flat = parameter("g", "query", example={"b": True}, schema={})
    packed = parameter("h", "query", required=True, content={"application/json": {"schema": {"type": "integer"}}})
    found = parse_qsl(sent(api("/", {"parameters": [deep, flat, packed]})).target[2:])
    assert found == [("f[a]", "1"), ("b", "true"), ("h", "1")]


def test_json_is_preferred_and_the_media_types_own_example_comes_first() -> None:
    operation = {
        "requestBody": {
            "content": {
                "text/plain": {"example": "text"},
                "application/vnd.api+json": {"examples": {"one": {"value": {"a": "ä"}}}, "schema": {"type": "object"}},
            }
        }
    }
    request = sent(api("/", operation))
    assert request.headers["Content-Type"] == "application/vnd.api+json"
    assert json.loads(request.body or "") == {"a": "ä"}
    assert (request.body or "").isascii()


def test_forms_repeat_lists_and_files_get_a_name() -> None:
    schema = {
        "type": "object",
        "required": ["a", "tags"],
        "properties": {"a": {"type": "integer"}, "tags": {"type": "array", "items": {"enum": ["x"]}, "minItems": 2}},
    }
    form = sent(api("/", body("application/x-www-form-urlencoded", schema)))
    assert form.body == "a=1&tags=x&tags=x"
    schema["properties"]["f"] = {"type": "string", "format": "binary"}  # type: ignore[index]
    schema["required"].append("f")  # type: ignore[attr-defined]
    multipart = sent(api("/", body("multipart/form-data", schema)))
    boundary = multipart.headers["Content-Type"].partition("boundary=")[2]
    parts = (multipart.body or "").split(f"--{boundary}")
    assert len(parts) == 6
    assert parts[-1] == "--\r\n"
    assert 'name="f"; filename="text.txt"\r\nContent-Type: text/plain\r\n\r\ntext\r\n' in parts[4]
    assert "filename" not in parts[1]


def test_swagger_bodies_and_forms() -> None:
    schema = {"$ref": "#/definitions/Pet"}
    pets = {"definitions": {"Pet": {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}}}}
    request = sent(api("/", {"parameters": [parameter("b", "body", schema=schema)]}, "2.0", basePath="/v1", **pets))
    assert (request.target, request.body) == ("/v1/", '{"n":1}')
    form = [parameter("a", "formData", required=True, type="string"), parameter("b", "formData", type="string")]
    assert sent(api("/", {"parameters": form}, "2.0")).body == "a=a"
    upload = [parameter("f", "formData", required=True, type="file")]
    assert sent(api("/", {"parameters": upload}, "2.0")).headers["Content-Type"].startswith("multipart/form-data;")


def test_parameters_of_which_nothing_is_said_can_be_read_as_text_and_as_number() -> None:
    assert sent(
        api("/delay/{seconds}", {"parameters": [parameter("seconds", "path", required=True)]}, "2.0")
    ).target == ("/delay/1")
    assert sent(api("/{undeclared}", {})).target == "/1"


def test_the_documented_media_types_are_asked_for() -> None:
    operation = {
        "responses": {"200": {"description": "", "content": {"image/png": {}}}, "404": {"content": {"x/y": {}}}}
    }
    assert sent(api("/", operation)).headers == {"Accept": "image/png, */*;q=0.1"}


@pytest.mark.parametrize(
    "operation",
    [
        body("application/xml", {"type": "object"}),
        body("application/json", {"$ref": "#/components/schemas/Gone"}),
        body("multipart/form-data", {"type": "array", "items": {"type": "integer"}, "minItems": 1}),
        {"requestBody": {"$ref": "#/components/requestBodies/Gone"}},
        {
            "parameters": [
                parameter("n", "query", required=True, schema={"type": "integer", "minimum": 2, "maximum": 1})
            ]
        },
    ],
)
def test_what_no_valid_request_can_be_made_for_is_said(operation: dict[str, Any]) -> None:
    with pytest.raises(Unbuildable):
        sent(api("/", operation))


def test_identifiers_of_the_backend_are_filled_in() -> None:
    schema = {
        "type": "object",
        "example": {"customer_id": 1, "tag_ids": ["a", "b"], "lines": [{"customer_id": 3}], "count": 2, "on": True},
    }
    customer = parameter("customer_id", "query", required=True, schema={"type": "integer"})
    document = api("/orders/{order_id}/{slug}", {**body("application/json", schema), "parameters": [customer]})
    request = sent(document, Known())
    assert request.target == "/orders/41/a%2Fb%20c?customer_id=7"
    assert json.loads(request.body or "") == {
        "customer_id": 7, "tag_ids": ["t1"], "lines": [{"customer_id": 7}], "count": 2, "on": True,
    }  # fmt: skip


def test_a_recorded_request_is_sent_again_with_the_identifiers_of_this_backend() -> None:
    document = api("/orders/{order_id}", body("application/json", {"type": "object"}), servers=[{"url": "/v1"}])
    recorded = RecordedRequest(
        "POST /orders/{order_id}", "POST", "/v1/orders/a%2Fb?x=1&y=a%20b",
        {"Content-Type": "application/json", "X-A": "1"}, '{"customer_id":99,"note":"as it was"}', 200,
    )  # fmt: skip
    blueprint = redraw(document, document.operations[0], recorded)
    assert blueprint is not None
    request = render(blueprint, Known())
    assert request.target == "/v1/orders/41?x=1&y=a+b"
    assert json.loads(request.body or "") == {"customer_id": 7, "note": "as it was"}
    assert request.headers == {"Content-Type": "application/json", "X-A": "1"}
    assert render(blueprint, Nothing()).target.startswith("/v1/orders/a%2Fb?")


def test_what_is_drawn_can_be_recorded_and_drawn_again() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "example": "b c"}}}
    for media in ("application/json", "application/x-www-form-urlencoded", "multipart/form-data"):
        document = api("/x/{y}", body(media, schema))
        first = sent(document)
        recorded = RecordedRequest("POST /x/{y}", "POST", first.target, first.headers, first.body)
        again = redraw(document, document.operations[0], recorded)
        assert again is not None
        assert render(again, Nothing()) == first


def test_a_recording_of_another_path_is_not_used() -> None:
    document = api("/new/{id}", {})
    assert redraw(document, document.operations[0], RecordedRequest("POST /new/{id}", "POST", "/old/1", {})) is None
