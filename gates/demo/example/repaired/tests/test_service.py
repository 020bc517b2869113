import json
import logging
import socket
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

from orders.app import JsonLines, create_app
from orders.database import Database
from orders.sample import fill
from orders.server import build_server


def test_the_products_are_listed(client):
    products = client.get("/api/v1/products").json["data"]
    assert len(products) == 12
    assert products[0] == {"id": 1, "name": "Notebook, lined, A5", "price_cents": 450}


def test_it_is_healthy_once_there_are_products(client):
    assert client.get("/health").json == {"status": "ok"}


def test_it_describes_every_route_under_its_version(client):
    described = {
        (method.upper(), path) for path, item in client.get("/openapi.json").json["paths"].items() for method in item
    }
    routed = {
        (method, str(rule.rule).replace("<", "{").replace(">", "}"))
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/api/v1/")
    }
    assert described == routed


def test_every_error_has_one_shape(client):
    answers = {
        400: client.post("/api/v1/orders", data="{", content_type="application/json"),
        404: client.get("/nowhere"),
        405: client.delete("/api/v1/orders"),
        413: client.post("/api/v1/orders", data=b"x" * 70_000, content_type="application/json"),
        415: client.post("/api/v1/orders", data="{}", content_type="text/plain"),
        422: client.get("/api/v1/orders?limit=0"),
    }
    for status, response in answers.items():
        assert response.status_code == status
        assert response.json["error"]["status"] == status
        assert response.json["error"]["message"]
    assert set(answers[405].headers["Allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_a_crash_is_logged_and_tells_the_outside_nothing(database, caplog):
    database.connection.execute("DROP TABLE order_lines")
    app = create_app(database)
    logging.getLogger("orders").addHandler(caplog.handler)
    try:
        response = app.test_client().get("/api/v1/orders")
    finally:
        logging.getLogger("orders").removeHandler(caplog.handler)
    assert response.status_code == 500
    assert response.json == {"error": {"status": 500, "message": "Something went wrong on our side."}}
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    line = json.loads(JsonLines().format(record))
    assert "no such table" in line["exception"]
    assert line["request_id"] == response.headers["X-Request-Id"]


def test_a_database_that_is_up_to_date_is_left_alone(database, place):
    place()
    again = Database(database.path)
    again.migrate()
    assert again.connection.execute("SELECT count(*) FROM products").fetchone()[0] == 12
    assert again.connection.execute("SELECT count(*) FROM orders").fetchone()[0] == 1


def test_sample_orders_are_added_once(database, client):
    fill(database, 30)
    fill(database, 30)
    assert client.get("/api/v1/orders").json["page"]["total"] == 30


def test_a_new_database_is_filled_before_it_is_served(tmp_path, monkeypatch):
    monkeypatch.setenv("ORDERS_SAMPLE", "3")
    server = build_server(0, tmp_path / "new" / "data")
    answer = server.application.test_client().get("/api/v1/orders").json
    assert answer["page"]["total"] == 3


def test_it_serves_until_it_is_told_to_end(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    service = subprocess.Popen([sys.executable, "-m", "orders", "--port", str(port), "--data", str(tmp_path)])
    try:
        assert ask(f"http://127.0.0.1:{port}/health") == {"status": "ok"}
        service.terminate()
        assert service.wait(timeout=30) == 0
    finally:
        service.kill()


def ask(url):
    """Return what a service answers, once it is there."""
    deadline = time.monotonic() + 30
    while True:
        try:
            with urlopen(url) as response:
                return json.load(response)
        except URLError:
            assert time.monotonic() < deadline, "the service never answered"
            time.sleep(0.02)
