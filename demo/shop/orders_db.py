"""The order service's database: SQLite, made and filled with some orders before the workers start."""

from __future__ import annotations

import random
import sqlite3
import sys
from typing import TYPE_CHECKING

from shop.catalogue import PRODUCTS, Product

if TYPE_CHECKING:
    from collections.abc import Sequence

SEED_ORDERS = 200
KEEP_ORDERS = 5000
"""The shop runs for days in a demo: older orders go."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    id INTEGER PRIMARY KEY,
    customer TEXT NOT NULL,
    placed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
);
CREATE TABLE IF NOT EXISTS items (
    order_id INTEGER NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    product_id INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    price_cents INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS items_by_order ON items (order_id);
CREATE INDEX IF NOT EXISTS orders_by_customer ON orders (customer);
"""


def connect(path: str) -> sqlite3.Connection:
    """A connection whose rows are dicts. Two workers write: each waits for the other."""
    connection = sqlite3.connect(path, timeout=5)
    connection.row_factory = lambda cursor, row: dict(zip([it[0] for it in cursor.description], row, strict=True))
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def insert_order(connection: sqlite3.Connection, customer: str, items: Sequence[tuple[Product, int]]) -> int:
    """Write an order and its items, and forget one that is too old. Returns its id."""
    made = connection.execute("INSERT INTO orders (customer) VALUES (?) RETURNING id", (customer,)).fetchone()
    order_id: int = made["id"]
    connection.executemany(
        "INSERT INTO items (order_id, product_id, quantity, price_cents) VALUES (?, ?, ?, ?)",
        [(order_id, product.id, quantity, product.price_cents) for product, quantity in items],
    )
    connection.execute("DELETE FROM orders WHERE id <= ?", (order_id - KEEP_ORDERS,))
    return order_id


def prepare(path: str) -> None:
    """Make the tables; fill them where they are empty."""
    connection = connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(_SCHEMA)
    dice = random.Random(1)
    with connection:
        if connection.execute("SELECT count(*) AS n FROM orders").fetchone()["n"] == 0:
            for _ in range(SEED_ORDERS):
                items = [(product, dice.randint(1, 3)) for product in dice.sample(list(PRODUCTS.values()), 2)]
                insert_order(connection, f"customer-{dice.randint(1, 40)}", items)
    connection.close()


if __name__ == "__main__":
    prepare(sys.argv[1])
