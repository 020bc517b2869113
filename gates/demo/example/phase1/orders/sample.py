"""Sample orders, so that an empty database can be measured with a realistic amount of data."""

from orders.database import Database
from orders.store import place_order

CUSTOMERS = [
    "Ada Lovelace",
    "Alan Turing",
    "Barbara Liskov",
    "Edsger Dijkstra",
    "Frances Allen",
    "Grace Hopper",
    "John McCarthy",
    "Katherine Johnson",
    "Margaret Hamilton",
    "Niklaus Wirth",
    "Radia Perlman",
    "Tony Hoare",
]


def fill(database: Database, count: int) -> None:
    """Place sample orders until there are `count` of them; the same ones every time."""
    with database.transaction() as connection:
        present = connection.execute("SELECT count(*) FROM orders").fetchone()[0]
        for number in range(present, count):
            lines = [((number * step) % 12 + 1, (number + step) % 9 + 1) for step in (1, 5, 7)]
            place_order(connection, CUSTOMERS[number * 5 % 12], lines)
