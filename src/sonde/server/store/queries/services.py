"""Services: the overview, and the page of one."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sonde.server.insight import figures
from sonde.server.insight.figures import Sums
from sonde.server.insight.histogram import Histogram
from sonde.server.insight.steps import SLOT_S, Steps, floor_to
from sonde.server.reports.services import Endpoint, ErrorGroup, Figures, Instance, Service, ServiceReport, StatusCount
from sonde.server.store.queries import rollups, topology
from sonde.server.store.queries.scope import APPS, SLOTS, SPAN_TIMES, scope
from sonde.server.store.queries.sums import MERGED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from sonde.server.store.client import StoreClient

SPARKLINE_POINTS = 30
CHART_POINTS = 60
STORED_APDEX_T_MS = 500
"""The T that `satisfied` and `tolerating` of rollup_30s are counted for; see schema/130_rollup_30s.sql."""
MOST_SERVICES = 1000
MOST_ENDPOINTS = 500
MOST_INSTANCES = 500
MOST_ERROR_GROUPS = 50


def overview(
    client: StoreClient,
    apps: Sequence[str] | None,
    start: datetime,
    end: datetime,
    apdex_t_ms: Callable[[str], float] = lambda _: STORED_APDEX_T_MS,
) -> list[Service]:
    """Services that had requests in that time, the busiest first; no more than MOST_SERVICES. `apdex_t_ms`: by app."""
    steps = Steps.over(start, end, points=SPARKLINE_POINTS)
    parameters = scope(apps, steps.start, end) | {"step_s": steps.step_s}
    whole = client.dicts(
        f"""
        SELECT app, service, max(last_seen) AS seen, {MERGED}
        FROM {rollups.requests(client, steps.start, end, ("service",))}
        WHERE {APPS} AND {SLOTS} AND is_entry
        GROUP BY app, service
        """,
        parameters,
    )
    of_steps = client.dicts(
        f"""
        SELECT app, service, toUnixTimestamp(toStartOfInterval(slot, toIntervalSecond({{step_s:UInt32}}))) AS step,
            {MERGED}
        FROM {rollups.requests(client, steps.start, end, ("service",), step_s=steps.step_s)}
        WHERE {APPS} AND {SLOTS} AND is_entry
        GROUP BY app, service, step
        """,
        parameters,
    )
    series: dict[tuple[str, str], dict[int, Sums]] = defaultdict(dict)
    for row in of_steps:
        series[row["app"], row["service"]][row["step"]] = Sums.of(row)
    languages, instances = _languages(client, parameters), _instances(client, parameters, steps)
    apdexes = _apdexes(client, parameters, steps, {app: apdex_t_ms(app) for app, _ in series})
    found = [
        Service(
            app=row["app"],
            service=row["service"],
            language=languages.get((row["app"], row["service"]), ""),
            instances=instances[row["app"], row["service"]],
            last_seen=row["seen"],
            series=figures.series(series[row["app"], row["service"]], steps),
            **figures.figures(Sums.of(row), steps.seconds, apdexes.get((row["app"], row["service"]))),
        )
        for row in whole
    ]
    found.sort(key=lambda service: (-service.requests, service.app, service.service))
    return found[:MOST_SERVICES]


def report(
    client: StoreClient,
    apps: Sequence[str] | None,
    name: str,
    start: datetime,
    end: datetime,
    apdex_t_ms: float | Callable[[str], float],
) -> ServiceReport | None:
    """The page of a service; None for one that had no requests in that time. Of a name that is in use in several apps
    the first app's service is shown. `apdex_t_ms`: a number, or what says it by app.
    """
    steps = Steps.over(start, end, points=CHART_POINTS)
    parameters = scope(apps, steps.start, end) | {"service": name, "step_s": steps.step_s}
    rows = client.dicts(
        f"""
        SELECT
            app,
            toUnixTimestamp(toStartOfInterval(slot, toIntervalSecond({{step_s:UInt32}}))) AS step,
            instance, status_code,
            multiIf(grouping(step) = 0, 'step', grouping(instance) = 0, 'instance',
                grouping(status_code) = 0, 'status', 'whole') AS part,
            max(last_seen) AS seen,
            {MERGED}
        FROM {rollups.requests(client, steps.start, end, ("instance",), step_s=steps.step_s)}
        WHERE {APPS} AND {SLOTS} AND is_entry AND service = {{service:String}}
        GROUP BY GROUPING SETS ((app), (app, step), (app, instance), (app, status_code))
        ORDER BY requests DESC
        """,
        parameters,
    )
    if not rows:
        return None
    app = min(row["app"] for row in rows)
    parameters |= scope([app], steps.start, end)
    parts: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        if row["app"] == app:
            parts[row["part"]].append(row)
    t_ms = apdex_t_ms(app) if callable(apdex_t_ms) else apdex_t_ms
    apdex = _apdexes(client, parameters, steps, {app: t_ms}).get((app, name))
    callers, callees = topology.neighbours(client, app, name, steps.start, end)
    return ServiceReport(
        app=app,
        service=name,
        language=_languages(client, parameters).get((app, name), ""),
        from_=start,
        to=end,
        step_s=steps.step_s,
        figures=figures.report(Sums.of(parts["whole"][0]), steps.seconds, apdex),
        yesterday=_before(client, parameters, steps, timedelta(days=1)),
        last_week=_before(client, parameters, steps, timedelta(days=7)),
        series=figures.series({row["step"]: Sums.of(row) for row in parts["step"]}, steps),
        endpoints=[
            Endpoint(endpoint=row["endpoint"], kind=row["kind_name"], **figures.figures(Sums.of(row), steps.seconds))
            for row in _endpoints(client, parameters, steps)
        ],
        instances=[
            Instance(instance=row["instance"], last_seen=row["seen"], **figures.figures(Sums.of(row), steps.seconds))
            for row in parts["instance"][:MOST_INSTANCES]
        ],
        callers=callers,
        callees=callees,
        status_codes=[StatusCount(code=row["status_code"], requests=row["requests"]) for row in parts["status"]],
        errors=_errors(client, parameters),
    )


def _endpoints(client: StoreClient, parameters: dict[str, object], steps: Steps) -> list[dict[str, Any]]:
    """The busiest endpoints of a service."""
    return client.dicts(
        f"""
        SELECT endpoint, toString(kind) AS kind_name, {MERGED}
        FROM {rollups.requests(client, steps.start, steps.end, ("endpoint",))}
        WHERE {APPS} AND {SLOTS} AND is_entry AND service = {{service:String}}
        GROUP BY endpoint, kind_name
        ORDER BY requests DESC, endpoint, kind_name LIMIT {MOST_ENDPOINTS}
        """,
        parameters,
    )


def _before(client: StoreClient, parameters: dict[str, object], steps: Steps, ago: timedelta) -> Figures | None:
    """Figures of the same span of time that long ago; None where nothing was recorded."""
    start, end = floor_to(steps.start - ago, SLOT_S), steps.end - ago
    rows = client.dicts(
        f"SELECT {MERGED} FROM {rollups.requests(client, start, end, ('service',))}"
        f" WHERE {APPS} AND {SLOTS} AND is_entry AND service = {{service:String}}",
        parameters | {"start_s": int(start.timestamp()), "end_s": int(end.timestamp())},
    )
    sums = Sums.of(rows[0])
    return figures.report(sums, steps.seconds) if sums.requests else None


def _apdexes(
    client: StoreClient, parameters: dict[str, object], steps: Steps, t_ms: Mapping[str, float]
) -> dict[tuple[str, str], float]:
    """Apdex by app and service, of the apps whose T is not the one that is counted for. From the histogram: exact where
    T and 4 T are bounds of it.
    """
    others = [app for app, t in t_ms.items() if t != STORED_APDEX_T_MS]
    if not others:
        return {}
    one = "AND service = {service:String}" if "service" in parameters else ""
    rows = client.rows(
        f"""
        SELECT app, service, sumMap(histogram) FROM {rollups.requests(client, steps.start, steps.end, ("service",))}
        WHERE {APPS} AND {SLOTS} AND is_entry AND app IN {{others:Array(String)}} {one}
        GROUP BY app, service
        """,
        parameters | {"others": others},
    )
    found = {(app, service): (Histogram.of(stored), t_ms[app]) for app, service, stored in rows}
    return {of: stored.apdex_points(t) / stored.requests for of, (stored, t) in found.items() if stored.requests}


def _instances(client: StoreClient, parameters: dict[str, object], steps: Steps) -> dict[tuple[str, str], int]:
    """How many processes of each service, by (app, service), had requests."""
    source = rollups.requests(client, steps.start, steps.end, ("instance",))
    rows = client.rows(
        f"SELECT app, service, uniqExact(instance) FROM {source}"
        f" WHERE {APPS} AND {SLOTS} AND is_entry GROUP BY app, service",
        parameters,
    )
    return {(app, service): count for app, service, count in rows}


def _languages(client: StoreClient, parameters: dict[str, object]) -> dict[tuple[str, str], str]:
    """What each service is written in, by (app, service), as its SDK says."""
    rows = client.rows(
        f"SELECT app, service, argMax(language, last_seen) FROM instances WHERE {APPS} AND language != ''"
        " GROUP BY app, service",
        parameters,
    )
    return {(app, service): language for app, service, language in rows}


def _errors(client: StoreClient, parameters: dict[str, object]) -> list[ErrorGroup]:
    """Failed spans of the service, grouped by what went wrong, the most frequent first.

    Type and message are those of the exception that was recorded in the span, else its error.type and status.
    """
    rows = client.dicts(
        f"""
        SELECT
            multiIf(type != '', type, status_code != 0, toString(status_code), '') AS kind,
            substringUTF8(message, 1, 500) AS said,
            endpoint,
            count() AS count,
            max(start_time) AS last_seen,
            lower(hex(argMax(trace_id, start_time))) AS trace
        FROM failures
        WHERE {APPS} AND {SPAN_TIMES} AND service = {{service:String}}
        GROUP BY kind, said, endpoint
        ORDER BY count DESC, last_seen DESC
        LIMIT {MOST_ERROR_GROUPS}
        """,
        parameters,
    )
    return [
        ErrorGroup(
            type=row["kind"],
            message=row["said"],
            endpoint=row["endpoint"],
            count=row["count"],
            last_seen=row["last_seen"],
            trace_id=row["trace"],
        )
        for row in rows
    ]
