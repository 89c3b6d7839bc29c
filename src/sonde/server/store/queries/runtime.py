"""How the interpreters of a service are doing, from what their processes report each 10 s."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sonde.server.insight.steps import Steps
from sonde.server.reports.runtime import RuntimeReport, RuntimeSample
from sonde.server.store.queries.scope import APPS, METRIC_TIMES, scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sonde.server.store.client import StoreClient

CHART_POINTS = 120

_OF_ALL = {
    "requests_active": "sonde.requests.active",
    "threads": "sonde.thread.count",
    "thread_pool_queued": "sonde.thread_pool.queued",
    "asyncio_tasks": "sonde.asyncio.tasks",
}
"""Added up over processes, of each its mean in the step."""
_OF_WORST = {
    "gc_pause_max_ms": "sonde.gc.pause.max",
    "event_loop_lag_max_ms": "sonde.event_loop.lag.max",
    "gil_wait_max_ms": "sonde.gil.wait.max",
}
"""The greatest of any process, in seconds."""


def report(
    client: StoreClient, apps: Sequence[str] | None, service: str, start: datetime, end: datetime
) -> RuntimeReport:
    """Charts of a service's processes. No instances: none of them reported in that time, as with other agents."""
    steps = Steps.over(start, end, points=CHART_POINTS)
    found: dict[int, dict[str, tuple[float, float]]] = defaultdict(dict)
    instances = 0
    for step, name, processes, total, most in client.rows(
        f"""
        SELECT step, name, count(), sum(mean), max(most) FROM (
            SELECT toUnixTimestamp(toStartOfInterval(time, toIntervalSecond({{step_s:UInt32}}))) AS step,
                name, instance, avg(value) AS mean, max(value) AS most
            FROM metrics
            WHERE {APPS} AND {METRIC_TIMES} AND service = {{service:String}} AND name IN {{names:Array(String)}}
            GROUP BY step, name, instance
        )
        GROUP BY step, name
        """,
        scope(apps, steps.start, end)
        | {"service": service, "names": [*_OF_ALL.values(), *_OF_WORST.values()], "step_s": steps.step_s},
    ):
        found[step][name] = total, most
        instances = max(instances, processes)
    return RuntimeReport(
        service=service,
        instances=instances,
        from_=start,
        to=end,
        step_s=steps.step_s,
        series=[_sample(time, found.get(int(time.timestamp()), {})) for time in steps.times()],
    )


def _sample(time: datetime, values: dict[str, tuple[float, float]]) -> RuntimeSample:
    figures = {field: values[name][0] for field, name in _OF_ALL.items() if name in values}
    figures |= {field: values[name][1] * 1000 for field, name in _OF_WORST.items() if name in values}
    return RuntimeSample(time=time, **figures)
