"""The stock service: how many of each product are left. In Redis when there is one, else in this process.

GET  /stock                all quantities
GET  /stock/{product_id}   one quantity
POST /stock/{product_id}/reserve  {"quantity": n}   409 where fewer are left
POST /restock              fill up the shelves
"""

from __future__ import annotations

import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import redis.asyncio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route

from shop.catalogue import PRODUCTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request

REDIS_URL = os.environ.get("SHOP_REDIS_URL", "redis://127.0.0.1:6379/0")
SHELF_KEY = os.environ.get("SHOP_REDIS_PREFIX", "shop-demo") + ":stock"
FULL_SHELF = 10_000


class Shelf(Protocol):
    """Where quantities are kept."""

    async def all(self) -> dict[int, int]:
        """Quantity of every product."""

    async def left(self, product_id: int) -> int:
        """Quantity of one product."""

    async def take(self, product_id: int, quantity: int) -> int:
        """Take some away; returns what is left, negative where there were too few."""

    async def fill(self) -> None:
        """Put FULL_SHELF of every product there."""


class RedisShelf:
    """One hash in Redis."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._redis = client

    async def all(self) -> dict[int, int]:
        """One HGETALL."""
        return {int(key): int(value) for key, value in (await self._redis.hgetall(SHELF_KEY)).items()}

    async def left(self, product_id: int) -> int:
        """One HGET."""
        return int(await self._redis.hget(SHELF_KEY, str(product_id)) or 0)

    async def take(self, product_id: int, quantity: int) -> int:
        """HINCRBY down, and up again where it went below zero."""
        left = int(await self._redis.hincrby(SHELF_KEY, str(product_id), -quantity))
        if left < 0:
            await self._redis.hincrby(SHELF_KEY, str(product_id), quantity)
        return left

    async def fill(self) -> None:
        """In one pipeline, so that nobody sees a half-filled shelf."""
        async with self._redis.pipeline(transaction=True) as pipeline:
            for product_id in PRODUCTS:
                pipeline.hset(SHELF_KEY, str(product_id), FULL_SHELF)
            await pipeline.execute()


class LocalShelf:
    """A dict, gone with the process."""

    def __init__(self) -> None:
        self._left: dict[int, int] = {}

    async def all(self) -> dict[int, int]:
        """A copy."""
        return dict(self._left)

    async def left(self, product_id: int) -> int:
        """One look."""
        return self._left[product_id]

    async def take(self, product_id: int, quantity: int) -> int:
        """Nobody else runs between the look and the change."""
        left = self._left[product_id] - quantity
        if left >= 0:
            self._left[product_id] = left
        return left

    async def fill(self) -> None:
        """Every product anew."""
        self._left = dict.fromkeys(PRODUCTS, FULL_SHELF)


async def open_shelf() -> tuple[Shelf, redis.asyncio.Redis | None]:
    """The shelf, and the Redis client to close at the end where there is one."""
    client = redis.asyncio.Redis.from_url(REDIS_URL, socket_connect_timeout=0.5)
    try:
        await client.ping()
    except redis.asyncio.RedisError:
        await client.aclose()
        return LocalShelf(), None
    return RedisShelf(client), client


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open the shelf and fill it."""
    app.state.shelf, client = await open_shelf()
    await app.state.shelf.fill()
    yield
    if client:
        await client.delete(SHELF_KEY)
        await client.aclose()


def known_product(request: Request) -> int:
    """The product in the path; 404 for one the shop does not sell."""
    product_id: int = request.path_params["product_id"]
    if product_id not in PRODUCTS:
        raise HTTPException(404, f"no product {product_id}")
    return product_id


async def list_stock(request: Request) -> JSONResponse:
    """All quantities."""
    return JSONResponse(await request.app.state.shelf.all())


async def show_stock(request: Request) -> JSONResponse:
    """One quantity."""
    product_id = known_product(request)
    return JSONResponse({"product_id": product_id, "left": await request.app.state.shelf.left(product_id)})


async def reserve(request: Request) -> JSONResponse:
    """Take from the shelf for an order."""
    product_id = known_product(request)
    quantity = (await request.json())["quantity"]
    left = await request.app.state.shelf.take(product_id, quantity)
    if left < 0:
        raise HTTPException(409, f"not enough of product {product_id}")
    return JSONResponse({"product_id": product_id, "left": left})


async def restock(request: Request) -> JSONResponse:
    """Fill up the shelves."""
    await request.app.state.shelf.fill()
    return JSONResponse({"filled": len(PRODUCTS)})


async def health(_: Request) -> JSONResponse:
    """For whoever waits until the service answers."""
    return JSONResponse({"ok": True})


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/healthz", health),
        Route("/stock", list_stock),
        Route("/stock/{product_id:int}", show_stock),
        Route("/stock/{product_id:int}/reserve", reserve, methods=["POST"]),
        Route("/restock", restock, methods=["POST"]),
    ],
)
