"""Whole programs under `sonde run`, and an agent's socket that shows what arrives."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sonde.wire.frames import FrameReader, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

APPS = Path(__file__).parent / "apps"
DEADLINE_S = 30.0


@dataclass(frozen=True)
class Arrived:
    """A span and the process it came from."""

    name: str
    kind: int
    span_id: str
    parent_id: str
    trace_id: str
    attributes: dict[str, Any]
    resource: dict[str, Any]


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}


def _spans(payload: bytes) -> Iterator[Arrived]:
    for resource in ExportTraceServiceRequest.FromString(payload).resource_spans:
        facts = _attributes(resource.resource.attributes)
        for scope in resource.scope_spans:
            for span in scope.spans:
                ids = (span.span_id.hex(), span.parent_span_id.hex(), span.trace_id.hex())
                yield Arrived(span.name, span.kind, *ids, _attributes(span.attributes), facts)


def _points(payload: bytes) -> Iterator[tuple[str, int, float, dict[str, Any]]]:
    for resource in ExportMetricsServiceRequest.FromString(payload).resource_metrics:
        pid = _attributes(resource.resource.attributes)["process.pid"]
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in [*metric.gauge.data_points, *metric.sum.data_points]:
                    yield metric.name, pid, point.as_double, _attributes(point.attributes)


@dataclass
class Receiver:
    """Listens where an agent would."""

    path: str
    hellos: list[dict[str, Any]] = field(default_factory=list)
    spans: list[Arrived] = field(default_factory=list)
    metrics: list[tuple[str, int, float, dict[str, Any]]] = field(default_factory=list)
    """Name, process, value, attributes."""
    _changed: threading.Condition = field(default_factory=threading.Condition)

    def serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._read, args=(connection,), daemon=True).start()

    def _read(self, connection: socket.socket) -> None:
        reader = FrameReader()
        with connection:
            while data := connection.recv(1 << 16):
                for kind, payload in reader.feed(data):
                    with self._changed:
                        if kind == Kind.HELLO:
                            hello = json.loads(payload)
                            if hello.get("role") != "operator":  # `sonde debug` of another test looks for agents
                                self.hellos.append(hello)
                        elif kind == Kind.TRACES:
                            self.spans += _spans(payload)
                        elif kind == Kind.METRICS:
                            self.metrics += _points(payload)
                        self._changed.notify_all()

    def wait(self, enough: Callable[[list[Arrived]], bool]) -> list[Arrived]:
        """The spans that arrived, once they are enough."""
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.spans), DEADLINE_S), self.spans
            return list(self.spans)

    def wait_for_metrics(self, enough: Callable[[list[Any]], bool]) -> list[tuple[str, int, float, dict[str, Any]]]:
        """The points that arrived, once they are enough."""
        with self._changed:
            assert self._changed.wait_for(lambda: enough(self.metrics), DEADLINE_S), self.metrics
            return list(self.metrics)

    def entries(self, count: int) -> list[Arrived]:
        """Exactly `count` server spans."""
        self.wait(lambda spans: sum(span.kind == 2 for span in spans) >= count)
        found = [span for span in self.spans if span.kind == 2]
        assert len(found) == count, found
        return found


@pytest.fixture
def receiver(tmp_path_factory) -> Iterator[Receiver]:
    # Not the test's own folder: its name may be longer than the path of a socket can be.
    path = str(tmp_path_factory.mktemp("s") / "agent.sock")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(16)
    made = Receiver(path)
    threading.Thread(target=made.serve, args=(listener,), daemon=True).start()
    yield made
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@dataclass
class Program:
    process: subprocess.Popen[str]

    def end(self, number: int = signal.SIGTERM) -> tuple[int, str]:
        """Exit code and standard error, after the signal."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        _, error = self.process.communicate(timeout=DEADLINE_S)
        return self.process.returncode, error


def environment(**more: str) -> dict[str, str]:
    """Ours without anything of Sonde's and of Python's path."""
    plain = {
        name: value for name, value in os.environ.items() if not name.startswith(("SONDE_", "OTEL_", "PYTHONPATH"))
    }
    return {**plain, "PYTHONUNBUFFERED": "1", **more}


@pytest.fixture
def start(receiver) -> Iterator[Callable[..., Program]]:
    """Start `sonde run [flags] -- command` in the folder of the little applications."""
    programs = []

    def started(*command: str, flags: tuple[str, ...] = (), sonde: bool = True, **more: str) -> Program:
        under = [sys.executable, "-m", "sonde", "run", "--socket", receiver.path, "--no-agent", *flags, "--"]
        process = subprocess.Popen(
            [*(under if sonde else []), *command],
            cwd=APPS,
            env=environment(**{"SONDE_DEBUG": "1", **more}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        programs.append(process)
        return Program(process)

    yield started
    for process in programs:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # a child that hangs keeps our pipes open
        process.communicate(timeout=DEADLINE_S)


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def fetch(port: int, path: str = "/") -> bytes:
    """The answer, waiting for the server to come up."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=DEADLINE_S) as answer:
                return answer.read()
        except urllib.error.URLError as error:
            # Nothing else: a request that was served and then repeated would be counted as one.
            if not isinstance(error.reason, ConnectionRefusedError) or time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def fetch_from_all(port: int, workers: int) -> dict[int, int]:
    """Requests until each worker answered with its process id; how many each answered.

    On a busy machine one serves hundreds before another has come up.
    """
    answers: dict[int, int] = {}
    deadline = time.monotonic() + DEADLINE_S
    while len(answers) < workers:
        assert time.monotonic() < deadline, f"only {answers} of {workers} workers answered"
        pid = int(fetch(port))
        answers[pid] = answers.get(pid, 0) + 1
        time.sleep(0.002)  # lets the other have its turn
    return answers
