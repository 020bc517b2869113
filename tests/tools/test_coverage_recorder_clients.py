"""The calls of real test clients, as suites of real projects make them; each library is the one that is installed."""

from __future__ import annotations

from pathlib import Path

import pytest
from recorded_suites import SHOP, Backend, Suite, document, of_tests, seen, share

FASTAPI = """
from fastapi import FastAPI, HTTPException

app = FastAPI()
ORDERS = {}


@app.get("/orders")
def listed():
    return list(ORDERS)


@app.post("/orders", status_code=201)
def placed(order: dict):
    ORDERS[len(ORDERS)] = order
    return order


@app.get("/orders/{order_id}")
def one(order_id: int):
    if order_id not in ORDERS:
        raise HTTPException(404)
    return ORDERS[order_id]


@app.get("/debug/{number}", include_in_schema=False)
def debug(number: int):
    return number
"""
FLASK = """
from flask import Flask, abort, jsonify, redirect, request

def create_app():
    app = Flask(__name__)

    @app.get("/orders")
    def listed():
        return jsonify([])

    @app.post("/orders")
    def placed():
        return jsonify(request.get_json()), 201

    @app.get("/orders/<int:order_id>")
    def one(order_id):
        return jsonify(order_id) if order_id < 9 else abort(404)

    @app.get("/old/orders")
    def old():
        return redirect("/orders")

    @app.get("/page")
    def page():
        return "<html></html>"

    return app
"""
SERVER = """
import http.server, json, threading

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = {"GET": 200, "POST": 201, "DELETE": 204}[self.command] if self.path.startswith("/orders") else 404
        self.send_response(status)
        self.send_header("Content-Length", "0" if status == 204 else "2")
        self.end_headers()
        self.wfile.write(b"" if status == 204 else b"[]")

    do_POST = do_DELETE = do_GET

    def log_message(self, *arguments):
        pass

def serve():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
"""


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    made = Suite(tmp_path / "project", tmp_path / "run", Backend(document(*SHOP)))
    made.write({"shop/__init__.py": ""})
    return made


def test_fastapi_and_its_test_client(suite: Suite) -> None:
    suite.write({
        "shop/app.py": FASTAPI,
        "test_shop.py": """
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from shop.app import app

@pytest.fixture(scope="module")
def client():
    with TestClient(app) as client:
        yield client

def test_orders(client):
    assert client.post("/orders", json={"a": 1}).status_code == 201
    assert client.get("/orders/0?secret=1").json() == {"a": 1}
    assert client.get("/orders/7").status_code == 404

def test_debug(client):
    assert client.get("/debug/17").json() == client.get("/debug/17/").json() == 17

def test_that_fails(client):
    assert client.get("/orders").json() is None

@pytest.fixture
def broken():
    yield
    raise RuntimeError("cannot be cleared up")

def test_that_cannot_be_cleared_up(client, broken):
    assert client.get("/orders").status_code == 200

def test_that_is_expected_to_fail(client):
    client.delete("/orders/1")
    pytest.xfail("not yet")

def test_of_a_small_application():
    app = FastAPI()
    app.get("/boom")(lambda: 1)
    assert TestClient(app).get("/boom").status_code == 200
""",
    })  # fmt: skip
    found = suite.run(retries=0)
    assert seen(found) == {
        "GET /orders": ({200: 2}, False),
        "POST /orders": ({201: 1}, True),
        "GET /orders/{order_id}": ({200: 1, 404: 1}, True),
        "DELETE /orders/{order_id}": ({405: 1}, False),
        "GET /debug/{id}": ({200: 2}, None),
    }
    assert of_tests(found) == []
    assert share(found) == (2, 4)
    assert [(one.rule, one.operation) for one in found.findings] == [
        ("traffic.undocumented-route", "GET /debug/{id}")
    ]  # fmt: skip
    assert any("1 other application" in note and "GET /boom" in note for note in found.notes)
    assert "openapi" in found.documents
    assert suite.backend.starts == 1


def test_httpx_within_the_process_and_a_library_that_a_test_imports_itself(suite: Suite) -> None:
    suite.write({
        "shop/app.py": FASTAPI, "shop/web.py": FLASK,
        "test_shop.py": """
import asyncio
from shop.app import app
from shop.web import create_app

def test_asgi():
    import httpx

    async def ask():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://shop") as client:
            return await client.post("/orders", json={})

    assert asyncio.run(ask()).status_code == 201

def test_wsgi():
    import httpx
    with httpx.Client(transport=httpx.WSGITransport(app=create_app()), base_url="http://shop") as client:
        assert client.get("/orders/caf%C3%A9").status_code == 404
        assert client.get("/orders/1").status_code == 200

def test_mocked():
    import httpx
    with httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(200))) as client:
        assert client.delete("http://localhost/orders/1").status_code == 200
""",
    })  # fmt: skip
    found = suite.run()
    assert seen(found) == {
        "POST /orders": ({201: 1}, True),
        "GET /orders/{order_id}": ({200: 1, 404: 1}, True),
    }
    assert found.findings == ()


