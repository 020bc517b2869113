"""A valid document has no finding, and what breaks its schema or points to nothing is named with its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from described_documents import changed, document, only, openapi, rules, swagger

from gates.document import parse_document
from gates.documentation import RULES, check_documentation
from gates.documentation.valid import check_valid

VERSIONS = ["2.0", "3.0.3", "3.1.0", "3.2.0"]
POST = "/paths/~1orders/post"


@pytest.mark.parametrize("version", VERSIONS)
def test_a_flawless_document_has_no_finding(version: str) -> None:
    assert check_documentation(changed(lambda content: None, version)) == []


def test_json_and_yaml_are_the_same_document() -> None:
    text = """
openapi: 3.0.3
info: {title: Orders, version: "1"}
paths:
  /orders:
    get:
      responses:
        200: {description: All of them.}
"""
    assert check_valid(parse_document(text)) == []


BROKEN: list[tuple[str, Callable[[dict[str, Any]], Any], str, str]] = [
    ("3.0.3", lambda d: d["info"].pop("version"), "/info", "`version` is missing"),
    ("3.1.0", lambda d: d["info"].pop("title"), "/info", "`title` is missing"),
    ("2.0", lambda d: d["info"].pop("title"), "/info", "`title` is missing"),
    ("3.0.3", lambda d: d["paths"]["/orders"]["post"].update(sumary="?"), POST, "`sumary` is no field of it"),
    ("3.1.0", lambda d: d["paths"]["/orders"]["post"].update(sumary="?"), POST, "`sumary` is no field of it"),
    ("3.1.0", lambda d: d["paths"]["/orders"]["post"]["responses"]["201"].pop("description"),
     f"{POST}/responses/201", "`description` is missing"),
    ("3.0.3", lambda d: d["components"]["schemas"]["Order"]["properties"]["id"].update(type="whole number"),
     "/components/schemas/Order/properties/id/type", "not one of"),
    ("3.1.0", lambda d: d["components"]["schemas"]["Order"]["properties"]["id"].update(type="whole number"),
     "/components/schemas/Order/properties/id/type", "what stands there"),
    ("3.1.0", lambda d: d["components"]["schemas"]["Order"]["properties"]["id"].update(minimum="1"),
     "/components/schemas/Order/properties/id/minimum", 'not of type "number"'),
    ("3.1.0", lambda d: d["components"]["schemas"]["Order"]["properties"]["id"].update(exclusiveMinimum=True),
     "/components/schemas/Order/properties/id/exclusiveMinimum", 'not of type "number"'),
    ("3.0.3", lambda d: d["paths"]["/orders/{id}"]["get"]["parameters"][0].pop("required"),
     "/paths/~1orders~1{id}/get/parameters/0", "`required` is missing"),
    ("2.0", lambda d: d["paths"]["/orders"]["post"]["parameters"][0].pop("schema"),
     f"{POST}/parameters/0", "`schema` is missing"),
]  # fmt: skip


@pytest.mark.parametrize(("version", "change", "pointer", "told"), BROKEN)
def test_what_breaks_the_schema_is_told_with_its_place(
    version: str, change: Callable[[dict[str, Any]], Any], pointer: str, told: str
) -> None:
    found = check_valid(changed(change, version))
    assert found, "it is not valid"
    assert set(rules(found)) == {"doc.invalid"}
    (finding,) = [one for one in found if one.pointer == pointer]
    assert told in finding.message
    assert pointer in finding.message
    assert version in finding.message
    expected = {"/paths/~1o": "POST /orders"}.get(pointer[:10]) if "{id}" not in pointer else "GET /orders/{id}"
    assert finding.operation == expected


def test_an_unknown_version_is_told() -> None:
    finding = only(check_valid(document({**openapi(), "openapi": "3.9.0"})), "doc.invalid")
    assert "OpenAPI 3.9.0" in finding.message


def test_two_violations_at_one_place_are_two_findings_whose_identity_survives_rewording() -> None:
    def change(content: dict[str, Any]) -> None:
        content["info"] = {}

    first, second = check_valid(changed(change)), check_valid(changed(change))
    assert len({one.fingerprint for one in first}) == len(first) == 2
    assert [one.fingerprint for one in first] == [one.fingerprint for one in second]


def test_thousands_of_violations_are_told_up_to_a_bound() -> None:
    content = openapi()
    content["paths"] = {f"/a{n}": {"get": {"responses": {}, "wrong": 1}} for n in range(2000)}
    assert 100 < len(check_valid(document(content))) <= 500


@pytest.mark.parametrize("version", VERSIONS)
def test_a_reference_to_nothing_is_told_once_for_all_places(version: str) -> None:
    def change(content: dict[str, Any]) -> None:
        del content["definitions" if version == "2.0" else "components"]

    found = [one for one in check_valid(changed(change, version)) if one.rule == "doc.unresolved-reference"]
    assert len(found) == 1
    assert "points to nothing" in found[0].message
    assert "other places" in found[0].message
    assert found[0].operation == "POST /orders"


def test_a_reference_out_of_the_document_and_one_to_itself_are_told() -> None:
    def change(content: dict[str, Any]) -> None:
        schemas = content["components"]["schemas"]
        schemas["A"] = {"$ref": "other.yaml#/A"}
        schemas["B"] = {"$ref": "#/components/schemas/B"}

    messages = [one.message for one in check_valid(changed(change)) if one.rule == "doc.unresolved-reference"]
    assert any("leaves the document" in message for message in messages)
    assert any("refers to itself" in message for message in messages)
    assert len(messages) == 2


def test_what_only_looks_like_a_reference_is_none() -> None:
    def change(content: dict[str, Any]) -> None:
        order = content["components"]["schemas"]["Order"]
        order["properties"]["$ref"] = {"type": "string", "description": "A property of that name."}
        order["default"] = {"$ref": "nowhere"}
        order["x-note"] = {"$ref": "nowhere"}
        media = content["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"]
        del media["example"]
        media["examples"] = {"one": {"value": {"item": "tea", "$ref": "#/nowhere"}}}

    assert check_valid(changed(change)) == []


def test_anchors_and_identifiers_of_json_schema_are_known() -> None:
    def change(content: dict[str, Any]) -> None:
        schemas = content["components"]["schemas"]
        schemas["Tree"] = {"$anchor": "tree", "type": "object", "properties": {"next": {"$ref": "#tree"}}}
        schemas["Other"] = {"$id": "https://example.org/other", "type": "object"}
        schemas["User"] = {"$ref": "https://example.org/other"}

    assert [one for one in check_valid(changed(change)) if one.rule == "doc.unresolved-reference"] == []


def test_every_rule_says_what_why_and_how() -> None:
    for name, rule in RULES.items():
        assert name == rule.id
        assert name.startswith("doc.")
        assert rule.summary.endswith(".")
        assert rule.why
        assert rule.fix


def test_swagger_and_openapi_are_told_apart() -> None:
    assert rules(check_valid(document({**swagger(), "definitions": {}, "components": {}}))) != []
