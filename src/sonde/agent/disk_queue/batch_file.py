"""The form of a batch on disk: who sends it, and the chunks it is joined from.

    offset  size  what
    0       4     "SDB1"
    4       1     signal, see `Signal`
    5       1     how many times the batch was split off a refused one
    6       2     length of the token, little endian
    8       n     token, UTF-8; empty: the agent's own, whatever that is when the batch is sent
    then, for each chunk: payload length (4), CRC-32 of the payload (4), payload

Chunks are appended while the batch is open. So an agent that is killed loses nothing it has read from a socket, but the
last chunk may be torn: `measure` finds the end of the sound ones.
"""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from sonde.agent.signals import Signal
from sonde.wire.frames import MAX_PAYLOAD

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

MAGIC = b"SDB1"
_HEAD = struct.Struct("<4sBBH")
_CHUNK = struct.Struct("<II")

CHUNK_OVERHEAD_BYTES = _CHUNK.size


class BatchFileError(Exception):
    """The file is no batch, or no longer one. The message names it."""


class Header(NamedTuple):
    """What stands in front of the chunks."""

    signal: Signal
    token: str
    splits: int = 0

    def encoded(self) -> bytes:
        """The bytes a batch file starts with."""
        token = self.token.encode()
        return _HEAD.pack(MAGIC, self.signal, self.splits, len(token)) + token


class Measure(NamedTuple):
    """What of a file is sound."""

    header: Header
    sound_bytes: int
    chunks: int


def chunk(payload: bytes) -> bytes:
    """A payload as it is appended."""
    return _CHUNK.pack(len(payload), zlib.crc32(payload)) + payload


def chunks(path: Path) -> Iterator[bytes]:
    """The payloads of a closed batch, in order. Raises BatchFileError at the first unsound one, OSError."""
    with path.open("rb") as file:
        _read_header(file, path)
        while head := file.read(_CHUNK.size):
            payload = _read_payload(file, head)
            if payload is None:
                raise BatchFileError(f"{path} is damaged at byte {file.tell()}")
            yield payload


def measure(path: Path) -> Measure:
    """How far the file is sound. Raises BatchFileError where not even its header is, OSError."""
    with path.open("rb") as file:
        header = _read_header(file, path)
        sound, count = file.tell(), 0
        while (head := file.read(_CHUNK.size)) and _read_payload(file, head) is not None:
            sound, count = file.tell(), count + 1
        return Measure(header, sound, count)


def _read_header(file: BinaryIO, path: Path) -> Header:
    head = file.read(_HEAD.size)
    if len(head) == _HEAD.size and head.startswith(MAGIC):
        _, signal, splits, token_length = _HEAD.unpack(head)
        token = file.read(token_length)
        with suppress(ValueError):
            if len(token) == token_length:
                return Header(Signal(signal), token.decode(), splits)
    raise BatchFileError(f"{path} does not start like a batch")


def _read_payload(file: BinaryIO, head: bytes) -> bytes | None:
    """The payload that `head` announces; None where it is torn or damaged."""
    if len(head) < _CHUNK.size:
        return None
    length, checksum = _CHUNK.unpack(head)
    if length > MAX_PAYLOAD:
        return None
    payload = file.read(length)
    return payload if len(payload) == length and zlib.crc32(payload) == checksum else None
