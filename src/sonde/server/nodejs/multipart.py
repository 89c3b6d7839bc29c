"""multipart/form-data as it comes in, piece by piece: python-multipart reads it, and this makes events of its calls."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from sonde.server.nodejs.errors import UploadError

if TYPE_CHECKING:
    from collections.abc import Iterator

logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # it tells of each body that is none; we count them


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
    kind, options = parse_options_header(content_type.encode("latin-1", "replace"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not boundary:
        raise UploadError("bad_multipart", "the body is no multipart/form-data")
    return boundary


class Multipart:
    """`feed` bytes as they come; `ended` when the last boundary was there. No more is held than one header."""

    def __init__(self, boundary: bytes) -> None:
        """Raises UploadError."""
        self.ended = False
        self._ready: list[Event] = []
        self._key, self._value = bytearray(), bytearray()
        self._disposition = b""
        self._must_begin_with = b"--" + boundary
        try:
            self._parser = MultipartParser(
                boundary,
                {
                    "on_part_begin": self._part_begins,
                    "on_header_field": lambda data, start, end: self._key.extend(data[start:end]),
                    "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
                    "on_header_end": self._header_ends,
                    "on_headers_finished": self._headers_end,
                    "on_part_data": lambda data, start, end: self._ready.append(PartData(data[start:end])),
                    "on_part_end": lambda: self._ready.append(PartEnds()),
                    "on_end": self._ends,
                },
            )
        except FormParserError as error:
            raise UploadError("bad_multipart", str(error)) from None

    def feed(self, data: bytes) -> Iterator[Event]:
        """What becomes of it. Raises UploadError."""
        self._check_beginning(data)
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise UploadError("bad_multipart", f"the body is no multipart/form-data: {error}") from None
        ready, self._ready = self._ready, []
        return iter(ready)

    def _check_beginning(self, data: bytes) -> None:
        """Agents put nothing in front of the first part; what the parser makes of it depends on how the body is cut."""
        expected = self._must_begin_with[: len(data)]
        if not data.startswith(expected):
            raise UploadError("bad_multipart", "the body does not begin with its boundary")
        self._must_begin_with = self._must_begin_with[len(expected) :]

    def _part_begins(self) -> None:
        self._disposition = b""

    def _header_ends(self) -> None:
        if self._key.lower() == b"content-disposition":
            self._disposition = bytes(self._value)
        self._key.clear()
        self._value.clear()

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._disposition)
        name, file_name = (options.get(key, b"").decode("utf-8", "replace") for key in (b"name", b"filename"))
        self._ready.append(PartBegins(name, file_name))

    def _ends(self) -> None:
        self.ended = True