def test_flask_and_its_test_client(suite: Suite) -> None:
    suite.write({
        "shop/web.py": FLASK,
        "test_shop.py": """
import pytest
from shop.web import create_app

@pytest.fixture
def client():
    return create_app().test_client()

def test_post(client):
    assert client.post("/orders", json={}).status_code == 201

def test_redirected(client):
    assert client.get("/old/orders", follow_redirects=True).json == []

def test_none(client):
    assert client.get("/orders/99").status_code == 404
    assert b"html" in client.get("/page").data
""",
    })  # fmt: skip
    found = suite.run()
    assert seen(found) == {
        "GET /orders": ({200: 1}, True),
        "POST /orders": ({201: 1}, True),
        "GET /orders/{order_id}": ({404: 1}, False),
    }
    assert found.findings == ()


def test_clients_that_go_over_the_network(suite: Suite) -> None:
    suite.write({
        "shop/server.py": SERVER,
        "test_shop.py": """
import http.client, socket, urllib.error, urllib.request
import httpx, pytest, requests
from unittest import mock
from shop.server import serve

@pytest.fixture(scope="session")
def url():
    server = serve()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()

def test_requests(url):
    with requests.Session() as session:
        assert session.get(url + "/orders?a=1").ok and session.get(url + "/orders").ok

def test_urllib(url):
    with urllib.request.urlopen(urllib.request.Request(url + "/orders", b"{}")) as answer:
        assert answer.status == 201
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(url + "/nothing")

def test_httpx(url):
    assert httpx.delete(url + "/orders/1").status_code == 204

def test_http_client(url):
    connection = http.client.HTTPConnection(url.partition("//")[2])
    connection.request("GET", "/orders/3")
    assert connection.getresponse().read() == b"[]"
    connection.close()

def test_a_mock_and_another_server(url):
    answer = requests.Response()
    answer.status_code = 418
    with mock.patch("requests.adapters.HTTPAdapter.send", return_value=answer):
        assert requests.get("http://localhost/orders").status_code == 418
    other = serve()
    assert requests.get(f"http://127.0.0.1:{other.server_address[1]}/elsewhere").status_code == 404
""",
    })  # fmt: skip
    found = suite.run()
    assert seen(found) == {
        "GET /orders": ({200: 2}, True),
        "POST /orders": ({201: 1}, True),
        "GET /orders/{order_id}": ({200: 1}, True),
        "DELETE /orders/{order_id}": ({204: 1}, True),
    }
    assert share(found) == (4, 4)
    assert found.findings == ()  # over the network it may have been anybody's


# Django is not among the packages that gates is developed with. This has the shape of its test client: what the
# recorder uses of it, and no more; the real one is tried by hand.
DJANGO = """
class Response:
    def __init__(self, status, kind, request):
        self.status_code, self.kind, self.request = status, kind, request

    def has_header(self, name):
        return bool(self.kind)

    def __getitem__(self, name):
        return self.kind


def _answer(path, request):
    known = {"/orders": (200, "application/json"), "/admin/": (200, "text/html; charset=utf-8"), "/extra/": (200, "")}
    return Response(*known.get(path, (404, "")), request)


class Client:
    def get(self, path):
        return self.request(REQUEST_METHOD="GET", PATH_INFO=path)

    def request(self, **request):
        return _answer(request["PATH_INFO"], request)


class AsyncClient:
    async def request(self, **request):
        return _answer(request["path"], request)
"""


def test_a_client_like_that_of_django_under_unittest(suite: Suite) -> None:
    suite.write({
        "django/__init__.py": "", "django/test/__init__.py": "from django.test.client import Client\n",
        "django/test/client.py": DJANGO,
        "tests/__init__.py": "",
        "tests/test_shop.py": """
import asyncio, unittest
from django.test import Client
from django.test.client import AsyncClient

class OrderTest(unittest.TestCase):
    def setUp(self):
        self.client = Client()

    def test_orders(self):
        self.assertEqual(self.client.get("/orders").status_code, 200)
        self.assertEqual(self.client.get("/admin/").status_code, 200)

    def test_wrong(self):
        with self.subTest(1):
            self.assertEqual(self.client.get("/orders/1").status_code, 200)

    def test_async(self):
        found = asyncio.run(AsyncClient().request(method="GET", path="/extra/"))
        self.assertEqual(found.status_code, 200)
""",
    })  # fmt: skip
    found = suite.run(command="python -m unittest", retries=0)
    assert seen(found) == {
        "GET /orders": ({200: 1}, True),
        "GET /orders/{order_id}": ({404: 1}, False),
        "GET /extra/": ({200: 1}, None),
    }
    assert [one.outcome for one in found.subjects] == ["passed", "passed", "failed"]
