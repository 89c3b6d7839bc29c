"""What lives on a host: the services whose processes run there, and what its agent and probes lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sonde.server.reports.nodes import HostedService, Loss
from sonde.server.store.queries.scope import APPS, METRIC_TIMES, scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sonde.server.store.client import StoreClient

MOST_SERVICES = 20
MOST_PROCESSES = 500
MOST_LOSSES = 50
_NOT_SERVICES = ["sonde-agent", "xtransit"]
_LOST = [
    "sonde.agent.frames.dropped",
    "sonde.agent.send.errors",
    "sonde.agent.readings.failed",
    "sonde.agent.frames.refused",
    "sonde.probe.spans.dropped",
    "sonde.probe.attributes.dropped",
    "sonde.probe.events.dropped",
    "sonde.probe.links.dropped",
]
_LOOK_BEFORE = timedelta(minutes=2)
"""For the last value before a span of time, which its first one is compared with."""
_SEEN = "last_seen >= toDateTime({start_s:Int64}, 'UTC') AND service NOT IN {not_services:Array(String)}"
"""No end: who is heard of each second was there before it, too."""
_BEGAN = (
    f"SELECT app, service, instance, min(first_seen) AS began FROM process_runs WHERE {APPS}"
    " GROUP BY app, service, instance"
)
"""Noted within seconds; of who is not noted yet it is the epoch."""


def services_by_host(
    client: StoreClient, apps: Sequence[str] | None, hosts: Sequence[str], start: datetime, end: datetime
) -> dict[str, list[str]]:
    """Names of the services that sent something from each host since `start` and were there before `end`, by name."""
    rows = client.rows(
        f"""
        SELECT host, arraySort(groupUniqArray({MOST_SERVICES})(service)) FROM (
            SELECT app, service, instance, anyLast(host) AS host, max(last_seen) AS last_seen
            FROM instances WHERE {APPS} GROUP BY app, service, instance
        ) AS heard
        ANY LEFT JOIN ({_BEGAN}) AS noted USING (app, service, instance)
        WHERE {_SEEN} AND began < toDateTime({{end_s:Int64}}, 'UTC') AND host IN {{hosts:Array(String)}}
        GROUP BY host
        """,
        scope(apps, start, end) | {"hosts": list(hosts), "not_services": _NOT_SERVICES},
    )
    return dict(rows)


def services(
    client: StoreClient, apps: Sequence[str] | None, host: str, start: datetime, end: datetime
) -> list[HostedService]:
    """Processes on `host` that sent something since `start` and were there before `end`, by service and instance."""
    parameters = scope(apps, start, end) | {"host": host, "not_services": _NOT_SERVICES}
    files = {
        (service, pid): (count, limit)
        for service, pid, count, limit in client.rows(
            f"""
            SELECT attributes['service.name'] AS of, toUInt32OrZero(attributes['process.pid']) AS pid,
                argMaxIf(value, time, name = 'process.open_file_descriptor.count'),
                argMaxIf(value, time, name = 'process.open_file_descriptor.limit')
            FROM metrics
            WHERE {APPS} AND {METRIC_TIMES} AND host = {{host:String}}
                AND name IN ('process.open_file_descriptor.count', 'process.open_file_descriptor.limit')
                AND pid != 0
            GROUP BY of, pid
            """,
            parameters,
        )
    }
    found = []
    for row in client.dicts(
        f"""
        SELECT app, service, instance, language, last_seen, facts FROM (
            SELECT app, service, instance, anyLast(host) AS on_host, anyLast(language) AS language,
                max(last_seen) AS last_seen, anyLast(attributes) AS facts
            FROM instances WHERE {APPS} AND NOT is_from_segments GROUP BY app, service, instance
        ) AS heard
        ANY LEFT JOIN ({_BEGAN}) AS noted USING (app, service, instance)
        WHERE on_host = {{host:String}} AND {_SEEN} AND began < toDateTime({{end_s:Int64}}, 'UTC')
        ORDER BY service, instance LIMIT {MOST_PROCESSES}
        """,
        parameters,
    ):
        facts = row["facts"]
        said = facts.get("process.pid", "")
        pid = int(said) if said.isdecimal() and len(said) < 10 else None
        open_files, limit = files.get((facts.get("service.name", row["service"]), pid or 0), (None, None))
        found.append(
            HostedService(
                app=row["app"],
                service=row["service"],
                instance=row["instance"],
                language=row["language"],
                version=facts.get("service.version", ""),
                pid=pid,
                last_seen=row["last_seen"],
                open_files=None if open_files is None else int(open_files),
                open_files_limit=int(limit) if limit else None,
            )
        )
    return found


def losses(client: StoreClient, apps: Sequence[str] | None, host: str, start: datetime, end: datetime) -> list[Loss]:
    """What was lost in that time, the most first.

    The counters grow from 0 at the agent's start, and are there from the first loss on: one that has no value before
    counts from 0.
    """
    rows = client.rows(
        f"""
        SELECT name, reason, toUInt64(sum(increase)) AS lost FROM (
            SELECT name, time,
                coalesce(nullIf(attributes['reason'], ''), attributes['reading']) AS reason,
                lagInFrame(value, 1, 0) OVER series AS before,
                if(value >= before, value - before, value) AS increase
            FROM metrics
            WHERE {APPS} AND {METRIC_TIMES} AND host = {{host:String}} AND name IN {{names:Array(String)}}
            WINDOW series AS (
                PARTITION BY app, instance, name, attributes ORDER BY time
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
        )
        WHERE time >= fromUnixTimestamp64Micro({{asked_us:Int64}}, 'UTC')
        GROUP BY name, reason HAVING lost > 0 ORDER BY lost DESC, name, reason LIMIT {MOST_LOSSES}
        """,
        scope(apps, start - _LOOK_BEFORE, end)
        | {"host": host, "names": _LOST, "asked_us": scope(apps, start, end)["start_us"]},
    )
    return [Loss(what=name, reason=reason, count=count) for name, reason, count in rows]
