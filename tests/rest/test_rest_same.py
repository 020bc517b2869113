"""The same document gives the same findings, however it is written."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from rest_samples import answer, body, operation, query, thing

from gates.document import parse_document
from gates.rest import Conventions, check_conventions
from gates.results import Finding, Severity

SEGMENTS = [
    "users",
    "user",
    "getUsers",
    "order-items",
    "order_items",
    "create",
    "cancel",
    "v1",
    "{id}",
    "{user_id}",
    "search",
]
ALL = Conventions(severities={"rest.bounds": Severity.INFO})
SCHEMAS = st.sampled_from([
    thing("code", "message"), thing("error"), thing("first_name", "lastName", "created_at"),
    {"type": "array", "items": thing("a_b")}, {"type": "object", "properties": {"data": {"type": "array",
    "items": {}}}},
])  # fmt: skip
OPERATIONS = st.builds(
    lambda statuses, schema, names, named, sends: operation(
        responses={status: answer(schema) for status in statuses}, parameters=query(*names),
        **({"operationId": named} if named else {}), **({"requestBody": body(schema)} if sends else {}),
    ),
    st.sets(st.sampled_from(["200", "201", "204", "400", "404", "default"]), min_size=1), SCHEMAS,
    st.sets(st.sampled_from(["limit", "page_size", "sortBy", "token"])), st.sampled_from(["", "listUsers",
    "delete_user"]), st.booleans(),
)  # fmt: skip
PATHS = st.dictionaries(
    st.lists(st.sampled_from(SEGMENTS), min_size=1, max_size=5).map(lambda parts: "/" + "/".join(parts)),
    st.dictionaries(st.sampled_from(["get", "post", "put", "delete"]), OPERATIONS, min_size=1, max_size=3),
    min_size=1, max_size=8,
)  # fmt: skip


def judged(paths: dict[str, Any], **over: Any) -> list[Finding]:
    head = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "security": [{"t": []}]}
    return check_conventions(parse_document(json.dumps({**head, "paths": paths, **over})), ALL)


@settings(max_examples=25, deadline=None)
@given(PATHS, st.randoms(use_true_random=False))
def test_the_order_of_paths_and_methods_does_not_matter(paths: dict[str, Any], chance: random.Random) -> None:
    def shuffled(mapping: dict[str, Any]) -> dict[str, Any]:
        keys = list(mapping)
        chance.shuffle(keys)
        return {key: mapping[key] for key in keys}

    assert judged(shuffled({path: shuffled(item) for path, item in paths.items()})) == judged(paths)


@settings(max_examples=25, deadline=None)
@given(PATHS)
def test_a_reference_is_what_it_stands_for(paths: dict[str, Any]) -> None:
    components: dict[str, Any] = {"schemas": {}, "parameters": {}, "responses": {}}

    def moved(kind: str, value: Any) -> Any:
        name = f"C{len(components[kind])}"
        components[kind][name] = value
        return {"$ref": f"#/components/{kind}/{name}"}

    def behind(one: dict[str, Any]) -> dict[str, Any]:
        again = json.loads(json.dumps(one))
        for response in again["responses"].values():
            response["content"]["application/json"]["schema"] = moved(
                "schemas", response["content"]["application/json"]["schema"]
            )
        again["responses"] = {status: moved("responses", response) for status, response in again["responses"].items()}
        again["parameters"] = [moved("parameters", parameter) for parameter in again["parameters"]]
        if "requestBody" in again:
            content = again["requestBody"]["content"]["application/json"]
            content["schema"] = moved("schemas", content["schema"])
        return again

    referring = {path: {method: behind(one) for method, one in item.items()} for path, item in paths.items()}
    plain, through = judged(paths), judged(referring, components=components)
    assert {(one.rule, one.fingerprint, one.operation, one.fix) for one in plain} == {
        (one.rule, one.fingerprint, one.operation, one.fix) for one in through
    }


@settings(max_examples=25, deadline=None)
@given(PATHS)
def test_findings_are_deterministic_complete_and_unique(paths: dict[str, Any]) -> None:
    findings = judged(paths)
    assert findings == judged(paths)
    assert len({one.fingerprint for one in findings}) == len(findings)
    operations = {f"{method.upper()} {path}" for path, item in paths.items() for method in item}
    for one in findings:
        assert one.message
        assert one.fix
        assert one.operation is None or one.operation in operations


def test_a_schema_that_contains_itself_ends() -> None:
    schemas = {
        "Node": {
            "type": "object",
            "properties": {"childNodes": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}},
        },
        "Loop": {"$ref": "#/components/schemas/Loop"},
        "Both": {"allOf": [{"$ref": "#/components/schemas/Both"}, {"$ref": "#/components/schemas/Nothing"}]},
    }
    paths = {
        f"/{name}": {"post": {"requestBody": body({"$ref": f"#/components/schemas/{name}"}),
                              "responses": {"400": answer({"$ref": f"#/components/schemas/{name}"})}}}
        for name in schemas
    }  # fmt: skip
    assert judged(paths, components={"schemas": schemas})


def test_nonsense_in_a_document_breaks_no_rule_of_ours() -> None:
    for nonsense in (None, 7, "x", [], [1], {"a": 1}):
        paths = {"/users": {"get": {"responses": nonsense, "parameters": nonsense, "requestBody": nonsense,
        "operationId": nonsense,
                                    "summary": nonsense, "security": nonsense}, "parameters": nonsense,
                                    "servers": nonsense}}  # fmt: skip
        judged(paths, components=nonsense, definitions=nonsense, servers=nonsense)
        judged(
            {
                "/users": {
                    "get": {
                        "responses": {"200": nonsense},
                        "parameters": [nonsense],
                        "requestBody": {"content": nonsense},
                    }
                }
            }
        )
        schema = {"properties": nonsense, "type": nonsense, "allOf": nonsense, "items": nonsense}
        judged({"/users": {"post": {"requestBody": body(schema), "responses": {"400": answer(schema),
        "200": answer(schema)}}}},
               components={"schemas": {"A": nonsense, "B": schema}, "securitySchemes": nonsense})  # fmt: skip
