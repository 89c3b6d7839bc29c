"""Python values as fields of an OTLP span, cut to size. The native side is native/spans/attributes.c, byte for byte.

Source: opentelemetry/proto/common/v1/common.proto and trace/v1/trace.proto. Nothing here runs code of the user: a
value that is not one of OTLP's own kinds is refused, never asked for its `str`.

This runs on the request's thread: short ASCII texts, the rule, go past everything that is for the others.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from sonde.probe.core.twin import counting
from sonde.wire.protobuf import varint

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_pack_double = struct.Struct("<d").pack
_SMALL = 1024
_VARINT = tuple(varint(number) for number in range(_SMALL))
"""What nearly all sizes and status codes are: made once, for a loop in Python costs more than the rest of a field."""

SPAN_ATTRIBUTE, EVENT_ATTRIBUTE, RESOURCE_ATTRIBUTE = b"\x4a", b"\x1a", b"\x0a"
"""Tags of KeyValue in Span, Span.Event and Resource."""

_MAX_KEYS, _MAX_KEY_LENGTH = 1024, 64
_keys: dict[str, bytes] = {}
"""KeyValue.key fields by key: a program has few, and uses them again and again."""


class UnencodableError(TypeError):
    """A value, key or name that OTLP has no place for."""


def field(tag: bytes, body: bytes) -> bytes:
    """A nested message, text or bytes, behind its tag."""
    size = len(body)
    return tag + (_VARINT[size] if size < _SMALL else varint(size)) + body


def cut_text(value: object, max_bytes: int) -> bytes:
    """UTF-8 of a text, at most `max_bytes`, cut between characters. A lone surrogate becomes `?`."""
    if type(value) is not str:
        if not issubclass(type(value), str):
            raise UnencodableError(f"a text is needed, not {type(value).__name__}")
        value = str.__str__(value)
    data = str.encode(value[:max_bytes], "utf-8", "replace")
    if len(data) > max_bytes:
        end = max_bytes
        while data[end] & 0xC0 == 0x80:  # a continuation byte belongs to the character before it
            end -= 1
        data = data[:end]
    elif len(value) <= max_bytes:
        return data
    counting.count("cut_values")
    return data


def any_value(value: object, max_bytes: int) -> bytes:
    """opentelemetry.proto.common.v1.AnyValue. Raises UnencodableError."""
    encode = _BY_TYPE.get(type(value))
    if encode is not None:
        return encode(value, max_bytes)
    for kind, plain in _PLAIN.items():
        if issubclass(type(value), kind):  # isinstance() would ask the value
            return _BY_TYPE[kind](plain(value), max_bytes)
    raise UnencodableError(f"{type(value).__name__} is no attribute value")


def _text(value: str, max_bytes: int) -> bytes:
    if value.isascii() and len(value) <= max_bytes:
        return field(b"\x0a", value.encode())
    return field(b"\x0a", cut_text(value, max_bytes))


def _bool(value: bool, _max_bytes: int) -> bytes:
    return b"\x10\x01" if value else b"\x10\x00"


def _integer(value: int, max_bytes: int) -> bytes:
    if 0 <= value < _SMALL:
        return b"\x18" + _VARINT[value]
    if -(1 << 63) <= value < 1 << 63:
        return b"\x18" + varint(value)
    try:
        digits = int.__repr__(value)
    except ValueError:  # longer than sys.get_int_max_str_digits()
        raise UnencodableError("an integer too long to be written") from None
    return _text(digits, max_bytes)


def _double(value: float, _max_bytes: int) -> bytes:
    return b"\x21" + _pack_double(value)


def _bytes(value: bytes, max_bytes: int) -> bytes:
    if len(value) > max_bytes:
        counting.count("cut_values")
    return _text(value[:max_bytes].decode("utf-8", "replace"), max_bytes)


def _array(items: list[object] | tuple[object, ...], max_bytes: int) -> bytes:
    """opentelemetry.proto.common.v1.ArrayValue of the items that fit. What has no form keeps its place, empty."""
    array = b""
    for item in items:
        try:
            encoded = b"" if item is None else _item(item, max_bytes)
        except UnencodableError:
            counting.count("unencodable_values")
            encoded = b""
        value = field(b"\x0a", encoded)
        if len(array) + len(value) > max_bytes:
            counting.count("cut_values")
            break
        array += value
    return field(b"\x2a", array)


def _item(value: object, max_bytes: int) -> bytes:
    if issubclass(type(value), (list, tuple)):
        raise UnencodableError("a list inside a list")
    return any_value(value, max_bytes)


_BY_TYPE: dict[type, Callable[..., bytes]] = {
    str: _text,
    bool: _bool,
    int: _integer,
    float: _double,
    bytes: _bytes,
    list: _array,
    tuple: _array,
}


_WHOLE = slice(None)
_PLAIN: dict[type, Callable[[Any], object]] = {
    str: str.__str__,
    int: int.__int__,
    float: float.__float__,
    bytes: lambda value: bytes.__getitem__(value, _WHOLE),
    list: lambda value: list.__getitem__(value, _WHOLE),
    tuple: lambda value: tuple.__getitem__(value, _WHOLE),
}
"""What a subclass's value is without what the subclass says of it: its own methods are the user's, and may raise."""


def key_field(key: object, max_bytes: int) -> bytes:
    """KeyValue.key. Raises UnencodableError."""
    if type(key) is not str:
        return field(b"\x0a", cut_text(key, max_bytes))
    known = _keys.get(key)
    if known is None:
        known = field(b"\x0a", cut_text(key, max_bytes))
        if len(_keys) < _MAX_KEYS and key.isascii() and len(key) <= min(max_bytes, _MAX_KEY_LENGTH):
            _keys[key] = known
    return known


def key_value(tag: bytes, key: bytes, value: bytes) -> bytes:
    """opentelemetry.proto.common.v1.KeyValue, of a key field and an encoded AnyValue."""
    return field(tag, key + field(b"\x12", value))


def attributes(tag: bytes, values: Mapping[str, object], max_bytes: int) -> dict[bytes, bytes]:
    """Encoded KeyValue fields by key field. None values are left out, those without a form are counted."""
    encoded: dict[bytes, bytes] = {}
    for key, value in values.items():
        if value is None:
            continue
        try:
            name = key_field(key, max_bytes)
            pair = key_value(tag, name, any_value(value, max_bytes))
        except UnencodableError:
            counting.count("unencodable_values")
            continue
        encoded.pop(name, None)
        encoded[name] = pair
    return encoded
