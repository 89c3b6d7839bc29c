"""Content codings in both directions: gzip, deflate, zstd and lz4 (frames), as ClickHouse takes and gives them."""

from __future__ import annotations

import sys
import zlib
from typing import TYPE_CHECKING, Protocol

import lz4.frame  # type: ignore[import-untyped]  # has no types

from sonde.server.store.errors import StoreError

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PREFERRED = ("lz4", "zstd", "gzip", "deflate")
"""Cheapest for the server first."""
PIECE_BYTES = 1 << 20
_ANY_WINDOW, _GZIP_WINDOW, _ZLIB_WINDOW = 47, 31, 15
_DAMAGE = (zlib.error, zstd.ZstdError, RuntimeError, EOFError)


class Encoder(Protocol):
    """Compresses a body piece by piece."""

    def compress(self, data: memoryview | bytes, /) -> bytes:
        """What can be sent now."""

    def flush(self) -> bytes:
        """The end."""


class _Lz4Encoder:
    """lz4's compressor wants its header asked for."""

    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor()
        self._lead: bytes = self._frame.begin()

    def compress(self, data: memoryview | bytes, /) -> bytes:
        lead, self._lead = self._lead, b""
        return lead + bytes(self._frame.compress(data))

    def flush(self) -> bytes:
        lead, self._lead = self._lead, b""
        return lead + bytes(self._frame.flush())


def encoder(coding: str) -> Encoder:
    """Of one of `PREFERRED`."""
    if coding == "lz4":
        return _Lz4Encoder()
    if coding == "zstd":
        return zstd.ZstdCompressor(level=1)
    return zlib.compressobj(3, zlib.DEFLATED, _GZIP_WINDOW if coding == "gzip" else _ZLIB_WINDOW)


def chosen(accept: str) -> str:
    """The coding for an answer to `Accept-Encoding: accept`, empty for none."""
    wanted = set()
    for item in accept.split(","):
        name, _, quality = item.partition(";")
        if quality.replace(" ", "") not in {"q=0", "q=0.0", "q=0.00", "q=0.000"}:
            wanted.add(name.strip().lower())
    return next((coding for coding in PREFERRED if coding in wanted), "")


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, /, max_length: int) -> bytes: ...


class _Inflate:
    """zlib behind the interface of the others."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(_ANY_WINDOW)
        self.needs_input = True

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, /, max_length: int) -> bytes:
        out = self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)
        self.needs_input = len(out) < max_length
        return out


_DECOMPRESSORS: dict[str, Callable[[], _Decompressor]] = {
    "gzip": _Inflate,
    "x-gzip": _Inflate,
    "deflate": _Inflate,
    "zstd": zstd.ZstdDecompressor,
    "lz4": lz4.frame.LZ4FrameDecompressor,
}


class Decoder:
    """Decompresses a body piece by piece. Several frames or members in a row are one body."""

    def __init__(self, coding: str) -> None:
        """Raises StoreError for a coding nobody here knows."""
        if coding not in _DECOMPRESSORS:
            known = ", ".join(PREFERRED)
            raise StoreError(
                89, "UNKNOWN_COMPRESSION_METHOD", f"Content-Encoding {coding!r} is not known; known: {known}"
            )
        self._coding = coding
        self._make = _DECOMPRESSORS[coding]
        self._frame: _Decompressor | None = None

    def decompress(self, data: bytes) -> Iterator[bytes]:
        """What `data` adds, in pieces of at most PIECE_BYTES: a few bytes can stand for gigabytes.

        Raises StoreError for damage.
        """
        try:
            while data:
                if self._frame is None or self._frame.eof:
                    self._frame = self._make()
                yield self._frame.decompress(data, max_length=PIECE_BYTES)
                while not (self._frame.eof or self._frame.needs_input):
                    yield self._frame.decompress(b"", max_length=PIECE_BYTES)
                data = (self._frame.unused_data or b"") if self._frame.eof else b""
        except _DAMAGE as error:
            raise self._damaged(str(error)) from None

    def finish(self) -> None:
        """The body has ended. Raises StoreError if the compressed data have not."""
        if self._frame is not None and not self._frame.eof:
            raise self._damaged("they end too early")

    def _damaged(self, why: str) -> StoreError:
        return StoreError(271, "CANNOT_DECOMPRESS", f"the {self._coding} data of the body are damaged: {why}")
