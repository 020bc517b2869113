"""Paths are named by nouns, and collections in the plural; words that only look like verbs are left alone."""

from __future__ import annotations

import pytest
from rest_samples import found, get, operation, post

from gates.rest import Conventions
from gates.results import Severity

NOUN, ACTION, PLURAL = "rest.noun-path", "rest.action-path", "rest.plural-collection"


@pytest.mark.parametrize(
    ("paths", "operation_name", "word", "fix"),
    [
        (get("/getUsers"), "GET /getUsers", "get", "GET /users says it"),
        (get("/get-users"), "GET /get-users", "get", "GET /users says it"),
        (get("/get_all_users"), "GET /get_all_users", "get", "GET /users says it"),
        (post("/users/create"), "POST /users/create", "create", "POST /users says it"),
        (post("/createOrder"), "POST /createOrder", "create", "POST /orders says it"),
        (post("/users/{id}/delete"), "POST /users/{id}/delete", "delete", "DELETE /users/{id} says it"),
        ({"/deleteUser/{id}": {"delete": operation("204")}}, "DELETE /deleteUser/{id}", "delete",
        "DELETE /users/{id} says it"),
        (get("/users/list"), "GET /users/list", "list", "GET /users says it"),
        (get("/listUsers"), "GET /listUsers", "list", "GET /users says it"),
        (get("/fetch/{id}"), "GET /fetch/{id}", "fetch", "GET /{id} says it"),
        (get("/pet/findByStatus"), "GET /pet/findByStatus", "find", "GET /pet says it"),
        (post("/users/{id}/update"), "POST /users/{id}/update", "update", "PATCH /users/{id} says it"),
        (post("/addItem"), "POST /addItem", "add", "POST /items says it"),
        (post("/remove-item"), "POST /remove-item", "remove", "DELETE /items says it"),
        (get("/api/v2/getOrderById/{id}"), "GET /api/v2/getOrderById/{id}", "get", "GET /api/v2/orders/{id} says it"),
        (post("/chat.delete"), "POST /chat.delete", "delete", "DELETE /chat says it"),
        (get("/getUsers.json"), "GET /getUsers.json", "get", "GET /users says it"),
        (post("/setPassword"), "POST /setPassword", "set", "PUT /password says it"),
    ],
)  # fmt: skip
def test_a_verb_that_the_method_says_is_named_with_what_to_write_instead(
    paths: dict[str, object], operation_name: str, word: str, fix: str
) -> None:
    (finding,) = found(NOUN, paths)
    assert (finding.severity, finding.operation) == (Severity.MEDIUM, operation_name)
    assert f"`{word}`" in finding.message
    assert operation_name in finding.message
    assert finding.fix == fix
    assert finding.pointer.startswith("/paths/~1")


@pytest.mark.parametrize(
    "path",
    [
        "/search", "/reports", "/orders/{id}/status", "/exports", "/export", "/imports", "/users/search",
        "/login-attempts",
        "/add-ons", "/addOns", "/get-started", "/lists", "/list", "/list-items", "/sets/{id}", "/updates", "/edits",
        "/settings", "/addresses", "/additions", "/getaways", "/creators", "/deletions", "/listings/{id}", "/findings",
        "/savings", "/putaways", "/posts", "/patches", "/puts", "/calls", "/charges", "/checks", "/builds",
        "/releases/{id}",
        "/queries", "/requests", "/processes", "/tests", "/views", "/reviews", "/uploads", "/downloads", "/backups",
        "/transfers", "/batches", "/quotes", "/locks", "/matches", "/plays", "/runs/{id}", "/update-history",
        "/editors",
        "/delete-markers", "/update-policy", "/usuarios", "/benutzer", "/commandes", "/firmware/update",
        "/creation-date",
        "/v1/read-replicas", "/open-orders", "/start-times", "/stop-words", "/close-reasons", "/block-list",
        "/fetchers",
    ],
)  # fmt: skip
def test_nouns_that_look_like_verbs_are_left_alone(path: str) -> None:
    for rule in (NOUN, ACTION):
        assert found(rule, get(path)) == []


@pytest.mark.parametrize("word", ["activate", "sendInvitation", "generate-report", "validate"])
def test_what_is_done_by_a_get_is_a_verb_in_the_path(word: str) -> None:
    (finding,) = found(NOUN, get(f"/users/{{id}}/{word}"))
    assert "a GET only reads" in finding.message


