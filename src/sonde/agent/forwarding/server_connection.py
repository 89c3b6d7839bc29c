"""HTTP to the server, over one connection that is kept open."""

from __future__ import annotations

import http.client
import socket
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from sonde import __version__
from sonde.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from email.message import Message

CONNECT_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 30.0


class Reply(NamedTuple):
    """What came back. `body` is cut at the length that was asked for."""

    status: int
    headers: Message
    body: bytes


class UnreachableError(Exception):
    """No answer came. `reason` is a word for a counter."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class ServerConnection:
    """Used by one thread; `abort` may be called by another."""

    def __init__(self, url: str) -> None:
        """Nothing is connected yet. Raises SettingError."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in ("http", "https") or not parts.hostname or port == -1:
            raise SettingError(f"server: {url!r} is no address like http://host:8600")
        self._base_path = parts.path.rstrip("/")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, port, timeout=CONNECT_TIMEOUT_S)

    def exchange(
        self,
        method: str,
        path: str,
        token: str,
        headers: Mapping[str, str],
        body: bytes | None = None,
        *,
        max_answer_bytes: int,
    ) -> Reply:
        """Ask once, or twice where the connection had been closed meanwhile. Raises UnreachableError."""
        sent = {"User-Agent": f"sonde-agent/{__version__}", **headers}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        kept_open = self._connection.sock is not None
        try:
            try:
                return self._once(method, path, sent, body, max_answer_bytes)
            except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected):
                # A server may close a connection that idles at the moment we use it again. Asking twice is safe: a
                # question changes nothing, and a batch that it has stored is known to it by its digest.
                self._connection.close()
                if not kept_open:
                    raise
                return self._once(method, path, sent, body, max_answer_bytes)
        except TimeoutError as error:
            self._connection.close()
            raise UnreachableError("timeout", str(error)) from error
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            reason = "refused" if isinstance(error, ConnectionRefusedError) else "broken"
            raise UnreachableError(reason, str(error)) from error

    def _once(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None, max_answer_bytes: int
    ) -> Reply:
        if self._connection.sock is None:
            self._connection.connect()
        if self._connection.sock is not None:  # always, now; but the type does not know
            self._connection.sock.settimeout(ANSWER_TIMEOUT_S)
        self._connection.request(method, self._base_path + path, body, headers)
        response = self._connection.getresponse()
        said = response.read(max_answer_bytes)
        if not response.isclosed():
            self._connection.close()  # more than we want to read: the connection is not worth keeping
        return Reply(response.status, response.headers, said)

    def abort(self) -> None:
        """End the exchange that is under way, which then fails as if the connection had broken."""
        if sock := self._connection.sock:
            with suppress(OSError):  # it has just been closed
                sock.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection; the next exchange opens another."""
        self._connection.close()
