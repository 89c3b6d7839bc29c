"""Errors by type and place: which there are, since when, where they happen, and what their spans say."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from sonde.server.insight.steps import Steps
from sonde.server.reports.errors import (
    ErrorMessage,
    ErrorPage,
    ErrorPlace,
    ErrorPoint,
    ErrorReport,
    ErrorRow,
    ErrorSample,
    FailingService,
    RestOfErrors,
)
from sonde.server.store.queries.deploys import deploys, last_deploys
from sonde.server.store.queries.places import with_place, without_values
from sonde.server.store.queries.scope import APPS, SPAN_TIMES, scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sonde.server.reports.deploys import DeployMark
    from sonde.server.store.client import StoreClient

Order = Literal["times", "newest", "first"]
"""Most frequent first, last seen first, or first seen lately first."""

SPARKLINE_POINTS = 30
CHART_POINTS = 60
MOST_GROUPS = 500
MOST_SERVICES = 50
MOST_PLACES = 100
MOST_MESSAGES = 50
MOST_SAMPLES = 20
HEARD_OF_LATER = timedelta(minutes=1)
"""A process is first heard of a little after it started, and may have failed meanwhile."""
MOST_LOOKED_AT = 200_000
"""Failures of a group that its page's lists are made of, the newest."""

_ORDERED_BY = {
    "times": "happened DESC, last DESC",
    "newest": "last DESC, happened DESC",
    "first": "first DESC, last DESC",
}


def group_id(text: str) -> int | None:
    """The number of a group's id of 16 hex digits; None for what is no id."""
    return int(text, 16) if len(text) == 16 and set(text) <= set("0123456789abcdef") else None


def errors(
    client: StoreClient,
    apps: Sequence[str] | None,
    start: datetime,
    end: datetime,
    *,
    service: str | None = None,
    order: Order = "times",
    limit: int = 100,
) -> ErrorPage:
    """Groups with failures in that time, no more than `limit`, and how many others there are."""
    steps = Steps.over(start, end, points=SPARKLINE_POINTS)
    parameters = scope(apps, steps.start, end) | {"service": service, "step_s": steps.step_s}
    rows = _rows(client, parameters, service, order, limit)
    return ErrorPage(
        items=_groups(client, apps, parameters, rows, steps, service),
        from_=start,
        to=end,
        step_s=steps.step_s,
        rest=RestOfErrors(
            groups=rows[0]["all_groups"] - len(rows) if rows else 0,
            times=rows[0]["all_times"] - sum(row["happened"] for row in rows) if rows else 0,
        ),
    )


def report(
    client: StoreClient,
    apps: Sequence[str] | None,
    group: int,
    start: datetime,
    end: datetime,
    *,
    service: str | None = None,
) -> ErrorReport | None:
    """The page of a group, of `service` alone where it is given; None where it did not happen in that time."""
    steps = Steps.over(start, end, points=CHART_POINTS)
    parameters = scope(apps, steps.start, end) | {"service": service, "group": group, "step_s": steps.step_s}
    rows = _rows(client, parameters, service, "times", 1, "WHERE error_group = {group:UInt64}")
    if not rows:
        return None
    (of_group,) = _groups(client, apps, parameters, rows, steps, service)
    names = sorted({failing.service for failing in of_group.services})
    told = _told(_of_service(service))
    return ErrorReport(
        from_=start,
        to=end,
        step_s=steps.step_s,
        group=of_group,
        series=[ErrorPoint(time=time, times=times) for time, times in zip(steps.times(), of_group.series, strict=True)],
        endpoints=_places(client, parameters, told, "endpoint"),
        instances=_places(client, parameters, told, "instance"),
        messages=_messages(client, parameters, told),
        deploys=deploys(client, apps, start, end, names).items,
        samples=_samples(client, parameters, told),
    )


def _of_service(service: str | None) -> str:
    return "" if service is None else "AND service = {service:String}"


