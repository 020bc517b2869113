"""The HTTP interface: its operations, one shape for all errors, and a line of log for every request."""

import json
import logging
import sys
import time
import uuid
from pathlib import Path

from flask import Flask, Response, g, jsonify, request
from werkzeug.exceptions import HTTPException, NotFound

from orders import search, store
from orders.database import Database
from orders.requests import LARGEST_INTEGER, integer, integer_argument, new_order, text_argument

DOCUMENT = Path(__file__).with_name("openapi.json").read_bytes()

log = logging.getLogger("orders")


class JsonLines(logging.Formatter):
    """A log record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry)


def create_app(database: Database) -> Flask:
    """Return the application on a database that is up to date."""
    app = Flask(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = 64 * 1024
    app.json.sort_keys = False
    if not log.handlers:
        handler = logging.StreamHandler(sys.stdout)
        handler.setFormatter(JsonLines())
        log.addHandler(handler)
        log.setLevel(logging.INFO)
        log.propagate = False
    _watch(app)
    _add_operations(app, database)
    return app


def _watch(app: Flask) -> None:
    @app.before_request
    def begin() -> None:
        g.began, g.request_id = time.perf_counter(), uuid.uuid4().hex

    @app.after_request
    def end(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.request_id
        response.headers["X-Content-Type-Options"] = "nosniff"
        log.info(
            "request",
            extra={
                "fields": {
                    "request_id": g.request_id,
                    "method": request.method,
                    "path": request.path,
                    "status": response.status_code,
                    "duration_ms": round((time.perf_counter() - g.began) * 1000, 3),
                }
            },
        )
        return response

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> tuple[Response, int, list[tuple[str, str]]]:
        headers = [
            (name, value) for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")
        ]
        return _error(error.code or 500, error.description or ""), error.code or 500, headers

    @app.errorhandler(Exception)
    def crash(error: Exception) -> tuple[Response, int]:
        log.error("unexpected", exc_info=error, extra={"fields": {"request_id": g.request_id}})
        return _error(500, "Something went wrong on our side."), 500


def _error(status: int, message: str) -> Response:
    return jsonify({"error": {"status": status, "message": message}})


def _add_operations(app: Flask, database: Database) -> None:
    @app.get("/health")
    def health() -> Response:
        database.connection.execute("SELECT 1 FROM products LIMIT 1").fetchone()
        return jsonify({"status": "ok"})

    @app.get("/openapi.json")
    def openapi() -> Response:
        return Response(DOCUMENT, mimetype="application/json")

    @app.get("/api/v1/products")
    def list_products() -> Response:
        return jsonify({"data": store.list_products(database.connection)})

    @app.get("/api/v1/orders")
    def list_orders() -> Response:
        limit = integer_argument("limit", 20, 1, 100)
        offset = integer_argument("offset", 0, 0, LARGEST_INTEGER)
        orders, total = store.list_orders(database.connection, limit, offset)
        return jsonify({"data": orders, "page": {"limit": limit, "offset": offset, "total": total}})

    @app.get("/api/v1/orders/search")
    def search_orders() -> Response:
        q = text_argument("q", 80)
        limit = integer_argument("limit", 20, 1, 100)
        offset = integer_argument("offset", 0, 0, LARGEST_INTEGER)
        return jsonify(search.search_orders(database.connection, q, limit, offset))

    @app.post("/api/v1/orders")
    def place_order() -> tuple[Response, int, dict[str, str]]:
        customer, lines = new_order()
        try:
            with database.transaction() as connection:
                order_id = store.place_order(connection, customer, lines)
        except store.UnknownProduct as error:
            return _error(409, str(error)), 409, {}
        order = store.get_order(database.connection, order_id)
        return jsonify({"data": order}), 201, {"Location": f"/api/v1/orders/{order_id}"}

    @app.get("/api/v1/orders/<order_id>")
    def get_order(order_id: str) -> Response:
        order = store.get_order(database.connection, integer(order_id, "order_id", 1, LARGEST_INTEGER))
        if order is None:
            raise NotFound(f"There is no order {order_id}.")
        return jsonify({"data": order})
