"""The bytes of one accepted request in a spool file, readable by the store as they are.

A file is a sequence of messages, each behind its length as a varint (ClickHouse's format `Protobuf`):

    Entry {
      string app = 1; fixed64 received_unix_nano = 2; bytes digest = 3;
      ExportTraceServiceRequest traces = 4; ExportMetricsServiceRequest metrics = 5; ExportLogsServiceRequest logs = 6;
      SegmentCollection segments = 7;
    }

The request is last and untouched. The digest covers signal, app and request: it is the name under which a body that is
sent again is known, and the proof after a crash that an entry is whole. Half an entry, zeros or rubbish do not have it.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from sonde.wire import protobuf

if TYPE_CHECKING:
    from collections.abc import Iterator

DIGEST_BYTES = 16
_HEAD_MAX = 512
"""More than the fields before a request ever take: an app id has at most APP_MAX bytes."""
APP_MAX = 255
_fixed64 = struct.Struct("<Q").unpack_from


class Signal(StrEnum):
    """What a request carries. The value is its word in file names, addresses and counters."""

    TRACES = "traces"
    METRICS = "metrics"
    LOGS = "logs"
    SEGMENTS = "segments"
    """SkyWalking's: a SegmentCollection, which the store decodes as it does OTLP."""


_FIELD = {Signal.TRACES: 4, Signal.METRICS: 5, Signal.LOGS: 6, Signal.SEGMENTS: 7}
_APP_TAG = protobuf.tag(1, protobuf.LENGTH)[0]
_RECEIVED_TAG = protobuf.tag(2, protobuf.FIXED64)[0]
_DIGEST_TAG = protobuf.tag(3, protobuf.LENGTH)[0]
_BODY_TAG = {signal: protobuf.tag(field, protobuf.LENGTH)[0] for signal, field in _FIELD.items()}


def digest_of(signal: Signal, app: str, body: bytes | memoryview) -> bytes:
    """16 bytes that tell this request of this app from every other."""
    digest = hashlib.blake2b(f"{signal}\0{app}\0".encode(), digest_size=DIGEST_BYTES)
    digest.update(body)
    return digest.digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """One accepted request. `body`: Export…ServiceRequest or SegmentCollection, protobuf; `items`: spans and so on."""

    signal: Signal
    app: str
    received_unix_nano: int
    digest: bytes
    body: bytes
    items: int = 0

    def head(self) -> bytes:
        """Everything in the file before `body`, so that a large body is written without being copied."""
        fields = (
            protobuf.text(1, self.app)
            + protobuf.fixed64(2, self.received_unix_nano)
            + protobuf.message(3, self.digest)
            + protobuf.tag(_FIELD[self.signal], protobuf.LENGTH)
            + protobuf.varint(len(self.body))
        )
        return protobuf.varint(len(fields) + len(self.body)) + fields


@dataclass(frozen=True, slots=True)
class Placed:
    """An entry found in a file: its bytes are `start:end`, those of the request `body_start:end`."""

    start: int
    body_start: int
    end: int
    app: str
    received_unix_nano: int
    digest: bytes


class _TornError(ValueError):
    """The bytes are no entry."""


def entries(data: memoryview, signal: Signal, *, verify: bool) -> Iterator[Placed]:
    """Entries of a file from its start, up to the first that is not whole; the last one's `end` says how far that is.

    Without `verify` a request's own bytes are not looked at, so that a large file is listed by reading little of it.
    """
    at = 0
    while at < len(data):
        try:
            placed = _entry_at(data, at, signal)
        except _TornError:
            return
        if verify and digest_of(signal, placed.app, data[placed.body_start : placed.end]) != placed.digest:
            return
        yield placed
        at = placed.end


def _entry_at(data: memoryview, start: int, signal: Signal) -> Placed:
    head = bytes(data[start : start + _HEAD_MAX])
    length, at = _varint(head, 0)
    end = at + length
    if start + end > len(data):
        raise _TornError
    app, at = _bytes_field(head, at, _APP_TAG)
    if len(head) < at + 9 or head[at] != _RECEIVED_TAG:
        raise _TornError
    (received,) = _fixed64(head, at + 1)
    digest, at = _bytes_field(head, at + 9, _DIGEST_TAG)
    if at >= len(head) or head[at] != _BODY_TAG[signal]:
        raise _TornError
    body_length, at = _varint(head, at + 1)
    if at + body_length != end:
        raise _TornError
    try:
        return Placed(start, start + at, start + end, app.decode(), received, digest)
    except UnicodeDecodeError:
        raise _TornError from None


def _bytes_field(data: bytes, at: int, tag: int) -> tuple[bytes, int]:
    if at >= len(data) or data[at] != tag:
        raise _TornError
    length, at = _varint(data, at + 1)
    if at + length > len(data):
        raise _TornError
    return data[at : at + length], at + length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at `at` and where it ends."""
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise _TornError
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
        shift += 7
