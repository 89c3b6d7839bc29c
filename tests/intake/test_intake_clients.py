"""OpenTelemetry's Python exporters against an intake that refuses for a moment, or whose answer is lost."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from grpc_world import serving
from intake_world import APP, TOKEN, bodies
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sonde.server.intake.acceptance import Acceptance
from sonde.server.spool.entry import Signal
from sonde.server.spool.limits import SpoolLimits
from sonde.server.spool.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from opentelemetry.sdk.trace import ReadableSpan

    from sonde.server.intake.hints import Hints

FILLING = 3000


def finished_spans() -> Sequence[ReadableSpan]:
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    with provider.get_tracer("t").start_as_current_span("outer"), provider.get_tracer("t").start_as_current_span("in"):
        pass
    provider.shutdown()
    return memory.get_finished_spans()


def exporter(port: int) -> OTLPSpanExporter:
    token = (("authorization", f"Bearer {TOKEN}"),)
    return OTLPSpanExporter(f"http://127.0.0.1:{port}", headers=token, timeout=60)


async def sent(port: int) -> SpanExportResult:
    """The exporter blocks, so it has a thread."""

    def send() -> SpanExportResult:
        to = exporter(port)
        try:
            return to.export(finished_spans())
        finally:
            to.shutdown()

    return await asyncio.get_running_loop().run_in_executor(None, send)


def names(spool: Spool) -> list[str]:
    stored = [ExportTraceServiceRequest.FromString(body) for body in bodies(spool.folder) if len(body) < FILLING]
    return sorted(
        span.name
        for request in stored
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    )


def empty(spool: Spool) -> None:
    """What the loader does when the store has a file."""
    file = spool.backlog(Signal.TRACES).next(timeout_s=30)
    assert file is not None
    spool.stored(Signal.TRACES, file)


def test_a_batch_that_a_full_spool_refuses_is_sent_again_and_stored(tmp_path: Path, hints: Hints) -> None:
    limits = SpoolLimits(min_free_bytes=0, file_max_age_s=0.01, max_bytes=FILLING + 300)
    with Spool(tmp_path / "spool", limits) as spool:
        spool.store(Signal.TRACES, APP, bytes(FILLING), 1).synced.result()
        acceptance = Acceptance(authenticate={TOKEN: APP}.get, spool=spool, hints=hints)

        async def run() -> SpanExportResult:
            async with serving(acceptance) as port:
                sending = asyncio.create_task(sent(port))
                while not acceptance.counters.refused:  # noqa: ASYNC110 - the sender is in a thread
                    await asyncio.sleep(0.01)
                empty(spool)
                return await sending

        result = asyncio.run(run())
        acceptance.close()

        assert result is SpanExportResult.SUCCESS
        assert acceptance.counters.refused[Signal.TRACES, "spool_full"] >= 1
        assert names(spool) == ["in", "outer"]


def test_a_batch_whose_answer_was_lost_is_sent_again_and_stored_once(
    spool: Spool, hints: Hints, new_relay: Callable[..., int]
) -> None:
    acceptance = Acceptance(authenticate={TOKEN: APP}.get, spool=spool, hints=hints)

    async def run() -> SpanExportResult:
        async with serving(acceptance) as port:
            return await sent(new_relay(port, lambda: bool(acceptance.counters.requests)))

    result = asyncio.run(run())
    acceptance.close()

    assert result is SpanExportResult.SUCCESS
    assert acceptance.counters.duplicates == {Signal.TRACES: 1}
    assert acceptance.counters.items == {Signal.TRACES: 2}
    assert names(spool) == ["in", "outer"]


@pytest.fixture
def new_relay() -> Callable[..., int]:
    """A port before another. Answers of the first connection are held back until `cut` is true; then it is cut."""

    def make(to: int, cut: Callable[[], bool]) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=_relay, args=(listener, to, cut), daemon=True).start()
        port: int = listener.getsockname()[1]
        return port

    return make


def _relay(listener: socket.socket, to: int, cut: Callable[[], bool]) -> None:
    with listener:
        first, _ = listener.accept()
        _copy_until_cut(first, to, cut)
        second, _ = listener.accept()
    with second, socket.create_connection(("127.0.0.1", to)) as server:
        back = threading.Thread(target=_copy, args=(server, second))
        back.start()
        _copy(second, server)
        back.join()


def _copy_until_cut(client: socket.socket, to: int, cut: Callable[[], bool]) -> None:
    """The first answers, HTTP/2's settings, are let through, for without them nothing is sent."""
    with client, socket.create_connection(("127.0.0.1", to)) as server:
        client.settimeout(0.01)
        server.settimeout(0.01)
        client.sendall(server.recv(65536) if _readable(server) else b"")
        while not cut():
            for source, target in ((client, server), (server, None)):
                with contextlib.suppress(TimeoutError):
                    data = source.recv(65536)
                    if target is not None:
                        target.sendall(data)


def _readable(server: socket.socket) -> bool:
    server.settimeout(10)
    return bool(server.recv(1, socket.MSG_PEEK))


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