@pytest.mark.parametrize(
    "path",
    [
        "/orders/{id}/cancel", "/users/{id}/activate", "/users/{id}/send-invitation", "/orders/{id}/archive",
        "/servers/{id}/reboot", "/users/{id}/reset-password", "/users/bulk-delete", "/instances/{id}:stop",
        "/documents/{id}/publish", "/payments/{id}/refund",
    ],
)  # fmt: skip
def test_actions_are_told_of_as_the_policy_says(path: str) -> None:
    (finding,) = found(ACTION, post(path))
    assert finding.severity is Severity.LOW
    assert found(NOUN, post(path)) == []
    assert found(ACTION, post(path), Conventions(actions="forbid"))[0].severity is Severity.MEDIUM
    assert found(ACTION, post(path), Conventions(actions="allow")) == []


@pytest.mark.parametrize(
    "paths",
    [
        {"/orders/{id}/lock": {"put": operation("204"), "delete": operation("204")}},
        {"/orders/{id}/merge": {"get": operation(), "post": operation("201")}},
        post("/orders/{id}/items"),
        post("/orders/{id}/transfer"),
        post("/projects/{id}/merge-requests"),
        post("/projects/{id}/reset-tokens"),
        post("/archive"),
    ],
)
def test_what_can_be_read_or_undone_is_no_action(paths: dict[str, object]) -> None:
    assert found(ACTION, paths) == []


def test_an_action_says_what_could_stand_there() -> None:
    (finding,) = found(ACTION, post("/orders/{id}/cancel"))
    assert finding.message == "POST /orders/{id}/cancel: `cancel` is an action"
    assert finding.fix == "POST /orders/{id}/cancellation, or PATCH /orders/{id} with the new state"


def test_a_segment_in_many_operations_is_one_finding() -> None:
    paths = {
        "/getUsers": {"get": operation(), "post": operation("201")},
        **get("/getUsers/{id}", "/getUsers/{id}/orders"),
    }
    (finding,) = found(NOUN, paths)
    assert "`/getUsers` in 4 operations" in finding.message
    assert found(NOUN, get("/getUsers"))[0].fingerprint == finding.fingerprint


def test_words_of_the_project_count() -> None:
    assert found(NOUN, post("/ingest")) == []
    (finding,) = found(NOUN, get("/frobnicate/{id}"), Conventions(verbs=("frobnicate",)))
    assert "`frobnicate` is a verb" in finding.message
    assert found(NOUN, get("/fetch/{id}"), Conventions(nouns=("fetch",))) == []
    assert found(PLURAL, get("/user/{id}"), Conventions(nouns=("user",))) == []


@pytest.mark.parametrize(
    ("path", "fix"),
    [
        ("/user/{id}", "/users"), ("/category/{id}", "/categories"), ("/person/{id}", "/people"), ("/Order/{id}",
        "/Orders"),
        ("/order-item/{id}", "/order-items"), ("/orderItem/{id}", "/orderItems"), ("/address/{id}", "/addresses"),
        ("/widget/{widgetId}", "/widgets"), ("/shops/{id}/product/{sku}", "/shops/{id}/products"), ("/box/{id}",
        "/boxes"),
        ("/subscription/{id}", "/subscriptions"), ("/status-page/{id}", "/status-pages"), ("/pet/{petId}", "/pets"),
    ],
)  # fmt: skip
def test_a_singular_collection_is_told_its_plural(path: str, fix: str) -> None:
    (finding,) = found(PLURAL, get(path))
    assert finding.fix == fix
    assert finding.severity is Severity.LOW


@pytest.mark.parametrize(
    "path",
    [
        "/users/{id}", "/people/{id}", "/children/{id}", "/news/{id}", "/series/{id}", "/metadata/{key}", "/me",
        "/profile",
        "/me/orders", "/user", "/status/{code}", "/users/email/{email}", "/country/{country}", "/benutzer/{id}",
        "/data/{id}",
        "/usuario/{id}", "/bestellung/{id}", "/media/{id}", "/equipment/{id}", "/information/{id}", "/health",
        "/search/{query}",
        "/compare/{base}...{head}", "/authentication/{id}", "/indices/{name}", "/configuration/{key}", "/feedback/{id}",
        "/software/{id}", "/inventory/{sku}", "/staff/{id}",
    ],
)  # fmt: skip
def test_plurals_singletons_and_unknown_words_are_left_alone(path: str) -> None:
    assert found(PLURAL, get(path)) == []


def test_plurals_can_be_left_to_the_project() -> None:
    assert found(PLURAL, get("/user/{id}"), Conventions(plural="any")) == []
