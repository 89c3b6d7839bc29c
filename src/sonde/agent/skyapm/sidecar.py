"""PHP processes -> queue: one thread that answers who a process is, and takes its segments. See the package.

An answer never waits for the server: a worker waits for it while a visitor waits for the worker.
"""

from __future__ import annotations

import logging
import os
import selectors
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Self

from sonde.agent.host_metrics import otlp_metrics
from sonde.agent.host_metrics.otlp_metrics import Metric, Point
from sonde.agent.receiving import socket_file
from sonde.agent.signals import Signal
from sonde.agent.skyapm import lines
from sonde.agent.skyapm.lines import Asked, LineError
from sonde.agent.skyapm.socket import Connection
from sonde.agent.skyapm.translate import segment_object
from sonde.wire.protobuf import message

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sonde.agent.counters import Counters
    from sonde.agent.disk_queue.queue import BatchQueue
    from sonde.agent.skyapm.instances import Instance, Instances

log = logging.getLogger(__name__)

MOST_CONNECTIONS = 1024
MOST_PENDING_BYTES = 32 << 20
"""Of unfinished lines of all connections together; the longest goes."""
SILENT_S = 10.0
"""A connection on which nothing comes for so long is closed."""
REPORT_EVERY_S = 30.0
ACCEPT_PAUSE_S = 0.2
_LAST_LOOK_S = 1.0


