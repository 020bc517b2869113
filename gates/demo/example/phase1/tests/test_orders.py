import pytest


def test_an_order_costs_what_its_lines_cost(place):
    order = place(lines=[(3, 1), (4, 2)])
    assert order["total_cents"] == 2490 + 2 * 690
    assert [line["name"] for line in order["lines"]] == ["Fountain pen, medium nib", "Ink, blue-black, 50 ml"]


def test_an_order_can_be_read_where_its_location_says(client):
    body = {"customer": "Alan Turing", "lines": [{"product_id": 1, "quantity": 2.0}]}
    response = client.post("/api/v1/orders", json=body)
    assert response.status_code == 201
    assert client.get(response.headers["Location"]).json == response.json


def test_orders_are_listed_newest_first_with_their_lines(client, place):
    first, second = place("Grace Hopper"), place("Tony Hoare", [(1, 1)])
    answer = client.get("/api/v1/orders").json
    assert answer["data"] == [second, first]
    assert answer["page"] == {"limit": 20, "offset": 0, "total": 2}


def test_the_list_is_read_page_by_page(client, place):
    numbers = [place()["id"] for _ in range(5)]
    pages = [client.get(f"/api/v1/orders?limit=2&offset={offset}").json for offset in (0, 2, 4, 6)]
    assert [[order["id"] for order in page["data"]] for page in pages] == [
        [numbers[4], numbers[3]],
        [numbers[2], numbers[1]],
        [numbers[0]],
        [],
    ]
    assert {page["page"]["total"] for page in pages} == {5}


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=two", "offset=-1", "offset=99999999999999999999"])
def test_a_page_out_of_bounds_is_refused(client, query):
    response = client.get(f"/api/v1/orders?{query}")
    assert response.status_code == 422
    assert "must be an integer from" in response.json["error"]["message"]


def test_an_unknown_order_is_not_found(client):
    response = client.get("/api/v1/orders/77")
    assert response.status_code == 404
    assert response.json == {"error": {"status": 404, "message": "There is no order 77."}}


@pytest.mark.parametrize("number", ["0", "abc", "2147483648", "1.5"])
def test_a_number_no_order_can_have_is_refused(client, number):
    assert client.get(f"/api/v1/orders/{number}").status_code == 422


def test_an_order_of_something_not_sold_here_is_refused_and_not_kept(client):
    body = {"customer": "Ada Lovelace", "lines": [{"product_id": 77, "quantity": 1}]}
    response = client.post("/api/v1/orders", json=body)
    assert response.status_code == 409
    assert client.get("/api/v1/orders").json["page"]["total"] == 0


LINE = {"product_id": 1, "quantity": 1}


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"customer": "Ada", "lines": [LINE], "extra": 1},
        {"customer": "", "lines": [LINE]},
        {"customer": "x" * 81, "lines": [LINE]},
        {"customer": 7, "lines": [LINE]},
        {"customer": "half a pair: \ud800", "lines": [LINE]},
        {"customer": "Ada", "lines": []},
        {"customer": "Ada", "lines": [LINE] * 21},
        {"customer": "Ada", "lines": "1"},
        {"customer": "Ada", "lines": [7]},
        {"customer": "Ada", "lines": [{"product_id": 1}]},
        {"customer": "Ada", "lines": [{"product_id": 1, "quantity": 0}]},
        {"customer": "Ada", "lines": [{"product_id": 1, "quantity": 1001}]},
        {"customer": "Ada", "lines": [{"product_id": 1, "quantity": True}]},
        {"customer": "Ada", "lines": [{"product_id": 1.5, "quantity": 1}]},
        {"customer": "Ada", "lines": [{"product_id": "1", "quantity": 1}]},
        {"customer": "Ada", "lines": [{"product_id": 10**30, "quantity": 1}]},
    ],
)
def test_an_order_that_makes_no_sense_is_refused(client, body):
    response = client.post("/api/v1/orders", json=body)
    assert response.status_code == 422
    assert response.json["error"]["message"]


def test_a_customer_may_have_any_letters(client, place):
    order = place("Łukasiewicz; DROP TABLE orders --'\"\x00 🖋")
    assert client.get(f"/api/v1/orders/{order['id']}").json["data"] == order
