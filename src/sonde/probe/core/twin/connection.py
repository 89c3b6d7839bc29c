"""The unix socket to the host's agent. Writes whole frames or none: half a frame ends with its connection."""

from __future__ import annotations

import _socket
from time import monotonic
from typing import TYPE_CHECKING

from sonde.probe.core.twin import counting
from sonde.probe.core.twin.descriptor import Kept
from sonde.wire.frames import MAX_SETTINGS_BYTES, FrameError, FrameReader

if TYPE_CHECKING:
    from collections.abc import Callable

STALLED_AFTER_S = 10.0
"""An agent that takes no byte for this long is given up; the frame goes to the next connection."""

_SLICE_S = 0.05


class Connection:
    """At most one socket. Used by the sender's thread alone, but for `abandon`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._agent: Kept | None = None
        self._reader = FrameReader(MAX_SETTINGS_BYTES)

    @property
    def is_open(self) -> bool:
        """Whether the last word from the socket was a good one."""
        return self._agent is not None

    def open(self, greeting: bytes, expired: Callable[[], bool]) -> bool:
        """Connect and send the first frame. False where nobody listens."""
        try:
            self._agent = Kept(_socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM))
            self._agent.socket.setblocking(False)  # a full backlog answers at once, too
            self._agent.socket.connect(self._path)
        except OSError:
            counting.count("connect_errors")
            self.close()
            return False
        self._reader = FrameReader(MAX_SETTINGS_BYTES)
        counting.count("connects")
        return self.send(greeting, expired)

    def receive(self) -> list[tuple[int, bytes]]:
        """What the agent has said, without waiting. What is no frame ends the connection."""
        said: list[tuple[int, bytes]] = []
        while self._agent is not None and self._agent.is_ours():
            try:
                self._agent.socket.setblocking(False)
                data = self._agent.socket.recv(1 << 16)
                if data:
                    said += [(int(kind), payload) for kind, payload in self._reader.feed(data)]
                    continue
            except BlockingIOError:
                return said
            except (OSError, FrameError):
                counting.count("send_errors")
            self.close()
        return said

    def listens(self) -> int:
        """The descriptor on which the agent may say something; -1: there is none."""
        if self._agent is not None and not self._agent.is_ours():
            self.close()
        return -1 if self._agent is None else self._agent.socket.fileno()

    def send(self, frame: bytes, expired: Callable[[], bool]) -> bool:
        """Write a whole frame. False: broken, stalled or `expired`, and the connection is closed."""
        rest = memoryview(frame)
        progress = monotonic()
        while rest:
            taken = self._write(rest)
            if taken < 0 or (taken < len(rest) and (expired() or monotonic() - progress > STALLED_AFTER_S)):
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
        if self._agent is None or not self._agent.is_ours():
            return -1
        self._agent.socket.settimeout(_SLICE_S)
        try:
            return self._agent.socket.send(data, _socket.MSG_NOSIGNAL)
        except TimeoutError:
            return 0
        except OSError:
            return -1

    def close(self) -> None:
        """Close what is open. The next frame needs `open` again."""
        agent, self._agent = self._agent, None
        if agent is not None:
            agent.close()
