"""multipart/form-data as it comes in, piece by piece: nothing is held but a line or two. Source: RFC 7578, RFC 2046."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sonde.server.nodejs.errors import UploadError

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEADERS_MAX = 8 << 10
_BOUNDARY = re.compile(r'multipart/form-data\s*;.*?boundary=(?:"([^"]{1,200})"|([^\s;",]{1,200}))', re.IGNORECASE)
_NAME = re.compile(r'[;\s]name="((?:[^"\\]|\\.)*)"', re.IGNORECASE)
_FILE_NAME = re.compile(r'filename="((?:[^"\\]|\\.)*)"', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PartBegins:
    """A part's headers have come."""

    name: str
    file_name: str


@dataclass(frozen=True, slots=True)
class PartData:
    """Some of its bytes."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnds:
    """It is whole."""


Event = PartBegins | PartData | PartEnds


def boundary_of(content_type: str) -> bytes:
    """Raises UploadError."""
    found = _BOUNDARY.search(content_type)
    if found is None:
        raise UploadError("bad_multipart", "the body is no multipart/form-data")
    return (found[1] or found[2]).encode("latin-1", "replace")


class Multipart:
    """`feed` bytes as they come; `ended` when the last boundary was there."""

    def __init__(self, boundary: bytes) -> None:
        self._mark = b"\r\n--" + boundary
        self._held = b"\r\n"  # so that the first boundary looks like the others
        self._state = self._preamble
        self._ready: list[Event] = []
        self.ended = False

    def feed(self, data: bytes) -> Iterator[Event]:
        """What becomes of it. Raises UploadError."""
        self._held += data
        while self._state():
            pass
        ready, self._ready = self._ready, []
        return iter(ready)

    def _preamble(self) -> bool:
        at = self._held.find(self._mark)
        if at < 0:
            if len(self._held) > _HEADERS_MAX:
                raise UploadError("bad_multipart", "the body does not begin with its boundary")
            return False
        self._held = self._held[at + len(self._mark) :]
        self._state = self._after_mark
        return True

    def _after_mark(self) -> bool:
        if len(self._held) < 2:
            return False
        if self._held.startswith(b"--"):
            self.ended = True
            self._held = b""
            self._state = self._epilogue
            return False
        at = self._held.find(b"\r\n")
        if at > 64 or (at < 0 and len(self._held) > 64) or (at > 0 and self._held[:at].strip(b" \t")):
            raise UploadError("bad_multipart", "a boundary has more behind it")
        if at < 0:
            return False
        self._held = self._held[at:]  # its line end, so that a part without headers ends like the others
        self._state = self._headers
        return True

    def _headers(self) -> bool:
        at = self._held.find(b"\r\n\r\n")
        if at < 0:
            if len(self._held) > _HEADERS_MAX:
                raise UploadError("bad_multipart", "a part's headers are too long")
            return False
        if at > _HEADERS_MAX:
            raise UploadError("bad_multipart", "a part's headers are too long")
        disposition = ""
        for line in self._held[:at].decode("utf-8", "replace").split("\r\n"):
            key, _, value = line.partition(":")
            if key.strip().lower() == "content-disposition":
                disposition = value
        name, file_name = _NAME.search(disposition), _FILE_NAME.search(disposition)
        self._ready.append(PartBegins(name[1] if name else "", file_name[1] if file_name else ""))
        self._held = self._held[at + 2 :]  # an empty part's boundary begins with the line end of its headers
        if self._held.startswith(self._mark) or self._mark.startswith(self._held):
            self._state = self._maybe_empty
        else:
            self._held = self._held[2:]
            self._state = self._body
        return True

    def _maybe_empty(self) -> bool:
        if len(self._held) < len(self._mark):
            if self._mark.startswith(self._held):
                return False
        elif self._held.startswith(self._mark):
            self._state = self._body
            return True
        self._held = self._held[2:]
        self._state = self._body
        return True

    def _body(self) -> bool:
        at = self._held.find(self._mark)
        if at >= 0:
            if at:
                self._ready.append(PartData(self._held[:at]))
            self._ready.append(PartEnds())
            self._held = self._held[at + len(self._mark) :]
            self._state = self._after_mark
            return True
        keep = len(self._mark) - 1
        if len(self._held) > keep:
            self._ready.append(PartData(self._held[:-keep]))
            self._held = self._held[-keep:]
        return False

    def _epilogue(self) -> bool:
        self._held = b""
        return False
