"""Frames to one connection, whose other end may never read.

What the server says of sampling is one frame: the newest takes the place of the one before, if that has not begun to be
sent. What tools say goes in order and whole, up to MAX_BYTES: an end that lets more than that wait has lost its turn.
"""

from __future__ import annotations

import socket
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.agent.counters import Counters

MAX_BYTES = 16 << 20


class Outgoing:
    """Never waits. Not thread-safe. `watch` is called when the answer of `waiting` or `is_too_slow` may be another."""

    def __init__(self, sock: socket.socket, counters: Counters, watch: Callable[[], object] = bool) -> None:
        self._sock = sock
        self._counters = counters
        self._watch = watch
        self._rest = memoryview(b"")  # of a frame of which the other end may have the beginning
        self._after: Callable[[], object] = _nothing  # to be called when that has gone
        self._settings = b""
        self._queue: deque[tuple[bytes, Callable[[], object]]] = deque()
        self._queued_bytes = 0
        self.is_too_slow = False

    @property
    def waiting(self) -> bool:
        """Whether `send` is worth calling when the other end takes more."""
        return bool(self._rest or self._settings or self._queue)

    def put(self, settings: bytes) -> None:
        """Send them as soon as the other end takes them, in place of ones that have not begun to be sent."""
        if self._settings:
            self._unsent("superseded")
        self._settings = settings
        self.send()

    def add(self, frame: bytes, after: Callable[[], object] | None = None) -> None:
        """Send it after what waits; `after` is called when it has gone, and never if it does not."""
        if self._queued_bytes + len(frame) > MAX_BYTES:
            self.is_too_slow = True
        else:
            self._queue.append((frame, after or _nothing))
            self._queued_bytes += len(frame)
            self.send()
        self._watch()

    def send(self) -> None:
        """As much as the other end takes now. One that is gone is found out where it is read from."""
        while self.waiting:
            if not self._rest:
                self._begin_next()
            try:
                taken = self._sock.send(self._rest, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
            except BlockingIOError:
                return
            except OSError:
                self.give_up()
                return
            self._rest = self._rest[taken:]
            if not self._rest:
                self._after()

    def give_up(self) -> None:
        """Nothing more will be taken."""
        if self._rest and self._after == self._settings_sent:
            self._unsent("hung_up")
        if self._settings:
            self._unsent("hung_up")
        self._rest, self._settings = memoryview(b""), b""
        self._queue.clear()
        self._queued_bytes = 0

    def _begin_next(self) -> None:
        if self._queue:
            frame, self._after = self._queue.popleft()
            self._queued_bytes -= len(frame)
        else:
            frame, self._after, self._settings = self._settings, self._settings_sent, b""
        self._rest = memoryview(frame)

    def _settings_sent(self) -> None:
        self._counters.add("sonde.agent.settings.sent")

    def _unsent(self, reason: str) -> None:
        self._counters.add("sonde.agent.settings.unsent", reason=reason)


def _nothing() -> None:
    """Of most frames nobody has to know when they have gone."""
