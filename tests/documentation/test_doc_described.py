"""What is not described is told, an operation at a time; what is described elsewhere counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from described_documents import changed, only, rules

from gates.documentation import Settings, check_described, check_documentation, described_share
from gates.results import Severity

Change = Callable[[dict[str, Any]], Any]


def post(content: dict[str, Any]) -> dict[str, Any]:
    return content["paths"]["/orders"]["post"]  # type: ignore[no-any-return]


def get(content: dict[str, Any]) -> dict[str, Any]:
    return content["paths"]["/orders/{id}"]["get"]  # type: ignore[no-any-return]


CASES: list[tuple[str, Change, str, str]] = [
    ("doc.operation-description", lambda d: post(d).pop("summary"), "POST /orders", "neither a summary"),
    ("doc.operation-description", lambda d: post(d).update(summary="  "), "POST /orders", "neither a summary"),
    ("doc.tag", lambda d: post(d).pop("tags"), "POST /orders", "no tag"),
    ("doc.response-description", lambda d: post(d)["responses"]["422"].update(description=""), "POST /orders", "422"),
    ("doc.success-response", lambda d: post(d)["responses"].pop("201"), "POST /orders", "no success"),
    ("doc.parameter-description", lambda d: get(d)["parameters"][0].pop("description"), "GET /orders/{id}",
     "the parameter id"),
    ("doc.response-schema",
     lambda d: get(d)["responses"]["200"].update(content={"application/json": {"example": 1}}),
     "GET /orders/{id}", "application/json"),
    ("doc.response-schema",
     lambda d: get(d)["responses"]["200"].update(content={"application/problem+json": {"schema": {}}}),
     "GET /orders/{id}", "application/problem+json"),
    ("doc.deprecated", lambda d: post(d).update(deprecated=True), "POST /orders", "is deprecated"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "change", "operation", "told"), CASES)
@pytest.mark.parametrize("version", ["3.0.3", "3.1.0"])
def test_what_is_missing_is_told_of_its_operation(
    rule: str, change: Change, operation: str, told: str, version: str
) -> None:
    found = [one for one in check_described(changed(change, version)) if one.rule != "doc.property-description"]
    finding = only(found, rule)
    assert finding.operation == operation
    assert told in finding.message
    assert finding.pointer.startswith("/paths/~1orders")
    assert finding.fix


FINE: list[Change] = [
    lambda d: post(d).update(summary="", description="It places an order."),
    lambda d: post(d)["responses"].update({"2XX": post(d)["responses"].pop("201")}),
    lambda d: get(d)["responses"].update({"302": {"description": "It moved."}}) or get(d)["responses"].pop("200"),
    lambda d: get(d)["responses"].update({"default": get(d)["responses"].pop("404")}),
    lambda d: get(d)["responses"].update({"4XX": get(d)["responses"].pop("404")}),
    lambda d: get(d)["responses"].update({"200": {"description": "Nothing is in it."}}),
    lambda d: get(d)["responses"]["200"].update(content={"text/html": {}, "image/png": {}}),
    lambda d: post(d).update(deprecated=True, description="Use `POST /v2/orders` instead."),
    lambda d: post(d).update({"deprecated": True, "x-sunset": "2027-01-31"}),
    lambda d: [operation.pop("tags") for operation in (post(d), get(d))],
]


@pytest.mark.parametrize("change", FINE)
def test_what_is_said_in_another_way_is_no_finding(change: Change) -> None:
    assert [one for one in check_described(changed(change)) if one.rule != "doc.property-description"] == []


def test_a_description_behind_a_reference_or_in_the_schema_counts() -> None:
    def change(content: dict[str, Any]) -> None:
        content["components"]["parameters"] = {
            "Id": {"name": "id", "in": "path", "required": True,
                   "schema": {"type": "integer", "description": "The number."}}
        }  # fmt: skip
        get(content)["parameters"] = [{"$ref": "#/components/parameters/Id"}]
        order = content["components"]["schemas"]["Order"]
        content["components"]["schemas"]["Item"] = {"type": "string", "description": "What was ordered."}
        order["properties"]["item"] = {"allOf": [{"$ref": "#/components/schemas/Item"}]}

    found = changed(change)
    assert check_described(found) == []
    share = described_share(found)
    assert share.described == share.total == 5


def test_properties_are_asked_for_only_on_request() -> None:
    def change(content: dict[str, Any]) -> None:
        del content["components"]["schemas"]["Order"]["properties"]["item"]["description"]

    lacking = changed(change)
    assert check_documentation(lacking) == []
    asked = Settings(severities={"doc.property-description": Severity.LOW})
    finding = only(check_documentation(lacking, asked), "doc.property-description")
    assert finding.severity is Severity.LOW
    assert "/components/schemas/Order: no description of the property item" in finding.message


def test_the_share_that_has_to_be_described() -> None:
    def change(content: dict[str, Any]) -> None:
        del content["components"]["schemas"]["Order"]["properties"]["item"]["description"]

    lacking = changed(change)
    share = described_share(lacking)
    assert (share.described, share.total) == (4, 5)
    assert check_documentation(lacking, Settings(0.8)) == []
    finding = only(check_documentation(lacking, Settings(0.81)), "doc.described-share")
    assert "4 of 5" in finding.message
    assert "81 %" in finding.message


def test_an_empty_title_and_version_are_told() -> None:
    found = check_documentation(changed(lambda d: d["info"].update(title=" ", version="")))
    assert rules(found) == ["doc.info", "doc.info"]


def test_severities_are_those_of_the_settings() -> None:
    lacking = changed(lambda d: post(d).pop("summary"))
    assert only(check_documentation(lacking), "doc.operation-description").severity is Severity.MEDIUM
    louder = Settings(severities={"doc.operation-description": Severity.HIGH})
    assert only(check_documentation(lacking, louder), "doc.operation-description").severity is Severity.HIGH
    assert check_documentation(lacking, Settings(severities={"doc.operation-description": None})) == []
