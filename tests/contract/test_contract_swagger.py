"""Swagger 2.0 is read as the OpenAPI 3.0 document that a person would write for the same API."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from documents import BREAKS, concerned, nodes

from gates.contract import compare_documents
from gates.contract.swagger import as_openapi3
from gates.document import Document, DocumentError, document_of, parse_document

HERE = Path(__file__).parent / "swagger"
RECORDED = sorted(HERE.glob("*.json"))
Json = Any


def read(name: str) -> Document:
    return parse_document((HERE / name).read_bytes())


def swagger(paths: Json = None, **more: Json) -> Json:
    return {"swagger": "2.0", "info": {"title": "t", "version": "1"}, "paths": paths or {}, **more}


def converted(paths: Json = None, **more: Json) -> Json:
    return as_openapi3(document_of(swagger(paths, **more))).content


def posted(*parameters: Json, **more: Json) -> Json:
    """Return the operation that a Swagger operation with these parameters becomes."""
    post = {"parameters": list(parameters), "responses": {"200": {"description": "Done."}}, **more}
    return converted({"/a": {"post": post}})["paths"]["/a"]["post"]


def breaks(old: Document, new: Document) -> list[Any]:
    changes = compare_documents(as_openapi3(old), as_openapi3(new)).changes
    return [change for change in changes if change.severity in BREAKS]


def test_it_equals_the_document_that_a_person_wrote_in_both_directions() -> None:
    two, three = read("petstore-2.yaml"), read("petstore-3.yaml")
    for old, new in ((two, three), (three, two)):
        assert [(change.rule, change.message) for change in breaks(old, new)] == []
    ours, theirs = as_openapi3(two).content, three.content
    assert ours["servers"] == theirs["servers"]
    assert ours["components"]["securitySchemes"] == theirs["components"]["securitySchemes"]
    assert ours["paths"]["/pet/findByStatus"] == theirs["paths"]["/pet/findByStatus"]
    assert ours["components"]["schemas"]["Pet"] == theirs["components"]["schemas"]["Pet"]


@pytest.mark.parametrize(
    ("change", "operation"),
    [
        (lambda two: two["definitions"]["Failure"]["properties"]["message"].pop("x-nullable"), None),
        (lambda two: two["definitions"]["Pet"]["properties"].pop("weight"), "GET /pet/{petId}"),
        (lambda two: two["parameters"]["Limit"].update(maximum=10), "GET /pet/findByStatus"),
        (lambda two: two["produces"].remove("application/xml"), "GET /pet/findByStatus"),
        (lambda two: two["consumes"].__setitem__(0, "application/xml"), "PUT /pet"),
        (lambda two: two["paths"]["/pet/findByStatus"]["get"]["parameters"][0].pop("collectionFormat"),
         "GET /pet/findByStatus"),
        (lambda two: two["paths"]["/pet/{petId}/photo"]["post"]["parameters"][0].update(required=True),
         "POST /pet/{petId}/photo"),
        (lambda two: two["parameters"]["Pet"]["schema"]["required"].append("name"), "PUT /pet"),
        (lambda two: two["securityDefinitions"]["api_key"].update(name="X-Key"), "GET /pet/findByStatus"),
        (lambda two: two["responses"]["Missing"].pop("schema"), "PUT /pet"),
        (lambda two: two.update(basePath="/v3"), None),
    ],
)  # fmt: skip
def test_a_change_of_swagger_is_seen_through_the_conversion(change: Any, operation: str | None) -> None:
    old = read("petstore-2.yaml")
    content = copy.deepcopy(old.content)
    change(content)
    new = document_of(content)
    if operation is None:
        assert compare_documents(as_openapi3(old), as_openapi3(new)).changes
    else:
        found = breaks(old, new)
        assert operation in set().union(*(concerned(one) for one in found))


@pytest.mark.parametrize("name", ["petstore-2.yaml", *(path.name for path in RECORDED)])
def test_recorded_documents_become_valid_ones_without_a_dangling_reference(name: str) -> None:
    document = read(name)
    before = copy.deepcopy(document.content)
    made = as_openapi3(document)
    assert document.content == before
    assert made.base_path == document.base_path
    assert [one.name for one in made.operations] == [one.name for one in document.operations]
    assert json.loads(made.as_json()) == made.content
    references = [node["$ref"] for node in nodes(made.content) if isinstance(node.get("$ref"), str)]
    assert references or name != "petstore-2.yaml"  # the two backends write everything where it is used
    for reference in references:
        assert reference.startswith("#/components/")
        assert made.resolve({"$ref": reference}) is not None
    for definition in made.content["components"]["schemas"].values():
        schema = {"components": made.content["components"], **definition}
        jsonschema_rs.Draft4Validator(schema)
    assert breaks(document, document) == []


def test_documents_were_recorded() -> None:
    assert len(RECORDED) >= 2


def test_openapi_3_comes_back_as_it_is() -> None:
    document = read("petstore-3.yaml")
    assert as_openapi3(document) is document


@pytest.mark.parametrize(
    ("given", "servers"),
    [
        ({}, ["/"]),
        ({"basePath": "/v1/"}, ["/v1"]),
        ({"host": "a.example", "basePath": "/"}, ["//a.example"]),
        ({"host": "a.example", "basePath": "/v1", "schemes": ["https", "wss"]},
         ["https://a.example/v1", "wss://a.example/v1"]),
        ({"host": 7, "schemes": "https", "basePath": None}, ["/"]),
    ],
)  # fmt: skip
def test_host_base_path_and_schemes_are_servers(given: Json, servers: list[str]) -> None:
    assert [server["url"] for server in converted(**given)["servers"]] == servers


def test_schemes_of_an_operation_are_its_servers() -> None:
    content = converted({"/a": {"get": {"schemes": ["wss"]}}}, host="a.example", schemes=["https"])
    assert content["paths"]["/a"]["get"]["servers"] == [{"url": "wss://a.example"}]


@pytest.mark.parametrize(
    ("place", "way", "expected"),
    [
        ("query", None, {"style": "form", "explode": False}), ("query", "csv", {"style": "form", "explode": False}),
        ("query", "multi", {"style": "form", "explode": True}),
        ("query", "ssv", {"style": "spaceDelimited", "explode": False}),
        ("query", "pipes", {"style": "pipeDelimited", "explode": False}),
        ("query", "tsv", {"style": "tabDelimited", "explode": False}),
        ("header", "csv", {}), ("path", None, {}), ("path", "pipes", {"style": "pipeDelimited", "explode": False}),
    ],
)  # fmt: skip
def test_collection_formats_are_styles(place: str, way: str | None, expected: Json) -> None:
    given = {"name": "a", "in": place, "type": "array", "items": {"type": "string"}, "maxItems": 3}
    (made,) = posted(given if way is None else {**given, "collectionFormat": way})["parameters"]
    assert {key: made[key] for key in ("style", "explode") if key in made} == expected
    assert made["schema"] == {"type": "array", "items": {"type": "string"}, "maxItems": 3}


FILE = {"name": "f", "in": "formData", "type": "file", "required": True}
TEXT = {"name": "t", "in": "formData", "type": "string", "description": "Words"}


@pytest.mark.parametrize(
    ("parameters", "consumes", "media"),
    [
        ([FILE, TEXT], None, ["multipart/form-data"]),
        ([TEXT], None, ["application/x-www-form-urlencoded"]),
        ([TEXT], ["multipart/form-data"], ["multipart/form-data"]),
        ([TEXT], ["application/json"], ["application/x-www-form-urlencoded"]),
        ([TEXT], ["multipart/form-data", "application/x-www-form-urlencoded"],
         ["multipart/form-data", "application/x-www-form-urlencoded"]),
    ],
)  # fmt: skip
def test_fields_of_forms_are_a_body(parameters: list[Json], consumes: list[str] | None, media: list[str]) -> None:
    body = posted(*parameters, **({"consumes": consumes} if consumes else {}))["requestBody"]
    assert list(body["content"]) == media
    assert body["required"] is (FILE in parameters)
    properties = body["content"][media[0]]["schema"]["properties"]
    assert properties["t"] == {"type": "string", "description": "Words"}
    assert properties.get("f", {"type": "string", "format": "binary"}) == {"type": "string", "format": "binary"}


def test_a_body_is_of_the_media_types_of_its_operation() -> None:
    body = {"name": "b", "in": "body", "description": "It.", "schema": {"$ref": "#/definitions/A"}}
    schema = {"schema": {"$ref": "#/components/schemas/A"}}
    assert posted(body)["requestBody"] == {"description": "It.", "content": {"application/json": schema}}
    assert list(posted(body, consumes=["text/plain"])["requestBody"]["content"]) == ["text/plain"]
    assert list(posted(body, consumes=[])["requestBody"]["content"]) == ["application/json"]


def test_what_the_path_shares_is_overridden_by_the_operation() -> None:
    body = {"name": "b", "in": "body", "schema": {"type": "string"}}
    shared = [{"name": "q", "in": "query", "type": "string"}, body]
    content = converted(
        {"/a": {"parameters": shared, "put": {}, "post": {"parameters": [{**body, "schema": {"type": "integer"}}]},
                "patch": {"parameters": [TEXT]}}}
    )  # fmt: skip
    item = content["paths"]["/a"]
    assert item["parameters"] == [{"name": "q", "in": "query", "schema": {"type": "string"}}]
    sent = {method: next(iter(item[method]["requestBody"]["content"].items())) for method in ("put", "post", "patch")}
    assert sent["put"] == ("application/json", {"schema": {"type": "string"}})
    assert sent["post"] == ("application/json", {"schema": {"type": "integer"}})
    assert sent["patch"][0] == "application/x-www-form-urlencoded"


def test_a_shared_response_is_answered_in_the_media_types_of_each_operation() -> None:
    shared = {"200": {"$ref": "#/responses/R"}}
    content = converted(
        {"/a": {"get": {"responses": shared}, "put": {"responses": shared, "produces": ["text/csv"]}}},
        produces=["application/json"],
        responses={"R": {"description": "r", "schema": {"type": "string"}}},
    )
    document = document_of(content)
    made = [
        document.resolve(content["paths"]["/a"][method]["responses"]["200"])["content"] for method in ("get", "put")
    ]
    assert made == [{"application/json": {"schema": {"type": "string"}}}, {"text/csv": {"schema": {"type": "string"}}}]
    assert content["paths"]["/a"]["get"]["responses"]["200"] == {"$ref": "#/components/responses/R"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "string", "x-nullable": True}, {"type": "string", "nullable": True}),
        ({"type": "string", "x-nullable": False}, {"type": "string"}),
        ({"type": ["string", "null"]}, {"type": "string", "nullable": True}),
        ({"type": "file"}, {"type": "string", "format": "binary"}),
        ({"discriminator": "kind"}, {"discriminator": {"propertyName": "kind"}}),
        ({"properties": {"discriminator": {"type": "file"}, "type": {"$ref": "#/definitions/A"}}},
         {"properties": {"discriminator": {"type": "string", "format": "binary"},
                         "type": {"$ref": "#/components/schemas/A"}}}),
        ({"allOf": [{"$ref": "#/definitions/A"}, {"items": {"$ref": "#/definitions/A~1b/items"}}]},
         {"allOf": [{"$ref": "#/components/schemas/A"}, {"items": {"$ref": "#/components/schemas/A~1b/items"}}]}),
        ({"enum": [{"$ref": "#/definitions/A"}], "default": {"x-nullable": True}},
         {"enum": [{"$ref": "#/definitions/A"}], "default": {"x-nullable": True}}),
        ({"additionalProperties": False}, {"additionalProperties": False}),
        ({"$ref": "https://elsewhere.example/a.json"}, {"$ref": "https://elsewhere.example/a.json"}),
        (None, None), ([], []), ("text", "text"),
    ],
)  # fmt: skip
def test_schemas_are_rewritten_and_values_are_not(given: Json, expected: Json) -> None:
    content = converted(definitions={"A": {"type": "string"}, "A/b": {"items": {}}, "S": given})
    assert content["components"]["schemas"]["S"] == expected


def test_a_schema_that_is_referred_to_where_it_stands_becomes_a_component() -> None:
    reference = "#/paths/~1a/get/responses/200/schema"
    inner = {"type": "object", "properties": {"again": {"$ref": reference}, "more": {"$ref": "#/x-parts/p"}}}
    content = converted(
        {"/a": {"get": {"responses": {"200": {"description": "a", "schema": inner}}}}},
        definitions={"S": {"$ref": reference}},
        **{"x-parts": {"p": {"type": "file"}}},
    )
    document = document_of(content)
    schema = document.resolve(content["components"]["schemas"]["S"])
    assert document.resolve(schema["properties"]["again"]) == schema
    assert document.resolve(schema["properties"]["more"]) == {"type": "string", "format": "binary"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"type": "basic", "description": "b"}, {"type": "http", "scheme": "basic", "description": "b"}),
        ({"type": "apiKey", "in": "query", "name": "k"}, {"type": "apiKey", "in": "query", "name": "k"}),
        ({"type": "oauth2", "flow": "accessCode", "authorizationUrl": "a", "tokenUrl": "t", "scopes": {"s": ""}},
         {"type": "oauth2",
          "flows": {"authorizationCode": {"authorizationUrl": "a", "tokenUrl": "t", "scopes": {"s": ""}}}}),
        ({"type": "oauth2", "flow": "password", "tokenUrl": "t"},
         {"type": "oauth2", "flows": {"password": {"tokenUrl": "t", "scopes": {}}}}),
    ],
)  # fmt: skip
def test_security_definitions_are_security_schemes(given: Json, expected: Json) -> None:
    assert converted(securityDefinitions={"s": given})["components"]["securitySchemes"]["s"] == expected


@pytest.mark.parametrize(
    "broken",
    [
        {"definitions": []}, {"definitions": None}, {"parameters": [1]}, {"responses": "x"}, {"securityDefinitions": 5},
        {"consumes": "application/json"}, {"produces": [None, 5]}, {"schemes": {}}, {"host": []},
        {"parameters": {"p": {"$ref": "#/parameters/p"}}}, {"responses": {"r": {"$ref": "#/responses/r"}}},
        {"securityDefinitions": {"s": {"type": "oauth2", "flow": {}}}},
        {"paths": {"/a": None, "/b": [], "/c": {"$ref": "#/paths/~1c"}, "/d": {"get": None, "parameters": {}}}},
        {"paths": {"/a": {"get": {"parameters": ["x", None, {"$ref": 5}, {"$ref": "#/no"}], "responses": []}}}},
        {"paths": {"/a": {"get": {"responses": {"200": None, "404": {"$ref": "#/responses/none"}, "x-a": 1}}}}},
        {"paths": {"/a": {"get": {"responses": {"200": {"schema": 5, "headers": [], "examples": 1}}}}}},
        {"paths": {"/a": {"post": {"parameters": [{"in": "body"}, {"in": "formData"}, {}, {"in": 5, "name": []}]}}}},
    ],
)  # fmt: skip
def test_what_is_broken_stays_what_it_is_and_breaks_nothing(broken: Json) -> None:
    made = as_openapi3(document_of({**swagger(), **broken}))
    assert compare_documents(made, made).changes == ()


def test_a_long_chain_of_references_and_many_shared_media_types_are_bounded() -> None:
    chain = {f"n{number}": {"properties": {"a": {"$ref": f"#/x-n/n{number + 1}"}}} for number in range(5000)}
    content = converted(definitions={"S": {"$ref": "#/x-n/n0"}}, **{"x-n": chain})
    assert len(content["components"]["schemas"]) == 5001
    with pytest.raises(DocumentError, match="more than 100 media types"):
        converted(consumes=[f"application/{number}" for number in range(101)])
