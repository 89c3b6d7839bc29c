"""The store process: owns the data directory and answers ClickHouse's HTTP dialect.

    python -m sonde.server.store.process --data DIR --socket PATH --spool DIR [--port N] [--exit-with PID]

Prints `ready` once it answers. One blocking thread a connection: the engine releases the GIL, and a thread that waits
costs nothing. SIGTERM: listeners close, readers are killed, writers finish, the engine closes, exit code 0.
"""

from __future__ import annotations

import argparse
import logging
import os
import select
import signal
import socket
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore, Lock, Thread
from typing import TYPE_CHECKING

from sonde.server.store.connection import Connection
from sonde.server.store.counters import Counters
from sonde.server.store.engine import Engine
from sonde.server.store.errors import StoreError
from sonde.server.store.front import Front, Peer
from sonde.server.store.gates import Gate
from sonde.server.store.users import Users
from sonde.settings import LOG_LEVEL, QUERY_TIMEOUT_S, STORE_MEMORY_BYTES, STORE_PASSWORD, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger("sonde.store")

_BACKLOG = 128
_MOST_LOCAL, _MOST_TCP = 256, 64
_UCRED = struct.Struct("3i")
_WRITERS_FINISH_WITHIN_S = 15.0
"""What they have not finished is as after a sudden death: their deduplication tokens decide."""
_LINKS_CLOSE_WITHIN_S = 2.0
_STOPPING = frozenset({signal.SIGTERM, signal.SIGINT})


class Listener:
    """Accepts on one socket, one thread for each connection, at most `most` at a time."""

    def __init__(self, listening: socket.socket, front: Front, *, most: int) -> None:
        self._listening = listening
        self._front = front
        self._local = listening.family == socket.AF_UNIX
        self._places = BoundedSemaphore(most)
        self._lock = Lock()
        self._connections: set[Connection] = set()
        self._closed = False

    def start(self) -> None:
        """Connections are taken from here on."""
        Thread(target=self._accept, name="accept", daemon=True).start()

    def close(self) -> None:
        """No new connections, and no new requests on the old ones."""
        with self._lock:
            self._closed = True
            for connection in self._connections:
                connection.shut()
        try:
            # closing alone would leave the thread in accept()
            self._listening.shutdown(socket.SHUT_RDWR)
        except OSError:
            log.debug("the listening socket was shut already")
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listening.accept()
            except OSError as error:
                if self._closed:
                    return
                # out of descriptors or memory: those who are connected will give some back
                log.error("no connection could be accepted: %s", error)  # noqa: TRY400 - the trace tells nothing
                time.sleep(0.1)
                continue
            if self._local and not _is_own(peer):
                log.warning("a connection of another user id was refused")
                peer.close()
            elif not self._places.acquire(blocking=False):
                self._front.counters.add("sonde_store_connections_refused_total")
                _turn_away(peer)
            else:
                Thread(target=self._serve, args=(peer,), name="connection", daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        if not self._local:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self._front, Peer(peer, self._local))
        with self._lock:
            self._connections.add(connection)
            if self._closed:
                connection.shut()
        try:
            connection.serve()
        finally:
            with self._lock:
                self._connections.discard(connection)
            self._places.release()


def _is_own(peer: socket.socket) -> bool:
    """The process at the other end runs under our user id."""
    _, uid, _ = _UCRED.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return bool(uid == os.geteuid())


def _turn_away(peer: socket.socket) -> None:
    """One more than the process can serve: told so, without a thread of its own."""
    with peer:
        peer.settimeout(0.1)
        try:
            peer.sendall(
                b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )
            peer.shutdown(socket.SHUT_WR)
            peer.recv(1 << 16)
        except OSError:
            log.debug("the client did not wait for its refusal")


def _bind_unix(path: Path) -> socket.socket:
    """Only after the engine is open: then a file that is there belongs to nobody."""
    path.unlink(missing_ok=True)
    listening = socket.socket(socket.AF_UNIX)
    before = os.umask(0o177)
    try:
        listening.bind(str(path))
    finally:
        os.umask(before)
    listening.listen(_BACKLOG)
    return listening


def _bind_tcp(port: int) -> socket.socket:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(_BACKLOG)
    return listening


