"""`xprofiler_log`: figures of all Node.js processes and threads of a host, as one flat list.

One upload may have several samples of a process, without times of their own; later entries are newer. They are told
apart by keys that repeat, and their times found by the uptime that each carries, else spread over the time since the
upload before.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeGuard

from sonde.server.intake.xtransit.keys import THREAD, stored
from sonde.server.intake.xtransit.otlp import CUMULATIVE, DELTA, Metrics

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sonde.server.intake.xtransit.keys import Group, Stored
    from sonde.server.intake.xtransit.otlp import ResourceMetrics

MOST_ENTRIES = 100_000
USUAL_PAUSE_MS = 60_000.0
LONGEST_PAUSE_MS = 600_000.0
"""After a longer one, nobody knows since when a process has counted."""
MOST_THREADS = 10_000
"""Of one agent, whose last samples are remembered."""
LONGEST_KEY = 255
MOST_PID = 1 << 31
MOST_COUNT = 1 << 53
"""Of what JavaScript counts exactly."""


@dataclass(slots=True)
class Line:
    """What a thread wrote at one time: the figures of one group."""

    group: Group
    number: int
    """Which sample it belongs to, from 0."""
    values: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Thread:
    """The lines of one thread, oldest first."""

    lines: list[Line] = field(default_factory=list)
    _last: dict[Group, Line] = field(default_factory=dict)

    def add(self, key: str, value: float, group: Group) -> None:
        """The next entry."""
        line = self._last.get(group)
        if line is None or key in line.values:
            line = Line(group, line.number + 1 if line else 0)
            self._last[group] = line
            self.lines.append(line)
        line.values[key] = value

    @property
    def samples(self) -> int:
        """How many there are."""
        return 1 + max((line.number for line in self.lines), default=-1)


def figure(value: object) -> float | None:
    """A number that an agent sent; None for null and whatever else is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # JSON has integers of any length
        return None
    return number if math.isfinite(number) else None


def _is_number(value: object, at_least: int) -> TypeGuard[int]:
    return type(value) is int and at_least <= value < MOST_PID


def processes(logs: Iterable[Any]) -> tuple[dict[int, dict[int, Thread]], int]:
    """Threads by pid and thread id, and how many entries could not be understood."""
    found: dict[int, dict[int, Thread]] = defaultdict(lambda: defaultdict(Thread))
    bad = 0
    for entry in logs:
        if not isinstance(entry, dict):
            bad += 1
            continue
        pid, tid, key = entry.get("pid"), entry.get("tid", 0), str(entry.get("key"))[:LONGEST_KEY]
        value, known = figure(entry.get("value")), stored(key)
        if value is None or known is None or not _is_number(pid, 1) or not _is_number(tid, 0):
            bad += 1
            continue
        found[pid][tid].add(key, value, known.group)
    return {pid: dict(threads) for pid, threads in found.items()}, bad


def times(threads: Mapping[int, Thread], at_ms: float, before_ms: float) -> dict[int, list[float]]:
    """When each thread's samples were taken; the upload was at `at_ms`, the one before at `before_ms` (0: unknown)."""
    most = max(thread.samples for thread in threads.values())
    since = at_ms - before_ms
    pause = (since if 0 < since < 2 * USUAL_PAUSE_MS else USUAL_PAUSE_MS) / most
    by_uptime = {tid: _uptimes(thread) for tid, thread in threads.items()}
    spread = [at_ms - (most - 1 - number) * pause for number in range(most)]
    found = {}
    for tid, thread in threads.items():
        uptimes = by_uptime[tid]
        if len(uptimes) == thread.samples and uptimes == sorted(uptimes):
            found[tid] = [at_ms - (uptimes[-1] - uptime) * 1000 for uptime in uptimes]
        else:
            found[tid] = spread[most - thread.samples :]
    return found


def _uptimes(thread: Thread) -> list[float]:
    return [line.values["uptime"] for line in thread.lines if "uptime" in line.values]


