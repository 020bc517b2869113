"""A real backend is prepared: what can be loaded is found, in an order that makes sense, and nothing leaves it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from shop import Shop, open_shop

from gates.load.preparation import Preparation, Prepared, Spoiled
from gates.results import RecordedRequest


def preparation(
    shop: Shop,
    corpus: Mapping[str, RecordedRequest] | None = None,
    excluded: Mapping[str, str] | None = None,
    within: float = 20.0,
) -> Preparation:
    return Preparation(shop.document, shop, corpus=corpus or {}, excluded=excluded or {}, timeout=5.0, within=within)


def reasons(prepared: Prepared) -> dict[str, str]:
    return {name: one.reason for name, one in prepared.tried.items() if one.reason}


def targets(prepared: Prepared) -> dict[str, str]:
    return {work.operation: work.request.target for work in prepared.work}


def test_what_is_created_is_used_where_it_is_needed(tmp_path: Path) -> None:
    with open_shop(tmp_path, "customers", "away") as shop:
        prepared = preparation(shop).run()
        seen = shop.seen()
    assert reasons(prepared) == {}
    assert targets(prepared) == {
        "POST /orders": "/api/orders", "GET /orders": "/api/orders", "GET /orders/{order_id}": "/api/orders/41",
        "PUT /orders/{order_id}": "/api/orders/41", "POST /customers": "/api/customers",
        "POST /orders/{order_id}/notes": "/api/orders/41/notes", "GET /away": "/api/away",
    }  # fmt: skip
    bodies = {work.operation: json.loads(work.request.body) for work in prepared.work if work.request.body}
    assert bodies["POST /orders"] == {"item": "tea", "count": 2}
    assert bodies["POST /orders/{order_id}/notes"] == {"customer_id": 7000}
    # The same address twice is refused, so it has to be another one each time.
    assert bodies["POST /customers"] == {"email": "uniq0000000@example.com"}
    assert not any(line.startswith("DELETE") for line in seen)
    assert seen.index("POST /orders") < seen.index("GET /orders/41")


def test_what_fails_is_not_loaded_and_says_with_what(tmp_path: Path) -> None:
    with open_shop(tmp_path, "failing", "fleeting") as shop:
        prepared = preparation(shop, excluded={"GET /orders": "is left out"}).run()
        seen = shop.seen()
    assert reasons(prepared) == {
        "GET /orders": "is left out",
        "GET /failing": "answered 500",
        "GET /fleeting": "answered 429 after the other operations had been tried",
    }
    assert prepared.tried["GET /failing"].statuses == {500: 1}
    assert {"GET /orders", "GET /failing", "GET /fleeting"}.isdisjoint(targets(prepared))
    assert "GET /orders" not in seen


def test_an_operation_that_ends_the_backend_is_named(tmp_path: Path) -> None:
    with open_shop(tmp_path, "deadly") as shop, pytest.raises(Spoiled) as caught:
        preparation(shop).run()
    assert (caught.value.operation, caught.value.backend_died) == ("POST /deadly", True)
    assert caught.value.what == "ended the backend"


@pytest.mark.parametrize("checked", [True, False])
def test_an_operation_that_ends_the_login_is_named(tmp_path: Path, checked: bool) -> None:
    """With a check of the backend's own, and without one: then a request that needs the login tells."""
    with open_shop(tmp_path, "login", "forgetful") as shop:
        shop.checked = checked
        with pytest.raises(Spoiled) as caught:
            preparation(shop).run()
    assert (caught.value.operation, caught.value.backend_died) == ("POST /forgetful", False)


def test_the_login_goes_along_and_is_not_recorded(tmp_path: Path) -> None:
    with open_shop(tmp_path, "login") as shop:
        prepared = preparation(shop).run()
    assert len(prepared.work) == 4
    corpus = prepared.corpus(dict)
    assert "sesame" not in repr(corpus)
    assert ("POST /orders", 201) in [(one.operation, one.status) for one in corpus]


def test_a_baselines_requests_are_sent_again_with_the_identifiers_of_this_backend(tmp_path: Path) -> None:
    headers = {"Content-Type": "application/json"}
    corpus = {
        "POST /orders": RecordedRequest("POST /orders", "POST", "/api/orders", headers, '{"item":"coffee","count":9}'),
        "GET /orders/{order_id}": RecordedRequest("GET /orders/{order_id}", "GET", "/api/orders/9999", {}),
        "PUT /orders/{order_id}": RecordedRequest(
            "PUT /orders/{order_id}", "PUT", "/api/orders/9999", headers, '{"item":"coffee","count":9}'
        ),
    }
    with open_shop(tmp_path, "customers") as shop:
        prepared = preparation(shop, corpus).run()
    bodies = {work.operation: work.request.body for work in prepared.work}
    assert bodies["POST /orders"] == bodies["PUT /orders/{order_id}"] == '{"item":"coffee","count":9}'
    assert targets(prepared)["GET /orders/{order_id}"] == "/api/orders/41"
    assert "POST /customers" in bodies
    assert prepared.redrawn == ()


def test_a_baselines_request_that_is_refused_now_is_replaced_and_named(tmp_path: Path) -> None:
    old = RecordedRequest("POST /orders", "POST", "/api/orders", {"Content-Type": "application/json"}, '{"count":1}')
    with open_shop(tmp_path) as shop:
        prepared = preparation(shop, {"POST /orders": old}).run()
    assert prepared.redrawn == ("POST /orders",)
    assert targets(prepared)["POST /orders"] == "/api/orders"


def test_the_preparation_ends_in_time_and_names_what_was_not_tried(tmp_path: Path) -> None:
    with open_shop(tmp_path) as shop:
        prepared = preparation(shop, within=1e-6).run()
    assert prepared.work == ()
    assert set(reasons(prepared).values()) == {"was not tried: the preparation took longer than 1e-06 s"}


def test_service_times_are_of_every_operation(tmp_path: Path) -> None:
    with open_shop(tmp_path, "slow") as shop:
        ready = preparation(shop)
        prepared = ready.run()
        times = ready.service_times(prepared.work, 0.1)
    assert times.keys() == targets(prepared).keys()
    assert times["GET /slow"] >= 0.02
    assert max(times, key=lambda name: times[name]) == "GET /slow"
