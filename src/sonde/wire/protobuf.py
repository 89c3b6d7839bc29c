"""Enough of the protobuf wire format to write messages without a library, and to join those that are bytes already.

Source: https://protobuf.dev/programming-guides/encoding/. Field numbers are those of opentelemetry/proto/*.proto.
"""

from __future__ import annotations

import struct

_pack_double = struct.Struct("<d").pack
_pack_fixed64 = struct.Struct("<Q").pack
_U64 = (1 << 64) - 1

VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5


def varint(value: int) -> bytes:
    """`value` as base-128 varint; a negative one as its 64-bit two's complement, 10 bytes."""
    value &= _U64
    if value < 0x80:
        return bytes((value,))
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def tag(field: int, wire_type: int) -> bytes:
    """What stands in front of a field's value."""
    return varint(field << 3 | wire_type)


def message(field: int, body: bytes) -> bytes:
    """A nested message, bytes or text already encoded, as field `field`."""
    return tag(field, LENGTH) + varint(len(body)) + body


def text(field: int, value: str) -> bytes:
    """A string field. Lone surrogates, which UTF-8 has no form for, become `?`."""
    return message(field, value.encode("utf-8", "replace"))


def integer(field: int, value: int) -> bytes:
    """An int32/int64/uint64/enum/bool field."""
    return tag(field, VARINT) + varint(value)


def fixed64(field: int, value: int) -> bytes:
    """A fixed64/sfixed64 field."""
    return tag(field, FIXED64) + _pack_fixed64(value & _U64)


def double(field: int, value: float) -> bytes:
    """A double field."""
    return tag(field, FIXED64) + _pack_double(value)


AttributeValue = str | bool | int | float


def any_value(value: object) -> bytes:
    """opentelemetry.proto.common.v1.AnyValue: text, bool, int64, double or a flat list of them; anything else by `str`.

    Integers outside int64 become text: the field has no room for them.
    """
    if isinstance(value, str):
        return text(1, value)
    if isinstance(value, bool):
        return integer(2, value)
    if isinstance(value, int):
        return integer(3, value) if -(1 << 63) <= value < 1 << 63 else text(1, str(value))
    if isinstance(value, float):
        return double(4, value)
    if isinstance(value, list | tuple):
        return message(5, b"".join(message(1, any_value(item)) for item in value if not isinstance(item, list | tuple)))
    return text(1, str(value))


def key_value(field: int, key: str, value: object) -> bytes:
    """opentelemetry.proto.common.v1.KeyValue as field `field` (attributes of whatever message it is put in)."""
    return message(field, text(1, key) + message(2, any_value(value)))
