"""Requests with places that are filled in when they are sent, and how they are kept."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from gates.document import parse_document
from gates.errors import ToolError
from gates.load.assignment import Sendable
from gates.load.workload import draw
from gates.tools.replay.shape import shape_of
from gates.tools.replay.stored import MOST_BODY, Asked, Promise, from_recorded, to_recorded
from gates.tools.replay.template import (
    Value,
    names_secret,
    place_of,
    read_place,
    secret_at,
    substitute,
    tokens_in,
    veil,
)

JSON = {"Content-Type": "application/json"}
DOCUMENT = parse_document(
    json.dumps(
        {
            "openapi": "3.0.3",
            "info": {"title": "a", "version": "1"},
            "paths": {
                "/reset/{token}": {
                    "post": {
                        "parameters": [
                            {"name": "token", "in": "path", "required": True, "schema": {"type": "string"}},
                            {"name": "api_key", "in": "query", "required": True, "example": "shown-key"},
                            {"name": "X-Secret", "in": "header", "required": True, "example": "shown-header"},
                        ],
                        "requestBody": {
                            "content": {
                                "application/json": {
                                    "example": {"name": "ada", "password": "shown", "more": [{"pin": 42}], "keys": 1}
                                }
                            }
                        },
                        "responses": {"200": {"description": "Good"}},
                    }
                }
            },
        }
    )
)
(RESET,) = DOCUMENT.operations


def test_an_identifier_takes_its_type_in_json_and_is_quoted_elsewhere() -> None:
    sent = Sendable(
        "POST", "/orders/~captured-1~?of=~captured-2~", {**JSON, "X-Of": "~captured-1~"},
        '{"order":"~captured-1~","note":"of ~captured-1~","other":["~captured-2~"]}',
    )  # fmt: skip
    assert tokens_in(sent) == ["~captured-1~", "~captured-2~"]
    filled = substitute(sent, {"~captured-1~": 17, "~captured-2~": "a b/c&d"})
    assert filled.target == "/orders/17?of=a%20b%2Fc%26d"
    assert filled.headers["X-Of"] == "17"
    assert json.loads(filled.body or "") == {"order": 17, "note": "of 17", "other": ["a b/c&d"]}
    form = Sendable("POST", "/", {"Content-Type": "application/x-www-form-urlencoded"}, "id=~captured-2~&x=1")
    assert substitute(form, {"~captured-2~": "a b&c"}).body == "id=a+b%26c&x=1"


def test_what_may_be_secret_is_taken_out_of_a_request_and_made_again_from_the_document() -> None:
    places: dict[str, Value] = {}

    def token(place: str, value: Value) -> str:
        places[place] = value
        return f"~secret-{len(places)}~"

    veiled = veil(draw(DOCUMENT, RESET), token)
    assert places == {
        "path#token": "token", "query#api_key": "shown-key", "header#X-Secret": "shown-header",
        "body#/password": "shown", "body#/more/0/pin": 42,
    }  # fmt: skip
    assert "shown" not in repr((veiled.body, veiled.query, veiled.headers, veiled.values))
    assert veiled.body["name"] == "ada"
    assert {place: secret_at(DOCUMENT, RESET, place) for place in places} == places
    # Where the generator makes none any more, a usual password is sent.
    assert secret_at(DOCUMENT, RESET, "body#/gone") == secret_at(None, None, "body#/password") == "Passw0rd!example"


@pytest.mark.parametrize(
    "name",
    ["password", "user_password", "PassPhrase", "accessToken", "refresh_token", "client_secret", "apiKey", "X-Api-Key",
     "api-key", "Authorization", "Cookie", "set-cookie", "pin", "credentials", "private_key"],
)  # fmt: skip
def test_names_of_secrets_are_known(name: str) -> None:
    assert names_secret(name)


@pytest.mark.parametrize("name", ["name", "email", "passenger", "shipping", "spinner", "author", "key", "id", "path"])
def test_other_names_are_none(name: str) -> None:
    assert not names_secret(name)


@pytest.mark.parametrize(
    ("value", "wanted", "body", "location", "place"),
    [
        (7, "", {"count": 7, "id": 7}, None, "body#/id"),
        (7, "customer", {"id": 7, "customer_id": 7}, None, "body#/customer_id"),
        (7, "", [{"id": 7}, {"id": 7}], None, "body#/0/id"),
        ("x", "", {"data": {"uuid": "x"}}, None, "body#/data/uuid"),
        ("x", "", "x", None, "body#"),
        (1, "", {"id": True}, None, None),
        ("7", "", None, "http://127.0.0.1:1/orders/7", "location#-1"),
        ("7", "", {}, "/orders/7/lines", "location#-2"),
        ("a b", "", {}, "/orders/a%20b", "location#-1"),
        ("7", "", {}, "/orders/8", None),
    ],
)
def test_where_an_identifier_stands_is_found_and_read_again(
    value: Value, wanted: str, body: Any, location: str | None, place: str | None
) -> None:
    assert place_of(value, wanted, body, location) == place
    if place is not None:
        assert read_place(place, body, location) == value


@pytest.mark.parametrize(
    ("place", "body", "location"),
    [("body#/id", {}, None), ("body#/id", {"id": None}, None), ("body#/id", {"id": True}, None),
     ("body#/id", {"id": {"a": 1}}, None), ("body#/id", None, None), ("body#/id", {"id": "x" * 5000}, None),
     ("location#-3", {}, "/a"), ("location#-1", {}, None)],
)  # fmt: skip
def test_what_is_not_there_is_not_read(place: str, body: Any, location: str | None) -> None:
    assert read_place(place, body, location) is None


def promise() -> Promise:
    step = Asked("POST /orders", Sendable("POST", "/orders", JSON, '{"item":"tea"}'), {}, {"~captured-1~": "body#/id"})
    asked = Asked("GET /orders/{id}", Sendable("GET", "/orders/~captured-1~?k=~secret-1~"), {"~secret-1~": "query#k"})
    return Promise("success", asked, (step,), True, 200, "application/json", shape_of({"id": 1}))


def test_a_promise_is_the_same_after_it_was_kept() -> None:
    recorded = to_recorded(promise())
    assert from_recorded(recorded) == promise()
    assert (recorded.path, recorded.status) == ("/orders/~captured-1~?k=~secret-1~", 200)


@pytest.mark.parametrize(
    "damage",
    [{"steps": ""}, {"steps": "{"}, {"steps": "[]"}, {"steps": '{"format":2}'}, {"shape": ""}, {"shape": "[]"},
     {"steps": '{"format":1,"kind":"odd","login":true,"secrets":{},"steps":[]}'},
     {"steps": '{"format":1,"kind":"success","login":true,"secrets":{},"steps":[{"operation":"x"}]}'},
     {"steps": '{"format":1,"kind":"success","login":true,"secrets":[1],"steps":[]}'}],
)  # fmt: skip
def test_one_that_is_damaged_says_so(damage: dict[str, str]) -> None:
    with pytest.raises(ToolError, match="recorded for GET /orders"):
        from_recorded(replace(to_recorded(promise()), **damage))  # type: ignore[arg-type]


def test_what_is_too_large_is_not_kept() -> None:
    large = Asked("POST /orders", Sendable("POST", "/orders", JSON, '"' + "x" * MOST_BODY + '"'))
    assert promise().fits()
    assert not replace(promise(), steps=(large,)).fits()
    assert not replace(promise(), asked=large).fits()
