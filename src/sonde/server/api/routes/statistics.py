"""/statistics: tables by service, endpoint and so on, series, days, histograms, and what stands out."""

import datetime as dt
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.failures import bad_parameter, not_found
from sonde.server.api.moments import FIRST, LAST, TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.api.thresholds import thresholds_of
from sonde.server.insight.csv_rows import csv_of
from sonde.server.insight.steps import SLOT_S, Steps
from sonde.server.insight.time_blocks import Day, zone
from sonde.server.reports.statistics import (
    By,
    Compare,
    Measured,
    Statistics,
    StatisticsDay,
    StatisticsHistogram,
    StatisticsRow,
    StatisticsSeries,
    StatisticsTop,
    Tiers,
)
from sonde.server.store.queries import statistics, statistics_series
from sonde.server.store.queries.statistics import MOST_ROWS, Asked, Filters, Order, UnfitFilterError
from sonde.server.store.queries.statistics_series import MOST_POINTS

LONGEST_NAME = 1000
POINTS = 240
"""About so many a series has where nobody says how long its steps are."""
_NESTED = {"tiers", "status_codes", "compared"}
CSV_COLUMNS = [
    *(name for name in StatisticsRow.model_fields if name not in _NESTED and name not in Measured.model_fields),
    *(name for name in Measured.model_fields if name not in _NESTED),
    *(f"tiers.{name}" for name in Tiers.model_fields),
    *(f"compared.{name}" for name in Measured.model_fields if name not in _NESTED),
]


async def filters(
    app: Annotated[str | None, Query(max_length=64, description="Id of an app.")] = None,
    service: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None,
    endpoint: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None,
    instance: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None,
    kind: Annotated[
        Literal["internal", "server", "client", "producer", "consumer"] | None,
        Query(description="client, producer: outgoing calls; without it, requests alone."),
    ] = None,
    status: Annotated[str | None, Query(pattern="^([0-9]{1,4}|[1-5]xx)$", description="200, or 5xx.")] = None,
) -> Filters:
    """What the requests of a report must be."""
    return Filters(app, service, endpoint, instance, kind, status)


def routes(parts: Parts) -> APIRouter:
    """Statistics."""
    router = APIRouter(prefix=PREFIX, tags=["statistics"])
    reader = parts.access.needs("read")
    Wanted = Annotated[Filters, Depends(filters)]  # noqa: N806 - a type
    Span = Annotated[TimeRange, Depends(time_range)]  # noqa: N806 - a type
    Who = Annotated[Caller, Depends(reader)]  # noqa: N806 - a type
    Against = Annotated[Compare, Query(description="And the same time of a day or a week ago.")]  # noqa: N806 - a type

    def asked_by(caller: Caller, start: datetime, end: datetime, wanted: Filters) -> Asked:
        return Asked(caller.apps, start, end, thresholds_of(parts), wanted)

    @router.get(
        "/statistics",
        response_model=Statistics,
        responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
    )
    async def table(
        request: Request,
        caller: Who,
        span: Span,
        wanted: Wanted,
        by: Annotated[By, Query(description="What there is a row for each of.")] = "service",
        compare: Against = "none",
        order: Annotated[Order, Query(description="The most first; `name`: in order of names.")] = "requests",
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
        form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    ) -> Response:
        """Figures of requests, or of calls, by service, endpoint, process, host, status, kind, address, or caller.

        Rows of callers and callees are those of the service in `service`.
        """

        def query() -> Statistics:
            asked = asked_by(caller, span.start, span.end, wanted)
            try:
                return statistics.table(parts.store, asked, by, order=order, limit=limit, compare=compare)
            except UnfitFilterError as error:
                raise bad_parameter(error.name, str(error)) from None

        if form == "json":
            return await parts.answers(request, query, "statistics")
        text = await parts.store_workers(lambda: csv_of(query().items, CSV_COLUMNS))
        name = f'attachment; filename="statistics-{by}.csv"'
        return Response(text, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": name})

    @router.get("/statistics/series", response_model=StatisticsSeries)
    async def series(
        request: Request,
        caller: Who,
        span: Span,
        wanted: Wanted,
        step_s: Annotated[
            int | None, Query(ge=SLOT_S, le=86_400 * 400, description="A multiple of 30; 300 gives rows of 5 minutes.")
        ] = None,
        compare: Against = "none",
    ) -> Response:
        """Figures step by step."""
        step = step_s or Steps.over(span.start, span.end, points=POINTS).step_s
        if step % SLOT_S:
            raise bad_parameter("step_s", f"is a multiple of {SLOT_S}: nothing is kept by less")
        if (span.end - span.start).total_seconds() / step > MOST_POINTS:
            raise bad_parameter("step_s", f"makes more than {MOST_POINTS} points; ask for longer steps or less time")

        def query() -> StatisticsSeries:
            asked = asked_by(caller, span.start, span.end, wanted)
            return statistics_series.series(parts.store, asked, datetime.now(UTC), step_s=step, compare=compare)

        return await parts.answers(request, query, "statistics")

    @router.get("/statistics/day", response_model=StatisticsDay)
    async def day(
        request: Request,
        caller: Who,
        wanted: Wanted,
        date: Annotated[dt.date | None, Query(description="In the app's time zone. Default: today there.")] = None,
    ) -> Response:
        """A date of an app in blocks of 180 s: 480 of them, but on days on which clocks are changed. Needs `app`."""
        app = wanted.app
        if app is None:
            raise bad_parameter("app", "is needed: an app's time zone says when its days begin")
        if date is not None and not FIRST.date() < date < LAST.date():
            raise bad_parameter("date", f"lies between the years {FIRST.year} and {LAST.year}")

        def query() -> StatisticsDay:
            if not caller.sees(app) or not parts.accounts.apps.exists(app):
                raise not_found("app with that id")
            place, now = zone(parts.accounts.app_settings.of(app).time_zone), datetime.now(UTC)
            of = Day.of(date, place) if date else Day.at(now, place)
            asked = asked_by(caller, of.start, of.end, wanted)
            return statistics_series.day(parts.store, asked, app, of, now)

        return await parts.answers(request, query, "app with that id")

    @router.get("/statistics/histogram", response_model=StatisticsHistogram)
    async def histogram(request: Request, caller: Who, span: Span, wanted: Wanted) -> Response:
        """How long requests took, in buckets: exact counts over any span of time."""

        def query() -> StatisticsHistogram:
            return statistics_series.histogram(parts.store, asked_by(caller, span.start, span.end, wanted))

        return await parts.answers(request, query, "statistics")

    @router.get("/statistics/top", response_model=StatisticsTop)
    async def top(
        request: Request,
        caller: Who,
        span: Span,
        wanted: Wanted,
        limit: Annotated[int, Query(ge=1, le=100, description="Of each list.")] = 5,
    ) -> Response:
        """The slowest requests with their traces, and the endpoints that failed most often with a trace of the last
        time. From spans, so as far back as those are kept.
        """

        def query() -> StatisticsTop:
            return statistics_series.top(parts.store, asked_by(caller, span.start, span.end, wanted), limit)

        return await parts.answers(request, query, "statistics")

    return router
