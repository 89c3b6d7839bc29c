"""HTTP connections whose request does not come, or comes by halves."""

from __future__ import annotations

import asyncio
import socket
from typing import TYPE_CHECKING, Any

from sonde.server.http_server import HttpServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

DEADLINE_S = 30


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body", False):
        pass
    headers = [(b"content-length", b"2"), (b"x-path", scope["path"].encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


def served(act: Callable[[int], Awaitable[Any]], head_within_s: float) -> tuple[Any, int]:
    """What `act` gives, and how many connections were ended."""

    async def run() -> tuple[Any, int]:
        server = HttpServer(_answer, head_within_s)
        with socket.create_server(("127.0.0.1", 0)) as listening:
            serving = asyncio.create_task(server.serve([listening]))
            async with asyncio.timeout(DEADLINE_S):
                result = await act(listening.getsockname()[1])
            server.stop()
            await serving
        return result, server.slow_heads.ended

    return asyncio.run(run())


def test_a_connection_without_a_whole_head_is_ended_and_counted() -> None:
    """None at all, half of one, and half of a second one after an answer."""

    async def act(port: int) -> list[bytes]:
        heard = []
        for said in (
            b"",
            b"GET / HTTP/1.1\r\nHost: x\r\nX-Sl",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nH",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            heard.append(await reader.read())
            writer.close()
        return heard

    (nothing, half, second), ended = served(act, 0.3)

    assert (nothing, half) == (b"", b"")
    assert second.endswith(b"\r\n\r\nok")
    assert ended == 3


def test_a_slow_body_and_a_pause_between_requests_are_no_slow_head() -> None:
    async def act(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\na")
        await asyncio.sleep(0.5)  # longer than a head may take
        writer.write(b"b")
        heard = await reader.readuntil(b"ok")
        await asyncio.sleep(0.5)
        writer.write(b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n")
        heard += await reader.readuntil(b"ok")
        writer.close()
        return heard

    heard, ended = served(act, 0.2)

    assert b"/1" in heard
    assert b"/2" in heard
    assert ended == 0
