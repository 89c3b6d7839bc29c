"""What every query is limited by: the apps its asker may see, and a span of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

APPS = "({every_app:Bool} OR app IN {apps:Array(String)})"
SLOTS = "slot >= toDateTime({start_s:Int64}, 'UTC') AND slot < toDateTime({end_s:Int64}, 'UTC')"
SPAN_TIMES = (
    "start_time >= fromUnixTimestamp64Micro({start_us:Int64}, 'UTC')"
    " AND start_time < fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')"
)
METRIC_TIMES = (
    "time >= fromUnixTimestamp64Micro({start_us:Int64}, 'UTC')"
    " AND time < fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')"
)


def scope(apps: Sequence[str] | None, start: datetime, end: datetime) -> dict[str, object]:
    """Parameters of APPS, SLOTS, SPAN_TIMES and METRIC_TIMES."""
    start_us, end_us = micros(start), micros(end)
    return {
        "every_app": apps is None,
        "apps": list(apps or []),
        "start_us": start_us,
        "end_us": end_us,
        "start_s": start_us // 1_000_000,
        "end_s": -(-end_us // 1_000_000),
    }


def micros(time: datetime) -> int:
    """Microseconds since the epoch; exact, which a float is not."""
    return (time - EPOCH) // timedelta(microseconds=1)


def at_micros(us: int) -> datetime:
    """The time that `micros` makes `us` of."""
    return EPOCH + timedelta(microseconds=us)
