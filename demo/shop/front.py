"""The front of the shop: what customers' browsers talk to.

GET  /                        welcome
GET  /products                all products, with what is left of them
GET  /products/{product_id}
POST /orders                  passed on to the order service
GET  /orders/{order_id}
GET  /customers/{customer}/orders
GET  /reports/slow            turnover; slow
GET  /flaky                   recommendations; fails now and then
GET  /blocking                price list as one text; computes on the event loop, and nobody else is served meanwhile
GET  /leaky                   visit counter; remembers more than it should
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import httpx
from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, Field

from shop.catalogue import PRODUCTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ORDERS_URL = os.environ["SHOP_ORDERS_URL"]
STOCK_URL = os.environ["SHOP_STOCK_URL"]
ANSWER_TIMEOUT_S = 10
MAX_VISITS = 50_000

visits: list[bytes] = []


class Item(BaseModel):
    """A line of an order."""

    product_id: int
    quantity: int = Field(ge=1, le=100)


class Order(BaseModel):
    """What a customer orders."""

    customer: str = Field(min_length=1, max_length=100)
    items: list[Item] = Field(min_length=1, max_length=20)


class RecommendationError(RuntimeError):
    """The recommendations could not be computed."""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """One client for all calls, so that connections are kept."""
    async with httpx.AsyncClient(timeout=ANSWER_TIMEOUT_S) as client:
        app.state.services = client
        yield


app = FastAPI(title="Tea shop", lifespan=lifespan)


def services(request: Request) -> httpx.AsyncClient:
    """The client for calls to the other services."""
    client: httpx.AsyncClient = request.app.state.services
    return client


Services = Annotated[httpx.AsyncClient, Depends(services)]


def passed_on(answer: httpx.Response) -> Any:
    """The answer of another service as our own; its refusals, too."""
    if answer.is_client_error:
        raise HTTPException(answer.status_code, answer.text)
    if answer.is_server_error:
        raise HTTPException(502, f"{answer.request.url.host} failed")
    return answer.json()


@app.get("/healthz")
async def health() -> dict[str, bool]:
    """For whoever waits until the service answers."""
    return {"ok": True}


@app.get("/")
async def welcome() -> dict[str, str]:
    """The first page."""
    return {"shop": "Tea shop", "products": "/products"}


@app.get("/products")
async def list_products(services: Services) -> list[dict[str, Any]]:
    """All products, with what is left of them."""
    left = passed_on(await services.get(f"{STOCK_URL}/stock"))
    return [{**product._asdict(), "left": left[str(product.id)]} for product in PRODUCTS.values()]


@app.get("/products/{product_id}")
async def show_product(product_id: int, services: Services) -> dict[str, Any]:
    """One product."""
    if product_id not in PRODUCTS:
        raise HTTPException(404, f"no product {product_id}")
    stock = passed_on(await services.get(f"{STOCK_URL}/stock/{product_id}"))
    return {**PRODUCTS[product_id]._asdict(), "left": stock["left"]}


@app.post("/orders", status_code=201)
async def place_order(order: Order, services: Services) -> Any:
    """Passed on to the order service."""
    return passed_on(await services.post(f"{ORDERS_URL}/orders", json=order.model_dump()))


@app.get("/orders/{order_id}")
async def show_order(order_id: int, services: Services) -> Any:
    """One order, with the names of its products."""
    order = passed_on(await services.get(f"{ORDERS_URL}/orders/{order_id}"))
    for item in order["items"]:
        item["name"] = PRODUCTS[item["product_id"]].name
    return order


@app.get("/customers/{customer}/orders")
async def list_orders(customer: str, services: Services) -> Any:
    """The account page: last orders, and what can be ordered again."""
    orders, stock = await asyncio.gather(
        services.get(f"{ORDERS_URL}/customers/{customer}/orders"), services.get(f"{STOCK_URL}/stock")
    )
    return {"orders": passed_on(orders), "available": sum(left > 0 for left in passed_on(stock).values())}


@app.get("/reports/slow")
async def slow_report(services: Services) -> Any:
    """Turnover by product."""
    return passed_on(await services.get(f"{ORDERS_URL}/reports/turnover"))


@app.get("/flaky")
async def recommendations(services: Services) -> list[str]:
    """Three products; one time in five the ranking fails."""
    left = passed_on(await services.get(f"{STOCK_URL}/stock"))
    if random.random() < 0.2:
        raise RecommendationError(f"no ranking for {len(left)} products")
    return [PRODUCTS[number].name for number in random.sample(sorted(PRODUCTS), 3)]


@app.get("/blocking")
async def price_list() -> dict[str, str]:
    """Signs a price list with far too much care, and then waits for the printer, all on the event loop."""
    text = "\n".join(f"{product.name}: {product.price_cents}" for product in PRODUCTS.values())
    signature = hashlib.pbkdf2_hmac("sha256", text.encode(), b"tea", 60_000).hex()
    time.sleep(0.05)  # noqa: ASYNC251 - what this endpoint is there to show
    return {"text": text, "signature": signature}


@app.get("/leaky")
async def count_visit(request: Request) -> dict[str, int]:
    """Keeps a trace of every visit for ever; well, until the demo would get too heavy."""
    if len(visits) < MAX_VISITS:
        visits.append(repr(request.headers.raw).encode() * 20)
    return {"visits": len(visits)}
