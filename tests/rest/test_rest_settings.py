"""What a project may set: mistakes end in a sentence, exceptions and severities hold, routes are judged by names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rest_samples import document, found, get, operation, post

from gates.errors import ConfigurationError
from gates.rest import RULES, Conventions, check_conventions, check_routes
from gates.rest.conventions import EXEMPT
from gates.results import Severity

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"path_case": "Kebab"}, "kebab, snake"), ({"property_case": ""}, "property_case"), ({"plural": "yes"},
        "plural or any"),
        ({"actions": "maybe"}, "allow, warn or forbid"), ({"maximum_depth": 0}, "from 1 on"),
        ({"version_prefix": "v1"}, "/api/v{n}"),
        ({"trailing_slash": "no"}, "never"), ({"parameter_case": "CAMEL"}, "camel"), ({"operation_id_case": "x"},
        "pascal or any"),
    ],
)  # fmt: skip
def test_a_setting_that_means_nothing_is_a_sentence(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Conventions(**wrong)  # type: ignore[arg-type]
    assert told in str(caught.value)


def test_rules_that_do_not_exist_are_a_sentence() -> None:
    for wrong in ({"severities": {"rest.nouns": None}}, {"exceptions": {"noun-path": ("GET /a",)}}):
        with pytest.raises(ConfigurationError, match="there is no REST rule"):
            Conventions(**wrong)  # type: ignore[arg-type]
    assert check_conventions(document({}), Conventions(severities={"doc.operation-id": None})) == []


def test_exceptions_hold_for_their_rule_and_operations() -> None:
    paths = {**get("/getUsers", "/getOrders"), **get("/user/{id}")}
    allowed = Conventions(exceptions={"rest.noun-path": ("GET /getU*",)})
    assert [one.operation for one in found("rest.noun-path", paths, allowed)] == ["GET /getOrders"]
    assert len(found("rest.plural-collection", paths, allowed)) == 1


def test_severities_are_those_of_the_project() -> None:
    paths = get("/getUsers")
    assert found("rest.noun-path", paths, Conventions(severities={"rest.noun-path": None})) == []
    assert (
        found("rest.noun-path", paths, Conventions(severities={"rest.noun-path": Severity.HIGH}))[0].severity
        is Severity.HIGH
    )
    said = Conventions(actions="forbid", severities={"rest.action-path": Severity.INFO})
    assert found("rest.action-path", post("/orders/{id}/cancel"), said)[0].severity is Severity.INFO


def test_plumbing_is_exempt_until_the_project_says_otherwise() -> None:
    paths = {**get("/api/health", "/health", "/metrics"), **post("/login", "/webhooks/payments", "/graphql")}
    assert check_conventions(document(paths, servers=[])) == []
    assert check_conventions(document(paths, servers=[]), Conventions(exempt=())) != []


def test_routes_seen_in_traffic_are_judged_by_their_names() -> None:
    routes = ["GET /getUsers", "GET /user/17", "GET /user/18", "POST /api/v1/users/create", "GET /users/17",
    "GET /health",
              "POST /orders/0b7e6a52-1f0e-4a3c-9d2e-6a1f0c9b8e7d/cancel", "GET /reports?kind=getUsers",
              "GET /getUsers"]  # fmt: skip
    told = check_routes(routes)
    assert [(one.rule, one.operation) for one in told] == [
        ("rest.noun-path", "GET /getUsers"), ("rest.noun-path", "POST /api/v1/users/create"),
        ("rest.action-path", "POST /orders/{id}/cancel"), ("rest.plural-collection", "GET /user/{id}"),
    ]  # fmt: skip
    assert {one.pointer for one in told} == {""}
    assert told == check_routes(list(reversed(routes)))
    in_document = found("rest.noun-path", get("/getUsers"))
    assert in_document[0].fingerprint == told[0].fingerprint
    assert check_routes(["POST /orders/1/cancel", "GET /user/1"], Conventions(actions="allow", plural="any")) == []
    assert check_routes(["GET /getUsers"], Conventions(exceptions={"rest.noun-path": ("GET /getUsers",)})) == []


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_every_rule_stands_in_the_manual_with_its_severity(rule: object) -> None:
    one = RULES[rule.id]  # type: ignore[attr-defined]
    severity = "off" if one.severity is None else str(one.severity)
    assert f"| `{one.id}` | {severity} | {one.summary} |" in README


def test_the_manual_names_no_other_rule_and_every_setting() -> None:
    assert set(re.findall(r"`(rest\.[a-z0-9-]+)`", README)) <= RULES.keys()
    section = README[README.index("### REST conventions") :].split("\n## ")[0]
    for name in Conventions.__dataclass_fields__:
        if name not in ("severities", "exceptions"):
            assert f"`{name}`" in section or f"{name} " in section, name


def test_every_rule_can_be_found() -> None:
    """Each rule is raised by one small document; a check that cannot fail would be missing here."""
    text = {"type": "string"}
    told = check_conventions(document(worst_paths(text), servers=[], security=[{"t": []}], components={"schemas": {
        "A": {"properties": {"a_b": text, "c_d": text, "eF": text, "created_at": text}}}}),
        Conventions(severities={"rest.bounds": Severity.INFO}))  # fmt: skip
    assert {one.rule for one in told} == set(RULES)


def worst_paths(text: object) -> dict[str, object]:
    def answers(**shapes: object) -> dict[str, object]:
        return {"responses": {
            status[1:]: {"description": "x", "content": {"application/json": {"schema": schema}}}
            for status, schema in shapes.items()
        }}  # fmt: skip

    def query(*names: str) -> dict[str, object]:
        return {"parameters": [{"name": name, "in": "query", "schema": text} for name in names]}

    bare, error = {"type": "array", "items": {}}, {"properties": {"error": text}}
    other = {"properties": {"detail": text}}
    return {
        "/getUsers": {"get": {**operation(operationId="listUsers"), **query("a_b", "c_d", "eF", "password")}},
        "/orders/{id}/cancel": {"post": operation(operationId="getOrders")},
        "/user/{id}": {"parameters": [], "get": operation("200", "401", operationId="listUsers",
        requestBody={"content": {"a/json": {"schema": text}}})},
        "/a-b/{id}/c-d/{x}/e/{y}/fG": {"get": operation(operationId="snake_case", summary="Delete a thing")},
        "/v1/things.json": {"get": answers(s200=text, s400=error, s404=error)},
        "/v2/b/": {"get": answers(s204=text, s400=other)},
        "/c//d": {"get": operation(operationId="listThings")},
        "/orders": {"get": answers(s200=bare), "post": operation("200",
        requestBody={"content": {"text/xml": {"schema": {
            "properties": {"x": text}}}}}), "delete": operation("201"), "put": operation()},
        "/orders/{id}": {"get": operation(), "post": operation()},
        "/orders/{name}": {"get": operation()},
        "/d": {"get": answers(s200={"properties": {"data": bare}}), "post": operation("201")},
        "/e": {"get": answers(s200=bare), "post": operation("201")},
    }  # fmt: skip


def test_the_default_exemptions_are_patterns_of_operations() -> None:
    for pattern in EXEMPT:
        method, _, path = pattern.partition(" ")
        assert method in ("*", "GET", "POST"), pattern
        assert path.startswith(("/", "*/")), pattern
