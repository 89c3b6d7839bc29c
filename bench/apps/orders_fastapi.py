"""FastAPI: a request is one entry, five redis GETs and one HTTP call by httpx, all async: seven operations."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import fastapi
import httpcore
import httpx
import redis.asyncio

from bench.apps.fakes import ANSWER, AsyncRedisConnection

if TYPE_CHECKING:
    from collections.abc import Callable


def make() -> Any:
    """The application, which is not yet instrumented by hand."""
    cache = redis.asyncio.Redis(
        connection_pool=redis.asyncio.ConnectionPool(
            connection_class=AsyncRedisConnection, host="cache.test", port=6379
        )
    )
    transport = httpx.AsyncHTTPTransport()
    transport._pool = httpcore.AsyncConnectionPool(network_backend=httpcore.AsyncMockBackend([ANSWER]))  # noqa: SLF001
    client = httpx.AsyncClient(transport=transport, trust_env=False)
    app = fastapi.FastAPI()

    @app.get("/order/{number}")
    async def order(number: int) -> dict[str, Any]:
        for item in range(5):
            await cache.get(f"user:{number}:{item}")
        answer = await client.get("http://backend.test/api/price")
        return {"id": number, "ok": answer.json()["ok"]}

    return app


def driver(app: Callable[..., Any]) -> Callable[[int], None]:
    """Sends that many requests through the ASGI callable, a task each, as servers do."""
    loop = asyncio.new_event_loop()
    base = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/order/7",
        "raw_path": b"/order/7",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"shop.test"), (b"user-agent", b"bench/1")],
        "client": ("127.0.0.1", 1234),
        "server": ("127.0.0.1", 80),
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    async def requests(count: int) -> None:
        for _ in range(count):
            await loop.create_task(app({**base, "state": {}}, receive, send))
            assert sent[0]["status"] == 200, sent
            sent.clear()

    def drive(count: int) -> None:
        loop.run_until_complete(requests(count))

    return drive
