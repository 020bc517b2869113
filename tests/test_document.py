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


def test_parts_of_segments_are_templates_too_and_what_was_named_first_wins() -> None:
    names = ["/f/{name}.json", "/f/{name}", "/f/{a}-{b}", "/x/{}/y", "/{a}/{b}", "/{p}/{q}", "/f/{a}.{b}.json"]
    parsed = parse_document(document(paths={name: {"get": {}} for name in names}))
    for path, name in [
        ("/f/a.json", "/f/{name}.json"), ("/f/.json", "/f/{name}"), ("/f/a", "/f/{name}"), ("/f/", None),
        ("/x/{}/y", "/x/{}/y"), ("/x/1/y", None), ("/g/h", "/{a}/{b}"), ("/f/{a}-{b}", "/f/{a}-{b}"),
        ("/f", None), ("f/a", None), ("/f/a/", None),
    ]:  # fmt: skip
        found = operation_of(parsed, "GET", path)
        assert (found.path if found else None) == name, path


def test_templates_made_to_be_tried_in_many_ways_are_tried_in_one() -> None:
    many = "/" + "{a}x" * 200
    parsed = parse_document(document(paths={many: {"get": {}}, "/" + "{" * 100_000: {"get": {}}}))
    assert operation_of(parsed, "GET", "/" + "ax" * 200) is not None
    assert operation_of(parsed, "GET", "/" + "x" * 100_000 + "y") is None


def test_a_path_is_found_among_a_hundred_thousand() -> None:
    paths = {f"/things/{number}/{{id}}": {"get": {}} for number in range(100_000)}
    parsed = parse_document(document(paths=paths))
    for number in range(0, 100_000, 100):
        found = operation_of(parsed, "GET", f"/things/{number}/5")
        assert found is not None
        assert found.path == f"/things/{number}/{{id}}"


def test_paths_that_share_an_item_share_its_parameters() -> None:
    listed = [{"name": f"p{number}", "in": "query"} for number in range(500)]
    paths: dict[str, object] = {"/a": {"parameters": listed, "get": {}, "put": {"parameters": [{"name": "q"}]}}}
    paths |= {f"/b{number}": {"$ref": "#/paths/~1a"} for number in range(5000)}
    operations = parse_document(document(paths=paths)).operations
    assert len(operations) == 10_002
    assert operations[-2].name == "GET /b4999"
    assert operations[-2].parameters is operations[0].parameters
    assert len(operations[-1].parameters) == 501


@pytest.mark.parametrize(
    ("reference", "found"),
    [
        ("#/paths/~1a~1%7Bid%7D/get/x", 1), ("#/paths/~1a~1{id}/get/x", 1), ("#/x-list/1", "b"), ("#/x-%25", 2),
        ("#/x-list/2", None), ("#/x-list/²", None), ("#/x-list/-1", None), ("#/x-list/" + "1" * 5000, None),
        ("#anchor", None), ("other.json#/a", None), ("#/x-chain/0", None), ("#/x-chain/150", "end"),
    ],
)  # fmt: skip
def test_pointers_of_every_kind_lead_to_one_place_or_to_a_sentence(reference: str, found: object) -> None:
    chain = [{"$ref": f"#/x-chain/{number + 1}"} for number in range(200)]
    over = {"paths": {"/a/{id}": {"get": {"x": 1}}}, "x-list": ["a", "b"], "x-%": 2, "x-chain": [*chain, "end"]}
    parsed = parse_document(document(**over))
    if found is not None:
        assert parsed.resolve({"$ref": reference}) == found
        return
    with pytest.raises(DocumentError) as caught:
        parsed.resolve({"$ref": reference})
    assert len(str(caught.value)) < 400


def test_variables_of_a_server_are_put_in_once() -> None:
    variables = {f"v{number}": {"default": f"{{v{number}}}"} for number in range(1000)}
    url = "https://a.example/" + "/".join(f"{{v{number}}}" for number in range(1000)) + "/{none}"
    base = parse_document(document(servers=[{"url": url, "variables": variables}])).base_path
    assert base.startswith("/{v0}/{v1}/")
    assert base.endswith("/{none}")


def test_a_document_without_paths_is_one_in_3_1_only() -> None:
    assert parse_document('{"openapi": "3.1.0", "components": {}}').operations == ()
    with pytest.raises(DocumentError, match="no `paths`"):
        parse_document('{"openapi": "3.0.3", "components": {}}')


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
