"""Statuses that operations document."""

from __future__ import annotations

import pytest
from rest_samples import Json, answer, body, found, operation, query, thing

CREATE, DELETE, EMPTY = "rest.create-status", "rest.delete-status", "rest.no-content"


def created(path: str, *statuses: str) -> Json:
    return {path: {"post": operation(*statuses)}, f"{path}/{{id}}": {"get": operation()}}


@pytest.mark.parametrize(
    ("paths", "told"),
    [
        (created("/orders", "200"), True), (created("/orders", "200", "400"), True), (created("/users/{u}/orders",
        "200"), True),
        (created("/orders", "201"), False), (created("/orders", "200", "201"), False), (created("/orders", "202"),
        False),
        (created("/orders/search", "200"), False), ({"/sessions": {"post": operation("200")}}, False),
        (created("/orders/validate", "200"), False), (created("/orders", "default"), False),
    ],
)  # fmt: skip
def test_creating_answers_201(paths: Json, told: bool) -> None:
    assert [one.operation for one in found(CREATE, paths)] == [f"POST {next(iter(paths))}"] * told


@pytest.mark.parametrize(
    ("responses", "told"),
    [
        ({"200": answer()}, "200 without a body"), ({"201": answer()}, "answers 201"), ({"200": answer(),
        "404": answer()}, "200"),
        ({"204": answer()}, None), ({"200": answer(thing("id"))}, None), ({"202": answer()}, None),
        ({"200": answer(), "204": answer()}, None),
        ({"default": answer()}, None),
    ],
)  # fmt: skip
def test_deleting_answers_204_or_a_body(responses: Json, told: str | None) -> None:
    findings = found(DELETE, {"/orders/{id}": {"delete": {"responses": responses}}})
    assert [told is not None and told in one.message for one in findings] == ([] if told is None else [True])
    assert found(DELETE, {"/orders/{id}": {"put": {"responses": responses}}}) == []


@pytest.mark.parametrize("status", ["204", "205", "304"])
def test_what_has_no_content_has_no_body(status: str) -> None:
    (finding,) = found(EMPTY, {"/orders": {"get": {"responses": {status: answer(thing("id"))}}}})
    assert finding.pointer == f"/paths/~1orders/get/responses/{status}"
    for response in (
        answer(),
        {"description": "x", "content": {}},
        {"description": "x", "content": {"application/json": {}}},
        answer({}),
        answer({"type": "object"}),
    ):
        assert found(EMPTY, {"/orders": {"get": {"responses": {status: response}}}}) == []


def test_input_can_be_wrong() -> None:
    taking = [
        {"/orders": {"post": operation("201", requestBody=body(thing("a")))}},
        {"/orders/{id}": {"get": operation("200", "500")}},
        {"/orders": {"get": operation(parameters=query("q"))}},
    ]
    for paths in taking:
        (finding,) = found("rest.documented-4xx", paths)
        assert "no 4xx is documented for wrong input" in finding.message
    for status in ("400", "422", "4XX", "default", "404"):
        paths = {"/orders": {"post": operation("201", status, requestBody=body(thing("a")))}}
        assert found("rest.documented-4xx", paths) == []
    assert found("rest.documented-4xx", {"/orders": {"get": operation()}}) == []


def test_a_resource_is_one_finding() -> None:
    paths = {
        path: {"get": operation(parameters=query("q"))}
        for path in ("/orders", "/orders/{id}", "/orders/{id}/items", "/users")
    }
    orders, users = found("rest.documented-4xx", paths)
    assert "3 operations of `orders`" in orders.message
    assert users.message.startswith("GET /users: ")


def test_a_login_can_be_missing() -> None:
    def guarded(*statuses: str, **over: object) -> list[object]:
        return list(
            found("rest.documented-401", {"/orders": {"get": operation(*statuses, **over)}}, security=[{"token": []}])
        )

    assert len(guarded("200")) == len(guarded("200", "404")) == len(guarded(security=[{"a": []}, {"b": []}])) == 1
    for statuses in (("200", "401"), ("200", "403"), ("200", "default"), ("200", "4XX")):
        assert guarded(*statuses) == []
    assert guarded(security=[]) == guarded(security=[{}]) == guarded(security=[{"token": []}, {}]) == []
    assert found("rest.documented-401", {"/orders": {"get": operation()}}) == []


def test_a_single_thing_can_be_missing() -> None:
    def one(*statuses: str, method: str = "get", path: str = "/orders/{id}") -> list[object]:
        return list(found("rest.documented-404", {path: {method: operation(*statuses)}}))

    for method in ("get", "patch", "delete"):
        assert len(one("200", "422", method=method)) == 1
    for statuses in (("200", "404"), ("200", "422", "410"), ("200", "401", "default"), ("200", "4XX"), ("200",)):
        assert one(*statuses) == []
    assert (
        one("200", "422", method="put")
        == one("200", "422", path="/orders")
        == one("200", "422", path="/orders/{id}/items")
        == []
    )
