import pytest
from flask.testing import FlaskClient

from orders.app import create_app
from orders.database import Database


@pytest.fixture
def database(tmp_path):
    database = Database(tmp_path / "orders.db")
    database.migrate()
    return database


@pytest.fixture
def client(database) -> FlaskClient:
    return create_app(database).test_client()


@pytest.fixture
def place(client):
    """Places an order and returns it."""

    def place(customer="Ada Lovelace", lines=((3, 1), (4, 2))):
        lines = [{"product_id": product_id, "quantity": quantity} for product_id, quantity in lines]
        response = client.post("/api/v1/orders", json={"customer": customer, "lines": lines})
        assert response.status_code == 201, response.text
        return response.json["data"]

    return place