def _told(condition: str, times: str = SPAN_TIMES) -> str:
    """Failed spans as rows, each with the type, place and number of its group."""
    return f"""
        SELECT *, sipHash64(error_type, place, if(stack_place != '', '', service)) AS error_group
        FROM (
            SELECT *,
                multiIf(type != '', type, status_code != 0, toString(status_code), '') AS error_type,
                multiIf(
                    stack_place != '', stack_place,
                    status_code != 0, concat(endpoint, ' ', toString(status_code)),
                    endpoint) AS place
            FROM ({with_place(f"SELECT * FROM failures WHERE {APPS} AND {times} {condition}")})
        )"""


def _rows(
    client: StoreClient, parameters: dict[str, object], service: str | None, order: Order, limit: int, group: str = ""
) -> list[dict[str, Any]]:
    """Groups in order, each with what all groups together amount to.

    Spans of a trace that tell of the same failure, each from where it passed by, are counted once; endpoints are those
    of entry spans, where they failed with it.
    """
    return client.dicts(
        f"""
        SELECT *, count() OVER () AS all_groups, sum(happened) OVER () AS all_times
        FROM (
            SELECT error_group, any(error_type) AS kind, any(place) AS found_at, max(stack_place != '') AS stacked,
                {without_values("argMax(message, start_time)")} AS said,
                uniq(trace_id) AS happened, min(start_time) AS first, max(start_time) AS last,
                uniqIf((app, service, endpoint), is_entry) AS entries, uniq(app, service, endpoint) AS all_endpoints,
                uniq(app, service, instance) AS instances,
                lower(hex(argMax(trace_id, start_time))) AS trace, lower(hex(argMax(span_id, start_time))) AS span
            FROM ({_told(_of_service(service))})
            {group}
            GROUP BY error_group
        )
        ORDER BY {_ORDERED_BY[order]}, error_group
        LIMIT {limit}
        """,
        parameters,
    )


def _groups(
    client: StoreClient,
    apps: Sequence[str] | None,
    parameters: dict[str, object],
    rows: list[dict[str, Any]],
    steps: Steps,
    service: str | None,
) -> list[ErrorRow]:
    if not rows:
        return []
    chosen = parameters | {"groups": [row["error_group"] for row in rows]}
    series, services = _over_time_and_services(client, chosen, service)
    names = sorted({failing.service for found in services.values() for failing in found})
    first_seen = _first_seen(client, chosen | {"names": names})
    last = last_deploys(client, apps, steps.end, names)
    return [
        ErrorRow(
            id=f"{group:016x}",
            type=row["kind"],
            place=row["found_at"],
            has_stack=bool(row["stacked"]),
            message=row["said"],
            times=row["happened"],
            first_seen=first_seen.get(group, row["first"]),
            last_seen=row["last"],
            services=services[group],
            endpoints=row["entries"] or row["all_endpoints"],
            instances=row["instances"],
            new_since=_new_since(first_seen.get(group, row["first"]), services[group], last),
            series=[series[group].get(int(time.timestamp()), 0) for time in steps.times()],
            trace_id=row["trace"],
            span_id=row["span"],
        )
        for row in rows
        for group in (row["error_group"],)
    ]


def _over_time_and_services(
    client: StoreClient, parameters: dict[str, object], service: str | None
) -> tuple[dict[int, dict[int, int]], dict[int, list[FailingService]]]:
    """Of the chosen `groups`: times by the start of each step, and the services with the most of them."""
    rows = client.rows(
        f"""
        SELECT error_group, step, app, service, uniq(trace_id) AS happened, grouping(step) AS is_of_service
        FROM (
            SELECT error_group, app, service, trace_id,
                toUnixTimestamp(toStartOfInterval(start_time, toIntervalSecond({{step_s:UInt32}}))) AS step
            FROM ({_told(_of_service(service))})
            WHERE error_group IN {{groups:Array(UInt64)}}
        )
        GROUP BY GROUPING SETS ((error_group, step), (error_group, app, service))
        ORDER BY happened DESC, app, service
        """,
        parameters,
    )
    series: dict[int, dict[int, int]] = defaultdict(dict)
    services: dict[int, list[FailingService]] = defaultdict(list)
    for group, step, app, name, times, is_of_service in rows:
        if not is_of_service:
            series[group][step] = times
        elif len(services[group]) < MOST_SERVICES:
            services[group].append(FailingService(app=app, service=name, times=times))
    return series, services


