"""Where the probes of the command send: counts the spans of each process, by kind. Keeps none."""

from __future__ import annotations

import socket
import struct
import threading
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from sonde.wire.frames import FrameError, FrameReader, Kind
from sonde.wire.protobuf import FIXED32, FIXED64, LENGTH, VARINT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}
_RESOURCE_SPANS, _SCOPE_SPANS, _SPANS, _KIND = 1, 2, 2, 6
_CREDENTIALS = struct.Struct("3i")


class Receiver:
    """Listens on a unix socket while it is entered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._listener = socket.socket(socket.AF_UNIX)
        self._changed = threading.Condition()
        self._spans: dict[int, Counter[str]] = {}
        self._open: set[socket.socket] = set()

    def __enter__(self) -> Self:
        self._listener.bind(str(self._path))
        self._path.chmod(0o666)  # a server may give up root for its workers; the folder's name is our secret
        self._listener.listen(512)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def spans(self, pid: int) -> Counter[str]:
        """How many spans of which kind came from the process."""
        with self._changed:
            return Counter(self._spans.get(pid, Counter()))

    def pids(self) -> set[int]:
        """Who has connected."""
        with self._changed:
            return set(self._spans)

    def wait_for_the_end(self, seconds: float) -> None:
        """Until everybody has hung up, which ended processes have: what they sent is read then."""
        with self._changed:
            self._changed.wait_for(lambda: not self._open, seconds)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            pid = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size))[
                0
            ]
            with self._changed:
                self._open.add(connection)
                self._spans.setdefault(pid, Counter())
            threading.Thread(target=self._read, args=(connection, pid), daemon=True).start()

    def _read(self, connection: socket.socket, pid: int) -> None:
        reader = FrameReader()
        with connection, suppress(OSError, FrameError, ValueError, IndexError):
            while data := connection.recv(1 << 16):
                for kind, payload in reader.feed(data):
                    if kind == Kind.TRACES:
                        counted = Counter(_kinds(payload))
                        with self._changed:
                            self._spans[pid] += counted
                            self._changed.notify_all()
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()


def _kinds(payload: bytes) -> Iterator[str]:
    """The kind of each span in an ExportTraceServiceRequest."""
    for resource in _inside(payload, _RESOURCE_SPANS):
        for scope in _inside(resource, _SCOPE_SPANS):
            for span in _inside(scope, _SPANS):
                yield KINDS.get(next((value for field, value in _fields(span) if field == _KIND), 1), "internal")  # type: ignore[arg-type]


def _inside(message: bytes, wanted: int) -> Iterator[bytes]:
    return (value for field, value in _fields(message) if field == wanted and isinstance(value, bytes))


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire_type = tag & 7
        if wire_type == VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        if wire_type == LENGTH:
            size, at = _varint(message, at)
        else:
            size = {FIXED64: 8, FIXED32: 4}[wire_type]
        yield tag >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