@dataclass(frozen=True, slots=True)
class Reporter:
    """Whose processes they are."""

    agent: str
    service: str
    version: str
    """Of xprofiler."""
    commands: Mapping[int, str]
    sampled_at_ms: dict[tuple[int, int], float] = field(default_factory=dict)
    """Of each thread's last sample, by pid and thread id; kept up by `translate`."""


def instance_of(agent: str, pid: int) -> str:
    """A process's name in metrics."""
    return f"{agent}:{pid}"


def translate(found: Mapping[int, Mapping[int, Thread]], reporter: Reporter, at_ms: float, before_ms: float) -> Metrics:
    """OTLP metrics, a resource each process."""
    metrics = Metrics()
    for pid, threads in found.items():
        resource: dict[str, str | int] = {
            "service.name": reporter.service,
            "service.instance.id": instance_of(reporter.agent, pid),
            "host.name": reporter.agent,
            "process.pid": pid,
            "process.runtime.name": "nodejs",
            "telemetry.sdk.language": "nodejs",
            "telemetry.sdk.name": "xprofiler",
            "telemetry.sdk.version": reporter.version,
        }
        if command := reporter.commands.get(pid):
            resource["process.command_line"] = command
        of_process = metrics.resource(resource)
        when = times(threads, at_ms, before_ms)
        for tid, thread in threads.items():
            began_ms = _began(thread, when[tid])
            last_ms = reporter.sampled_at_ms.pop((pid, tid), 0.0)
            first_ms = (
                last_ms
                if 0 < when[tid][0] - last_ms < LONGEST_PAUSE_MS
                else max(began_ms, when[tid][0] - USUAL_PAUSE_MS)
            )
            reporter.sampled_at_ms[pid, tid] = when[tid][-1]
            for line in thread.lines:
                time_ms = when[tid][line.number]
                pause_ms = time_ms - (when[tid][line.number - 1] if line.number else first_ms)
                for key, value in line.values.items():
                    if known := stored(key):
                        _add(of_process, known, value, tid, time_ms, time_ms - pause_ms, began_ms)
                _histograms(of_process, line.values, tid, time_ms, time_ms - pause_ms, began_ms)
    for oldest in list(reporter.sampled_at_ms)[:-MOST_THREADS]:
        del reporter.sampled_at_ms[oldest]  # the one that was sampled longest ago stands first
    return metrics


def _began(thread: Thread, when: list[float]) -> float:
    """When the thread did, by its last uptime."""
    return next(
        (
            when[line.number] - line.values["uptime"] * 1000
            for line in reversed(thread.lines)
            if "uptime" in line.values
        ),
        when[0] - USUAL_PAUSE_MS,
    )


def _add(
    to: ResourceMetrics, known: Stored, value: float, tid: int, time_ms: float, before_ms: float, began_ms: float
) -> None:
    attributes = {THREAD: tid, **known.attributes}
    if known.kind == "gauge":
        to.gauge(known.name, known.unit, value, time_ms, attributes)
    else:
        delta = known.kind == "delta"
        since_ms, temporality = (before_ms, DELTA) if delta else (began_ms, CUMULATIVE)
        to.sum(known.name, known.unit, value, time_ms, attributes, since_ms=since_ms, temporality=temporality)


def _histograms(
    to: ResourceMetrics, values: Mapping[str, float], tid: int, time_ms: float, before_ms: float, began_ms: float
) -> None:
    """What OpenTelemetry has as a histogram, where count and sum are known."""
    collections, spent_ms = values.get("total_gc_times"), values.get("total_gc_duration")
    if collections is not None and spent_ms is not None and 0 <= collections < MOST_COUNT:
        to.histogram(
            "v8js.gc.duration", "s", int(collections), spent_ms / 1000, time_ms, {THREAD: tid},
            since_ms=began_ms, temporality=CUMULATIVE,
        )  # fmt: skip
    sent, average_ms = values.get("http_response_sent"), values.get("http_rt")
    if sent and average_ms is not None and 0 < sent < MOST_COUNT:
        to.histogram(
            "http.server.request.duration", "s", int(sent), sent * average_ms / 1000, time_ms, {THREAD: tid},
            since_ms=before_ms, temporality=DELTA,
        )  # fmt: skip
