"""The processes of a host that used most, from the record that its agent sends each minute."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from sonde.server.reports.nodes import ProcessHistory, ProcessSample, TopProcess, TopProcesses
from sonde.server.store.queries.scope import APPS, METRIC_TIMES, scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sonde.server.store.client import StoreClient

EVENT = "sonde.top_processes"
AGENT = "sonde-agent"
MOST_MINUTES = 1500
"""More than a day of them."""
_LONGEST_BACK = timedelta(minutes=5)
"""The newest record before a time may be this old."""
_SAME_START_S = 2.0
"""The kernel tells when a process began to a hundredth of a second, counted from a boot time that is a second about."""
_RECORDS = f"{APPS} AND {METRIC_TIMES} AND service = '{AGENT}' AND host = {{host:String}} AND event = '{EVENT}'"


def top(
    client: StoreClient, apps: Sequence[str] | None, host: str, start: datetime, end: datetime, at: datetime | None
) -> TopProcesses | None:
    """The newest record not after `at`, else the newest of that time; None where there is none near."""
    times = [
        time
        for (time,) in client.rows(
            f"SELECT time FROM logs WHERE {_RECORDS} ORDER BY time DESC LIMIT {MOST_MINUTES}",
            scope(apps, start, end) | {"host": host},
        )
    ]
    until = end if at is None else at + timedelta(milliseconds=1)
    since = start if at is None else at - _LONGEST_BACK
    rows = client.rows(
        f"SELECT time, body FROM logs WHERE {_RECORDS} ORDER BY time DESC LIMIT 1",
        scope(apps, since, until) | {"host": host},
    )
    for time, body in rows:
        return _top(host, time, body, times[::-1])
    return None


def history(
    client: StoreClient,
    apps: Sequence[str] | None,
    host: str,
    pid: int,
    started: datetime,
    start: datetime,
    end: datetime,
) -> ProcessHistory | None:
    """The process `pid` that began at `started`; None where it was never among those that used most."""
    rows = client.rows(
        f"""
        SELECT time, JSONExtractString(row, 'name'), JSONExtractString(row, 'command'),
            JSONExtract(row, 'cpu_cores', 'Nullable(Float64)'), JSONExtractUInt(row, 'memory_bytes')
        FROM (SELECT time, arrayJoin(JSONExtractArrayRaw(body, 'rows')) AS row FROM logs WHERE {_RECORDS})
        WHERE JSONExtractUInt(row, 'pid') = {{pid:UInt32}}
            AND abs(JSONExtractFloat(row, 'started_unix_s') - {{started:Float64}}) < {_SAME_START_S}
        ORDER BY time DESC LIMIT {MOST_MINUTES}
        """,
        scope(apps, start, end) | {"host": host, "pid": pid, "started": started.timestamp()},
    )
    if not rows:
        return None
    return ProcessHistory(
        host=host,
        pid=pid,
        started=started,
        name=rows[0][1],
        command=rows[0][2],
        series=[
            ProcessSample(time=time, cpu_cores=cpu, memory_bytes=memory) for time, _, _, cpu, memory in reversed(rows)
        ],
    )


def _top(host: str, time: datetime, body: str, times: list[datetime]) -> TopProcesses | None:
    """None for a record that no agent of ours wrote: anybody may send logs under this name."""
    try:
        said = json.loads(body)
        found = TopProcesses(
            host=host,
            time=time,
            seconds=said["seconds"],
            processes=said["processes"],
            items=[_process(row) for row in said["rows"]],
            times=times,
        )
    except (ValueError, TypeError, KeyError, OverflowError, ValidationError):
        return None
    found.items.sort(key=lambda row: (-(row.cpu_cores or 0.0), -row.memory_bytes, row.pid))
    return found


def _process(row: dict[str, Any]) -> TopProcess:
    return TopProcess(**{**row, "started": datetime.fromtimestamp(row["started_unix_s"], UTC)})
