"""Who may ask: alternatives, what is demanded together, scopes, schemes, and what holds for the whole document."""

from __future__ import annotations

from typing import Any

import pytest
from small_documents import changes, document, edited, rules

from gates.results import Severity

SCHEMES = {
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
    "token": {"type": "http", "scheme": "bearer"},
    "oauth": {
        "type": "oauth2",
        "flows": {"clientCredentials": {"tokenUrl": "/token", "scopes": {"read": "to read", "write": "to write"}}},
    },
}
OK = {"responses": {"200": {"description": "ok"}}}
KEY, TOKEN = {"key": []}, {"token": []}


def guarded(*alternatives: dict[str, list[str]] | None, **schemes: Any) -> dict[str, Any]:
    """Return a document whose only operation says who may ask; None for one that says nothing."""
    own = {} if alternatives == (None,) else {"security": list(alternatives)}
    return document({"/a": {"get": {**OK, **own}}}, components={"securitySchemes": {**SCHEMES, **schemes}})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([], [KEY], {"security-added"}),
        ([None], [KEY], {"security-added"}),
        ([{}], [KEY], {"security-added"}),
        ([{}, KEY], [KEY], {"security-added"}),
        ([KEY], [{}, KEY], {"security-removed"}),
        ([KEY], [], {"security-removed"}),
        ([KEY, TOKEN], [TOKEN, KEY], set()),
        ([KEY, TOKEN], [TOKEN], {"security-alternative-removed"}),
        ([TOKEN], [TOKEN, KEY], {"security-alternative-added"}),
        ([KEY], [{**KEY, **TOKEN}], {"security-alternative-removed"}),
        ([{**KEY, **TOKEN}], [KEY], {"security-alternative-added"}),
        ([KEY], [TOKEN], {"security-alternative-removed", "security-alternative-added"}),
        ([{"oauth": ["read"]}], [{"oauth": ["read", "write"]}], {"security-scope-added"}),
        ([{"oauth": ["read", "write"]}], [{"oauth": ["read"]}], {"security-alternative-added"}),
        ([None], [], set()),
        ([None], [{}], set()),
    ],
    ids=str,
)
def test_every_way_in_has_to_lead_in_still(old: list[Any], new: list[Any], expected: set[str]) -> None:
    assert rules(guarded(*old), guarded(*new)) == expected


def test_what_is_opened_is_worth_a_look() -> None:
    assert changes(guarded(KEY), guarded())["security-removed"].severity is Severity.MEDIUM
    found = changes(guarded(), guarded({"oauth": ["read"]}))["security-added"]
    assert found.severity is Severity.HIGH
    assert found.message == "GET /a, security: oauth (read) is demanded now, nothing was"


def test_what_holds_for_the_whole_document_is_one_change() -> None:
    paths = {f"/{number}": {"get": OK} for number in range(50)} | {"/open": {"get": {**OK, "security": []}}}
    old = document(paths, components={"securitySchemes": SCHEMES})
    new = {**old, "security": [KEY]}
    found = changes(old, new)["security-added"]
    assert (found.pointer, len(found.operations)) == ("/security", 50)
    assert "GET /open" not in found.operations
    assert rules(new, document(paths, components={"securitySchemes": SCHEMES})) == {"security-removed"}


def test_it_does_not_matter_where_it_is_said() -> None:
    own = guarded(KEY)
    shared = {**guarded(None), "security": [KEY]}
    assert rules(own, shared) == set()


def test_a_renamed_scheme_is_the_same() -> None:
    old = guarded(KEY)
    new = document(
        {"/a": {"get": {**OK, "security": [{"apiKey": []}]}}},
        components={"securitySchemes": {"apiKey": {**SCHEMES["key"], "name": "x-key", "description": "another"}}},
    )
    assert rules(old, new) == set()


def test_a_changed_scheme_is_one_change_for_all_that_use_it() -> None:
    paths = {f"/{number}": {"get": {**OK, "security": [KEY]}} for number in range(9)}
    old = document(paths, components={"securitySchemes": SCHEMES})
    new = edited(old, "components", "securitySchemes", "key", "name", to="X-Other")
    found = changes(old, new)["security-scheme-changed"]
    assert (found.pointer, len(found.operations)) == ("/components/securitySchemes/key", 9)
    assert rules(old, edited(old, "components", "securitySchemes", "token", "scheme", to="basic")) == set()


def test_addresses_and_flows_of_oauth() -> None:
    old = guarded({"oauth": ["read"]})
    flows = ("components", "securitySchemes", "oauth", "flows")
    elsewhere = edited(old, *flows, "clientCredentials", "tokenUrl", to="/other")
    assert rules(old, elsewhere) == {"security-scheme-changed"}
    more = edited(old, *flows, "password", to={"tokenUrl": "/token", "scopes": {}})
    assert rules(old, more) == {"security-alternative-added"}
    assert rules(more, old) == {"security-scheme-changed"}
    described = edited(old, *flows, "clientCredentials", "scopes", "read", to="in other words")
    assert rules(old, described) == set()
