"""Probes -> queue: one thread that reads every connection of the unix socket, and tells probes what the server says.

A connection whose bytes are no frames is closed and counted by reason; the others never notice.
"""

from __future__ import annotations

import logging
import os
import selectors
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from sonde.agent.receiving import socket_file
from sonde.agent.receiving.connection import Connection, Role
from sonde.wire.frames import FrameError

if TYPE_CHECKING:
    import socket
    from pathlib import Path

    from sonde.agent.counters import Counters
    from sonde.agent.disk_queue.queue import BatchQueue
    from sonde.agent.receiving.probe_settings import ProbeSettings
    from sonde.agent.receiving.probes import Probes
    from sonde.agent.tools.runs import Runs

log = logging.getLogger(__name__)

HELLO_WITHIN_S = 10.0
MAX_PENDING_BYTES = 48 << 20
"""Unfinished frames of all connections together: room for three of the largest, whoever sends them."""
LAST_LOOK_S = 1.0
ACCEPT_PAUSE_S = 0.2


class Receiver:
    """Listens until it is left; then reads what had already been sent to it, for at most LAST_LOOK_S."""

    def __init__(
        self,
        path: Path,
        queue: BatchQueue,
        probes: Probes,
        settings: ProbeSettings,
        runs: Runs,
        *,
        max_connections: int,
        counters: Counters,
    ) -> None:
        self._path = path
        self._queue = queue
        self._probes = probes
        self._settings = settings
        self._runs = runs
        self._max_connections = max_connections
        self._counters = counters
        self._connections: set[Connection] = set()
        self._too_slow: set[Connection] = set()
        self._running = ExitStack()
        self._thread = threading.Thread(target=self._run, name="sonde-receive", daemon=True)

    def __enter__(self) -> Self:
        self._server = self._running.enter_context(socket_file.listening(self._path))
        self._wake, self._alarm = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._selector = self._running.enter_context(selectors.DefaultSelector())
        self._selector.register(self._server, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._selector.register(self._settings, selectors.EVENT_READ)
        self._selector.register(self._runs, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._alarm, b"!")
        self._thread.join()
        self._running.close()
        os.close(self._wake)
        os.close(self._alarm)

    @property
    def connection_count(self) -> int:
        """Probes connected now."""
        return sum(connection.role == Role.PROBE for connection in list(self._connections))

    # -- the thread ---------------------------------------------------------------------------------------------------
    def _run(self) -> None:
        while True:
            for key, ready in self._selector.select(self._patience_s()):
                if isinstance(key.fileobj, Connection):
                    if key.fileobj in self._connections:  # one read earlier in this round may have cost this one
                        self._serve(key.fileobj, ready)
                elif key.fileobj is self._server:
                    self._accept()
                elif key.fileobj is self._settings:
                    self._tell()
                elif key.fileobj is self._runs:
                    self._runs.hear()
                else:
                    self._last_look()
                    return
            self._runs.expire()
            self._close_silent()
            self._close_too_slow()

    def _patience_s(self) -> float | None:
        """Seconds until a connection has been silent for too long, or a run is over; None where neither can be."""
        dues = [connection.opened_at + HELLO_WITHIN_S for connection in self._connections if not connection.introduced]
        if (due := self._runs.next_due()) is not None:
            dues.append(due)
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def _accept(self) -> bool:
        """Take one waiting connection. False where there is none."""
        try:
            sock, _ = self._server.accept()
        except BlockingIOError:
            return False
        except OSError as error:  # out of descriptors: the connection keeps waiting, and so must we
            self._counters.add("sonde.agent.connections.closed", reason="accept_failed")
            log.warning("a probe cannot be let in: %s", error.strerror)
            time.sleep(ACCEPT_PAUSE_S)
            return False
        if len(self._connections) >= self._max_connections:
            self._counters.add("sonde.agent.connections.closed", reason="too_many")
            log.warning("more than %d probes; one is turned away", self._max_connections)
            sock.close()
            return True
        self._welcome(sock)
        return True

    def _welcome(self, sock: socket.socket) -> None:
        connection = Connection(
            sock, self._queue, self._probes, self._settings, self._runs, self._counters, time.monotonic(), self._watch
        )
        self._connections.add(connection)
        self._watch(connection)

    def _serve(self, connection: Connection, ready: int) -> None:
        if ready & selectors.EVENT_WRITE:
            connection.send()
        if ready & selectors.EVENT_READ and not connection.held:
            self._receive(connection)
        self._watch(connection)

    def _tell(self) -> None:
        """The server has news."""
        self._settings.hear()
        for connection in self._connections:
            connection.tell()
            self._watch(connection)

    def _watch(self, connection: Connection) -> None:
        """Be called when there is something to read; and when it takes more, where it is owed something."""
        if connection not in self._connections:
            return
        if connection.is_too_slow:
            self._too_slow.add(connection)
        events = (0 if connection.held else selectors.EVENT_READ) | (selectors.EVENT_WRITE if connection.is_owed else 0)
        known = self._selector.get_map().get(connection)
        if known is None:
            if events:
                self._selector.register(connection, events)
        elif not events:
            self._selector.unregister(connection)
        elif known.events != events:
            self._selector.modify(connection, events)

    def _receive(self, connection: Connection) -> bool:
        """Read once. False where nothing more is to be read now."""
        try:
            if not connection.receive():
                self._close(connection, "hung_up")
                return False
        except BlockingIOError:
            return False
        except FrameError as error:
            log.warning("a probe's connection is closed: %s", error)
            self._close(connection, error.reason)
            return False
        except OSError:
            self._close(connection, "broken")
            return False
        if connection.pending_bytes:
            self._keep_pending_small()
        return True

    def _keep_pending_small(self) -> None:
        while sum(connection.pending_bytes for connection in self._connections) > MAX_PENDING_BYTES:
            self._close(max(self._connections, key=lambda connection: connection.pending_bytes), "too_much_pending")

    def _close_silent(self) -> None:
        too_old = time.monotonic() - HELLO_WITHIN_S
        for connection in list(self._connections):
            if not connection.introduced and connection.opened_at <= too_old:
                self._close(connection, "no_hello")

    def _close_too_slow(self) -> None:
        while self._too_slow:
            connection = self._too_slow.pop()
            if connection in self._connections:
                self._close(connection, "too_slow")

    def _close(self, connection: Connection, reason: str) -> None:
        if connection in self._selector.get_map():
            self._selector.unregister(connection)
        self._connections.remove(connection)
        self._counters.add("sonde.agent.connections.closed", reason=reason)
        connection.close()

    def _last_look(self) -> None:
        """What was written before we were told to stop is in the kernel's buffers, some of it not even accepted."""
        deadline = time.monotonic() + LAST_LOOK_S
        while self._accept() and time.monotonic() < deadline:
            pass
        for connection in list(self._connections):
            while connection in self._connections and self._receive(connection) and time.monotonic() < deadline:
                pass
        self._runs.end_all()
        for connection in list(self._connections):
            self._close(connection, "stopping")
