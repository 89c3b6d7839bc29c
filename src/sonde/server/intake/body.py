"""Reads a request's body, bounded before and after decompression and over all requests at once."""

from __future__ import annotations

import asyncio
import sys
import zlib
from typing import TYPE_CHECKING, Any, Protocol

from sonde.server.intake.answers import Code, RefusedError, bad_body

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Receive = Callable[[], Awaitable[dict[str, Any]]]

BODY_TIMEOUT_S = 60.0
_ZSTD_OPTIONS: dict[int, int] = {zstd.DecompressionParameter.window_log_max: 23}
"""8 MB, the most that RFC 9659 lets a sender of `Content-Encoding: zstd` ask of a receiver."""


class DisconnectedError(Exception):
    """The sender went away in the middle of its body."""


class Budget:
    """Bytes of request bodies held at one time. Used from the event loop only."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self.held = 0

    def take(self, size: int) -> None:
        """Count `size` bytes more. Raises RefusedError where that is too much."""
        if self.held + size > self._at_most:
            raise RefusedError(
                429, Code.RESOURCE_EXHAUSTED, "too_many_bodies", "too many large requests at one time", retry_after_s=1
            )
        self.held += size

    def give_back(self, size: int) -> None:
        """Count `size` bytes less."""
        self.held -= size


class HeldBody:
    """The body of one request and its share of the budget."""

    def __init__(self, budget: Budget, limit: int) -> None:
        self._budget = budget
        self._limit = limit
        self._taken = 0
        self.bytes = b""

    async def read(self, receive: Receive, announced: int) -> None:
        """All of it, as sent. `announced`: its Content-Length, 0 where unknown.

        Raises RefusedError, DisconnectedError.
        """
        if announced > self._limit:
            raise self._too_large()
        pieces: list[bytes] = []
        try:
            async with asyncio.timeout(BODY_TIMEOUT_S):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise DisconnectedError
                    if piece := message.get("body", b""):
                        self._take(len(piece))
                        pieces.append(piece)
                    if not message.get("more_body", False):
                        break
        except TimeoutError:
            raise RefusedError(
                408, Code.DEADLINE_EXCEEDED, "slow_body", f"the body took more than {BODY_TIMEOUT_S:.0f} s"
            ) from None
        self.bytes = pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def put(self, body: bytes) -> None:
        """All of it, read by somebody else. Raises RefusedError."""
        self._take(len(body))
        self.bytes = body

    def replace(self, body: bytes) -> None:
        """The same body decompressed, in place of the one that was read. Raises RefusedError."""
        sent, self.bytes = self.bytes, body
        if len(body) > len(sent):
            self._take(len(body) - len(sent))

    def _take(self, size: int) -> None:
        if self._taken + size > self._limit:
            raise self._too_large()
        self._budget.take(size)
        self._taken += size

    def _too_large(self) -> RefusedError:
        return too_large(self._limit)

    def let_go(self) -> None:
        """Done with it."""
        self._budget.give_back(self._taken)
        self._taken = 0
        self.bytes = b""


def too_large(limit: int) -> RefusedError:
    """A body, sent or decompressed, of more than `limit` bytes."""
    return RefusedError(413, Code.RESOURCE_EXHAUSTED, "too_large", f"the body is larger than {limit} bytes")


class _Decompressor(Protocol):
    """What zlib's and zstd's objects have in common."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def decompress(body: bytes, content_encoding: str, limit: int) -> bytes:
    """`body` without its Content-Encoding. Never makes more than `limit` bytes. Raises RefusedError."""
    make = _DECOMPRESSORS[content_encoding]
    pieces: list[bytes] = []
    size = 0
    try:
        while True:  # gzip and zstd may be several streams one after the other
            stream = make(body)
            piece = stream.decompress(body, limit + 1 - size)
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                raise too_large(limit)
            if not stream.eof:
                raise bad_body("bad_compression", f"the {content_encoding} body ends too early")
            body = stream.unused_data
            if not body:
                return pieces[0] if len(pieces) == 1 else b"".join(pieces)
    except (zlib.error, zstd.ZstdError) as error:
        raise bad_body("bad_compression", f"the body is no {content_encoding}: {error}") from None


def _gzip(_body: bytes) -> _Decompressor:
    return zlib.decompressobj(16 + zlib.MAX_WBITS)


def _deflate(body: bytes) -> _Decompressor:
    """HTTP means zlib by it (RFC 9110, 8.4.1.2), some senders mean deflate alone."""
    has_zlib_header = len(body) > 1 and body[0] & 0x0F == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return zlib.decompressobj(zlib.MAX_WBITS if has_zlib_header else -zlib.MAX_WBITS)


def _zstd(_body: bytes) -> _Decompressor:
    return zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)


_DECOMPRESSORS: dict[str, Callable[[bytes], _Decompressor]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "zstd": _zstd,
}
CONTENT_ENCODINGS = frozenset(_DECOMPRESSORS)
