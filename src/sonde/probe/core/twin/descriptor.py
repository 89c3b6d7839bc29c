"""A descriptor of ours among the application's. The native side is native/descriptor.c."""

from __future__ import annotations

import fcntl
import os

# The interpreter's own, also where gevent has put its own in its place.
from _socket import socket

_FIRST_NUMBER = 3


class Kept:
    """A socket that was just made, under a number above those of the standard streams.

    Where the program has none, ours would be taken for one. Raises OSError where there is no such number.
    """

    __slots__ = ("_identity", "socket")

    def __init__(self, made: socket) -> None:
        if made.fileno() < _FIRST_NUMBER:
            try:
                above = fcntl.fcntl(made.fileno(), fcntl.F_DUPFD_CLOEXEC, _FIRST_NUMBER)
            finally:
                made.close()
            made = socket(made.family, made.type, made.proto, above)
        self.socket = made
        self._identity = _identity(made)

    def is_ours(self) -> bool:
        """Whether the number still is that socket.

        A program that makes itself a daemon closes every descriptor it finds; the number may be a file of its own now.
        """
        try:
            return _identity(self.socket) == self._identity
        except OSError:
            return False

    def close(self) -> None:
        """Close it, if it is ours."""
        if self.is_ours():
            self.socket.close()
        else:
            self.socket.detach()


def _identity(of: socket) -> tuple[int, int]:
    status = os.fstat(of.fileno())
    return status.st_dev, status.st_ino
