"""What is asked of the store for the live view each second, and what it answers. One answer serves all its viewers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sonde.server.reports.live import LivePoint

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sonde.server.insight.figures import Sums
    from sonde.server.reports.live import LiveService
    from sonde.server.reports.traces import TraceRow


@dataclass(frozen=True, slots=True)
class Question:
    """`apps` as in every query; None: all."""

    apps: tuple[str, ...] | None
    services: frozenset[str]
    """Those that have a series of their own, beside the one of all services."""
    start: datetime
    """Seconds from here on are counted anew. A whole second."""
    rows_start: datetime
    """Requests that ended then or later are listed."""
    now: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """`series`: by service, None for all of them, and by the second's start since the epoch."""

    series: Mapping[str | None, Mapping[int, Sums]]
    services: Sequence[LiveService]
    """Over the last 10 s, the busiest first."""
    rows: Sequence[TraceRow]
    """Newest end first; at most MOST_ROWS."""


def live_point(time: datetime, sums: Sums) -> LivePoint:
    """The second that starts at `time`, on a chart."""
    return LivePoint(
        time=time,
        requests=sums.requests,
        errors=sums.errors,
        average_ms=rounded(sums.average_ms),
        max_ms=rounded(sums.longest_ms),
        p50_ms=rounded(sums.percentile_ms(0)),
        p95_ms=rounded(sums.percentile_ms(1)),
        p99_ms=rounded(sums.percentile_ms(2)),
    )


def rounded(milliseconds: float | None) -> float | None:
    """To microseconds: more digits would only travel."""
    return None if milliseconds is None else round(milliseconds, 3)


def end_of(row: TraceRow) -> datetime:
    """When the request was over."""
    return row.start_time + timedelta(milliseconds=row.duration_ms)
