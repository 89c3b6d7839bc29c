"""Readings and rows with few words, for what the live view makes of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sonde.server.insight.figures import Sums
from sonde.server.insight.live_reading import Reading
from sonde.server.reports.traces import TraceRow

T0 = datetime(2026, 11, 21, 12, 0, 0, tzinfo=UTC)
MS = 1_000_000


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def sums(requests: int, *, errors: int = 0, ms: float = 10.0) -> Sums:
    one = int(ms * MS)
    return Sums(requests, errors, requests * one, one, 0, 0, (one, one, one))


def row(number: int, end: float, *, ms: float = 10.0, **facts: object) -> TraceRow:
    """The request with that number; it ended `end` seconds after T0."""
    usual = {"service": "orders", "endpoint": "GET /", "instance": "orders-1", "error": False, "status_code": 200}
    return TraceRow(
        trace_id=f"{number:032x}",
        span_id=f"{number:016x}",
        app="a",
        kind="server",
        start_time=at(end) - timedelta(milliseconds=ms),
        duration_ms=ms,
        **(usual | facts),
    )


def reading(series: dict[float, Sums], *rows: TraceRow, **of: dict[float, Sums]) -> Reading:
    """`series` of all services, by seconds after T0; `of`: those of single services. Rows oldest end first."""
    second = int(T0.timestamp())

    def by_second(points: dict[float, Sums]) -> dict[int, Sums]:
        return {second + int(key): value for key, value in points.items()}

    named = {None: by_second(series)} | {name: by_second(points) for name, points in of.items()}
    return Reading(named, [], list(reversed(rows)))
