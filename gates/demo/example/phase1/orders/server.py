"""Serves the orders over HTTP: python -m orders --port 8080 --data data/."""

import argparse
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

import gevent
from gevent.pywsgi import WSGIServer

from orders.app import create_app
from orders.database import Database
from orders.sample import fill


class Server(WSGIServer):
    """Sends what it has at once: headers and body go out one after the other, and would wait for each other."""

    def handle(self, client_socket: socket.socket, address: tuple[str, int]) -> None:
        client_socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().handle(client_socket, address)


def build_server(port: int, data: Path) -> Server:
    """Return a server on a database that is up to date, not yet listening."""
    data.mkdir(parents=True, exist_ok=True)
    database = Database(data / "orders.db")
    database.migrate()
    fill(database, int(os.environ.get("ORDERS_SAMPLE", "0")))
    # Requests are logged by the application, as JSON.
    return Server(("127.0.0.1", port), create_app(database), log=None)


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="orders", description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--data", type=Path, default=Path("data"), help="the folder of the database")
    options = parser.parse_args(arguments)
    server = build_server(options.port, options.data)
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, server.stop)
    server.serve_forever()
    return 0
