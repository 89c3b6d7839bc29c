"""How the interpreter of this process is doing, each 10 s: requests, garbage collections, threads, loops, the GIL.

Names are OpenTelemetry's where there is one, else begin with `sonde.`. CPU and memory of the process are the agent's to
tell: it reads them from outside.
"""

from __future__ import annotations

import gc
import sys
import time

from sonde.probe import core

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

Point = tuple[str, str, float, str, str]
"""Name, unit, value, and an attribute's key and value (empty: none)."""


class Sampled:
    """Figures that come in between two reports: how many, their sum, the greatest."""

    __slots__ = ("count", "most", "total")

    def __init__(self) -> None:
        self.count, self.total, self.most = 0, 0.0, 0.0

    def add(self, value: float) -> None:
        """One more."""
        self.count += 1
        self.total += value
        self.most = max(self.most, value)

    def taken(self) -> tuple[int, float, float]:
        """Count, sum and greatest since the last time."""
        found = self.count, self.total, self.most
        self.count, self.total, self.most = 0, 0.0, 0.0
        return found


class Pauses:
    """Time that garbage collections take, by `gc.callbacks`."""

    def __init__(self, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        self._clock = clock
        self._began: int | None = None
        self.sampled = Sampled()
        self.total_s = 0.0

    def __call__(self, phase: str, _info: dict[str, int]) -> None:
        """Of gc. It must not raise, and allocate nothing that gc would look at."""
        try:
            if phase == "start":
                self._began = self._clock()
            elif self._began is not None:
                pause = (self._clock() - self._began) / 1e9
                self._began = None
                self.total_s += pause
                self.sampled.add(pause)
        except RecursionError:
            return  # a collection where the application has come to the end of its stack is not counted


class Runtime:
    """The runtime metrics of this process. There is one, `runtime`."""

    def __init__(self) -> None:
        self.gil_wait = Sampled()
        """Seconds that the sender's thread waited for the GIL: one sample each 2 to 10 s."""
        self.loop_lag = Sampled()
        """Seconds that an event loop called our timer too late, see plugins/asyncio.py."""
        self._waiting_tasks: dict[str, Callable[[], int]] = {}
        self._pauses = Pauses()
        self.began_ns = 0
        """Since when the sums are counted."""

    def begin(self) -> None:
        """Listen to the garbage collector."""
        self.began_ns = time.time_ns()
        if self._pauses not in gc.callbacks:
            gc.callbacks.append(self._pauses)

    def end(self) -> None:
        """Listen no longer."""
        if self._pauses in gc.callbacks:
            gc.callbacks.remove(self._pauses)

    def watch_pools(self, kind: str, waiting: Callable[[], int]) -> None:
        """There are thread pools of a kind; `waiting` counts their tasks that no thread has taken yet."""
        self._waiting_tasks[kind] = waiting

    def gauges(self) -> Iterator[Point]:
        """What is now, and since the last time."""
        counts = core.counters()
        yield "sonde.requests.active", "{request}", max(0, counts["requests"] - counts["requests_ended"]), "", ""
        threading = sys.modules.get("threading")
        if threading is not None:
            yield "sonde.thread.count", "{thread}", threading.active_count(), "", ""
        for generation, waiting in enumerate(gc.get_count()):
            yield "sonde.gc.pending", "{object}", waiting, "generation", str(generation)
        yield from self._of("sonde.gc.pause", self._pauses.sampled)
        yield from self._of("sonde.gil.wait", self.gil_wait)
        if self.loop_lag.count:
            yield from self._of("sonde.event_loop.lag", self.loop_lag)
        if counts_of := list(self._waiting_tasks.values()):
            yield "sonde.thread_pool.queued", "{task}", sum(count() for count in counts_of), "", ""
        tasks = _asyncio_tasks()
        if tasks is not None:
            yield "sonde.asyncio.tasks", "{task}", tasks, "", ""

    def sums(self) -> Iterator[Point]:
        """What happened since the start."""
        yield "sonde.requests", "{request}", core.counters()["requests"], "", ""
        for generation, stats in enumerate(gc.get_stats()):
            which = "generation", str(generation)
            yield "cpython.gc.collections", "{collection}", stats["collections"], *which
            yield "cpython.gc.collected_objects", "{object}", stats["collected"], *which
            yield "cpython.gc.uncollectable_objects", "{object}", stats["uncollectable"], *which
        yield "sonde.gc.time", "s", self._pauses.total_s, "", ""

    def _of(self, name: str, sampled: Sampled) -> Iterator[Point]:
        count, total, most = sampled.taken()
        yield f"{name}.max", "s", most, "", ""
        yield f"{name}.mean", "s", total / count if count else 0.0, "", ""


def _asyncio_tasks() -> int | None:
    """Tasks of all loops; None while asyncio is not in use, or keeps no table of them (3.14)."""
    tasks: Any = sys.modules.get("asyncio.tasks")
    for table in ("_scheduled_tasks", "_all_tasks"):  # from 3.12 on, before
        found = getattr(tasks, table, None)
        if found is not None:
            return len(found)
    return None


runtime = Runtime()
