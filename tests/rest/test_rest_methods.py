"""Methods do what HTTP says they do, and no secret stands in a query."""

from __future__ import annotations

import pytest
from rest_samples import Json, body, document, found, operation, query, thing

from gates.document import parse_document
from gates.rest import check_conventions


def swagger(paths: Json, **over: object) -> list[str]:
    import json

    head = {"swagger": "2.0", "info": {"title": "t", "version": "1"}, "basePath": "/api/v1"}
    return [one.rule for one in check_conventions(parse_document(json.dumps({**head, "paths": paths, **over})))]


def test_a_get_takes_no_body() -> None:
    for method in ("get", "head"):
        (finding,) = found("rest.get-body", {"/users": {method: operation(requestBody=body(thing("q")))}})
        assert finding.operation == f"{method.upper()} /users"
    for method in ("post", "delete", "put", "patch"):
        assert found("rest.get-body", {"/users": {method: operation(requestBody=body(thing("q")))}}) == []
    for empty in ({}, body({}), body({"type": "object", "properties": {}, "additionalProperties": False})):
        assert found("rest.get-body", {"/users": {"get": operation(requestBody=empty)}}) == []
    in_body = [{"name": "q", "in": "body", "schema": thing("q")}]
    assert "rest.get-body" in swagger({"/users": {"get": operation(parameters=in_body)}})
    assert "rest.get-body" not in swagger({"/users": {"post": operation(parameters=in_body)}})


@pytest.mark.parametrize(
    "said",
    [
        {"summary": "Delete a user"}, {"summary": "Deletes the user."}, {"summary": "Create a new order"},
        {"operationId": "deleteUser"}, {"operationId": "create_order"},
        {"description": "Revokes all tokens\nof a user"},
    ],
)  # fmt: skip
def test_a_get_that_says_it_changes_something(said: Json) -> None:
    (finding,) = found("rest.safe-get", {"/users/{id}": {"get": operation(**said)}})
    assert "a GET must not change anything" in finding.message
    assert found("rest.safe-get", {"/users/{id}": {"post": operation(**said)}}) == []


@pytest.mark.parametrize(
    "said",
    [
        {"summary": "Get the deleted users", "operationId": "deletedUsers"}, {"summary": "Update history"},
        {"summary": "List updates"}, {"operationId": "createdOrders"}, {"summary": "Create options",
        "operationId": "createOptions"},
        {"summary": "Get a token", "operationId": "createToken"}, {"summary": "Updates feed"}, {},
    ],
)  # fmt: skip
def test_a_get_that_only_speaks_of_changes(said: Json) -> None:
    assert found("rest.safe-get", {"/users/{id}": {"get": operation(**said)}}) == []


def test_a_post_that_only_reads() -> None:
    def named(**over: object) -> Json:
        return {"/users": {"post": operation(**over)}}

    for said in ({"operationId": "getUsers"}, {"operationId": "list_users"}, {"summary": "Retrieve all users"}):
        assert len(found("rest.post-reads", named(**said))) == 1
    for said in (
        {"operationId": "createUser"},
        {"operationId": "searchUsers"},
        {"operationId": "getUsers", "requestBody": body({})},
    ):
        assert found("rest.post-reads", named(**said)) == []


def test_a_single_thing_is_changed_by_put_or_patch() -> None:
    def item(*methods: str) -> Json:
        return {"/users": {"get": operation()}, "/users/{id}": {method: operation() for method in methods}}

    (finding,) = found("rest.item-post", item("get", "post"))
    assert (finding.operation, "PATCH /users/{id}" in finding.fix) == ("POST /users/{id}", True)
    for methods in (("get", "put"), ("get", "patch", "post"), ("post",), ("get",)):
        assert found("rest.item-post", item(*methods)) == []


def test_writing_to_collections() -> None:
    def users(collection: Json, *item: str) -> Json:
        return {"/users": collection, "/users/{id}": {method: operation() for method in item}}

    made = {"get": operation(), "post": operation("201")}
    for method in ("put", "patch"):
        paths = users({**made, method: operation()}, "get")
        assert [one.operation for one in found("rest.collection-put", paths)] == [f"{method.upper()} /users"]
        assert found("rest.collection-put", users({**made, method: operation()}, "get", method)) == []
    assert found("rest.collection-put", users({"get": operation(), "put": operation()}, "get")) == []
    assert found("rest.collection-put", {"/settings": {"put": operation(), "post": operation()}}) == []


def test_deleting_a_whole_collection() -> None:
    def users(**over: object) -> Json:
        return {"/users": {"delete": operation("204", **over)}, "/users/{id}": {"get": operation()}}

    assert len(found("rest.collection-delete", users())) == 1
    assert found("rest.collection-delete", users(parameters=query("ids"))) == []
    assert found("rest.collection-delete", users(requestBody=body(thing("ids")))) == []
    assert found("rest.collection-delete", {"/session": {"delete": operation("204")}}) == []
    assert found("rest.collection-delete", {"/users/{id}": {"delete": operation("204")}}) == []


@pytest.mark.parametrize(
    "name", ["password", "api_key", "apiKey", "access_token", "client_secret", "token", "PASSWORD"]
)
def test_secrets_in_queries(name: str) -> None:
    (finding,) = found("rest.secret-in-query", {"/users": {"get": operation(parameters=query(name))}})
    assert f"`{name}`" in finding.message
    headers = [{"name": name, "in": "header", "schema": {"type": "string"}}]
    assert found("rest.secret-in-query", {"/users": {"get": operation(parameters=headers)}}) == []


@pytest.mark.parametrize(
    "parameter",
    [
        {"name": "page_token"}, {"name": "next_token"}, {"name": "token", "description": "The pagination token"},
        {"name": "tokens"},
        {"name": "password_policy"}, {"name": "secret_name"}, {"name": "api_key_id"}, {"name": "sync_token"},
        {"name": "key"},
        {"name": "token", "description": "Where to continue"}, {"name": "token_type"}, {"name": "has_password"},
    ],
)  # fmt: skip
def test_what_only_sounds_like_a_secret(parameter: Json) -> None:
    paths = {"/users": {"get": operation(parameters=[{"in": "query", "schema": {"type": "string"}, **parameter}])}}
    assert found("rest.secret-in-query", paths) == []


def test_a_secret_in_many_queries_is_one_finding_and_keys_of_schemes_count() -> None:
    paths = {f"/things-{number}": {"get": operation(parameters=query("token"))} for number in range(9)}
    (finding,) = found("rest.secret-in-query", paths)
    assert "and 4 more" in finding.message
    scheme = {"type": "apiKey", "in": "query", "name": "key"}
    (finding,) = found("rest.secret-in-query", {}, components={"securitySchemes": {"ByKey": scheme}})
    assert finding.pointer == "/components/securitySchemes/ByKey"
    assert "rest.secret-in-query" in swagger({}, securityDefinitions={"ByKey": scheme})
    in_header = {"securitySchemes": {"ByKey": {**scheme, "in": "header"}}}
    assert check_conventions(document({}, components=in_header)) == []
