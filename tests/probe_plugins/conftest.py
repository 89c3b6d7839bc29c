"""Plugins in this very process: the real libraries, the real recorder without a sender, faults raised."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Message

from sonde.probe import core, guard
from sonde.probe.plugins import entry, options
from sonde.probe.plugins.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {1: "internal", 2: "server", 3: "client", 4: "producer", 5: "consumer"}


@dataclass(frozen=True)
class Recorded:
    """A span as it would be sent."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    attributes: dict[str, Any]
    is_error: bool
    events: list[str]
    duration_ns: int
    links: list[tuple[str, str]]
    began_ns: int

    @classmethod
    def decoded(cls, data: bytes) -> Recorded:
        span = Message.FromString(data)
        attributes = {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes}
        return cls(
            span.name,
            KINDS[span.kind],
            span.trace_id.hex(),
            span.span_id.hex(),
            span.parent_span_id.hex(),
            attributes,
            span.status.code == 2,
            [event.name for event in span.events],
            span.end_time_unix_nano - span.start_time_unix_nano,
            [(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
            span.start_time_unix_nano,
        )


CLOCKS_DIFFER_NS = 2_000_000
"""The recorder's time of day is that of its start, and goes on with a clock that nobody sets."""


class Spans:
    """What was recorded since the last look, and began since this was made: a server of an earlier test may still be at
    a request whose client has gone.
    """

    def __init__(self) -> None:
        self._since = time.time_ns()
        self._seen: list[Recorded] = []

    def take(self, expected: int, within_s: float = 5.0) -> list[Recorded]:
        """Exactly `expected` spans, those of one thread in the order they ended.

        A server may end its span after its client has the answer: they are waited for.
        """
        deadline = time.monotonic() + within_s
        while True:
            if self._look() >= expected or time.monotonic() > deadline:
                break
            time.sleep(0.002)
        taken, self._seen = self._seen, []
        assert len(taken) == expected, [(span.kind, span.name) for span in taken]
        return taken

    def now(self) -> list[Recorded]:
        """What is there by now, however much it is."""
        self._look()
        taken, self._seen = self._seen, []
        return taken

    def _look(self) -> int:
        found = map(Recorded.decoded, core.drain())
        self._seen += (span for span in found if span.began_ns >= self._since - CLOCKS_DIFFER_NS)
        return len(self._seen)

    def only(self) -> Recorded:
        return self.take(1)[0]

    def by_kind(self, expected: int) -> dict[str, Recorded]:
        """The last span of each kind."""
        return {span.kind: span for span in self.take(expected)}


@pytest.fixture(autouse=True)
def loggers() -> Iterator[None]:
    """As they were: some libraries configure logging in a way that disables whoever was there before."""
    before = {name: (logger.disabled, logger.level) for name, logger in _loggers()}
    root, all_of_them = logging.root.level, logging.root.manager.disable
    yield
    for name, logger in _loggers():
        logger.disabled, level = before.get(name, (False, logger.level))
        logger.setLevel(level)
    logging.root.setLevel(root)
    logging.disable(all_of_them)


def _loggers() -> list[tuple[str, logging.Logger]]:
    known = logging.Logger.manager.loggerDict
    return [(name, logger) for name, logger in known.items() if isinstance(logger, logging.Logger)]


@pytest.fixture
def spans() -> Iterator[Spans]:
    """The probe is on, with every plugin."""
    guard.forget()
    guard.raised = True
    entry.operations.clear()
    options.record_sql = "masked"
    options.websocket_messages = True
    core.start({}, "", hello={}, debug=True)
    engine = Engine()
    engine.start()
    yield Spans()
    engine.stop()
    core.drain()
    core.stop(0)
    guard.raised = False
    assert guard.faults() == {}


@pytest.fixture
def serve_wsgi():
    """Serve WSGI applications by werkzeug on free ports; gives the address."""
    from werkzeug.serving import make_server

    running = []

    def serve(app: Any) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server, thread in running:
        server.shutdown()
        thread.join(5)
        server.server_close()


@pytest.fixture
def serve_asgi():
    """Serve ASGI applications by uvicorn on free ports; gives the address."""
    import uvicorn

    running = []

    def serve(app: Any, **options: Any) -> str:
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", **options))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline
            assert thread.is_alive()
            time.sleep(0.005)
        running.append((server, thread))
        return f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"

    yield serve
    for server, thread in running:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive()
