"""The unix socket to the host's agent. Writes whole frames or none: half a frame ends with its connection."""

from __future__ import annotations

import os
import socket
from time import monotonic
from typing import TYPE_CHECKING

from sonde.probe.core.twin import counting
from sonde.wire.frames import FrameError, FrameReader

if TYPE_CHECKING:
    from collections.abc import Callable

STALLED_AFTER_S = 10.0
"""An agent that takes no byte for this long is given up; the frame goes to the next connection."""

_SLICE_S = 0.05


class Connection:
    """At most one socket. Used by the sender's thread alone, but for `abandon`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._socket: socket.socket | None = None
        self._identity: tuple[int, int] | None = None
        self._reader = FrameReader()

    @property
    def is_open(self) -> bool:
        """Whether the last word from the socket was a good one."""
        return self._socket is not None

    def open(self, greeting: bytes, expired: Callable[[], bool]) -> bool:
        """Connect and send the first frame. False where nobody listens."""
        fresh = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        fresh.setblocking(False)  # a full backlog answers at once, too
        self._socket, self._identity = fresh, _identity(fresh)
        try:
            fresh.connect(self._path)
        except OSError:
            counting.count("connect_errors")
            self.close()
            return False
        self._reader = FrameReader()
        counting.count("connects")
        return self.send(greeting, expired)

    def receive(self) -> list[tuple[int, bytes]]:
        """What the agent has said, without waiting. What is no frame ends the connection."""
        said: list[tuple[int, bytes]] = []
        while self._socket is not None and self._ours():
            self._socket.setblocking(False)
            try:
                data = self._socket.recv(1 << 16)
                if data:
                    said += [(int(kind), payload) for kind, payload in self._reader.feed(data)]
                    continue
            except BlockingIOError:
                return said
            except (OSError, FrameError):
                counting.count("send_errors")
            self.close()
        return said

    def send(self, frame: bytes, expired: Callable[[], bool]) -> bool:
        """Write a whole frame. False: broken, stalled or `expired`, and the connection is closed."""
        rest = memoryview(frame)
        progress = monotonic()
        while rest:
            taken = self._write(rest)
            if taken < 0 or expired() or monotonic() - progress > STALLED_AFTER_S:
                counting.count("send_errors")
                self.close()
                return False
            if taken:
                rest = rest[taken:]
                progress = monotonic()
        counting.count("sent_frames")
        counting.count("sent_bytes", len(frame))
        return True

    def _write(self, data: memoryview) -> int:
        """Bytes taken, 0 where the agent was not ready within a slice of time, -1 where there is no agent any more."""
        if self._socket is None or not self._ours():
            return -1
        self._socket.settimeout(_SLICE_S)
        try:
            return self._socket.send(data, socket.MSG_NOSIGNAL)
        except TimeoutError:
            return 0
        except OSError:
            return -1

    def close(self) -> None:
        """Close what is open. The next frame needs `open` again."""
        if self._socket is not None:
            if self._ours():
                self._socket.close()
            else:
                self._socket.detach()
        self._socket = None

    def _ours(self) -> bool:
        """Whether the descriptor is still our socket.

        A program that makes itself a daemon closes every descriptor it finds; the number may be a file of its own now.
        """
        try:
            return self._socket is not None and _identity(self._socket) == self._identity
        except OSError:
            return False


def _identity(of: socket.socket) -> tuple[int, int]:
    status = os.fstat(of.fileno())
    return status.st_dev, status.st_ino
