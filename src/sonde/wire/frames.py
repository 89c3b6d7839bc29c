"""What a probe and its agent say to each other over the unix socket: frames.

A frame is an 8-byte header and a payload:

    offset  size  what
    0       2     magic, the letters "SD"
    2       1     version of this format, 1
    3       1     kind, see `Kind`
    4       4     payload length in bytes, little endian, at most MAX_PAYLOAD

The first frame on a connection is HELLO. The same format is written by native/sending/sender.c.
"""

from __future__ import annotations

import struct
from enum import IntEnum
from typing import Any

MAGIC = b"SD"
VERSION = 1
HEADER = struct.Struct("<2sBBI")
MAX_PAYLOAD = 16 << 20
MAX_SETTINGS_BYTES = 64 << 10
"""Of a SETTINGS payload: a probe reads no longer one."""


class Kind(IntEnum):
    """What a payload is."""

    HELLO = 1
    """JSON object: pid, token (may be empty), service, language, probe_version, command; role, see docs/debugger.md."""
    TRACES = 2
    """An ExportTraceServiceRequest, protobuf. Payloads concatenate to one request."""
    METRICS = 3
    """An ExportMetricsServiceRequest, protobuf."""
    LOGS = 4
    """An ExportLogsServiceRequest, protobuf."""
    STATUS = 5
    """JSON object: the probe's counters since its start, see `probe.core.counters`."""
    SETTINGS = 6
    """From the agent to its probes. JSON object `{"services": {name: {…}}}` with what is to hold for a service instead
    of what its processes were configured with: `sampling_rate` (0 to 100), `slow_ms`, `sampling_follows_parent`.

    All services of the probe's app are in it; it comes after HELLO, as soon as the agent knows, and at every change.
    Each is in place of the one before; until the first one a probe keeps what an earlier connection said.
    """
    COMMAND = 7
    """JSON object: what a tool is to do, see docs/debugger.md. A probe reads no longer one than of SETTINGS."""
    REPLY = 8
    """JSON object: how a run of a tool goes, see docs/debugger.md."""
    CHUNK = 9
    """A piece of an artifact that a run of a tool made, see docs/debugger.md."""
    SEGMENTS = 10
    """A SegmentCollection of SkyWalking, protobuf. In an agent's queue; nobody sends it as a frame. Payloads
    concatenate."""


class FrameError(ValueError):
    """The bytes are no frame: the connection cannot be understood any further. `reason` is a word for a counter."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def frame(kind: Kind, payload: bytes) -> bytes:
    """Header and payload."""
    return HEADER.pack(MAGIC, VERSION, kind, len(payload)) + payload


def hello(**facts: Any) -> bytes:
    """The first frame of a connection."""
    import json  # noqa: PLC0415 - the probe reads the kinds of frames in each process, and never this

    return frame(Kind.HELLO, json.dumps(facts, separators=(",", ":")).encode())


class FrameReader:
    """Cuts a byte stream into frames, whatever pieces it arrives in. Holds at most one unfinished frame.

    `most`: bytes of the largest payload that is taken.
    """

    def __init__(self, most: int = MAX_PAYLOAD) -> None:
        self._most = most
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Frames that `data` completes, as (kind, payload). Unknown kinds are passed on. Raises FrameError."""
        buffer = self._buffer
        buffer += data
        frames: list[tuple[int, bytes]] = []
        at = 0
        while len(buffer) - at >= HEADER.size:
            magic, version, kind, length = HEADER.unpack_from(buffer, at)
            if magic != MAGIC:
                raise FrameError("bad_magic", f"a frame starts with {MAGIC!r}, not {magic!r}")
            if version != VERSION:
                raise FrameError("bad_version", f"frame version {version}; this side speaks {VERSION}")
            if length > self._most:
                raise FrameError("too_large", f"a payload of {length} bytes; the most is {self._most}")
            end = at + HEADER.size + length
            if len(buffer) < end:
                break
            frames.append((kind, bytes(buffer[at + HEADER.size : end])))
            at = end
        del buffer[:at]
        return frames

    @property
    def pending(self) -> int:
        """Bytes of an unfinished frame."""
        return len(self._buffer)
