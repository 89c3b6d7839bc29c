"""What else happened while a trace ran: log lines and events of its own, and what held up its processes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sonde.server.reports.traces import Moment, Moments
from sonde.server.store.queries.scope import APPS, SPAN_TIMES, scope
from sonde.server.store.queries.trace_time import trace_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sonde.server.store.client import StoreClient

MOST_MOMENTS = 2000
MOST_INSTANCES = 100
ONE_THREADS = "'sonde.slow_syscall', 'sonde.queued'"
"""Events that hold up nobody but the thread that they are of: a loop that waits with it is a stall of its own."""
LATE = timedelta(seconds=5)
"""After its last span a trace's log lines may still come."""
LONGEST = timedelta(minutes=5)
"""Of an event that had begun before the trace did. Longer ones are not looked for."""


def moments(client: StoreClient, apps: Sequence[str] | None, trace_id: str) -> Moments | None:
    """By time, of a trace (`trace_id` in hex) that the asker may see; None where there is none.

    Its own: every log record under its id. Beside it: the probe's events (`sonde.…`: a stall of the loop, a pause of
    the garbage collector, a slow system call, a tool that ran) of the same processes at the same time, whoever they
    were for, but for what holds up one thread alone, where that was at another request's work. Of more than
    MOST_MOMENTS the earliest are shown.
    """
    when = trace_time(client, trace_id)
    if when is None:
        return None
    times = scope(apps, *when)
    ((began, ended, instances),) = client.rows(
        f"""
        SELECT min(start_time), max(addMicroseconds(start_time, toInt64(intDiv(duration_ns, 1000)))),
            groupUniqArray({MOST_INSTANCES})((service, instance))
        FROM spans
        WHERE trace_id = toFixedString(unhex({{trace:String}}), 16) AND {APPS} AND {SPAN_TIMES}
        """,
        times | {"trace": trace_id},
    )
    if not instances:
        return None
    rows = client.dicts(
        f"""
        SELECT time, service, instance, severity, event, body, span_id, attributes,
            trace_id = toFixedString(unhex({{trace:String}}), 16) AS own,
            toUInt64OrZero(attributes['sonde.duration_ns']) AS duration_ns
        FROM logs
        WHERE {APPS}
            AND time >= fromUnixTimestamp64Micro({{start_us:Int64}}, 'UTC')
            AND time < fromUnixTimestamp64Micro({{end_us:Int64}}, 'UTC')
            AND (own OR (
                startsWith(event, 'sonde.')
                AND (event NOT IN ({ONE_THREADS}) OR trace_id = toFixedString('', 16))
                AND (service, instance) IN ({{instances:Array(Tuple(String, String))}})
                AND time <= {{ended:DateTime64(6, 'UTC')}}
                AND addMicroseconds(time, toInt64(intDiv(duration_ns, 1000))) >= {{began:DateTime64(6, 'UTC')}}
            ))
        ORDER BY time, event
        LIMIT {MOST_MOMENTS + 1}
        """,
        scope(apps, began - LONGEST, ended + LATE)
        | {"trace": trace_id, "instances": instances, "began": began, "ended": ended},
    )
    return Moments(
        trace_id=trace_id,
        start_time=began,
        duration_ms=(ended - began).total_seconds() * 1000,
        moments=[_moment(row, began) for row in rows[:MOST_MOMENTS]],
        truncated=len(rows) > MOST_MOMENTS,
    )


def _moment(row: dict[str, Any], began: datetime) -> Moment:
    attributes = row["attributes"]
    return Moment(
        event=row["event"],
        own=bool(row["own"]),
        time=row["time"],
        offset_ms=(row["time"] - began).total_seconds() * 1000,
        duration_ms=row["duration_ns"] / 1e6,
        service=row["service"],
        instance=row["instance"],
        span_id="" if row["span_id"] == bytes(8) else row["span_id"].hex(),
        severity=row["severity"],
        text=row["body"],
        attributes={key: value for key, value in attributes.items() if key != "sonde.duration_ns"},
    )
