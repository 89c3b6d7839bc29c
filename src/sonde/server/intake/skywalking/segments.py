"""Segments: looked at as bytes, never decoded here. The store reads a spool file whole or not at all, so what no parser
accepts must not get in; everything else about them (ids, times, order of spans) is decided in SQL.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.message import DecodeError

from sonde.server.intake import shape
from sonde.server.intake.skywalking.skywalking_pb2 import SegmentCollection, SegmentObject, SpanObject

try:
    from sonde.server.intake import _walk
except ImportError:  # no compiler where it was installed
    _walk = None  # type: ignore[assignment]

_ONE: Any = SegmentObject.DESCRIPTOR
_MANY: Any = SegmentCollection.DESCRIPTOR
_SPAN = SpanObject.DESCRIPTOR.full_name
_OF_ONE, _OF_MANY = (shape.shapes(descriptor, items={_SPAN}) for descriptor in (_ONE, _MANY))


class BadSegmentError(ValueError):
    """The bytes are no segment; the message says why."""


def spans_of_one(body: bytes) -> int:
    """How many spans a SegmentObject has. Raises BadSegmentError."""
    if _walk is not None and (spans := _walk.count(_OF_ONE, body)) >= 0:
        return spans
    try:
        return len(SegmentObject.FromString(body).spans)
    except DecodeError as error:
        raise BadSegmentError(f"a segment cannot be read: {error}") from None


def spans_of_many(body: bytes) -> int:
    """The same of a SegmentCollection. Raises BadSegmentError."""
    if _walk is not None and (spans := _walk.count(_OF_MANY, body)) >= 0:
        return spans
    try:
        return sum(len(segment.spans) for segment in SegmentCollection.FromString(body).segments)
    except DecodeError as error:
        raise BadSegmentError(f"a collection of segments cannot be read: {error}") from None
