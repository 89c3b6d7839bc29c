"""Requests to the command, each so that it is known which process serves it.

A connection is opened and the head of a request sent but for its last line. Some process accepts it, and /proc tells
which. Only then the last line follows, and the answer comes. Several connections stand open at a time, so that a
worker which is busy with one leaves the next to its siblings.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from sonde.cli.checkup.processes import Processes

_ANSWER_WITHIN_S = 10.0
_LOOK_EVERY_S = 0.02
_MOST_BYTES = 1 << 20
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class Place(NamedTuple):
    """Where requests go."""

    host: str
    port: int
    tls: bool = False

    def __str__(self) -> str:
        host = _ANY.get(self.host, self.host)
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


@dataclass
class Visit:
    """One request and what became of it."""

    place: Place
    path: str
    pid: int | None = None
    """Who accepted it."""
    status: int | None = None
    error: str = ""


def visit(processes: Processes, place: Place, paths: list[str], until: float) -> list[Visit]:
    """One request for each of `paths`, all open at the same time. `until`: when to give up those nobody accepts."""
    open_: list[tuple[Visit, socket.socket]] = []
    done = []
    for path in paths:
        made = Visit(place, path)
        done.append(made)
        try:
            open_.append((made, _connect(made)))
        except OSError as error:
            made.error = error.strerror or str(error)
    while open_:
        for each in list(open_):
            made, connection = each
            made.pid = processes.accepted(connection.getsockname()[1], place.port)
            late = time.monotonic() > until or not processes.alive()
            if made.pid is not None or late:
                open_.remove(each)
                _finish(made, connection, late=late)
        if open_:
            time.sleep(_LOOK_EVERY_S)
            processes.look()
    return done


def _connect(made: Visit) -> socket.socket:
    place = made.place
    host = _ANY.get(place.host, place.host)
    connection = socket.create_connection((host, place.port), timeout=_ANSWER_WITHIN_S)
    try:
        if place.tls:
            context = ssl.create_default_context()
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE  # it is the command we started that we talk to, whoever signed for it
            connection = context.wrap_socket(connection, server_hostname=host)
        head = f"GET {made.path} HTTP/1.1\r\nHost: {place}\r\nUser-Agent: sonde-doctor\r\nAccept: */*\r\n"
        connection.sendall(f"{head}Connection: close\r\n".encode("latin-1", "replace"))
    except BaseException:
        connection.close()
        raise
    return connection


def _finish(made: Visit, connection: socket.socket, *, late: bool) -> None:
    with connection:
        try:
            connection.settimeout(0.5 if late else _ANSWER_WITHIN_S)
            connection.sendall(b"\r\n")
            made.status = _status(connection)
        except TimeoutError:
            made.error = "nobody accepted it" if late else f"no answer within {_ANSWER_WITHIN_S:.0f} s"
        except (OSError, ValueError) as error:
            made.error = str(error)


def _status(connection: socket.socket) -> int:
    """Of the answer, which is read to its end, or as far as it comes: it may be a stream without one."""
    answer = b""
    with suppress(TimeoutError):
        while len(answer) < _MOST_BYTES and (data := connection.recv(1 << 16)):
            answer += data
    if not answer:
        raise ValueError("closed without an answer")
    words = answer.partition(b"\r\n")[0].split()
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise ValueError("the answer is no HTTP")
    return int(words[1])
