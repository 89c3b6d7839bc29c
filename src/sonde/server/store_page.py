"""The store process's own counters, passed on: its socket is for us alone, /metrics is for whoever has a token."""

from __future__ import annotations

import http.client
import logging
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

log = logging.getLogger(__name__)

_WITHIN_S = 2.0


class _OverUnixSocket(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=_WITHIN_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(_WITHIN_S)
        self.sock.connect(str(self._path))


def store_page(path: Path) -> str:
    """Prometheus' text, from the store process behind the socket at `path`; empty while it is away. Blocks."""
    connection = _OverUnixSocket(path)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        page = answer.read().decode()
    except (OSError, http.client.HTTPException) as error:
        log.debug("no counters from the store: %s", error)
        return ""
    finally:
        connection.close()
    return page if answer.status == http.HTTPStatus.OK else ""
