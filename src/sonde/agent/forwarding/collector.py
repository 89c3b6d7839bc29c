"""The server's OTLP/HTTP endpoint, over one connection that is kept open."""

from __future__ import annotations

import time
import zlib
from typing import TYPE_CHECKING, NamedTuple

from sonde.agent.forwarding import answer
from sonde.agent.forwarding.server_clock import ServerClock
from sonde.agent.forwarding.server_connection import ServerConnection, UnreachableError
from sonde.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sonde.agent.forwarding.answer import Answer
    from sonde.agent.signals import Signal

MAX_ANSWER_BYTES = 1 << 16
_GZIP_WINDOW = 31  # zlib's way to say "with a gzip header"


class Encoding(NamedTuple):
    """How bodies are compressed. `header` is the value of Content-Encoding, empty for none."""

    header: str
    compress: Callable[[Iterable[bytes]], bytes]


def encoding(name: str) -> Encoding:
    """The encoding that the setting `compression` names. Raises SettingError for one that is not there."""
    if name == "gzip":
        return Encoding("gzip", _gzip)
    if name == "none":
        return Encoding("", b"".join)
    if name == "zstd":
        try:
            from compression import zstd  # type: ignore[import-not-found]  # noqa: PLC0415 - only CPython 3.14 has it
        except ImportError:
            raise SettingError("compression: zstd needs Python 3.14 or newer; use gzip") from None
        return Encoding("zstd", lambda chunks: bytes(zstd.compress(b"".join(chunks), level=1)))
    raise SettingError(f"compression: {name!r} is none of gzip, zstd, none")


def _gzip(chunks: Iterable[bytes]) -> bytes:
    """Chunk by chunk: a whole batch is never in memory uncompressed."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, _GZIP_WINDOW)
    parts = [deflate.compress(chunk) for chunk in chunks]
    return b"".join([*parts, deflate.flush()])


class Collector:
    """Used by one thread; `abort` may be called by another."""

    def __init__(self, url: str, encoding: Encoding, clock: ServerClock | None = None) -> None:
        """`clock` hears the server's dates. Raises SettingError."""
        self._clock = clock or ServerClock()
        self._server = ServerConnection(url)
        self._encoding = encoding

    def post(self, signal: Signal, token: str, chunks: Iterable[bytes]) -> Answer:
        """Send the chunks as one request. Network trouble is an answer, too; raises what reading `chunks` raises."""
        body = self._encoding.compress(chunks)
        headers = {"Content-Type": "application/x-protobuf"}
        if self._encoding.header:
            headers["Content-Encoding"] = self._encoding.header
        asked_at = self._clock.unix_s()
        try:
            reply = self._server.exchange("POST", signal.path, token, headers, body, max_answer_bytes=MAX_ANSWER_BYTES)
        except UnreachableError as error:
            return answer.unreachable(error.reason, error)
        self._clock.heard(reply.headers.get("Date"), asked_at, self._clock.unix_s())
        return answer.of_status(reply.status, reply.headers.get("Retry-After"), reply.body, time.time())

    def abort(self) -> None:
        """End the exchange that is under way, which then answers as if the connection had broken."""
        self._server.abort()

    def close(self) -> None:
        """Close the connection; the next `post` opens another."""
        self._server.close()
