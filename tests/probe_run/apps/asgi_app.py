"""Plain ASGI: answers with its process id, after two queries and some waiting between them."""

import asyncio
import os
import sqlite3


def query() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("select 1")
    connection.close()


async def app(scope, receive, send):
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])
    query()
    await asyncio.sleep(0.02)
    query()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"%d" % os.getpid()})