def _first_seen(client: StoreClient, parameters: dict[str, object]) -> dict[int, datetime]:
    """As far back as failures are kept, in the services that have them now."""
    told = _told("AND service IN {names:Array(String)}", "start_time < fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')")
    return dict(
        client.rows(
            f"""
            SELECT error_group, min(start_time) FROM ({told})
            WHERE error_group IN {{groups:Array(UInt64)}} GROUP BY error_group
            """,
            parameters,
        )
    )


def _new_since(
    first_seen: datetime, services: Sequence[FailingService], last: dict[tuple[str, str], DeployMark]
) -> DeployMark | None:
    """The last deploy of a service that has the error, where that was before the error was seen for the first time."""
    before = [
        mark
        for failing in services
        if (mark := last.get((failing.app, failing.service))) is not None and mark.time - HEARD_OF_LATER <= first_seen
    ]
    return max(before, key=lambda mark: mark.time, default=None)


def _newest(told: str) -> str:
    return (
        f"SELECT * FROM ({told}) WHERE error_group = {{group:UInt64}} ORDER BY start_time DESC LIMIT {MOST_LOOKED_AT}"
    )


def _requests(told: str) -> str:
    """The newest failures of a group, one row for each trace and service: with the endpoint of the outermost span."""
    return f"""
        SELECT app, service, argMax(endpoint, (is_entry, duration_ns)) AS endpoint, any(told.instance) AS instance,
            max(told.start_time) AS time
        FROM ({_newest(told)}) AS told
        GROUP BY app, service, trace_id"""


def _places(client: StoreClient, parameters: dict[str, object], told: str, column: str) -> list[ErrorPlace]:
    rows = client.rows(
        f"""
        SELECT app, service, {column}, count() AS happened, max(time) FROM ({_requests(told)})
        GROUP BY app, service, {column} ORDER BY happened DESC, app, service, {column} LIMIT {MOST_PLACES}
        """,
        parameters,
    )
    return [
        ErrorPlace(app=app, service=service, name=name, times=times, last_seen=last)
        for app, service, name, times, last in rows
    ]


def _messages(client: StoreClient, parameters: dict[str, object], told: str) -> list[ErrorMessage]:
    rows = client.rows(
        f"""
        SELECT {without_values("message")} AS said, uniq(trace_id) AS happened
        FROM ({_newest(told)})
        GROUP BY said ORDER BY happened DESC, said LIMIT {MOST_MESSAGES}
        """,
        parameters,
    )
    return [ErrorMessage(message=message, times=times) for message, times in rows]


def _samples(client: StoreClient, parameters: dict[str, object], told: str) -> list[ErrorSample]:
    """The newest failures, one of each trace: as the innermost of its spans tells it."""
    rows = client.dicts(
        f"""
        SELECT lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, app, service, instance, endpoint, start_time,
            error_type, message, stack
        FROM (SELECT * FROM ({told}) WHERE error_group = {{group:UInt64}} ORDER BY start_time DESC LIMIT 1 BY trace_id)
        LIMIT {MOST_SAMPLES}
        """,
        parameters,
    )
    return [
        ErrorSample(
            trace_id=row["trace"],
            span_id=row["span"],
            app=row["app"],
            service=row["service"],
            instance=row["instance"],
            endpoint=row["endpoint"],
            time=row["start_time"],
            type=row["error_type"],
            message=row["message"],
            stack=row["stack"],
        )
        for row in rows
    ]
