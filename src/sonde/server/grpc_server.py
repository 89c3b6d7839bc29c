"""One gRPC port of the web process, on its event loop (grpcio's asyncio API).

Handlers take and give bytes. A handler of a unary method is registered as one of a stream of requests
(`grpc.stream_unary_rpc_method_handler`), which is the same on the wire: it hears of a call before the message is read,
so that it may refuse the sender first, and reads it with `await context.read()`.

grpcio would decompress a message without any bound. So it is told not to, and messages are handed over as they came:
`unpacked` gives what is in them.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Self

import grpc

from sonde.server.intake.body import decompress
from sonde.server.supervision.ports import PortError

if TYPE_CHECKING:
    from collections.abc import Sequence

STOP_WITHIN_S = 8.0
"""Calls under way may take so long at the end, as HTTP requests may."""
CONNECTIONS_MAX = 2000
CALLS_PER_CONNECTION = 100
"""At one time; a sender keeps more to itself until one has ended."""
CALLS_WAITING = 4096
"""Calls that no handler has heard of yet; more are cancelled, which is an answer that senders come again after."""
_HANDSHAKE_WITHIN_S = 20
KEEPALIVE_S, KEEPALIVE_TIMEOUT_S = 60.0, 20.0
"""A connection whose other end is gone without a word ends after both, and its calls with it."""
_PINGS_AT_LEAST_S = 5
"""Senders keep their connections alive, too; grpcio turns away one that does it more often than each 5 minutes."""
_IDENTITY_AND_GZIP = 0b101
_GZIP = b"\x1f\x8b"


class GrpcServer:
    """Serves from `start` to `stop`."""

    def __init__(
        self,
        address: str,
        handlers: Sequence[grpc.GenericRpcHandler],
        *,
        max_message_bytes: int,
        reserved: bool = False,
        keepalive_s: float = KEEPALIVE_S,
        keepalive_timeout_s: float = KEEPALIVE_TIMEOUT_S,
    ) -> None:
        """`address`: host:port, port 0 is any free one. `reserved`: the supervisor holds the port for us, see
        `supervision.ports.reserve`; otherwise a taken port is refused. `max_message_bytes`: of a message as sent.
        A sender that has said nothing for `keepalive_s` is asked, and has `keepalive_timeout_s` to answer.
        """
        self._address = address
        self._reserved = reserved
        self._handlers = handlers
        self._max_message_bytes = max_message_bytes
        self._keepalive_ms, self._keepalive_timeout_ms = int(keepalive_s * 1000), int(keepalive_timeout_s * 1000)
        self._server: grpc.aio.Server | None = None
        self._stopping: asyncio.Task[None] | None = None
        self.port = 0
        """Where it listens, from `start` on."""

    async def start(self) -> None:
        """Listen and take calls. Raises PortError."""
        self._server = grpc.aio.server(options=self._options())
        self._server.add_generic_rpc_handlers(tuple(self._handlers))
        try:
            self.port = self._server.add_insecure_port(self._address)
        except RuntimeError:  # grpcio has no other word
            raise PortError(f"gRPC cannot listen on {self._address}; is the port taken?") from None
        await self._server.start()

    def stop(self) -> asyncio.Task[None]:
        """Take no new calls; the task is done when those under way are answered, or cut off after STOP_WITHIN_S."""
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._stop())
        return self._stopping

    async def _stop(self) -> None:
        if self._server is not None:
            await self._server.stop(STOP_WITHIN_S)

    def _options(self) -> list[tuple[str, Any]]:
        return [
            ("grpc.so_reuseport", int(self._reserved)),
            ("grpc.per_message_decompression", 0),
            ("grpc.compression_enabled_algorithms_bitset", _IDENTITY_AND_GZIP),
            ("grpc.max_receive_message_length", self._max_message_bytes),
            ("grpc.max_concurrent_streams", CALLS_PER_CONNECTION),
            ("grpc.max_allowed_incoming_connections", CONNECTIONS_MAX),
            ("grpc.server.max_pending_requests", CALLS_WAITING),
            ("grpc.server.max_pending_requests_hard_limit", CALLS_WAITING),
            ("grpc.server_handshake_timeout_ms", _HANDSHAKE_WITHIN_S * 1000),
            ("grpc.keepalive_time_ms", self._keepalive_ms),
            ("grpc.keepalive_timeout_ms", self._keepalive_timeout_ms),
            ("grpc.http2.ping_timeout_ms", self._keepalive_timeout_ms),  # of any ping, and 60 s if nobody says so
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", _PINGS_AT_LEAST_S * 1000),
        ]

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


def is_packed(message: bytes) -> bool:
    """Whether a message came compressed. No protobuf message begins like gzip does: there is no wire type 7."""
    return message.startswith(_GZIP)


def unpacked(message: bytes, limit: int) -> bytes:
    """A protobuf message without its compression, at most `limit` bytes. Raises RefusedError.

    May take long: a thread is the place for large ones.
    """
    return decompress(message, "gzip", limit) if is_packed(message) else message
