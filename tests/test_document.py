"""API descriptions of every kind are read into operations, and hostile ones end in a sentence."""

from __future__ import annotations

import json

import pytest

from gates.document import DocumentError, classify, matches, operation_of, parse_document

LAUGHS = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 20))
BOMB = "openapi: 3.0.0\nl0: &l0 [ha]\n" + LAUGHS


def document(**over: object) -> str:
    return json.dumps({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": {}, **over})


def test_operations_carry_shared_and_own_parameters() -> None:
    text = document(
        paths={
            "/orders/{id}": {
                "parameters": [{"name": "id", "in": "path"}, {"$ref": "#/components/parameters/Page"}],
                "get": {"parameters": [{"name": "id", "in": "path", "example": 7}]},
                "x-note": {"get": "not an operation"},
            }
        },
        components={"parameters": {"Page": {"name": "page", "in": "query"}}},
    )
    (operation,) = parse_document(text).operations
    assert operation.name == "GET /orders/{id}"
    assert [parameter["name"] for parameter in operation.parameters] == ["id", "page"]
    assert operation.parameters[0]["example"] == 7


@pytest.mark.parametrize(
    ("over", "base"),
    [
        ({"servers": [{"url": "https://api.example.com/v1/"}]}, "/v1"),
        ({"servers": [{"url": "/{version}", "variables": {"version": {"default": "v2"}}}]}, "/v2"),
        ({"servers": [{"url": "/"}]}, ""),
        ({"servers": []}, ""),
        ({"swagger": "2.0", "openapi": None, "basePath": "/v1", "host": "httpbin.example"}, "/v1"),
    ],
)
def test_base_paths_are_kept_and_hosts_are_not(over: dict[str, object], base: str) -> None:
    assert parse_document(document(**over)).base_path == base


def test_yaml_is_read_and_dates_stay_text() -> None:
    parsed = parse_document("openapi: 3.1.0\npaths:\n  /a:\n    get:\n      x-day: 2026-01-01\n")
    assert parsed.operations[0].definition["x-day"] == "2026-01-01"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not an object"),
        ("{", "not valid JSON"),
        ("<html></html>", "not an object"),
        ("[]", "not an object"),
        ('{"openapi": "4.0", "paths": {}}', "no OpenAPI version"),
        ('{"openapi": "3.0.0"}', "no `paths`"),
        ("a: [", "neither JSON nor YAML"),
        (BOMB, "aliases"),
        ("paths: &a\n  b: *a\n", "contains itself"),
        ("!!python/object/apply:os.system [echo]", "neither JSON nor YAML"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_what_is_no_document_ends_in_a_sentence(text: str, says: str) -> None:
    with pytest.raises(DocumentError, match=says):
        parse_document(text)


def test_yaml_becomes_json_for_tools_that_read_no_yaml_and_json_stays_as_it_was_written() -> None:
    document = parse_document("openapi: 3.0.3\npaths:\n  /a: {get: {responses: {200: {description: x}}}}\n")
    assert json.loads(document.as_json())["paths"]["/a"]["get"]["responses"] == {"200": {"description": "x"}}
    written = '{ "openapi" : "3.0.3", "paths" : {} }'
    assert parse_document(written).as_json() == written


def test_honest_aliases_are_allowed() -> None:
    parsed = parse_document("openapi: 3.0.0\npaths:\n  /a: &a\n    get: {}\n  /b: *a\n")
    assert [operation.name for operation in parsed.operations] == ["GET /a", "GET /b"]


def test_references_resolve_inside_only() -> None:
    parsed = parse_document(document(components={"a": {"$ref": "#/components/b"}, "b": {"$ref": "#/components/a"}}))
    for reference in ("#/components/a", "#/nothing", "https://example.com/x.json"):
        with pytest.raises(DocumentError):
            parsed.resolve({"$ref": reference})


def test_a_concrete_path_finds_its_operation_literal_first() -> None:
    text = document(
        servers=[{"url": "/api"}], paths={"/o/{id}": {"get": {}}, "/o/search": {"get": {}}, "/o": {"post": {}}}
    )
    parsed = parse_document(text)
    for method, path, name in [
        ("GET", "/api/o/5", "GET /o/{id}"), ("get", "/o/search", "GET /o/search"), ("POST", "/o", "POST /o"),
        ("GET", "/o/5/x", None), ("PUT", "/o", None),
    ]:  # fmt: skip
        found = operation_of(parsed, method, path)
        assert (found.name if found else None) == name


def test_classes_by_configuration_then_media_type_then_method() -> None:
    upload = {"requestBody": {"content": {"multipart/form-data": {}}}}
    assert classify("POST /files", upload, {}) == "file"
    assert classify("GET /orders", {}, {}) == "simple"
    assert classify("POST /orders", {}, {}) == "complex"
    assert classify("GET /reports/day", {}, {"complex": ("GET /reports/*",)}) == "complex"
    assert classify("GET /orders", {"responses": {"200": {"content": {"image/png": {}}}}}, {}) == "file"


def test_patterns_stand_for_anything_but_the_method() -> None:
    assert matches("GET /a/{id}/b", "get /a/*")
    assert not matches("POST /a/b", "GET /a/*")
    assert not matches("GET /aXb", "GET /a.b")
