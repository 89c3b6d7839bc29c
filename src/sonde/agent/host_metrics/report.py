"""The host's metrics and the agent's own, put into the queue at the start and then at each interval; and each minute
the processes that use most.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Self

import psutil

from sonde.agent.host_metrics import host, otlp_logs, otlp_metrics
from sonde.agent.host_metrics.instrumented import InstrumentedProcesses
from sonde.agent.host_metrics.otlp_metrics import Metric, Point
from sonde.agent.host_metrics.top_processes import EVENT, EVERY_S, TopProcesses
from sonde.agent.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sonde.agent.counters import Counters
    from sonde.agent.disk_queue.queue import BatchQueue
    from sonde.agent.forwarding.server_clock import ServerClock
    from sonde.agent.receiving.probes import Probes

log = logging.getLogger(__name__)

FIRST_REPORT_AFTER_S = 0.25  # utilization needs two readings, and the nodes page should fill at once
OFFSET_ATTRIBUTE = "sonde.agent.clock.offset_s"
"""Of the resource: by how much the host's clock is ahead of the server's."""


class HostReporter:
    """One thread that reads and reports until it is left."""

    def __init__(
        self,
        queue: BatchQueue,
        probes: Probes,
        counters: Counters,
        *,
        clock: ServerClock,
        resource: Mapping[str, str],
        interval_s: float,
        top_processes: int,
        process_commands: bool,
    ) -> None:
        """`top_processes`: so many by CPU and so many by memory; 0: none. `process_commands`: with command lines."""
        self._queue = queue
        self._clock = clock
        self._counters = counters
        self._resource = resource
        self._interval_s = interval_s
        self._started_unix_ns = time.time_ns()
        cpu_clock = host.CpuClock()
        processes = InstrumentedProcesses(probes)
        self._readings: dict[str, Callable[[], Iterable[Metric]]] = {
            "cpu": lambda: host.cpu(cpu_clock),
            "memory": host.memory,
            "filesystems": host.filesystems,
            "disks": host.disks,
            "network": host.network,
            "file_handles": host.file_handles,
            "process_count": host.process_count,
            "processes": processes.metrics,
        }
        self._top = TopProcesses(probes, top_processes, time.monotonic, commands=process_commands)
        self._top_is_due_at = 0.0 if top_processes else float("inf")  # on the monotonic clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sonde-report", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        pause_s = min(FIRST_REPORT_AFTER_S, self._interval_s)
        while not self._stopping.wait(pause_s):
            self._queue.append("", Signal.METRICS, self.report())
            if time.monotonic() >= self._top_is_due_at and (record := self.top_processes()):
                self._top_is_due_at = time.monotonic() + EVERY_S - self._interval_s / 2  # in step with the reports
                self._queue.append("", Signal.LOGS, record)
            pause_s = self._interval_s

    def top_processes(self) -> bytes | None:
        """The processes that used most since the last time. None: it was the first, or it failed and was counted."""
        try:
            body = self._top.body()
        except (OSError, psutil.Error) as error:
            self._failed("top_processes", error)
            return None
        if body is None:
            return None
        return otlp_logs.request(self._resource_now(), EVENT, body, self._clock.now_unix_ns())

    def report(self) -> bytes:
        """Everything as of now. A reading that fails is counted and missing."""
        metrics: list[Metric] = []
        for name, reading in self._readings.items():
            try:
                metrics += list(reading())
            except (OSError, psutil.Error) as error:
                self._failed(name, error)
        metrics += self._own_metrics()
        return otlp_metrics.request(self._resource_now(), metrics, self._clock.now_unix_ns())

    def _resource_now(self) -> dict[str, str]:
        """With how wrong the clock is: the server keeps a resource under the time at which it came."""
        offset_s = self._clock.offset_s
        return {**self._resource, **({} if offset_s is None else {OFFSET_ATTRIBUTE: str(round(offset_s))})}

    def _failed(self, name: str, error: Exception) -> None:
        self._counters.add("sonde.agent.readings.failed", reading=name)
        log.warning("reading %s failed: %s", name, error)

    def _own_metrics(self) -> list[Metric]:
        sums: defaultdict[str, list[Point]] = defaultdict(list)
        for count in self._counters.snapshot():
            sums[count.name].append(Point(count.total, dict(count.attributes)))
        offset_s = self._clock.offset_s
        return [
            Metric("sonde.agent.clock.offset", "s", [] if offset_s is None else [Point(offset_s, {})]),
            Metric("sonde.agent.queue.usage", "By", [Point(self._queue.size_bytes, {})]),
            Metric("sonde.agent.queue.batches", "{batch}", [Point(self._queue.batch_count, {})]),
            *(
                Metric(name, "By" if ".bytes." in name else "1", points, self._started_unix_ns)
                for name, points in sums.items()
            ),
        ]
