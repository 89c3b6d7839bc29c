"""CPU and memory of the processes that have a probe inside, and of the agent."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import psutil

from sonde.agent.otlp_metrics import Metric, Point
from sonde.agent.probes import Probe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sonde.agent.probes import Probes

MAX_PROCESSES = 256


class InstrumentedProcesses:
    """Read again and again: utilization is that between two readings."""

    def __init__(self, probes: Probes) -> None:
        self._probes = probes
        self._agent = Probe(os.getpid(), os.geteuid(), "sonde-agent")
        self._cpu_s: dict[tuple[int, float], tuple[float, float]] = {}  # (pid, its start) -> (when read, CPU time)

    def metrics(self) -> Iterator[Metric]:
        """Utilization in cores: 1 is one core busy. A process appears in it at its second reading."""
        utilization, memory = [], []
        before, self._cpu_s = self._cpu_s, {}
        for probe in [self._agent, *self._probes.by_pid().values()][:MAX_PROCESSES]:
            try:
                process = psutil.Process(probe.pid)
                with process.oneshot():
                    times, rss_bytes, key = (
                        process.cpu_times(),
                        process.memory_info().rss,
                        (probe.pid, process.create_time()),
                    )
            except psutil.Error:  # gone meanwhile, or not ours to look at
                continue
            attributes = _attributes(probe)
            memory.append(Point(rss_bytes, attributes))
            now, cpu_s = time.monotonic(), times.user + times.system
            self._cpu_s[key] = now, cpu_s
            if key in before:
                then, cpu_s_then = before[key]
                utilization.append(Point((cpu_s - cpu_s_then) / (now - then), attributes))
        yield Metric("process.cpu.utilization", "1", utilization)
        yield Metric("process.memory.usage", "By", memory)


def _attributes(probe: Probe) -> dict[str, str | int]:
    known: dict[str, str | int] = {"process.pid": probe.pid}
    if probe.service:
        known["service.name"] = probe.service
    if probe.instance:
        known["service.instance.id"] = probe.instance
    return known
