"""Statistics over time: series of any step, a day in blocks, histograms, and the requests that stand out."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from math import gcd
from typing import TYPE_CHECKING

from sonde.server.insight.histogram import BOUNDS_MS, WELL_KNOWN_MS, Histogram
from sonde.server.insight.measures import Counted, report_of_several
from sonde.server.insight.steps import Steps
from sonde.server.insight.time_blocks import BLOCK_S
from sonde.server.reports.statistics import (
    DayBlock,
    HistogramBucket,
    StatisticsDay,
    StatisticsHistogram,
    StatisticsPoint,
    StatisticsSeries,
    StatisticsTop,
    TopError,
)
from sonde.server.store.queries import rollups
from sonde.server.store.queries.scope import APPS, SLOTS, SPAN_TIMES
from sonde.server.store.queries.statistics import AGO, totals
from sonde.server.store.queries.sums import MEASURED, ONCE_MEASURED
from sonde.server.store.queries.traces import TRACE_ROW, trace_row

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Literal

    from sonde.server.insight.time_blocks import Day
    from sonde.server.reports.statistics import Measured
    from sonde.server.store.client import StoreClient
    from sonde.server.store.queries.statistics import Asked

MOST_POINTS = 3000


def series(
    client: StoreClient,
    asked: Asked,
    now: datetime,
    *,
    step_s: int,
    compare: Literal["none", "yesterday", "last_week"] = "none",
) -> StatisticsSeries:
    """Figures of every step. `step_s`: a multiple of 30; rows of five minutes are steps of 300."""
    steps = Steps(asked.begin, asked.end, step_s)
    points = list(_points(client, asked, steps, now))
    compared = None
    if compare != "none":
        # Steps of more than a day do not meet those of a day ago: what is compared begins where it begins.
        ago = AGO[compare]
        before = asked.ago(ago)
        shift_s = -int(ago.total_seconds()) % step_s
        compared = list(_points(client, before, Steps(before.begin, before.end, step_s), now, shift_s=shift_s))
    return StatisticsSeries(from_=asked.begin, to=asked.end, step_s=step_s, points=points, compared=compared)


def day(client: StoreClient, asked: Asked, app: str, of: Day, now: datetime) -> StatisticsDay:
    """Every block of a date. `asked` is about that date and app."""
    steps = Steps(of.start, of.end, BLOCK_S)
    points = _points(client, asked, steps, now)
    blocks = [
        DayBlock(index=block.index, local=f"{block.local:%H:%M}", **point.model_dump())
        for block, point in zip(of.blocks(), points, strict=True)
    ]
    return StatisticsDay(
        app=app,
        date=of.date,
        time_zone=of.zone.key,
        from_=of.start,
        to=of.end,
        block_s=BLOCK_S,
        whole=whole(client, asked),
        blocks=blocks,
    )


def histogram(client: StoreClient, asked: Asked) -> StatisticsHistogram:
    """How long requests took, by the bounds that people know and by all that are kept."""
    _, together = totals(client, asked)
    stored = Histogram.of(together.histogram or {})
    return StatisticsHistogram(
        from_=asked.begin,
        to=asked.end,
        requests=together.requests,
        unknown=together.requests - stored.requests,
        buckets=_buckets(stored, WELL_KNOWN_MS),
        fine=_buckets(stored, BOUNDS_MS),
    )


def whole(client: StoreClient, asked: Asked) -> Measured:
    """All that is asked for, as one."""
    by_app, together = totals(client, asked)
    return report_of_several(together, by_app, asked.seconds, asked.thresholds)


def top(client: StoreClient, asked: Asked, limit: int) -> StatisticsTop:
    """The slowest requests, and the endpoints that failed most often, by the spans that are kept."""
    conditions, parameters = asked.filters.sql()
    parameters |= asked.parameters() | {"limit": limit}
    source = f"FROM spans WHERE {APPS} AND {SPAN_TIMES} {conditions}"
    slowest = client.dicts(
        f"SELECT {TRACE_ROW} {source} ORDER BY duration_ns DESC, trace_id, span_id LIMIT {{limit:UInt32}}", parameters
    )
    failed = client.dicts(
        f"""
        SELECT app, service, endpoint, toString(kind) AS kind_name, status_code, count() AS errors,
            max(start_time) AS last_seen, lower(hex(argMax(trace_id, start_time))) AS trace
        {source} AND is_error
        GROUP BY app, service, endpoint, kind_name, status_code
        ORDER BY errors DESC, last_seen DESC LIMIT {{limit:UInt32}}
        """,
        parameters,
    )
    return StatisticsTop(
        from_=asked.begin,
        to=asked.end,
        slowest=[trace_row(row) for row in slowest],
        errors=[
            TopError(
                app=row["app"],
                service=row["service"],
                endpoint=row["endpoint"],
                kind=row["kind_name"],
                status_code=row["status_code"],
                errors=row["errors"],
                last_seen=row["last_seen"],
                trace_id=row["trace"],
            )
            for row in failed
        ],
    )


def _points(
    client: StoreClient, asked: Asked, steps: Steps, now: datetime, *, shift_s: int = 0
) -> Iterator[StatisticsPoint]:
    """A point for every step. `shift_s`: how far the steps lie behind multiples of their length."""
    conditions, parameters = asked.filters.sql()
    source = rollups.requests(client, asked.begin, asked.end, asked.filters.keys(), step_s=gcd(steps.step_s, shift_s))
    rows = client.dicts(
        f"""
        SELECT app, step, grouping(app) AS together, {MEASURED}
        FROM (
            SELECT app, intDiv(toUnixTimestamp(slot) - {{shift_s:Int64}}, {{step_s:Int64}}) * {{step_s:Int64}}
                + {{shift_s:Int64}} AS step, {ONCE_MEASURED}
            FROM {source} WHERE {APPS} AND {SLOTS} {conditions}
            GROUP BY app, step
        )
        GROUP BY GROUPING SETS ((app, step), (step))
        """,
        parameters | asked.parameters() | {"step_s": steps.step_s, "shift_s": shift_s},
    )
    parts, together = defaultdict[int, dict[str, Counted]](dict), dict[int, Counted]()
    for row in rows:
        if row["together"]:
            together[row["step"]] = Counted.of(row)
        else:
            parts[row["step"]][row["app"]] = Counted.of(row)
    for time in _starts(steps, shift_s):
        at, over = int(time.timestamp()), min(time + timedelta(seconds=steps.step_s), steps.end, now)
        covered_s = max((over - max(time, steps.start)).total_seconds(), 0.0)
        figures = report_of_several(together.get(at, Counted()), parts.get(at, {}), covered_s, asked.thresholds)
        yield StatisticsPoint(time=time, covered_s=covered_s, **figures.model_dump())


def _starts(steps: Steps, shift_s: int) -> Iterator[datetime]:
    shift = timedelta(seconds=shift_s)
    return (time + shift for time in Steps(steps.start - shift, steps.end - shift, steps.step_s).times())


def _buckets(stored: Histogram, bounds_ms: tuple[int, ...]) -> list[HistogramBucket]:
    return [
        HistogramBucket(above_ms=above, up_to_ms=up_to, requests=requests, errors=errors)
        for above, up_to, requests, errors in stored.between(bounds_ms)
    ]
