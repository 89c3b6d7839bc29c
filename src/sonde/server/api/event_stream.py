"""Server-sent events as a response that notices when nobody reads it any more.

https://html.spec.whatwg.org/multipage/server-sent-events.html: a stream is an ordinary answer that goes on. Proxies
pass it like any other, and a browser comes back by itself.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from starlette.responses import Response

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from starlette.types import Receive, Scope, Send

STUCK_S = 30.0
"""A reader that takes nothing for this long is gone, or as good as."""


class EventStream(Response):
    """`events` are sent as they come, the next when the one before is on its way.

    `on_end` hears why it was over: `ended` (there are no more), `left` (the reader), `stuck`.
    """

    media_type = "text/event-stream"

    def __init__(
        self, events: AsyncGenerator[bytes], on_end: Callable[[str], None], *, stuck_s: float = STUCK_S
    ) -> None:
        # X-Accel-Buffering: nginx passes each event on at once
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"}, media_type=self.media_type)
        del self.headers["content-length"]
        self._events = events
        self._on_end = on_end
        self._stuck_s = stuck_s

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """Until the end of either side."""
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_left(receive))
        reason = "left"
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                reason = sending.result()
        finally:
            for task in (sending, leaving):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await self._events.aclose()
            self._on_end(reason)

    async def _send(self, send: Send) -> str:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for event in self._events:
            try:
                async with asyncio.timeout(self._stuck_s):
                    await send({"type": "http.response.body", "body": event, "more_body": True})
            except TimeoutError:
                return "stuck"
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return "ended"


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
