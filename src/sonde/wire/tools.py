"""What runs of tools are called and how their pieces travel, see docs/debugger.md. Each part of Sonde uses this."""

from __future__ import annotations

import json
import math
import re
import struct
from typing import Any

MAX_SECONDS = 3600.0
"""The longest a run may be asked to last."""
MAX_COMMAND_BYTES = 60 << 10
MAX_DOCUMENT_BYTES = 1 << 20
MAX_REPLY_BYTES = MAX_DOCUMENT_BYTES + (64 << 10)
MAX_PIECE_BYTES = 256 << 10
MAX_NAME = 128
MAX_TEXT = 2000

LAST_EVENTS = frozenset({"tools", "result", "failed"})
"""Exactly one of these ends a run."""
EVENTS = LAST_EVENTS | {"started", "progress"}

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")
_LENGTH = struct.Struct("<H")


class ToolFrameError(ValueError):
    """The payload is no COMMAND, REPLY or CHUNK. The message says why."""


def document_of(payload: bytes, most_bytes: int) -> dict[str, Any]:
    """The JSON object of a COMMAND or REPLY, with an `id` that is one. Raises ToolFrameError."""
    if len(payload) > most_bytes:
        raise ToolFrameError(f"{len(payload)} bytes; the most is {most_bytes}")
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ToolFrameError(f"not JSON: {error}") from None
    if not isinstance(document, dict) or not is_id(document.get("id")):
        raise ToolFrameError("not a JSON object with the id of a run")
    return document


def is_id(value: object) -> bool:
    """Whether it can be the id of a run."""
    return isinstance(value, str) and _ID.fullmatch(value) is not None


def is_name(value: object) -> bool:
    """Whether an artifact may be called that: it becomes the name of a file."""
    return isinstance(value, str) and _NAME.fullmatch(value) is not None


def seconds_of(value: object) -> float | None:
    """How long a run is to last; None where the value says no such thing."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and 0 <= value <= MAX_SECONDS else None


def chunk(run: str, name: str, offset: int, piece: bytes | memoryview) -> bytes:
    """The payload of a CHUNK."""
    head = json.dumps({"id": run, "name": name, "offset": offset}, separators=(",", ":")).encode()
    return _LENGTH.pack(len(head)) + head + piece


def cut(payload: bytes) -> tuple[dict[str, Any], bytes]:
    """What a CHUNK says of its piece, and the piece. Raises ToolFrameError."""
    end = _LENGTH.size + (_LENGTH.unpack_from(payload)[0] if len(payload) >= _LENGTH.size else 1 << 16)
    if len(payload) < end:
        raise ToolFrameError("shorter than it says")
    head = document_of(payload[_LENGTH.size : end], 1 << 16)
    offset, piece = head.get("offset"), payload[end:]
    if not is_name(head.get("name")) or type(offset) is not int or offset < 0 or len(piece) > MAX_PIECE_BYTES:
        raise ToolFrameError("a piece has a name, an offset, and at most 256 KiB")
    return head, piece


def failed(run: str, reason: str, message: str) -> dict[str, Any]:
    """The event that says so."""
    return {"id": run, "event": "failed", "reason": reason, "message": message[:MAX_TEXT]}
