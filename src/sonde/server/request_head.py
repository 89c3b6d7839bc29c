"""Ends connections whose request does not come: uvicorn by itself waits for ever for the end of a request's headers.

A body has a time of its own, by whoever reads it, and so has the pause between two requests (`KEEP_ALIVE_S`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

    from sonde.server.spool.spool import Sample

HEAD_WITHIN_S = 20.0
"""From the connection, or from the first byte of a later request, to the end of the headers."""


class SlowHeads:
    """How many connections were ended for that."""

    def __init__(self) -> None:
        self.ended = 0

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        yield "sonde_http_slow_heads_total", {}, self.ended


class PunctualHttp(HttpToolsProtocol):
    """One connection."""

    def __init__(self, slow: SlowHeads, within_s: float, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._slow = slow
        self._within_s = within_s
        self._due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn has it
        """Of asyncio's protocols."""
        super().connection_made(transport)
        self._due = self.loop.call_later(self._within_s, self._end)

    def connection_lost(self, exc: Exception | None) -> None:
        """Of asyncio's protocols."""
        self._settle()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Of httptools."""
        super().on_message_begin()
        if self._due is None:
            self._due = self.loop.call_later(self._within_s, self._end)

    def on_headers_complete(self) -> None:
        """Of httptools."""
        self._settle()
        super().on_headers_complete()

    def _settle(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _end(self) -> None:
        self._due = None
        self._slow.ended += 1
        self.transport.close()
