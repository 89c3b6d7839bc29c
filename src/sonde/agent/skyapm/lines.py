"""What a line of SkyAPM 3 says. Everything in it is a stranger's: it is checked here, once."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

VERSIONS = (5, 6, 7, 8)
"""Of the protocol. Before 8, services and instances have numbers."""
LONGEST_NAME = 255


class LineError(ValueError):
    """The line is not to be used. `reason` is a word for a counter."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Asked:
    """A process asks who it is. `pid` is that of the master, the same for all its workers."""

    app_code: str
    pid: int
    version: int


@dataclass(frozen=True, slots=True)
class Reported:
    """A process tells of one request. `message` has an object `segment` in it; no more is known of it."""

    version: int
    message: dict[str, Any]


def read(line: bytes) -> Asked | Reported:
    """What the line says, without its newline. Raises LineError."""
    kind, text = line[:1], line[1:]
    if kind not in {b"0", b"1"}:
        raise LineError("unknown_kind", f"a line begins with {kind!r}, not with 0 or 1")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise LineError("bad_json", f"a line's JSON cannot be read: {error}") from None
    if not isinstance(message, dict):
        raise LineError("bad_json", "a line's JSON is no object")
    version = message.get("version")
    if version not in VERSIONS or isinstance(version, bool):
        raise LineError("unknown_version", f"version {version!r} of the protocol is none of {VERSIONS}")
    return _asked(message, int(version)) if kind == b"0" else _reported(message, int(version))


def _asked(message: dict[str, Any], version: int) -> Asked:
    name, pid = message.get("app_code"), message.get("pid")
    if not isinstance(name, str) or not name or not isinstance(pid, int) or isinstance(pid, bool):
        raise LineError("bad_register", "a process that asks who it is does not say its app_code and pid")
    return Asked(name[:LONGEST_NAME], pid, version)


def _reported(message: dict[str, Any], version: int) -> Reported:
    if not isinstance(message.get("segment"), dict):
        raise LineError("bad_segment", "a line of the kind 1 has no segment")
    return Reported(version, message)
