"""The live view: spans of the last minute, as they come in, second by second."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sonde.server.insight import figures
from sonde.server.insight.figures import Sums
from sonde.server.insight.steps import Steps, floor_to
from sonde.server.reports.live import Live, LiveService
from sonde.server.store.queries.scope import APPS, SPAN_TIMES, scope
from sonde.server.store.queries.sums import FROM_SPANS
from sonde.server.store.queries.traces import TRACE_ROW, trace_row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sonde.server.reports.traces import TraceRow
    from sonde.server.store.client import StoreClient

SERVICES_WINDOW = timedelta(seconds=10)
MOST_SERVICES = 100
MOST_REQUESTS = 20


def live(client: StoreClient, apps: Sequence[str] | None, now: datetime, window_s: int = 60) -> Live:
    """Entry spans by their start. The series ends with the last second that is over at `now`; its requests may still be
    on their way for as long as `behind_ms` says. Without spans in the window nobody knows: None.
    """
    until = floor_to(now, 1)
    steps = Steps(until - timedelta(seconds=window_s), until, 1)
    by_second = client.dicts(
        f"""
        SELECT toUnixTimestamp(toStartOfSecond(start_time)) AS second, {FROM_SPANS}
        FROM spans WHERE {APPS} AND {SPAN_TIMES} AND is_entry
        GROUP BY second
        """,
        scope(apps, steps.start, steps.end),
    )
    return Live(
        time=now,
        window_s=window_s,
        behind_ms=_behind_ms(client, apps, steps.start, now),
        series=figures.series({row["second"]: Sums.of(row) for row in by_second}, steps),
        services=_services(client, apps, until),
        latest=_requests(client, apps, steps.start, now, "start_time"),
        slowest=_requests(client, apps, steps.start, now, "duration_ns"),
    )


def _behind_ms(client: StoreClient, apps: Sequence[str] | None, start: datetime, now: datetime) -> float | None:
    """From the end of the span that ended last to `now`; a clock that is ahead of ours makes it 0, not negative."""
    rows = client.rows(
        f"SELECT count(), max(addNanoseconds(toDateTime64(start_time, 9, 'UTC'), duration_ns))"
        f" FROM spans WHERE {APPS} AND {SPAN_TIMES}",
        scope(apps, start, now + timedelta(seconds=5)),
    )
    ((count, newest),) = rows
    return max((now - newest).total_seconds() * 1000, 0.0) if count else None


def _services(client: StoreClient, apps: Sequence[str] | None, until: datetime) -> list[LiveService]:
    seconds = SERVICES_WINDOW.total_seconds()
    rows = client.dicts(
        f"""
        SELECT service, {FROM_SPANS}
        FROM spans WHERE {APPS} AND {SPAN_TIMES} AND is_entry
        GROUP BY service ORDER BY requests DESC, service LIMIT {MOST_SERVICES}
        """,
        scope(apps, until - SERVICES_WINDOW, until),
    )
    return [
        LiveService(
            service=row["service"],
            requests_per_s=row["requests"] / seconds,
            errors_per_s=row["errors"] / seconds,
            average_ms=Sums.of(row).average_ms,
            p95_ms=Sums.of(row).percentile_ms(1),
        )
        for row in rows
    ]


def _requests(
    client: StoreClient, apps: Sequence[str] | None, start: datetime, now: datetime, by: str
) -> list[TraceRow]:
    """`by` is a column: the requests with the most of it."""
    rows = client.dicts(
        f"""
        SELECT {TRACE_ROW} FROM spans WHERE {APPS} AND {SPAN_TIMES} AND is_entry
        ORDER BY {by} DESC, span_id LIMIT {MOST_REQUESTS}
        """,
        scope(apps, start, now),
    )
    return [trace_row(row) for row in rows]
