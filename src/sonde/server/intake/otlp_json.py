"""OTLP/JSON: protobuf's JSON but for three things. Ids are hex, enums are numbers, unknown fields are ignored.

Source: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from google.protobuf import json_format

from sonde.server.intake.answers import bad_body

if TYPE_CHECKING:
    from google.protobuf.message import Message

    M = TypeVar("M", bound=Message)

_IDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
"""Structural names only: what users name stands in `key` and is never a member of a JSON object."""


def parse(body: bytes, message: M) -> M:
    """`message`, filled. Raises RefusedError."""
    try:
        document = msgspec.json.decode(body) if body else {}
        if not isinstance(document, dict):
            raise bad_body("bad_json", "the body is JSON, but no object")
        _ids_to_base64(document)
        return json_format.ParseDict(document, message, ignore_unknown_fields=True)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_body("bad_json", f"the body is no JSON: {error}") from None
    except json_format.ParseError as error:
        raise bad_body("bad_json", f"the body is no {message.DESCRIPTOR.name}: {error}") from None
    except RecursionError:
        raise bad_body("bad_json", "the body is nested too deeply") from None


def _ids_to_base64(node: Any) -> None:
    """Ids of `node` and all below it, in place, as protobuf's JSON wants bytes."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key in _IDS and isinstance(value, str):
                node[key] = _hex_to_base64(key, value)
            elif isinstance(value, dict | list):
                _ids_to_base64(value)
    else:
        for value in node:
            if isinstance(value, dict | list):
                _ids_to_base64(value)


def _hex_to_base64(key: str, value: str) -> str:
    try:
        return base64.b64encode(bytes.fromhex(value)).decode()
    except ValueError:
        raise bad_body("bad_id", f"{key} is not hex: {value[:40]!r}") from None
