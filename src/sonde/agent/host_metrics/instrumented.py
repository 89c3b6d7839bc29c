"""CPU, memory and open files of the processes that have a probe inside, and of the agent."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from sonde.agent.host_metrics.otlp_metrics import Metric, Point
from sonde.agent.receiving.probes import Probe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sonde.agent.receiving.probes import Probes

MAX_PROCESSES = 256


class InstrumentedProcesses:
    """Read again and again: utilization is that between two readings."""

    def __init__(self, probes: Probes) -> None:
        self._probes = probes
        self._agent = Probe(os.getpid(), os.geteuid(), "sonde-agent")
        self._cpu_s: dict[tuple[int, float], tuple[float, float]] = {}  # (pid, its start) -> (when read, CPU time)

    def metrics(self) -> Iterator[Metric]:
        """Utilization in cores: 1 is one core busy. A process appears in it at its second reading."""
        utilization, memory, files, limits = [], [], [], []
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
            if (counted := _open_files(process)) is not None:
                files.append(Point(counted, attributes))
            if (limit := _file_limit(probe.pid)) is not None:
                limits.append(Point(limit, attributes))
            memory.append(Point(rss_bytes, attributes))
            now, cpu_s = time.monotonic(), times.user + times.system
            self._cpu_s[key] = now, cpu_s
            if key in before:
                then, cpu_s_then = before[key]
                utilization.append(Point((cpu_s - cpu_s_then) / (now - then), attributes))
        yield Metric("process.cpu.utilization", "1", utilization)
        yield Metric("process.memory.usage", "By", memory)
        yield Metric("process.open_file_descriptor.count", "{file_descriptor}", files)
        yield Metric("process.open_file_descriptor.limit", "{file_descriptor}", limits)


def _open_files(process: psutil.Process) -> int | None:
    try:
        return process.num_fds()
    except psutil.Error:  # another user's
        return None


def _file_limit(pid: int) -> int | None:
    """The soft limit, at which the process begins to fail. None: it has none, or the system does not tell."""
    try:
        lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("Max open files")), "")
    word = found.removeprefix("Max open files").split()[:1]
    return int(word[0]) if word and word[0].isdecimal() else None


def _attributes(probe: Probe) -> dict[str, str | int]:
    known: dict[str, str | int] = {"process.pid": probe.pid}
    if probe.service:
        known["service.name"] = probe.service
    if probe.instance:
        known["service.instance.id"] = probe.instance
    return known
