import pytest


def found(client, **query):
    response = client.get("/api/v1/orders/search", query_string=query)
    assert response.status_code == 200, response.text
    return response.json


def test_orders_are_found_by_a_part_of_the_name_newest_first(client, place):
    first, _, last = place("Grace Hopper"), place("Tony Hoare"), place("Grace Slick")
    answer = found(client, q="grace")
    assert answer["data"] == [last, first]
    assert answer["newest"] == last["placed_at"]
    assert answer["page"] == {"limit": 20, "offset": 0, "total": 2}


def test_nothing_may_be_found(client, place):
    place("Grace Hopper")
    page = {"limit": 20, "offset": 0, "total": 0}
    assert found(client, q="nobody") == {"data": [], "newest": None, "page": page}


def test_what_was_found_is_read_page_by_page(client, place):
    numbers = [place("Radia Perlman")["id"] for _ in range(3)]
    assert [order["id"] for order in found(client, q="Radia", limit=2)["data"]] == [numbers[2], numbers[1]]
    assert [order["id"] for order in found(client, q="Radia", limit=2, offset=2)["data"]] == [numbers[0]]


@pytest.mark.parametrize("q", ["O'Neill", "100 %", "under_score", "back\\slash", "'; DROP TABLE orders --"])
def test_every_character_is_a_letter_like_any_other(client, place, q):
    place("Ada Lovelace")
    order = place(q)
    assert found(client, q=q)["data"] == [order]
    assert found(client, q=q + "?")["data"] == []


def test_wildcards_find_nothing(client, place):
    place("Ada Lovelace")
    assert found(client, q="%")["page"]["total"] == 0
    assert found(client, q="_")["page"]["total"] == 0


@pytest.mark.parametrize("query", ["", "q=", "q=" + "x" * 81, "q=a&limit=0", "q=a&offset=-1"])
def test_a_search_that_makes_no_sense_is_refused(client, query):
    assert client.get(f"/api/v1/orders/search?{query}").status_code == 422


def test_a_line_keeps_the_name_its_product_had(client, database, place):
    order = place("Ada Lovelace", [(1, 1)])
    database.connection.execute("UPDATE products SET name = 'Notebook, ruled, A5' WHERE id = 1")
    assert found(client, q="Ada")["data"] == [order]
