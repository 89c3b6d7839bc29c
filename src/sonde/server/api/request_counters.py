"""Requests by route and status, for /metrics."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from sonde.server.spool.spool import Sample

ELSEWHERE = "other"
"""Addresses that no route knows, and the console's files: counted together, for anybody can invent addresses."""


class RequestCounters:
    """Counts what passes through. Written from the event loop only."""

    def __init__(self) -> None:
        self.requests: Counter[tuple[str, str, int]] = Counter()
        self.seconds: Counter[str] = Counter()

    def middleware(self, app: ASGIApp) -> ASGIApp:
        """`app`, counted. It must be outside the router and inside nothing that changes the scope."""

        async def counted(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            started_s = time.perf_counter()
            status = 499  # the client went away before there was an answer

            async def send_and_note(message: Message) -> None:
                nonlocal status
                if message["type"] == "http.response.start":
                    status = message["status"]
                await send(message)

            try:
                await app(scope, receive, send_and_note)
            finally:
                route = getattr(scope.get("route"), "path_format", ELSEWHERE)
                method = scope["method"] if route != ELSEWHERE else ELSEWHERE
                self.requests[route, method, status] += 1
                self.seconds[route] += time.perf_counter() - started_s  # type: ignore[assignment]  # a Counter adds floats, too

        return counted

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        for (route, method, status), count in self.requests.items():
            yield "sonde_http_requests_total", {"route": route, "method": method, "status": str(status)}, count
        for route, seconds in self.seconds.items():
            yield "sonde_http_seconds_total", {"route": route}, seconds
