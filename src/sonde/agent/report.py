"""The host's metrics and the agent's own, put into the queue at the start and then at each interval."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Self

import psutil

from sonde.agent import host, otlp_metrics
from sonde.agent.instrumented import InstrumentedProcesses
from sonde.agent.otlp_metrics import Metric, Point
from sonde.agent.signals import Signal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from sonde.agent.counters import Counters
    from sonde.agent.probes import Probes
    from sonde.agent.queue import BatchQueue

log = logging.getLogger(__name__)

FIRST_REPORT_AFTER_S = 0.25  # utilization needs two readings, and the nodes page should fill at once


class HostReporter:
    """One thread that reads and reports until it is left."""

    def __init__(
        self,
        queue: BatchQueue,
        probes: Probes,
        counters: Counters,
        *,
        resource: Mapping[str, str],
        interval_s: float,
    ) -> None:
        self._queue = queue
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
            "process_count": host.process_count,
            "processes": processes.metrics,
        }
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
            pause_s = self._interval_s

    def report(self) -> bytes:
        """Everything as of now. A reading that fails is counted and missing."""
        metrics: list[Metric] = []
        for name, reading in self._readings.items():
            try:
                metrics += list(reading())
            except (OSError, psutil.Error) as error:
                self._counters.add("sonde.agent.readings.failed", reading=name)
                log.warning("reading %s failed: %s", name, error)
        return otlp_metrics.request(self._resource, metrics + self._own_metrics(), time.time_ns())

    def _own_metrics(self) -> list[Metric]:
        sums: defaultdict[str, list[Point]] = defaultdict(list)
        for count in self._counters.snapshot():
            sums[count.name].append(Point(count.total, dict(count.attributes)))
        return [
            Metric("sonde.agent.queue.usage", "By", [Point(self._queue.size_bytes, {})]),
            Metric("sonde.agent.queue.batches", "{batch}", [Point(self._queue.batch_count, {})]),
            *(
                Metric(name, "By" if ".bytes." in name else "1", points, self._started_unix_ns)
                for name, points in sums.items()
            ),
        ]
