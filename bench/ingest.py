"""OTLP over HTTP and over gRPC to queryable rows: CPU of every process a span, by batch size.

Requests go to the real server (`sonde up`: web and store process), one after the other, until `spans` has all rows.
Reference: what a Python backend does instead, with the same engine and the same rows: protobuf's parser, a loop that
makes a row of each span, JSONEachRow into a table without any view.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import tempfile
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import msgspec
import psutil
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench import report
from bench.idle import NO_SECOND_PORTS, SONDE, cpu_s, free_port, role, running, wait_ready
from bench.traffic import Traffic
from sonde.server.folders import Folders
from sonde.server.store.client import StoreClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BATCHES = ((50_000, 4, 1), (10_000, 40, 4), (10_000, 10, 1), (1_000, 40, 1))
"""Spans in a request, requests, and senders that send at the same time, each one request after the other."""
TRANSPORTS = ("OTLP/HTTP", "OTLP/gRPC", "OTLP/HTTP, gzip", "OTLP/gRPC, gzip")
SETTLE_S = 3
"""Merges that follow an insert at once are counted with it."""
DEADLINE_S = 120
_EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"

_REFERENCE_TABLE = """
CREATE TABLE reference_spans (
    app LowCardinality(String), service LowCardinality(String), endpoint LowCardinality(String), kind Int8,
    start_time DateTime64(6, 'UTC') CODEC(Delta, ZSTD(1)), duration_ns UInt64 CODEC(T64, ZSTD(1)),
    trace_id String, span_id String, parent_id String, is_error Bool,
    attributes Map(LowCardinality(String), String) CODEC(ZSTD(1))
) ENGINE = MergeTree PARTITION BY toDate(start_time)
ORDER BY (toStartOfHour(start_time), service, endpoint, start_time)
"""


def bodies(traffic: Traffic, spans: int, count: int) -> Iterator[bytes]:
    """Requests of about `spans` spans, those of a minute each; requests of many instances concatenate to one."""
    for _ in range(count):
        now = time.time_ns()
        yield b"".join(body for _, body in traffic.entries(spans, now - 60 * 10**9, now))


def spans_in(body: bytes) -> int:
    """How many there really are."""
    request = ExportTraceServiceRequest.FromString(body)
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)


def reference_rows(body: bytes) -> bytes:
    """JSON lines of a request, by protobuf's parser and a Python loop."""
    lines = []
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
        for scope in resource.scope_spans:
            for span in scope.spans:
                row = {
                    "app": "bench",
                    "service": service,
                    "endpoint": span.name,
                    "kind": span.kind,
                    "start_time": span.start_time_unix_nano // 1000 / 1e6,
                    "duration_ns": span.end_time_unix_nano - span.start_time_unix_nano,
                    "trace_id": span.trace_id.hex(),
                    "span_id": span.span_id.hex(),
                    "parent_id": span.parent_span_id.hex(),
                    "is_error": span.status.code == 2,
                    "attributes": {a.key: _text(a.value) for a in span.attributes},
                }
                lines.append(msgspec.json.encode(row))
    return b"\n".join(lines)


def _text(value: Any) -> str:
    kind = value.WhichOneof("value")
    return str(getattr(value, kind)) if kind else ""


class Server:
    """`sonde up` on a folder of its own, its processes watched."""

    def __init__(self, folder: Path, pid: int, port: int, grpc_port: int) -> None:
        self._port = port
        self._grpc_port = grpc_port
        self._processes = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        made = subprocess.check_output([*SONDE, "app", "create", "bench", "--data", str(folder)])
        self._token = json.loads(made)["token"]
        self.folders = Folders(folder)
        self.store = StoreClient.embedded(self.folders.store_socket(), "loader")

    def cpu(self) -> dict[str, float]:
        """CPU seconds so far by role, all threads."""
        return {role(process): cpu_s(process) for process in self._processes}

    @contextlib.contextmanager
    def sender(self, transport: str) -> Iterator[Callable[[bytes], None]]:
        """Sends one request on a connection that stays open; raises where it is refused."""
        if transport.startswith("OTLP/gRPC"):
            with grpc.insecure_channel(f"127.0.0.1:{self._grpc_port}") as channel:
                export = channel.unary_unary(_EXPORT)
                bearer = (("authorization", f"Bearer {self._token}"),)
                compression = grpc.Compression.Gzip if "gzip" in transport else None
                yield lambda body: export(body, metadata=bearer, compression=compression)
        else:
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self._port)) as connection:
                yield lambda body: self._post(connection, body, packed="gzip" in transport)

    def _post(self, connection: http.client.HTTPConnection, body: bytes, *, packed: bool) -> None:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/x-protobuf"}
        if packed:
            headers["Content-Encoding"] = "gzip"
            body = zlib.compress(body, 6, wbits=31)
        connection.request("POST", "/v1/traces", body, headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{answer.status}: {said!r}")

    def empty(self) -> None:
        """As before the first span, so that no measurement pays for merging what an earlier one left."""
        for (table,) in self.store.rows(
            "SELECT name FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree'"
        ):
            self.store.command(f"TRUNCATE TABLE {table}")

    def rows(self) -> int:
        """Spans that a query sees."""
        return int(self.store.rows("SELECT count() FROM spans")[0][0])


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Server]:
    """A server that is ready."""
    port, grpc_port = free_port(), free_port()
    ports = ["--port", str(port), *NO_SECOND_PORTS, "--otlp-grpc-port", str(grpc_port)]
    with running([*SONDE, "up", "--data", str(folder), *ports]) as process:
        wait_ready(port)
        started = Server(folder, process.pid, port, grpc_port)
        yield started
        started.store.close()


