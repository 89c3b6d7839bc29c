"""`system_log`: the host or container of an agent, with the names that hosts' metrics have everywhere here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.server.intake.xtransit.otlp import Metrics
from sonde.server.intake.xtransit.process_metrics import figure

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVICE = "xtransit"
"""service.name of what an agent says of its host."""
MOST_DISKS = 200
LONGEST_PATH = 1000
_PLAIN = {
    "cpu_count": ("system.cpu.logical.count", "{cpu}"),
    "load1": ("system.cpu.load_average.1m", "{thread}"),
    "load5": ("system.cpu.load_average.5m", "{thread}"),
    "load15": ("system.cpu.load_average.15m", "{thread}"),
    "total_memory": ("system.memory.limit", "By"),
    "uptime": ("system.uptime", "s"),
    "node_count": ("xprofiler.node_count", "{process}"),
}


def translate(agent: str, log: Mapping[str, Any], at_ms: float) -> Metrics:
    """OTLP metrics of one reading. What is null or missing is left out."""
    metrics = Metrics()
    version = log.get("version")
    host = metrics.resource(
        {
            "service.name": SERVICE,
            "service.instance.id": agent,
            "host.name": agent,
            "service.version": version if isinstance(version, str) else "",
        }
    )
    for key, (name, unit) in _PLAIN.items():
        if (value := figure(log.get(key))) is not None:
            host.gauge(name, unit, value, at_ms, {})
    if (busy := figure(log.get("used_cpu"))) is not None:
        host.gauge("system.cpu.utilization", "1", min(max(busy, 0.0), 1.0), at_ms, {})
    total, free = figure(log.get("total_memory")), figure(log.get("free_memory"))
    if total is not None and free is not None:
        for state, value in (("used", max(total - free, 0.0)), ("free", free)):
            host.gauge("system.memory.usage", "By", value, at_ms, {"system.memory.state": state})
    disks = log.get("disks")
    for mountpoint, percent in list(disks.items())[:MOST_DISKS] if isinstance(disks, dict) else ():
        if (used := figure(percent)) is not None:
            place = {"system.filesystem.mountpoint": mountpoint[:LONGEST_PATH], "system.filesystem.state": "used"}
            host.gauge("system.filesystem.utilization", "1", used / 100, at_ms, place)
    return metrics
