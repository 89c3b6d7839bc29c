"""SkyWalking's segments over gRPC to queryable rows: CPU of every process a span, by the way they come.

Against the real server (`sonde up`: web and store process). `collect` is what agents call: a stream with a message for
each segment, here of one sender, ended after each batch. `collectInSync` is one message with all segments of a batch,
as a program sends it that gathers for many. OTLP/gRPC of as many spans stands in ingest.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from bench import ingest, report
from bench.idle import NO_SECOND_PORTS, SONDE, free_port, running, wait_ready
from bench.segment_traffic import SegmentTraffic
from sonde.wire.protobuf import message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Batch = list[bytes]

BATCHES = ((50_000, 4), (10_000, 12), (1_000, 40))
"""Spans in a batch, and batches."""
CALLS = ("collectInSync", "collect")
SERVICE = "/skywalking.v3.TraceSegmentReportService/"


class Server(ingest.Server):
    """The same, with SkyWalking's port in the place of OTLP's."""

    @contextlib.contextmanager
    def sender(self, transport: str) -> Iterator[Callable[[Batch], None]]:  # type: ignore[override]
        """Sends a batch of SegmentObjects by the call `transport`; raises where it is refused."""
        options = [("grpc.max_send_message_length", -1)]
        with grpc.insecure_channel(f"127.0.0.1:{self._grpc_port}", options=options) as channel:
            token = (("authentication", self._token),)
            if transport == "collect":
                stream = channel.stream_unary(SERVICE + transport)
                yield lambda batch: stream(iter(batch), metadata=token)
            else:
                whole = channel.unary_unary(SERVICE + transport)
                yield lambda batch: whole(b"".join(message(1, one) for one in batch), metadata=token)


@contextlib.contextmanager
def server(folder: Path) -> Iterator[Server]:
    """A server that is ready."""
    port, grpc_port = free_port(), free_port()
    ports = ["--port", str(port), *NO_SECOND_PORTS, "--skywalking-grpc-port", str(grpc_port)]
    with running([*SONDE, "up", "--data", str(folder), *ports]) as process:
        wait_ready(port)
        started = Server(folder, process.pid, port, grpc_port)
        yield started
        started.store.close()


def batches(traffic: SegmentTraffic, spans: int, count: int) -> tuple[list[Batch], int]:
    """Batches of about `spans` spans, and how many spans there are in all."""
    made, total = [], 0
    for _ in range(count):
        segments = list(traffic.segments(spans, time.time_ns() // 1_000_000))
        made.append([segment for segment, _ in segments])
        total += sum(number for _, number in segments)
    return made, total


def measure(target: Server, sent: list[Batch], total: int, call: str) -> tuple[float, dict[str, float]]:
    """Seconds until all is queryable, and CPU seconds by role until merges have settled."""
    target.empty()
    before, started = target.cpu(), time.perf_counter()
    with target.sender(call) as send:
        for batch in sent:
            send(batch)
    while target.rows() < total:
        if time.perf_counter() - started > ingest.DEADLINE_S:
            raise TimeoutError(f"{total - target.rows()} spans are missing")
        time.sleep(0.05)
    elapsed = time.perf_counter() - started
    time.sleep(ingest.SETTLE_S)
    return elapsed, {name: spent - before[name] for name, spent in target.cpu().items()}


def main() -> None:
    """Warm up, then each way and batch size."""
    rows: list[tuple[str, ...]] = []
    traffic = SegmentTraffic()
    with tempfile.TemporaryDirectory(dir=os.environ.get("SONDE_BENCH_DIR")) as folder, server(Path(folder)) as target:
        measure(target, *batches(traffic, 10_000, 3), "collect")
        for spans, count in BATCHES:
            for call in CALLS:
                sent, total = batches(traffic, spans, count)
                elapsed, cpu = measure(target, sent, total, call)
                each = sum(cpu.values()) / total * 1e6
                size = sum(len(segment) for batch in sent for segment in batch) / total
                rows.append(
                    (
                        f"{spans:,}",
                        call,
                        f"{size:.0f}",
                        f"{cpu['web'] / total * 1e6:.2f}",
                        f"{cpu['store'] / total * 1e6:.2f}",
                        f"{each:.2f}",
                        f"{1e6 / each:,.0f}",
                        f"{total / elapsed:,.0f}",
                    )
                )
    report.write(
        "skywalking",
        "SkyWalking's segments over gRPC to queryable rows",
        (
            "spans a batch",
            "call",
            "B/span",
            "web µs/span",
            "store µs/span",
            "all µs/span",
            "spans/s per core",
            "spans/s wall",
        ),
        rows,
        [
            "CPU of all threads, user and system, until the rows are queryable and 3 s of merges after that.",
            "Segments have four to eight spans, of 20 services; two kinds of ids.",
            "One sender, one batch at a time; its own CPU is not counted, but it shares the cores with the server.",
            "All tables are emptied before each measurement.",
            "`collect` has a message for each segment: half of the web's CPU is the kernel's, changing threads.",
            "grpcio hands each message from its own thread to the event loop; looking at segments is 3 %.",
            "A stream comes slower, so files have fewer spans, and a load's fixed cost is more of each.",
        ],
    )


if __name__ == "__main__":
    main()
