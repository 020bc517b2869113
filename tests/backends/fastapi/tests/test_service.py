import pytest

from library import login, trouble

PROTECTED = [
    ("GET", "/api/v1/me"),
    ("GET", "/api/v1/books"),
    ("POST", "/api/v1/books"),
    ("GET", "/api/v1/books/1"),
    ("PUT", "/api/v1/books/1"),
    ("DELETE", "/api/v1/books/1"),
    ("GET", "/api/v1/books/1/cover"),
]


@pytest.mark.parametrize(("method", "path"), PROTECTED)
@pytest.mark.parametrize(
    "header", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Basic cmVhZGVyOnJlYWRpbmc="}]
)
def test_nobody_gets_in_without_a_token(client, method, path, header):
    response = client.request(method, path, headers=header)
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(("method", "path"), [operation for operation in PROTECTED if operation[0] != "GET"])
def test_a_reader_may_only_look(reader, method, path):
    assert reader.request(method, path, json={"title": "t", "author": "a", "year": 2000}).status_code == 403


@pytest.mark.parametrize("user", ["reader", "librarian", "nobody"])
def test_a_wrong_password_is_refused(client, user):
    assert client.post("/login", json={"user": user, "password": "guessed"}).status_code == 401


def test_a_token_ends(reader, monkeypatch):
    assert reader.get("/api/v1/me").json()["data"] == {"user": "reader", "role": "reader"}
    monkeypatch.setattr(login, "_tokens", {token: (who, 0.0) for token, (who, _) in login._tokens.items()})
    assert reader.get("/api/v1/me").status_code == 401


def test_ended_tokens_are_forgotten(client, monkeypatch):
    monkeypatch.setattr(login, "_tokens", {"old": (None, 0.0)})
    client.post("/login", json={"user": "reader", "password": "reading"})
    assert "old" not in login._tokens


def test_it_is_healthy(client):
    assert client.get("/health").json() == {"status": "ok"}


def test_errors_have_one_shape(client):
    for status, response in {
        400: client.post("/login", content=b"\xff", headers={"Content-Type": "application/json"}),
        404: client.get("/nowhere"),
        405: client.patch("/api/v1/books/1"),
        422: client.post("/login", json={}),
    }.items():
        assert response.status_code == status
        assert response.json()["error"]["status"] == status
    assert client.patch("/api/v1/books/1").headers["Allow"] == "DELETE, GET, PUT"


def test_trouble_can_be_switched_on(reader, monkeypatch):
    monkeypatch.setenv("CRASH_ON", "3")
    monkeypatch.setenv("NEVER_READY", "1")
    monkeypatch.setenv("GARBAGE_OPENAPI", "1")
    assert reader.get("/api/v1/books/2").status_code == 200
    assert reader.get("/api/v1/books/3").json() == {
        "error": {"status": 500, "message": "Something went wrong on our side."}
    }
    assert reader.get("/health").status_code == 503
    with pytest.raises(ValueError, match="Expecting"):
        reader.get("/openapi.json").json()


def test_it_dies_when_it_is_told_to(monkeypatch):
    import asyncio

    class Died(Exception):
        pass

    def die(code):
        raise Died(code)

    async def answer(scope, receive, send):
        answered.append(scope["path"])

    answered = []
    monkeypatch.setenv("DIE_AFTER_REQUESTS", "2")
    monkeypatch.setattr(trouble.os, "_exit", die)
    mortal = trouble.Trouble(answer)
    for path in ("/1", "/2"):
        asyncio.run(mortal({"type": "http", "path": path}, None, None))
    with pytest.raises(Died):
        asyncio.run(mortal({"type": "http", "path": "/3"}, None, None))
    assert answered == ["/1", "/2"]
