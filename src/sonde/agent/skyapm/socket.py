"""One connection of a PHP process: bytes in as they come, whole lines out.

A worker makes a connection for each line, writes it in as many pieces as it takes, and often closes at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.agent.skyapm.lines import LineError

if TYPE_CHECKING:
    import socket

LONGEST_LINE = 4 << 20
"""Bytes. A request that calls a thousand times makes a line of 300 kB."""
_READ = 1 << 16


class Connection:
    """A connection that was accepted, not blocking."""

    def __init__(self, sock: socket.socket, opened_at: float) -> None:
        self._socket = sock
        self._pending = bytearray()
        self.heard_at = opened_at

    def fileno(self) -> int:
        """For a selector."""
        return self._socket.fileno()

    @property
    def pending_bytes(self) -> int:
        """Of a line that is not whole yet."""
        return len(self._pending)

    def read(self, now: float) -> list[bytes] | None:
        """Lines that are whole now, without their newlines; None at the end, which may be in the middle of one.

        Raises LineError for a line that grows too long, BlockingIOError, OSError.
        """
        data = self._socket.recv(_READ)
        if not data:
            return None
        self.heard_at = now
        looked_at = len(self._pending)
        self._pending += data
        if b"\n" not in data:
            if looked_at + len(data) > LONGEST_LINE:
                raise LineError("too_long", f"a line has more than {LONGEST_LINE} bytes")
            return []
        *lines, rest = bytes(self._pending).split(b"\n")
        self._pending = bytearray(rest)
        return lines

    def answer(self, text: bytes) -> None:
        """Write what fits, which is all of it: a fresh connection has room. Raises OSError where nobody listens."""
        self._socket.send(text)

    def close(self) -> None:
        """Let go of it."""
        self._socket.close()
