"""From the end of a request to the figure that counts it: application, probe, agent, server, API.

Reference: the same way without application, probe and agent: a span that is sent to the server by hand.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench import report
from bench.idle import NO_SECOND_PORTS, SONDE, free_port, running, wait_ready

if TYPE_CHECKING:
    from collections.abc import Callable

REQUESTS = 40
PAUSE_S = 0.37
"""Between two requests; not in step with anything that flushes by the second."""
DEADLINE_S = 30
ROOT = Path(__file__).parents[1]
GOAL_S = 2


def span(service: str) -> bytes:
    """A request with one entry span that ends now."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = service
    now = time.time_ns()
    resource.scope_spans.add().spans.add(
        trace_id=os.urandom(16),
        span_id=os.urandom(8),
        name="GET /",
        kind=2,
        start_time_unix_nano=now - 1_000_000,
        end_time_unix_nano=now,
    )
    return request.SerializeToString()


class Api:
    """What a page would ask."""

    def __init__(self, port: int, token: str) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/services"
        self._headers = {"Authorization": f"Bearer {token}"}

    def requests(self, service: str) -> int:
        """How many of its requests the overview counts."""
        with urllib.request.urlopen(urllib.request.Request(self._url, headers=self._headers), timeout=10) as answer:
            rows = json.load(answer)["items"]
        return sum(int(row["requests"]) for row in rows if row["service"] == service)


def measure(api: Api, service: str, send: Callable[[], object]) -> list[float]:
    """Seconds of each request from its end to the figure."""
    took = []
    for _ in range(REQUESTS):
        before = api.requests(service)
        send()
        ended = time.perf_counter()
        while api.requests(service) <= before:
            if time.perf_counter() - ended > DEADLINE_S:
                raise TimeoutError(f"{service}: a request was not counted within {DEADLINE_S} s")
            time.sleep(0.01)
        took.append(time.perf_counter() - ended)
        time.sleep(PAUSE_S)
    return took


def row(name: str, took: list[float], reference: list[float]) -> tuple[str, ...]:
    """Of the table."""
    middle = statistics.median(took)
    return (name, f"{middle:.2f}", f"{max(took):.2f}", f"{middle / statistics.median(reference):.1f}×")


def main() -> None:
    """Start everything on free ports, and watch the overview."""
    with tempfile.TemporaryDirectory(prefix="sonde-bench-") as folder, contextlib.ExitStack() as stack:
        data, socket, port, app_port = f"{folder}/data", f"{folder}/agent.sock", free_port(), free_port()
        stack.enter_context(running([*SONDE, "up", "--data", data, "--port", str(port), *NO_SECOND_PORTS]))
        wait_ready(port)
        app = json.loads(subprocess.check_output([*SONDE, "app", "create", "bench", "--data", data]))["token"]
        read = subprocess.check_output([*SONDE, "token", "create", "--data", data, "--scope", "read"], text=True)
        agent = ["agent", "--server", f"http://127.0.0.1:{port}", "--token", app, "--socket", socket]
        stack.enter_context(running([*SONDE, *agent, "--queue-dir", f"{folder}/queue"]))
        gunicorn = [sys.executable, "-m", "gunicorn", "--chdir", str(ROOT), "-b", f"127.0.0.1:{app_port}"]
        run = ["run", "--socket", socket, "--no-agent", "--service", "hello", "--"]
        stack.enter_context(running([*SONDE, *run, *gunicorn, "bench.apps.hello:app"]))
        api = Api(port, read.strip())

        def by_hand() -> None:
            headers = {"Authorization": f"Bearer {app}", "Content-Type": "application/x-protobuf"}
            url = f"http://127.0.0.1:{port}/v1/traces"
            urllib.request.urlopen(urllib.request.Request(url, span("by hand"), headers), timeout=10).close()

        def real() -> None:
            urllib.request.urlopen(f"http://127.0.0.1:{app_port}/", timeout=10).close()

        deadline = time.monotonic() + DEADLINE_S
        while True:  # until the application answers
            with contextlib.suppress(OSError):
                real()
                break
            if time.monotonic() > deadline:
                raise TimeoutError("the application does not answer")
            time.sleep(0.1)
        time.sleep(GOAL_S)
        reference = measure(api, "by hand", by_hand)
        took = measure(api, "hello", real)
    report.write(
        "freshness",
        "From the end of a request to the figure that counts it, seconds",
        ("way", "median", "longest", "against by hand"),
        [
            row("a span sent to the server by hand", reference, reference),
            row("application, probe, agent, server", took, reference),
        ],
        [
            f"{REQUESTS} requests each; until the API's overview counts it. The page asks once a second beside.",
            f"Goal: {GOAL_S} s.",
        ],
    )


if __name__ == "__main__":
    main()
