"""The shapes of requests for the native walk, made from protobuf's own descriptors.

The layout of the table stands in native/intake/walk.h.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING

from google.protobuf.descriptor import FieldDescriptor

if TYPE_CHECKING:
    from collections.abc import Container

    from google.protobuf.descriptor import Descriptor

_FIELDS = 32


class _Kind(IntEnum):
    UNKNOWN = 0
    VARINT = 1
    FIXED64 = 2
    FIXED32 = 3
    STRING = 4
    BYTES = 5
    MESSAGE = 6
    PACKED_VARINT = 7
    PACKED_FIXED64 = 8
    TRACE_ID = 9
    SPAN_ID = 10
    PARENT_ID = 11


class _Flag(IntFlag):
    NONE = 0
    IS_ITEM = 1
    NEEDS_IDS = 2


_SPAN = "opentelemetry.proto.trace.v1.Span"
_FLAGS = {
    _SPAN: _Flag.IS_ITEM | _Flag.NEEDS_IDS,
    "opentelemetry.proto.logs.v1.LogRecord": _Flag.IS_ITEM,
    "opentelemetry.proto.metrics.v1.Metric": _Flag.IS_ITEM,
}
_SPAN_IDS = {"trace_id": _Kind.TRACE_ID, "span_id": _Kind.SPAN_ID, "parent_span_id": _Kind.PARENT_ID}
_KINDS = {
    FieldDescriptor.TYPE_STRING: _Kind.STRING,
    FieldDescriptor.TYPE_BYTES: _Kind.BYTES,
    FieldDescriptor.TYPE_MESSAGE: _Kind.MESSAGE,
    FieldDescriptor.TYPE_DOUBLE: _Kind.FIXED64,
    FieldDescriptor.TYPE_FIXED64: _Kind.FIXED64,
    FieldDescriptor.TYPE_SFIXED64: _Kind.FIXED64,
    FieldDescriptor.TYPE_FIXED32: _Kind.FIXED32,
}
_REPEATED = {_Kind.VARINT: _Kind.PACKED_VARINT, _Kind.FIXED64: _Kind.PACKED_FIXED64}
"""Of the numbers; messages, text and bytes are repeated as they are."""


def shapes(request: Descriptor, items: Container[str] = ()) -> bytes:
    """A table of `request` and every message in it; `request` is the first. `items`: full names of messages that are
    counted, beside those of OTLP.
    """
    found = [request]
    table = bytearray()
    for message in found:  # grows while it is walked
        row = bytearray(2 * _FIELDS)
        row[0] = _Flag.IS_ITEM if message.full_name in items else _FLAGS.get(message.full_name, _Flag.NONE)
        for field in message.fields:
            row[2 * field.number] = _kind(message, field)
            if field.message_type is not None:
                if field.message_type not in found:
                    found.append(field.message_type)
                row[2 * field.number + 1] = found.index(field.message_type)
        table += row
    return bytes(table)


def _kind(message: Descriptor, field: FieldDescriptor) -> _Kind:
    if message.full_name == _SPAN and field.name in _SPAN_IDS:
        return _SPAN_IDS[field.name]
    kind = _KINDS.get(field.type, _Kind.VARINT)
    return _REPEATED.get(kind, kind) if field.is_repeated else kind
