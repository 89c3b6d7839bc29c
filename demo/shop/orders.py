"""The order service: takes orders into SQLite, after the stock service has reserved what is ordered.

POST /orders                 {"customer", "items": [{"product_id", "quantity"}]}
GET  /orders/{order_id}
GET  /customers/{customer}/orders
GET  /reports/turnover       turnover by product, slow on purpose: it has no index to go by
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import requests
from flask import Flask, abort, g, jsonify, request

from shop import orders_db
from shop.catalogue import PRODUCTS

if TYPE_CHECKING:
    import sqlite3

STOCK_URL = os.environ["SHOP_STOCK_URL"]
DATABASE = os.environ["SHOP_ORDERS_DB"]
STOCK_TIMEOUT_S = 5

app = Flask(__name__)
stock = requests.Session()


def db() -> sqlite3.Connection:
    """This request's connection."""
    if "db" not in g:
        g.db = orders_db.connect(DATABASE)
    connection: sqlite3.Connection = g.db
    return connection


@app.teardown_appcontext
def close_db(_: BaseException | None) -> None:
    """At the end of a request."""
    if connection := g.pop("db", None):
        connection.close()


@app.get("/healthz")
def health() -> Any:
    """For whoever waits until the service answers."""
    return jsonify(ok=True)


@app.post("/orders")
def place_order() -> Any:
    """Reserve, then write. 409 where the stock service has too few, 422 where the order is none."""
    order = request.get_json()
    try:
        items = [(PRODUCTS[item["product_id"]], int(item["quantity"])) for item in order["items"]]
        customer = str(order["customer"])
    except (KeyError, TypeError, ValueError):
        abort(422, "an order has a customer and items of known products")
    for product, quantity in items:
        answer = stock.post(
            f"{STOCK_URL}/stock/{product.id}/reserve", json={"quantity": quantity}, timeout=STOCK_TIMEOUT_S
        )
        if answer.status_code == requests.codes.conflict:
            abort(409, answer.text)
        answer.raise_for_status()
    with db() as transaction:
        order_id = orders_db.insert_order(transaction, customer, items)
    return jsonify(id=order_id, total_cents=sum(product.price_cents * quantity for product, quantity in items)), 201


@app.get("/orders/<int:order_id>")
def show_order(order_id: int) -> Any:
    """One order with its items."""
    order = db().execute("SELECT id, customer, placed_at FROM orders WHERE id = ?", (order_id,)).fetchone()
    if order is None:
        abort(404, f"no order {order_id}")
    items = db().execute("SELECT product_id, quantity, price_cents FROM items WHERE order_id = ?", (order_id,))
    return jsonify({**order, "items": [dict(item) for item in items]})


@app.get("/customers/<customer>/orders")
def list_orders(customer: str) -> Any:
    """The last orders of a customer."""
    found = db().execute("SELECT id, placed_at FROM orders WHERE customer = ? ORDER BY id DESC LIMIT 20", (customer,))
    return jsonify([dict(order) for order in found])


@app.get("/reports/turnover")
def turnover() -> Any:
    """Scans everything, and asks for each product on its own, as first versions of reports do."""
    report = []
    for product in PRODUCTS.values():
        row = (
            db()
            .execute(
                "SELECT count(*) AS sold, coalesce(sum(i.quantity * i.price_cents), 0) AS turnover_cents "
                "FROM orders o JOIN items i ON i.order_id + 0 = o.id + 0 "
                "WHERE i.product_id = ? AND o.id > (SELECT max(id) - 60 FROM orders)",
                (product.id,),
            )
            .fetchone()
        )
        report.append({"product": product.name, **row})
        time.sleep(0.03)  # a spreadsheet on a network drive, in the original
    return jsonify(report)
