import os

import pytest
from fastapi.testclient import TestClient

PASSWORD = "only in the tests"
os.environ["LIBRARY_PASSWORD"] = PASSWORD


@pytest.fixture
def client(tmp_path, monkeypatch):
    """The service on a new database, and nobody logged in."""
    from library.app import app

    monkeypatch.setenv("LIBRARY_DB", str(tmp_path / "library.db"))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def logged_in(client, user, password):
    token = client.post("/login", json={"user": user, "password": password}).json()["access_token"]
    client.headers["Authorization"] = f"Bearer {token}"
    return client


@pytest.fixture
def reader(client):
    return logged_in(client, "reader", "reading")


@pytest.fixture
def librarian(client):
    return logged_in(client, "librarian", PASSWORD)
