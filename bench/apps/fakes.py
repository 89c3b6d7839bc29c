"""Transports without a network, below every level at which anybody instruments.

What is left is the libraries' own work. The classes answer the calls of the libraries they stand in for.
"""

# ruff: noqa: D102, ARG002

from __future__ import annotations

import io
from typing import Any

import redis
import redis.asyncio

ANSWER = (
    b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: 11\r\n\r\n{"ok":true}'
)


class Socket:
    """Takes everything and answers ANSWER."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_args, **_options: None

    def makefile(self, *_args: object, **_options: object) -> io.BytesIO:
        return io.BytesIO(ANSWER)


def answer_urllib3(host: str) -> None:
    """Let urllib3 connect to `Socket` where it means that host; exporters that use it get through."""
    import urllib3.util.connection

    really = urllib3.util.connection.create_connection

    def connected(address: tuple[str, int], *args: Any, **options: Any) -> Any:
        return Socket() if address[0] == host else really(address, *args, **options)

    urllib3.util.connection.create_connection = connected


class RedisConnection(redis.Connection):
    """A server that answers `v` to everything."""

    def connect(self) -> None:
        self._sock = self._sock or Socket()

    def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        pass

    def read_response(self, *_args: Any, **_options: Any) -> bytes:
        return b"v"

    def can_read(self, timeout: float = 0) -> bool:
        return False

    def disconnect(self, *_args: Any, **_options: Any) -> None:
        self._sock = None


class AsyncRedisConnection(redis.asyncio.Connection):
    """The same for asyncio."""

    _here = False

    @property
    def is_connected(self) -> bool:
        return self._here

    async def connect(self, *_args: Any, **_options: Any) -> None:
        self._here = True

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None:
        pass

    async def send_command(self, *args: Any, **_options: Any) -> None:
        await self.send_packed_command(self.pack_command(*args))

    async def read_response(self, *_args: Any, **_options: Any) -> bytes:
        return b"v"

    async def can_read(self) -> bool:
        return False

    async def can_read_destructive(self) -> bool:  # its name until redis 7
        return False

    async def disconnect(self, *_args: Any, **_options: Any) -> None:
        self._here = False