def _end_with(pid: int) -> None:
    """Ends this process when the process `pid` ends: nobody is left who would start us again."""
    try:
        watched = os.pidfd_open(pid)
    except ProcessLookupError:
        os.kill(os.getpid(), signal.SIGTERM)
        return

    def wait() -> None:
        ended = select.poll()
        ended.register(watched, select.POLLIN)
        ended.poll()
        log.warning("process %d has ended, so does this one", pid)
        os.kill(os.getpid(), signal.SIGTERM)

    Thread(target=wait, name="exit-with", daemon=True).start()


@dataclass(frozen=True, slots=True)
class _Options:
    data: Path
    socket: Path
    spool: Path
    port: int
    exit_with: int
    slow_ms: int


def _absolute(path: str) -> Path:
    return Path(path).absolute()


def _options(argv: Sequence[str] | None) -> _Options:
    parser = argparse.ArgumentParser(prog="python -m sonde.server.store.process", description=__doc__)
    parser.add_argument("--data", type=_absolute, required=True, help="folder of the engine; one process owns it")
    parser.add_argument("--socket", type=_absolute, required=True, help="unix socket to listen on, mode 0600")
    parser.add_argument("--spool", type=_absolute, required=True, help="folder whose files X-Sonde-Spool-File may name")
    parser.add_argument(
        "--port", type=int, default=-1, help="TCP port on 127.0.0.1 for the user `sql`; 0: any free one"
    )
    parser.add_argument("--exit-with", type=int, default=0, metavar="PID", help="end when this process ends")
    parser.add_argument("--slow-ms", type=int, default=1000, help="statements that take longer are logged")
    return _Options(**vars(parser.parse_args(argv)))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs until SIGTERM or SIGINT. 0: ended in order; 1: could not start, or could not end in order."""
    options = _options(argv)
    settings = Settings()
    logging.basicConfig(level=settings[LOG_LEVEL].upper(), format="%(asctime)s store %(levelname)s %(message)s")
    password = settings[STORE_PASSWORD]
    if options.port >= 0 and not password:
        print(f"store: --port needs a password: set {STORE_PASSWORD.variable}", file=sys.stderr)  # noqa: T201 - before anything is there to log
        return 1
    # Blocked in every thread, the engine's included, and waited for: a handler would not wake the main thread where
    # the kernel gave the signal to another one, and the engine's profiler makes it do so now and then.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
    if options.exit_with:
        _end_with(options.exit_with)
    options.data.mkdir(parents=True, exist_ok=True)
    os.chdir(options.data)  # where the engine keeps protobuf schemas that came with a statement: `__cache__`
    try:
        engine = Engine.open(options.data, memory_bytes=settings[STORE_MEMORY_BYTES])
    except StoreError as error:
        print(f"store: {options.data} cannot be opened: {error.message}", file=sys.stderr)  # noqa: T201 - likewise
        return 1
    return _serve(options, settings, engine, password)


def _serve(options: _Options, settings: Settings, engine: Engine, password: str) -> int:
    incoming = options.data / "incoming"
    incoming.mkdir(exist_ok=True)
    cores = os.cpu_count() or 1
    front = Front(
        engine,
        users=Users(
            memory_bytes=settings[STORE_MEMORY_BYTES], query_timeout_s=settings[QUERY_TIMEOUT_S], password=password
        ),
        readers=Gate("readers", places=cores * 2, queue=64, patience_s=5.0),
        loader=Gate("loader", places=2, queue=64, patience_s=60.0),
        counters=Counters(),
        spool=options.spool,
        incoming=incoming,
        slow_s=options.slow_ms / 1000,
    )
    listeners = [Listener(_bind_unix(options.socket), front, most=_MOST_LOCAL)]
    if options.port >= 0:
        tcp = _bind_tcp(options.port)
        print(f"port {tcp.getsockname()[1]}", flush=True)  # noqa: T201 - whoever asked for any port reads it here
        listeners.append(Listener(tcp, front, most=_MOST_TCP))
    for listener in listeners:
        listener.start()
    print("ready", flush=True)  # noqa: T201 - part of the contract
    signal.sigwait(_STOPPING)
    options.socket.unlink(missing_ok=True)
    for listener in listeners:
        listener.close()
    if not front.stop(_WRITERS_FINISH_WITHIN_S) or not engine.close(_LINKS_CLOSE_WITHIN_S):
        log.error("statements still run after %.0f s; the engine is left as it is", _WRITERS_FINISH_WITHIN_S)
        logging.shutdown()
        os._exit(1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
