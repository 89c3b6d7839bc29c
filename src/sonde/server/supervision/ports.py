"""The listening sockets: held by the supervisor, so that requests wait in the kernel while a web process restarts."""

from __future__ import annotations

import errno
import socket

_BACKLOG = 1024


class PortError(Exception):
    """Nothing can listen there; the message says why."""


def listen(host: str, port: int, setting: str) -> socket.socket:
    """A socket that listens on `host`:`port`; port 0 means any free one. Raises PortError, naming `setting`."""
    return _bound(host, port, setting, reserved=False)


def reserve(host: str, port: int, setting: str) -> socket.socket:
    """The same for a port that a child opens itself, since its library takes no socket of ours.

    Bound, so that it is ours from now on, also while no child runs, but not listening: connections go to the child,
    which binds it with SO_REUSEPORT. Options are changed after binding: with SO_REUSEPORT before it, or SO_REUSEADDR
    (against what is left of old connections) after it, two servers would share a port unknowing.
    """
    return _bound(host, port, setting, reserved=True)


def _bound(host: str, port: int, setting: str, *, reserved: bool) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise PortError(f"host {host!r} is no address of this machine: {error.strerror}") from None
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        if reserved:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        else:
            bound.listen(_BACKLOG)
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise PortError(f"port {port} is taken on {host}; choose another with --{setting}") from None
        raise PortError(f"cannot listen on {host}:{port}: {error.strerror}") from None
    return bound


def http_address(listener: socket.socket) -> str:
    """What to type into a browser."""
    return f"http://{shown_address(listener)}"


def shown_address(bound: socket.socket) -> str:
    """host:port at which this machine reaches it."""
    host, port = bound.getsockname()[:2]
    return _joined({"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port)


def own_address(bound: socket.socket) -> str:
    """host:port as bound."""
    return _joined(*bound.getsockname()[:2])


def _joined(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
