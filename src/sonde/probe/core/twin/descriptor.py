"""A descriptor of ours among the application's. The native side is native/sending/descriptor.c."""

from __future__ import annotations

import fcntl
import os

# The interpreter's own, also where gevent has put its own in its place.
from _socket import socket

_OUT_OF_THE_WAY, _FIRST_NUMBER = 200, 3


class Kept:
    """A socket that was just made, out of the program's way: under a number that it would not get.

    So its own are what they would be without us. At least it is above those of the standard streams, for one of which
    ours would be taken where it has none. Raises OSError where there is no such number.
    """

    __slots__ = ("_identity", "socket")

    def __init__(self, made: socket) -> None:
        try:
            made = _moved(made, _OUT_OF_THE_WAY)
        except OSError:  # the program may not have so many
            if made.fileno() < _FIRST_NUMBER:
                made = _moved(made, _FIRST_NUMBER)
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


def _moved(made: socket, least: int) -> socket:
    above = fcntl.fcntl(made.fileno(), fcntl.F_DUPFD_CLOEXEC, least)
    kept = socket(made.family, made.type, made.proto, above)
    made.close()
    return kept
