"""What a panel shows: its queries, asked with the values of the variables."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from sonde.server.insight.steps import SLOT_S
from sonde.server.insight.steps import Steps as Grid
from sonde.server.promql.errors import PromqlError
from sonde.server.promql.evaluate import Evaluator
from sonde.server.promql.limits import Deadline
from sonde.server.promql.parse import parse
from sonde.server.promql.select import Asker
from sonde.server.promql.vectors import NAME, Scalar, Text
from sonde.server.reports.dashboards import (
    HostQuery,
    HostsQuery,
    PanelData,
    PanelSeries,
    PromqlQuery,
    ServiceQuery,
    ServicesQuery,
)
from sonde.server.store.queries import nodes, services, statistics, statistics_series
from sonde.server.store.queries.samples import Steps
from sonde.server.store.queries.scope import micros

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sonde.server.insight.measures import Thresholds
    from sonde.server.reports.dashboards import Panel, PanelQuery
    from sonde.server.reports.statistics import StatisticsPoint
    from sonde.server.store.client import StoreClient

POINTS = 120
MOST_SERIES, MOST_ROWS = 50, 200
_VARIABLE = re.compile(r"\$([a-z][a-z0-9_]*)")
_LABEL = re.compile(r"\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
Cell = str | float | int | None


class Asked:
    """What is asked about: by whom, when, and with which values."""

    def __init__(
        self,
        store: StoreClient,
        apps: Sequence[str] | None,
        values: Mapping[str, str],
        start: datetime,
        end: datetime,
        *,
        thresholds: Callable[[str], Thresholds],
        now: datetime,
    ) -> None:
        self.store = store
        self.apps = apps
        self.start = start
        self.end = end
        self.thresholds = thresholds
        self.now = now
        self._values = values

    def filled(self, text: str) -> str:
        """With values in place of variables. A variable without a value is an empty text."""
        return _VARIABLE.sub(lambda found: self._values.get(found[1], ""), text)

    def filled_in_promql(self, text: str) -> str:
        """Likewise, each value as it stands within quotes: it cannot end them."""
        return _VARIABLE.sub(lambda found: _quoted(self._values.get(found[1], "")), text)


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'").replace("\n", "\\n")


def evaluate(panel: Panel, asked: Asked) -> PanelData:
    """Raises StoreError. What is wrong with one query of several is the panel's `problem`."""
    series: list[PanelSeries] = []
    problems: list[str] = []
    for query in panel.queries:
        if isinstance(query, ServicesQuery):
            return _cut([], *_services(asked))
        if isinstance(query, HostsQuery):
            return _cut([], *_hosts(asked))
        try:
            series += _series(query, asked)
        except PromqlError as error:
            problems.append(str(error))
    if panel.kind == "table":
        rows: list[list[Cell]] = [[one.name, _last(one)] for one in series]
        return _cut([], ["series", "last"], rows, "; ".join(problems))
    return _cut(series, [], [], "; ".join(problems))


def _cut(series: list[PanelSeries], columns: list[str], rows: list[list[Cell]], problem: str = "") -> PanelData:
    left_out = max(0, len(series) - MOST_SERIES) + max(0, len(rows) - MOST_ROWS)
    return PanelData(
        series=series[:MOST_SERIES], columns=columns, rows=rows[:MOST_ROWS], left_out=left_out, problem=problem
    )


def _last(series: PanelSeries) -> float | None:
    return next((value for _, value in reversed(series.points) if value is not None), None)


def _series(query: PanelQuery, asked: Asked) -> list[PanelSeries]:
    if isinstance(query, PromqlQuery):
        return _promql(query, asked)
    if isinstance(query, ServiceQuery):
        return _service(query, asked)
    if isinstance(query, HostQuery):
        return _host(query, asked)
    return []


def _promql(query: PromqlQuery, asked: Asked) -> list[PanelSeries]:
    start_ms, end_ms = micros(asked.start) // 1000, micros(asked.end) // 1000
    step_ms = max(1000, -(-(end_ms - start_ms) // POINTS // 1000) * 1000)
    steps = Steps(start_ms, step_ms, (end_ms - start_ms) // step_ms + 1)
    value = Evaluator(Asker(asked.store, asked.apps, Deadline()), steps).value(
        parse(asked.filled_in_promql(query.query))
    )
    times = [start_ms + number * step_ms for number in range(steps.count)]
    if isinstance(value, Text):
        return []
    if isinstance(value, Scalar):
        return [PanelSeries(name=query.legend or query.query, points=_points(times, value.values))]
    return [
        PanelSeries(name=_legend(query.legend, one.labels), points=_points(times, one.values))
        for one in value
        if any(number is not None for number in one.values)
    ]


def _points(times: Sequence[int], values: Sequence[float | None]) -> list[tuple[int, float | None]]:
    """JSON knows no infinity, and a chart has no place for it."""
    return [
        (time, value if value is not None and math.isfinite(value) else None)
        for time, value in zip(times, values, strict=True)
    ]


def _legend(pattern: str, labels: Mapping[str, str]) -> str:
    if pattern:
        return _LABEL.sub(lambda found: labels.get(found[1], ""), pattern)
    shown = ", ".join(f'{name}="{value}"' for name, value in sorted(labels.items()) if name != NAME)
    return labels.get(NAME, "") + (f"{{{shown}}}" if shown else "")


def _service(query: ServiceQuery, asked: Asked) -> list[PanelSeries]:
    name = asked.filled(query.service)
    wanted = statistics.Asked(asked.apps, asked.start, asked.end, asked.thresholds, statistics.Filters(service=name))
    step_s = Grid.over(asked.start, asked.end, points=POINTS).step_s
    points = statistics_series.series(asked.store, wanted, asked.now, step_s=step_s).points
    return [
        PanelSeries(
            name=f"{name} {query.figure}",
            points=[
                (micros(point.time) // 1000, _figure(point, query.figure))
                for point in points
                if point.covered_s >= SLOT_S  # what has just begun is not all there yet: a number would jump
            ],
        )
    ]


def _figure(point: StatisticsPoint, figure: str) -> float | None:
    if figure == "error_rate":
        return point.errors / point.requests if point.requests else None
    value: float | None = getattr(point, figure)
    return value


def _host(query: HostQuery, asked: Asked) -> list[PanelSeries]:
    host = asked.filled(query.host)
    report = nodes.report(asked.store, asked.apps, host, asked.start, asked.end)
    points = [] if report is None else report.series
    return [
        PanelSeries(
            name=f"{host} {query.figure}",
            points=[(micros(point.time) // 1000, getattr(point, query.figure)) for point in points],
        )
    ]


def _services(asked: Asked) -> tuple[list[str], list[list[Cell]]]:
    found = services.overview(
        asked.store, asked.apps, asked.start, asked.end, lambda app: asked.thresholds(app).apdex_t_ms
    )
    columns = ["service", "requests_per_s", "success_rate", "p95_ms", "apdex"]
    return columns, [[getattr(service, column) for column in columns] for service in found]


def _hosts(asked: Asked) -> tuple[list[str], list[list[Cell]]]:
    found = nodes.list_nodes(asked.store, asked.apps, asked.end)
    columns = ["host", "cpu_utilization", "load_1m", "memory_used_bytes", "memory_total_bytes"]
    return columns, [[getattr(node, column) for column in columns] for node in found]
