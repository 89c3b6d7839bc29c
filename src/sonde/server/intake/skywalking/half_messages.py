"""What has come of messages that are not whole yet, by connection, and whose calls have to end where it is too much.

grpcio hands a message over when it is whole, and tells nobody what it holds until then. But the kernel counts what a
connection has received. What of that was handed over is known; the rest is held, but for what HTTP/2 takes for itself.
Where the kernel does not say it (it is not Linux), nothing is known and nothing ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import socket
import struct
import termios
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

MOST_BYTES = 512 << 20
"""Of all connections together."""
LOOK_EVERY_S = 1.0
MESSAGE_BYTES = 64
"""What HTTP/2 and gRPC put around a message, with room to spare."""
CALL_BYTES = 1 << 10
"""Around a call: its headers."""
_DESCRIPTORS = Path("/proc/self/fd")
_INFO_BYTES = 136
_RECEIVED = struct.Struct("@128xQ")
"""`tcpi_bytes_received` of the kernel's `struct tcp_info`."""
_WAITING = struct.Struct("@i")


@dataclass(eq=False, slots=True)
class Connection:
    """One of them, from its first call to its end."""

    calls: int = 0
    """Under way."""
    accounted: int = 0
    """Bytes that are known not to be held."""
    held: int = 0
    """As of the last look."""
    reading: set[asyncio.Task[Any]] = field(default_factory=set)
    """Calls that wait for a message, or for the rest of one."""

    def took(self, message: bytes) -> None:
        """That one is whole, and was handed over."""
        self.accounted += len(message) + MESSAGE_BYTES


class HalfMessages:
    """Of one port. Used from its event loop."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self._connections: dict[str, Connection] = {}

    @property
    def held(self) -> int:
        """Bytes, as of the last look."""
        return sum(connection.held for connection in self._connections.values())

    def begin(self, peer: str) -> Connection:
        """A call; `peer` as gRPC has it. Whoever begins one ends it."""
        connection = self._connections.setdefault(_plain(peer), Connection())
        connection.calls += 1
        connection.accounted += CALL_BYTES
        return connection

    def end(self, connection: Connection) -> None:
        """That call is over."""
        connection.calls -= 1

    def reading(self) -> list[asyncio.Task[Any]]:
        """Every call that waits for its sender."""
        return [task for connection in self._connections.values() for task in connection.reading]

    def look(self, received: dict[str, int]) -> list[Connection]:
        """The connections whose calls have to end, those that hold most. `received`: see `received_bytes`."""
        for peer, connection in list(self._connections.items()):
            if peer not in received and not connection.calls:
                del self._connections[peer]
                continue
            rest = received.get(peer, 0) - connection.accounted
            if not connection.calls and rest > 0:
                connection.accounted += rest  # nothing is held for a connection without calls
            connection.held = max(rest, 0) if connection.calls else 0
        too_much, ending = self.held - self.most_bytes, []
        for connection in sorted(self._connections.values(), key=lambda it: it.held, reverse=True):
            if too_much <= 0:
                break
            too_much -= connection.held
            connection.accounted += connection.held  # let go with the calls
            ending.append(connection)
        return ending


def received_bytes() -> dict[str, int]:
    """What this process has read from each TCP connection since that was made, by `host:port` of the other end.

    Empty where the kernel does not say. Raises OSError where no descriptor is left to look with.
    """
    found: dict[str, int] = {}
    for path in _DESCRIPTORS.iterdir() if hasattr(socket, "TCP_INFO") and _DESCRIPTORS.exists() else ():
        # Others close descriptors meanwhile, and not all are sockets of TCP.
        with contextlib.suppress(OSError):
            descriptor = int(path.name)
            looked_at = socket.socket(socket.AF_INET6, socket.SOCK_STREAM, 0, fileno=descriptor)  # has room for all
            try:
                peer = looked_at.getpeername()
                info = looked_at.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO_BYTES)
                unread = fcntl.ioctl(descriptor, termios.FIONREAD, bytes(_WAITING.size))
            finally:
                looked_at.detach()  # it is not ours to close
            if len(info) == _INFO_BYTES:
                found[_key(*peer[:2])] = _RECEIVED.unpack(info)[0] - _WAITING.unpack(unread)[0]
    return found


def _plain(peer: str) -> str:
    """`127.0.0.1:5000` of `ipv4:127.0.0.1:5000`, `::1:5000` of `ipv6:%5B::1%5D:5000`."""
    host, _, port = peer.partition(":")[2].rpartition(":")
    return _key(host.replace("%5B", "").replace("%5D", "").strip("[]"), port)


def _key(host: str, port: int | str) -> str:
    return f"{host.partition('%')[0].removeprefix('::ffff:')}:{port}"
