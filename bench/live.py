"""The live view: what a viewer costs the web process, how much travels, how old a request is when a viewer hears of it.

Viewers are plain sockets in a process of their own that read and count. Traffic comes through the intake all the while.
Reference: the same server under the same traffic with no viewer; and one viewer.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench import report
from bench.idle import NO_SECOND_PORTS, SONDE, cpu_s, free_port, role, running, wait_ready

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

VIEWERS = (0, 1, 200)
LOOK_S = float(os.environ.get("SONDE_BENCH_LIVE_S", "20"))
SETTLE_S = 5.0
REQUESTS_A_SECOND = 200
SERVICES = 20
MARKED_EVERY_S = 0.73
"""Between requests whose way is timed; not in step with anything that happens by the second."""
APP_REQUESTS = 20
ROOT = Path(__file__).parents[1]
GOAL_S = 2
PATIENCE_S = 8


def batch(count: int, mark: bytes) -> bytes:
    """Requests of many services that end now, each a microsecond after the one before; the last has the id `mark`."""
    request = ExportTraceServiceRequest()
    now = time.time_ns()
    for number in range(count):
        resource = request.resource_spans.add()
        service = f"service-{number % SERVICES}"
        resource.resource.attributes.add(key="service.name").value.string_value = service
        resource.scope_spans.add().spans.add(
            trace_id=mark if number == count - 1 else os.urandom(16),
            span_id=os.urandom(8),
            name=f"GET /{number % 7}",
            kind=2,
            start_time_unix_nano=now - (number % 50 + 1) * 1_000_000,
            end_time_unix_nano=now - (count - number) * 1000,
        )
    return request.SerializeToString()


def send(port: int, token: str, seconds: float) -> dict[str, float]:
    """REQUESTS_A_SECOND for so long. When each marked request ended, by its trace id in hex."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-protobuf"}
    url, ended, until = f"http://127.0.0.1:{port}/v1/traces", {}, time.monotonic() + seconds
    while (began := time.monotonic()) < until:
        mark = os.urandom(16)
        body = batch(int(REQUESTS_A_SECOND * MARKED_EVERY_S), mark)
        ended[mark.hex()] = time.time()
        urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30).close()
        time.sleep(max(MARKED_EVERY_S - (time.monotonic() - began), 0))
    return ended


async def _view(port: int, token: str, heard: dict[str, float] | None, counted: list[int]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 24)
    path = "/api/v1/live/stream"
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n".encode())
    try:
        while line := await reader.readline():
            counted[0] += len(line)
            if heard is None or not line.startswith(b"data: "):
                continue
            now = time.time()
            for row in json.loads(line[6:]).get("tail", {}).get("rows", []):
                heard.setdefault(row["trace_id"], now)
    finally:
        writer.close()


def view(port: int, token: str, viewers: int, pipe: Connection) -> None:
    """In a process of its own: `viewers` of them, until the pipe says stop. Tells when requests came, and bytes."""

    async def main() -> None:
        heard: dict[str, float] = {}
        counted = [0]
        tasks = [asyncio.create_task(_view(port, token, heard if n == 0 else None, counted)) for n in range(viewers)]
        await asyncio.to_thread(pipe.recv)  # begin
        counted[0] = 0
        await asyncio.to_thread(pipe.recv)  # stop
        pipe.send((heard, counted[0]))
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(main())