class Sidecar:
    """Listens until it is left; then reads what had already been sent to it."""

    def __init__(
        self,
        path: Path,
        queue: BatchQueue,
        instances: Instances,
        *,
        host: Mapping[str, str],
        counters: Counters,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`host`: attributes of the host, as in `identity.host_resource`."""
        self._path = path
        self._queue = queue
        self._instances = instances
        self._host = {key: value for key, value in host.items() if not key.startswith("service.")}
        self._counters = counters
        self._clock = clock
        self._started_unix_ns = time.time_ns()
        self._connections: set[Connection] = set()
        self._segments: list[bytes] = []
        self._report_at = clock() + REPORT_EVERY_S
        self._running = ExitStack()
        self._thread = threading.Thread(target=self._run, name="sonde-skyapm", daemon=True)

    def __enter__(self) -> Self:
        """Raises AgentError."""
        self._server = self._running.enter_context(socket_file.listening(self._path))
        self._wake, self._alarm = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._selector = self._running.enter_context(selectors.DefaultSelector())
        self._selector.register(self._server, selectors.EVENT_READ)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._thread.start()
        log.info("PHP processes with SkyAPM 3 are served at %s", self._path)
        return self

    def __exit__(self, *_: object) -> None:
        os.write(self._alarm, b"!")
        self._thread.join()
        self._running.close()
        os.close(self._wake)
        os.close(self._alarm)

    # -- the thread ---------------------------------------------------------------------------------------------------
    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select(self._patience_s()):
                if isinstance(key.fileobj, Connection):
                    if key.fileobj in self._connections:  # one read earlier in this round may have cost this one
                        self._receive(key.fileobj)
                elif key.fileobj is self._server:
                    self._accept()
                else:
                    self._last_look()
                    return
            self._hand_over()
            self._close_silent()
            if self._clock() >= self._report_at:
                self._instances.forget_ended()
                self._report(list(self._instances))
                self._report_at = self._clock() + REPORT_EVERY_S

    def _patience_s(self) -> float:
        dues = [self._report_at, *(connection.heard_at + SILENT_S for connection in self._connections)]
        return max(0.0, min(dues) - self._clock())

    def _accept(self) -> bool:
        """Take one waiting connection. False where there is none."""
        try:
            sock, _ = self._server.accept()
        except BlockingIOError:
            return False
        except OSError as error:  # out of descriptors: the connection keeps waiting, and so must we
            self._counters.add("sonde.agent.skyapm.closed", reason="accept_failed")
            log.warning("a PHP process cannot be let in: %s", error.strerror)
            time.sleep(ACCEPT_PAUSE_S)
            return False
        if len(self._connections) >= MOST_CONNECTIONS:
            self._counters.add("sonde.agent.skyapm.closed", reason="too_many")
            sock.close()
            return True
        sock.setblocking(False)
        connection = Connection(sock, self._clock())
        self._connections.add(connection)
        self._selector.register(connection, selectors.EVENT_READ)
        return True

    def _receive(self, connection: Connection) -> bool:
        """Read once. False where nothing more is to be read now."""
        try:
            whole = connection.read(self._clock())
        except BlockingIOError:
            return False
        except LineError as error:
            self._bad(error)
            self._close(connection)
            return False
        except OSError:
            whole = None
        if whole is None:
            if connection.pending_bytes:
                self._bad(LineError("torn", "a connection ended in the middle of a line"))
            self._close(connection)
            return False
        for line in whole:
            self._take(line, connection)
        while sum(open_one.pending_bytes for open_one in self._connections) > MOST_PENDING_BYTES:
            self._counters.add("sonde.agent.skyapm.closed", reason="too_much_pending")
            self._close(max(self._connections, key=lambda open_one: open_one.pending_bytes))
        return connection in self._connections

    def _take(self, line: bytes, connection: Connection) -> None:
        try:
            said = lines.read(line)
            if isinstance(said, Asked):
                self._introduce(self._instances.who_is(said), connection)
            else:
                self._segments.append(segment_object(said.message, *self._instances.sender_of(said)))
                self._counters.add("sonde.agent.skyapm.lines", kind="segment")
        except LineError as error:
            self._bad(error)

    def _introduce(self, instance: Instance, connection: Connection) -> None:
        self._counters.add("sonde.agent.skyapm.lines", kind="register")
        try:
            connection.answer(instance.answer())
        except OSError:  # it did not wait; it will ask again
            self._counters.add("sonde.agent.skyapm.closed", reason="unanswered")
        if not instance.segments:
            self._report([instance])

    def _bad(self, error: LineError) -> None:
        self._counters.add("sonde.agent.skyapm.bad_lines", reason=error.reason)
        log.debug("a PHP process: %s", error)

    def _hand_over(self) -> None:
        """What this round brought, as one payload."""
        if self._segments:
            self._queue.append("", Signal.SEGMENTS, b"".join(message(1, segment) for segment in self._segments))
            self._segments.clear()

    def _report(self, instances: list[Instance]) -> None:
        """That they are there, and what they are."""
        now_ns = time.time_ns()
        requests = [
            otlp_metrics.request(
                self._host
                | {
                    "service.name": instance.service,
                    "service.instance.id": instance.name,
                    "telemetry.sdk.name": "skywalking",
                    "telemetry.sdk.language": "php",
                    "process.pid": str(instance.pid),
                },
                [Metric("sonde.skyapm.segments", "{segment}", [Point(instance.segments, {})], self._started_unix_ns)],
                now_ns,
            )
            for instance in instances
        ]
        if requests:
            self._queue.append("", Signal.METRICS, b"".join(requests))

    def _close_silent(self) -> None:
        too_old = self._clock() - SILENT_S
        for connection in list(self._connections):
            if connection.heard_at <= too_old:
                self._counters.add("sonde.agent.skyapm.closed", reason="silent")
                self._close(connection)

    def _close(self, connection: Connection) -> None:
        self._selector.unregister(connection)
        self._connections.remove(connection)
        connection.close()

    def _last_look(self) -> None:
        """What was written before we were told to stop is in the kernel's buffers, some of it not even accepted."""
        deadline = self._clock() + _LAST_LOOK_S
        while self._accept() and self._clock() < deadline:
            pass
        for connection in list(self._connections):
            while connection in self._connections and self._receive(connection) and self._clock() < deadline:
                pass
        self._hand_over()
        for connection in list(self._connections):
            self._close(connection)