def measure(target: Server, sent: list[bytes], transport: str, senders: int) -> tuple[float, dict[str, float]]:
    """Seconds until all is queryable, and CPU seconds by role until merges have settled."""
    target.empty()
    goal = sum(map(spans_in, sent))
    before, started = target.cpu(), time.perf_counter()

    def send_some(first: int) -> None:
        with target.sender(transport) as send:
            for body in sent[first::senders]:
                send(body)

    with ThreadPoolExecutor(senders) as threads:
        list(threads.map(send_some, range(senders)))
    while target.rows() < goal:
        if time.perf_counter() - started > DEADLINE_S:
            raise TimeoutError(f"{goal - target.rows()} spans are missing")
        time.sleep(0.05)
    elapsed = time.perf_counter() - started
    time.sleep(SETTLE_S)
    return elapsed, {name: spent - before[name] for name, spent in target.cpu().items()}


def measure_reference(target: Server, sent: list[bytes]) -> tuple[float, dict[str, float]]:
    """The same for the reference: this process in the place of the web process."""
    target.empty()
    target.store.command("DROP TABLE IF EXISTS reference_spans")
    target.store.command(_REFERENCE_TABLE)
    path = target.folders.spool / "reference.json"
    before, own, started = target.cpu(), time.process_time(), time.perf_counter()
    for body in sent:
        path.write_bytes(reference_rows(body))
        target.store.insert_file("INSERT INTO reference_spans FORMAT JSONEachRow", path, settings={})
    elapsed = time.perf_counter() - started
    own = time.process_time() - own
    time.sleep(SETTLE_S)
    path.unlink()
    return elapsed, {"web": own, "store": target.cpu()["store"] - before["store"]}


def main() -> None:
    """Warm up, then each batch size: the reference, and ours by each transport."""
    rows: list[tuple[str, ...]] = []
    traffic = Traffic()
    with tempfile.TemporaryDirectory(dir=os.environ.get("SONDE_BENCH_DIR")) as folder, server(Path(folder)) as target:
        for transport in TRANSPORTS:
            measure(target, list(bodies(traffic, 10_000, 3)), transport, 1)
        for spans, count, senders in BATCHES:
            reference: float | None = None
            for name in ("reference", *TRANSPORTS):
                sent = list(bodies(traffic, spans, count))
                total = sum(map(spans_in, sent))
                if name == "reference":
                    elapsed, cpu = measure_reference(target, sent)
                else:
                    elapsed, cpu = measure(target, sent, name, senders)
                all_cpu = sum(cpu.values()) / total * 1e6
                reference = reference or all_cpu
                rows.append(
                    (
                        f"{spans:,}",
                        str(senders),
                        name,
                        f"{sum(map(len, sent)) / total:.0f}",
                        f"{cpu['web'] / total * 1e6:.2f}",
                        f"{cpu['store'] / total * 1e6:.2f}",
                        f"{all_cpu:.2f}",
                        f"{1e6 / all_cpu:,.0f}",
                        f"{total / elapsed:,.0f}",
                        f"{reference / all_cpu:.1f}×",
                    )
                )
    report.write(
        "ingest",
        "OTLP to queryable rows",
        (
            "spans a request",
            "senders",
            "path",
            "B/span",
            "web µs/span",
            "store µs/span",
            "all µs/span",
            "spans/s per core",
            "spans/s wall",
            "against the reference",
        ),
        rows,
        [
            "CPU of all threads, user and system, until the rows are queryable and 3 s of merges after that.",
            "The reference fills one table and no statistics; Sonde fills spans, trace times, statistics and edges.",
            "A sender sends one request at a time; its own CPU is not counted.",
            "The reference's is: it is the parser, and alone.",
            "A load has a fixed cost. Several senders keep the loader busy, and files are larger then.",
            "All tables are emptied before each measurement.",
            f"Load average of the machine at the end: {os.getloadavg()[0]:.1f}.",
        ],
    )


if __name__ == "__main__":
    main()
