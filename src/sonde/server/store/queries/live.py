"""The live view: requests of the last minutes by the second in which they ended.

By their end and not by their start, as everywhere else: a second is complete once its data has come, however long the
requests in it took, and a request is in the view as soon as it is over.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sonde.server.insight.figures import Sums
from sonde.server.insight.live_reading import Reading, end_of, live_point, rounded
from sonde.server.insight.steps import floor_to
from sonde.server.reports.live import Live, LiveService
from sonde.server.store.queries.scope import APPS, at_micros, micros, scope
from sonde.server.store.queries.sums import FROM_SPANS
from sonde.server.store.queries.traces import TRACE_ROW, trace_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sonde.server.insight.live_reading import Question
    from sonde.server.reports.traces import TraceRow
    from sonde.server.store.client import StoreClient

SERVICES_WINDOW = timedelta(seconds=10)
MOST_SERVICES = 100
MOST_REQUESTS = 20
MOST_ROWS = 500
"""Requests that one reading lists, the newest."""
USUAL = timedelta(minutes=1)
"""Who took longer is looked for apart, by the index over durations: among all that started so long ago."""
LONGEST = timedelta(hours=1)
"""Who takes longer than this is not in the view."""

_END_US = "toUnixTimestamp64Micro(start_time) + intDiv(duration_ns, 1000)"
_ENDED = f"""
    FROM spans
    WHERE {APPS} AND is_entry
        AND start_time < fromUnixTimestamp64Micro({{end_us:Int64}}, 'UTC')
        AND {_END_US} >= {{start_us:Int64}} AND {_END_US} < {{end_us:Int64}}"""


def _ended(columns: str) -> str:
    """A subquery: entry spans that ended from start_us to end_us."""
    return f"""(
        SELECT {columns} {_ENDED}
            AND start_time >= fromUnixTimestamp64Micro({{usual_us:Int64}}, 'UTC')
            AND duration_ns < {{usual_ns:UInt64}}
        UNION ALL
        SELECT {columns} {_ENDED}
            AND start_time >= fromUnixTimestamp64Micro({{longest_us:Int64}}, 'UTC')
            AND duration_ns >= {{usual_ns:UInt64}}
    )"""


def _scope(apps: Sequence[str] | None, start: datetime, end: datetime) -> dict[str, object]:
    """Parameters of `_ended`."""
    return scope(apps, start, end) | {
        "usual_us": micros(start - USUAL),
        "longest_us": micros(start - LONGEST),
        "usual_ns": int(USUAL.total_seconds() * 1e9),
    }


def read(client: StoreClient, question: Question) -> Reading:
    """What all viewers of the same apps share."""
    return Reading(
        series=_series(client, question.apps, question.start, question.now, question.services),
        services=_services(client, question.apps, question.now),
        rows=_requests(client, question.apps, question.rows_start, question.now, "end_us", MOST_ROWS),
    )


def live(client: StoreClient, apps: Sequence[str] | None, now: datetime, window_s: int = 60) -> Live:
    """The same for those who ask once. The series has a point for each second that is over at `now`; its requests may
    still be on their way for as long as `behind_ms` says. Without requests in the window nobody knows: None.
    """
    until = floor_to(now, 1)
    start = until - timedelta(seconds=window_s)
    by_second = _series(client, apps, start, until, frozenset())[None]
    latest = _requests(client, apps, start, now, "end_us", MOST_REQUESTS)
    return Live(
        time=now,
        window_s=window_s,
        behind_ms=max((now - end_of(latest[0])).total_seconds() * 1000, 0.0) if latest else None,
        series=[
            live_point(at_micros(second * 1_000_000), by_second.get(second, Sums()))
            for second in range(int(start.timestamp()), int(until.timestamp()))
        ],
        services=_services(client, apps, until),
        latest=latest,
        slowest=_requests(client, apps, start, now, "duration_ns", MOST_REQUESTS),
    )


def _series(
    client: StoreClient, apps: Sequence[str] | None, start: datetime, end: datetime, services: frozenset[str]
) -> dict[str | None, dict[int, Sums]]:
    """Seconds with requests: of all services together (None), and of each of `services`."""
    found: dict[str | None, dict[int, Sums]] = {None: {}, **{name: {} for name in services}}
    if services:
        of, keys = "grouping(watched) AS of_all, watched", "(second), (second, watched)"
    else:
        of, keys = "1 AS of_all, '' AS watched", "(second)"
    columns = f"intDiv({_END_US}, 1000000) AS second, service, duration_ns, is_error"
    for row in client.dicts(
        f"""
        SELECT second, {of}, {FROM_SPANS}
        FROM (SELECT *, if(service IN {{services:Array(String)}}, service, '') AS watched FROM {_ended(columns)})
        GROUP BY GROUPING SETS ({keys})
        """,
        _scope(apps, start, end) | {"services": sorted(services)},
    ):
        if row["of_all"]:
            found[None][row["second"]] = Sums.of(row)
        elif row["watched"] in services:
            found[row["watched"]][row["second"]] = Sums.of(row)
    return found


def _services(client: StoreClient, apps: Sequence[str] | None, until: datetime) -> list[LiveService]:
    seconds = SERVICES_WINDOW.total_seconds()
    rows = client.dicts(
        f"""
        SELECT service, {FROM_SPANS}
        FROM {_ended("service, duration_ns, is_error")}
        GROUP BY service ORDER BY requests DESC, service LIMIT {MOST_SERVICES}
        """,
        _scope(apps, until - SERVICES_WINDOW, until),
    )
    return [
        LiveService(
            service=row["service"],
            requests_per_s=row["requests"] / seconds,
            errors_per_s=row["errors"] / seconds,
            average_ms=rounded(Sums.of(row).average_ms),
            p95_ms=rounded(Sums.of(row).percentile_ms(1)),
        )
        for row in rows
    ]


def _requests(
    client: StoreClient, apps: Sequence[str] | None, start: datetime, end: datetime, by: str, limit: int
) -> list[TraceRow]:
    """`by` is a column: the requests with the most of it."""
    rows = client.dicts(
        f"""
        SELECT * FROM {_ended(f"{TRACE_ROW}, {_END_US} AS end_us")} ORDER BY {by} DESC, span LIMIT {limit}
        """,
        _scope(apps, start, end),
    )
    return [trace_row(row) for row in rows]
