import pytest

BOOK = {"title": "Orlando", "author": "Virginia Woolf", "year": 1928}


def test_a_book_that_was_added_can_be_read(librarian):
    response = librarian.post("/api/v1/books", json=BOOK)
    assert response.status_code == 201
    assert librarian.get(response.headers["Location"]).json() == response.json()
    assert response.json()["data"] == {"id": 201, **BOOK}


def test_books_are_listed_page_by_page(reader):
    first = reader.get("/api/v1/books?limit=2").json()
    second = reader.get("/api/v1/books?limit=2&offset=2").json()
    assert [book["id"] for book in first["data"] + second["data"]] == [1, 2, 3, 4]
    assert second["page"] == {"limit": 2, "offset": 2, "total": 200}
    assert reader.get("/api/v1/books?offset=200").json()["data"] == []


def test_books_are_listed_by_author(reader):
    answer = reader.get("/api/v1/books", params={"author": "Virginia Woolf", "limit": 100}).json()
    assert {book["author"] for book in answer["data"]} == {"Virginia Woolf"}
    assert answer["page"]["total"] == 25


def test_a_book_can_be_changed(librarian):
    assert librarian.put("/api/v1/books/1", json=BOOK).json()["data"] == {"id": 1, **BOOK}
    assert librarian.get("/api/v1/books/1").json()["data"] == {"id": 1, **BOOK}


def test_a_book_that_was_removed_is_gone(librarian):
    assert librarian.delete("/api/v1/books/1").status_code == 204
    assert librarian.get("/api/v1/books/1").status_code == 404
    assert librarian.delete("/api/v1/books/1").status_code == 404
    assert librarian.put("/api/v1/books/1", json=BOOK).status_code == 404


def test_a_cover_is_a_picture_that_follows_from_the_title(reader):
    response = reader.get("/api/v1/books/1/cover")
    assert response.headers["Content-Type"] == "image/png"
    assert response.content.startswith(b"\x89PNG")
    assert reader.get("/api/v1/books/1/cover").content == response.content
    assert reader.get("/api/v1/books/2/cover").content != response.content
    assert reader.get("/api/v1/books/2000/cover").status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"title": ""},
        {"title": 7},
        {"title": "\ud800"},
        {"year": "1928"},
        {"year": 1928.5},
        {"year": 10**400},
        {"isbn": "1"},
    ],
)
def test_a_book_that_makes_no_sense_is_refused(librarian, change):
    import json

    body = json.dumps({**BOOK, **change})
    response = librarian.post("/api/v1/books", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 422
    assert response.json()["error"]["message"]


def test_a_whole_number_may_be_written_with_a_point(librarian):
    assert librarian.post("/api/v1/books", json={**BOOK, "year": 1928.0}).json()["data"]["year"] == 1928