def look(port: int, read: str, app: str, viewers: int, processes: dict[str, psutil.Process]) -> tuple[str, ...]:
    """A row of the table, without the comparison; the CPU share of the web process is the second field."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    viewing = multiprocessing.get_context("spawn").Process(target=view, args=(port, read, viewers, there))
    viewing.start()
    send(port, app, SETTLE_S)
    here.send("begin")
    before = {name: cpu_s(process) for name, process in processes.items()}
    ended = send(port, app, LOOK_S)
    used = {name: (cpu_s(process) - before[name]) / LOOK_S * 100 for name, process in processes.items()}
    time.sleep(PATIENCE_S)
    here.send("stop")
    heard, received = here.recv()
    viewing.join()
    delays = [heard[trace] - end for trace, end in ended.items() if trace in heard]
    delay = f"{statistics.median(delays):.2f} / {max(delays):.2f}" if delays else ""
    each = f"{received / LOOK_S / viewers / 1000:.1f}" if viewers else ""
    return str(viewers), f"{used['web']:.1f}", f"{used['store']:.1f}", each, delay


def through_the_probe(port: int, read: str, app: str, folder: str) -> list[float]:
    """Seconds from the end of a request of a real application to a viewer: probe, agent, server, stream."""
    socket, app_port = f"{folder}/agent.sock", free_port()
    with contextlib.ExitStack() as stack:
        agent = ["agent", "--server", f"http://127.0.0.1:{port}", "--token", app, "--socket", socket]
        stack.enter_context(running([*SONDE, *agent, "--queue-dir", f"{folder}/queue"]))
        gunicorn = [sys.executable, "-m", "gunicorn", "--chdir", str(ROOT), "-b", f"127.0.0.1:{app_port}"]
        run = ["run", "--socket", socket, "--no-agent", "--service", "hello", "--"]
        stack.enter_context(running([*SONDE, *run, *gunicorn, "bench.apps.hello:app"]))
        url, deadline = f"http://127.0.0.1:{app_port}/", time.monotonic() + 60
        while True:
            with contextlib.suppress(OSError):
                urllib.request.urlopen(url, timeout=10).close()
                break
            if time.monotonic() > deadline:
                raise TimeoutError("the application does not answer")
            time.sleep(0.1)
        here, there = multiprocessing.get_context("spawn").Pipe()
        viewing = multiprocessing.get_context("spawn").Process(target=view, args=(port, read, 1, there))
        viewing.start()
        time.sleep(SETTLE_S)
        here.send("begin")
        ended = {}
        for _ in range(APP_REQUESTS):
            trace = os.urandom(16).hex()
            asked = urllib.request.Request(url, headers={"traceparent": f"00-{trace}-{os.urandom(8).hex()}-01"})
            urllib.request.urlopen(asked, timeout=10).close()
            ended[trace] = time.time()
            time.sleep(MARKED_EVERY_S)
        time.sleep(PATIENCE_S)
        here.send("stop")
        heard, _ = here.recv()
        viewing.join()
    return [heard[trace] - end for trace, end in ended.items() if trace in heard]


def main() -> None:
    """Start a server, and look with none, one and many."""
    with tempfile.TemporaryDirectory(prefix="sonde-bench-") as folder, contextlib.ExitStack() as stack:
        data, port = f"{folder}/data", free_port()
        server = stack.enter_context(running([*SONDE, "up", "--data", data, "--port", str(port), *NO_SECOND_PORTS]))
        wait_ready(port)
        app = json.loads(subprocess.check_output([*SONDE, "app", "create", "bench", "--data", data]))["token"]
        read = subprocess.check_output(
            [*SONDE, "token", "create", "--data", data, "--scope", "read"], text=True
        ).strip()
        processes = {role(it): it for it in psutil.Process(server.pid).children()}
        measured = [look(port, read, app, viewers, processes) for viewers in VIEWERS]
        took = through_the_probe(port, read, app, folder)
    none = float(measured[0][1])
    rows = []
    for viewers, web, store, each, delay in measured:
        one = f"{(float(web) - none) / int(viewers):.3f}" if viewers != "0" else ""
        rows.append((viewers, web, f"{float(web) / none:.2f}×" if none else "", one, store, each, delay))
    waits = f"{statistics.median(took):.2f} / {max(took):.2f}"
    report.write(
        "live",
        f"The live view under {REQUESTS_A_SECOND} requests a second of {SERVICES} services",
        (
            *("viewers", "web process, CPU %", "against none", "CPU % a viewer"),
            *("store, CPU %", "kB/s a viewer", "s to a viewer, median / longest"),
        ),
        rows,
        [
            f"CPU of one core, over {LOOK_S:g} s. Viewers without a filter: up to 50 requests a step.",
            "Seconds to a viewer: from the end of a request, sent to the server at once, until its row has come.",
            f"Through application, probe, agent and server: {waits} s, {len(took)} of {APP_REQUESTS} requests came.",
            f"Goal: {GOAL_S} s.",
            f"Load of the machine when it ended: {os.getloadavg()[0]:.1f}; others may have worked on it.",
        ],
    )


if __name__ == "__main__":
    main()
