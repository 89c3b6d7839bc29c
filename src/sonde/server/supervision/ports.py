"""The listening sockets: held by the supervisor, so that requests wait in the kernel while a web process restarts."""

from __future__ import annotations

import errno
import socket

_BACKLOG = 1024


class PortError(Exception):
    """Nothing can listen there; the message says why."""


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A socket that listens on `host`:`port`; port 0 means any free one. Raises PortError, naming `setting`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise PortError(f"host {host!r} is no address of this machine: {error.strerror}") from None
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortError(f"port {port} is taken on {host}; choose another with --{setting}") from None
        raise PortError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    return listener


def http_address(listener: socket.socket) -> str:
    """What to type into a browser."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
