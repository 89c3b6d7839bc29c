"""What the recorder's tests are made with: a recording, an agent to send to, decoded spans."""

from __future__ import annotations

import contextlib
import importlib
import socket
import threading
import time
from contextlib import contextmanager
from pathlib import Path

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from sonde.wire.frames import FrameReader, Kind, frame

IMPLEMENTATIONS = {"native": "sonde.probe.core._core", "twin": "sonde.probe.core.twin"}
DEADLINE_S = 20.0


def poll(condition, deadline_s=DEADLINE_S):
    """What `condition` returns as soon as that is true. Fails the test when it does not come true in time."""
    until = time.monotonic() + deadline_s
    while not (result := condition()):
        assert time.monotonic() < until, f"waited {deadline_s} s in vain"
        time.sleep(0.005)
    return result


class Recording:
    """An implementation that records into its rings, and what has come out of them since the test began."""

    def __init__(self, core) -> None:
        self.core = core
        self._before = core.counters()

    def spans(self):
        """The finished spans so far, decoded; each is given out once."""
        return [Span.FromString(data) for data in self.core.drain()]

    def only(self):
        (span,) = self.spans()
        return span

    def counted(self, name):
        """How often since the test began."""
        return self.core.counters()[name] - self._before[name]


@contextmanager
def record(core, **settings):
    """Record without a sender. Settings as those of `start`."""
    core.stop(0)
    core.drain()
    core.start({}, "", hello={}, **settings)
    try:
        yield Recording(core)
    finally:
        core.stop(0)
        core.drain()


class Agent:
    """Listens where a probe looks, and keeps every frame of every connection."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.connections: list[list[tuple[int, bytes]]] = []
        self.broken_frames = 0
        """Connections that ended inside a frame."""
        self.read_at_most: int | None = None
        """Bytes after which a connection is not read any further."""
        self.read_enough = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self._gone = threading.Event()

    def listen(self) -> None:
        self._gone.clear()
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.path)
        self._listener.listen(64)
        self._start(self._accept, self._listener)

    def hang_up(self) -> None:
        """Go away like a killed agent: no listener, no connection, no socket file."""
        if self._listener is not None:
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
            Path(self.path).unlink()
        self._gone.set()
        for connection in self._open:
            shut_down(connection)
        self._open.clear()

    def close(self) -> None:
        self.hang_up()
        for thread in self._threads:
            thread.join(DEADLINE_S)

    def say(self, kind, payload):
        """Send a frame to every probe that is connected now."""
        self.say_bytes(frame(kind, payload))

    def say_bytes(self, data):
        poll(lambda: self._open)  # a probe has said what it had to, and may not be accepted yet
        for connection in list(self._open):  # one that this ends comes again at once
            with contextlib.suppress(OSError):  # that one has gone
                connection.sendall(data)

    def frames(self, kind):
        return [payload for frames in list(self.connections) for of, payload in list(frames) if of == kind]

    def requests(self):
        return [ExportTraceServiceRequest.FromString(payload) for payload in self.frames(Kind.TRACES)]

    def spans(self):
        return [
            span
            for request in self.requests()
            for resource_spans in request.resource_spans
            for scope_spans in resource_spans.scope_spans
            for span in scope_spans.spans
        ]

    def _start(self, target, *args):
        thread = threading.Thread(target=target, args=args, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept(self, listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            frames: list[tuple[int, bytes]] = []
            self._open.append(connection)
            self.connections.append(frames)
            self._start(self._read, connection, frames)

    def _read(self, connection, frames):
        reader = FrameReader()
        with connection:
            rest = self.read_at_most
            while data := receive(connection, rest):
                frames += reader.feed(data)
                rest = None if rest is None else rest - len(data)
            if rest == 0:
                self.read_enough.set()
                self._gone.wait(DEADLINE_S)
        self.broken_frames += reader.pending > 0


def receive(connection, at_most):
    try:
        return connection.recv(1 << 16 if at_most is None else min(at_most, 1 << 16))
    except OSError:
        return b""


def shut_down(connection):
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        connection.close()  # the probe was first


def ids_in_a_process(name):
    """Ten encoded spans, made by implementation `name`."""
    core = importlib.import_module(name)
    core.start({}, "", hello={})
    op = core.operation("op", core.INTERNAL)
    for _ in range(10):
        core.leaf(op).finish()
    return core.drain()


PROLOGUE = """
import importlib, os, sys, threading, time
threads_at_fork = []
# The hook that is registered first is asked last: when the sender has been told.
os.register_at_fork(before=lambda: threads_at_fork.append(len(os.listdir("/proc/self/task"))))
core = importlib.import_module(sys.argv[1])
path = sys.argv[2]
def start(**settings):
    settings = {"flush_interval_ms": 5, "hello": {"service": "shop"}} | settings
    core.start({"service.name": "shop"}, path, **settings)
def span(name):
    core.leaf(core.operation(name, core.INTERNAL)).finish()
"""
