"""Frames to one probe, which may never read: the rest of one frame and the newest after it are kept, nothing else."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sonde.agent.counters import Counters


class Outgoing:
    """What is said to a probe. Never waits. Not thread-safe."""

    def __init__(self, sock: socket.socket, counters: Counters) -> None:
        self._sock = sock
        self._counters = counters
        self._rest = memoryview(b"")  # of a frame of which the probe may have the beginning
        self._next = b""

    @property
    def waiting(self) -> bool:
        """Whether `send` is worth calling when the probe takes more."""
        return bool(self._rest or self._next)

    def put(self, frame: bytes) -> None:
        """Send it as soon as the probe takes it, in place of one that has not begun to be sent."""
        if self._next:
            self._unsent("superseded")
        self._next = frame
        self.send()

    def send(self) -> None:
        """As much as the probe takes now. A probe that is gone is found out where it is read from."""
        while self.waiting:
            if not self._rest:
                self._rest, self._next = memoryview(self._next), b""
            try:
                taken = self._sock.send(self._rest, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            except OSError:
                self.give_up()
                return
            self._rest = self._rest[taken:]
            if not self._rest:
                self._counters.add("sonde.agent.settings.sent")

    def give_up(self) -> None:
        """Nothing more will be taken."""
        for frame in (self._rest, self._next):
            if frame:
                self._unsent("hung_up")
        self._rest, self._next = memoryview(b""), b""

    def _unsent(self, reason: str) -> None:
        self._counters.add("sonde.agent.settings.unsent", reason=reason)
