"""The outermost fields of a protobuf message, without knowing its type.

Enough to see that a payload can be joined with others, and to read the small answer of a collector.
Source: https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.wire.protobuf import FIXED32, FIXED64, LENGTH, VARINT

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_RESOURCES = 10_000
"""More in one payload is somebody's joke: looking at each costs time."""


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(number, value): a varint as int, everything else as its bytes. Raises ValueError where `data` is no message."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        wire_type = tag & 7
        if wire_type == VARINT:
            value, at = _varint(data, at)
            yield tag >> 3, value
            continue
        if wire_type == LENGTH:
            length, at = _varint(data, at)
        elif wire_type in (FIXED64, FIXED32):
            length = 8 if wire_type == FIXED64 else 4
        else:
            raise ValueError(f"wire type {wire_type}")
        if at + length > len(data):
            raise ValueError("a field ends behind its message")
        yield tag >> 3, data[at : at + length]
        at += length


def joinable(payload: bytes) -> bool:
    """Whether the payload is a plain row of `resource_spans` (or `_metrics`, `_logs`): field 1, length-delimited.

    One that is not would spoil the whole request it is joined into.
    """
    at = 0
    try:
        for _ in range(MAX_RESOURCES):
            if at >= len(payload):
                break
            if payload[at] != 1 << 3 | LENGTH:
                return False
            length, at = _varint(payload, at + 1)
            at += length
    except ValueError:
        return False
    return at == len(payload) > 0


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("a number ends behind its message")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number of more than 10 bytes")
