"""uvicorn, as the web process wants it: on sockets that somebody else opened, signals left to us, quiet when idle."""

from __future__ import annotations

import asyncio
import contextlib
import functools
from typing import TYPE_CHECKING

import uvicorn

from sonde.server.request_head import HEAD_WITHIN_S, PunctualHttp, SlowHeads
from sonde.wire.control import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp

KEEP_ALIVE_S = 75
"""Longer than agents pause: a pooled connection that we close under them costs them a failed request."""
STOP_WITHIN_S = 8
CONNECTIONS_MAX = 2000
_TICK_S = 1.0
_TICKS_A_SECOND = 10  # as uvicorn counts: at every tenth it renews the Date header


class HttpServer(uvicorn.Server):
    """`serve(sockets)` until `stop`."""

    def __init__(self, app: ASGIApp, head_within_s: float = HEAD_WITHIN_S) -> None:
        """`head_within_s`: see `request_head`."""
        self.slow_heads = SlowHeads()
        super().__init__(
            uvicorn.Config(
                app,
                http=functools.partial(PunctualHttp, self.slow_heads, head_within_s),  # type: ignore[arg-type]
                ws="websockets-sansio",
                ws_max_size=MAX_MESSAGE_BYTES,
                ws_per_message_deflate=False,  # a window for each agent would be memory; documents are small
                ws_ping_interval=None,  # agents have a heartbeat of their own
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                workers=1,
                limit_concurrency=CONNECTIONS_MAX,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=STOP_WITHIN_S,
                # A reverse proxy on this host may say for whom it asks; from elsewhere nobody may.
                proxy_headers=True,
                forwarded_allow_ips="127.0.0.1",
            )
        )
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Let `serve` finish the requests under way, and return."""
        self.should_exit = True
        self._stopping.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Not here: the web process stops its other parts, too."""
        yield

    async def main_loop(self) -> None:
        """Once a second; uvicorn's own wakes up ten times."""
        seconds = 0
        while not await self.on_tick(seconds * _TICKS_A_SECOND):
            seconds += 1
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), _TICK_S)
