"""Node.js processes, from what their agents report each minute."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sonde.server.insight.steps import Steps
from sonde.server.intake.xtransit.error_logs import EVENT, FILE
from sonde.server.intake.xtransit.keys import PREFIX, RESPONSES, SPACE, STATUS, THREAD, stored
from sonde.server.intake.xtransit.system_metrics import SERVICE
from sonde.server.reports.nodejs import (
    NodejsErrorFile,
    NodejsLoggedError,
    NodejsPoint,
    NodejsSeries,
    NodejsSystem,
    NodejsSystemSample,
    NodejsTrend,
)
from sonde.server.store.queries.scope import APPS, METRIC_TIMES, micros, scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sonde.server.store.client import StoreClient

LATELY = timedelta(days=1)
REPORTING = timedelta(minutes=10)
"""Each process reports about once a minute."""
AHEAD = timedelta(minutes=5)
"""Agents' clocks may be ahead of ours."""
CHART_POINTS = 240
MOST_INSTANCES = 5000
MOST_PROCESSES = 20_000
MOST_SERIES = 2000
MOST_FILES = 1000
EVERY_STATUS = "res__*"
_HOST = f"{APPS} AND {METRIC_TIMES} AND host = {{agent:String}}"
_THREAD = f"toUInt32OrZero(attributes['{THREAD}'])"
_STEP = "toUnixTimestamp(toStartOfInterval(time, toIntervalSecond({step_s:UInt32}))) AS step"

LAST = {
    "cpu_percent": "cpu_15",
    "cpu_60_percent": "cpu_60",
    "rss_bytes": "rss",
    "heap_used_bytes": "heap_used",
    "heap_total_bytes": "heap_total",
    "heap_limit_bytes": "heap_limit",
    "active_handles": "active_handles",
    "response_average_ms": "http_rt",
}
"""Figures of a process that are shown as they were reported last."""
_UPTIME, _GC, _SENT = "uptime", "gc_time_during_last_record", "http_response_sent"


class Instance(NamedTuple):
    """An agent that reported lately."""

    app: str
    agent: str
    last_seen: datetime
    version: str


class LastValues(NamedTuple):
    """What a process reported last."""

    app: str
    agent: str
    instance: str
    command: str
    last_seen: datetime
    started_at: datetime | None
    threads: list[int]
    figures: dict[str, float]
    """By the names of NodejsProcess."""


def instances(client: StoreClient, apps: Sequence[str] | None, now: datetime) -> list[Instance]:
    """Agents that reported on their host within LATELY, by app and name."""
    rows = client.rows(
        f"""
        SELECT app, instance, max(last_seen) AS seen, argMax(attributes['service.version'], last_seen)
        FROM instances WHERE {APPS} AND service = {{service:String}}
        GROUP BY app, instance HAVING seen >= toDateTime({{start_s:Int64}}, 'UTC')
        ORDER BY app, instance LIMIT {MOST_INSTANCES}
        """,
        scope(apps, now - LATELY, now) | {"service": SERVICE},
    )
    return [Instance(*row) for row in rows]


def last_values(client: StoreClient, app: str, agent: str, now: datetime) -> list[LastValues]:
    """Processes that reported within LATELY, with the last figures of their main thread."""
    return _last_values(client, [app], "host = {agent:String}", {"agent": agent}, now - LATELY, now)


def reporting(client: StoreClient, apps: Sequence[str] | None, now: datetime) -> list[LastValues]:
    """Processes of all agents that reported within REPORTING, at most MOST_PROCESSES."""
    return _last_values(client, apps, "host != ''", {}, now - REPORTING, now)


def _last_values(
    client: StoreClient,
    apps: Sequence[str] | None,
    whose: str,
    parameters: dict[str, Any],
    start: datetime,
    now: datetime,
) -> list[LastValues]:
    keys = [*LAST.values(), _UPTIME, _GC, _SENT]
    names = {known.name: key for key in keys if (known := stored(key))}
    parameters = scope(apps, start, now + AHEAD) | {"names": list(names), "service": SERVICE} | parameters
    # OpenTelemetry's own metrics of Node.js have some of these names; their instances are called otherwise
    of_process = "startsWith(instance, concat(host, ':'))"
    rows = client.rows(
        f"""
        SELECT app, host, instance, name, max(time), groupUniqArray(100)({_THREAD}),
            argMaxIf(value, time, {_THREAD} = 0),
            argMaxIf(dateDiff('millisecond', start_time, time), time, {_THREAD} = 0)
        FROM metrics WHERE {APPS} AND {METRIC_TIMES} AND {whose} AND {of_process}
            AND service != {{service:String}} AND name IN {{names:Array(String)}}
        GROUP BY app, host, instance, name LIMIT {MOST_PROCESSES * len(names)}
        """,
        parameters,
    )
    commands = {
        (app, agent, instance): command
        for app, agent, instance, command in client.rows(
            f"""
            SELECT app, host, instance, argMax(attributes['process.command_line'], last_seen) FROM instances
            WHERE {APPS} AND {whose} AND {of_process} AND attributes['process.command_line'] != ''
            GROUP BY app, host, instance
            """,
            parameters,
        )
    }
    found: dict[tuple[str, str, str], dict[str, tuple[datetime, list[int], float, int]]] = defaultdict(dict)
    for app, agent, instance, name, time, threads, value, covered_ms in rows:
        found[app, agent, instance][names[name]] = time, threads, value, covered_ms
    return [_last(*key, commands.get(key, ""), values) for key, values in sorted(found.items())]


def _last(
    app: str, agent: str, instance: str, command: str, values: dict[str, tuple[datetime, list[int], float, int]]
) -> LastValues:
    figures = {field: values[key][2] for field, key in LAST.items() if key in values}
    if _GC in values and values[_GC][3] > 0:
        figures["gc_percent"] = 100 * values[_GC][2] / values[_GC][3]
    if _SENT in values and values[_SENT][3] > 0:
        figures["requests_per_s"] = 1000 * values[_SENT][2] / values[_SENT][3]
    last_seen = max(value[0] for value in values.values())
    began = values[_UPTIME][0] - timedelta(seconds=values[_UPTIME][2]) if _UPTIME in values else None
    threads = sorted({thread for value in values.values() for thread in value[1]})
    return LastValues(app, agent, instance, command, last_seen, began, threads, figures)


def trend(
    client: StoreClient,
    app: str,
    agent: str,
    pid: int,
    instance: str,
    keys: Sequence[str],
    start: datetime,
    end: datetime,
) -> NodejsTrend:
    """Series of a process by xprofiler's own words; a word that it never reported gives none."""
    steps = Steps.over(start, end, points=CHART_POINTS)
    asked = {(known.name, _mark(known.attributes)): (key, known) for key in keys if (known := stored(key))}
    every_status = EVERY_STATUS in keys
    names = {name for name, _ in asked} | ({RESPONSES} if every_status else set())
    values: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)
    for name, mark, thread, step, mean, total in client.rows(
        f"""
        SELECT name, concat(attributes['{SPACE}'], attributes['{STATUS}']) AS mark, {_THREAD} AS thread, {_STEP},
            avg(value), sum(value)
        FROM metrics WHERE {_HOST} AND instance = {{instance:String}} AND name IN {{names:Array(String)}}
        GROUP BY name, mark, thread, step
        """,
        scope([app], steps.start, end)
        | {"agent": agent, "instance": instance, "names": sorted(names), "step_s": steps.step_s},
    ):
        if (name, mark) in asked:
            key, known = asked[name, mark]
            values[key, thread][step] = total if known.kind == "delta" else mean
        elif every_status and name == RESPONSES:
            values[f"res__{mark}", thread][step] = total
    times = [(time, int(time.timestamp())) for time in steps.times()]
    return NodejsTrend(
        pid=pid,
        from_=start,
        to=end,
        step_s=steps.step_s,
        series=[
            NodejsSeries(
                metric=key,
                thread=thread,
                points=[NodejsPoint(time=time, value=points.get(second)) for time, second in times],
            )
            for (key, thread), points in sorted(values.items())[:MOST_SERIES]
        ],
    )


def _mark(attributes: dict[str, str | int]) -> str:
    return "".join(str(attributes.get(name, "")) for name in (SPACE, STATUS))


_OF_HOST = {
    "system.cpu.utilization": "cpu_utilization",
    "system.memory.limit": "memory_total_bytes",
    "system.cpu.load_average.1m": "load_1m",
    "system.cpu.load_average.5m": "load_5m",
    "system.cpu.load_average.15m": "load_15m",
    "xprofiler.node_count": "node_processes",
}
_OF_PROCESSES = {
    "http_response_sent": "requests",
    "http_request_timeout": "requests_expired",
    "gc_time_during_last_record": "gc_ms",
    "scavange_duration_last_record": "scavenge_ms",
    "marksweep_duration_last_record": "marksweep_ms",
}
_CPUS, _MEMORY, _DISK = "system.cpu.logical.count", "system.memory.usage", "system.filesystem.utilization"
_DURATION = "http.server.request.duration"


def system(client: StoreClient, app: str, agent: str, start: datetime, end: datetime) -> NodejsSystem:
    """The host of an agent, and what all its processes did together."""
    steps = Steps.over(start, end, points=CHART_POINTS)
    parameters = scope([app], steps.start, end) | {"agent": agent, "service": SERVICE, "step_s": steps.step_s}
    fields: dict[int, dict[str, Any]] = defaultdict(dict)
    latest: dict[str, Any] = {}
    latest_at: datetime | None = None
    cpus: float | None = None
    for name, state, disk, step, mean, last, at in client.rows(
        f"""
        SELECT name, attributes['system.memory.state'] AS state,
            attributes['system.filesystem.mountpoint'] AS disk, {_STEP}, avg(value), argMax(value, time), max(time)
        FROM metrics WHERE {_HOST} AND service = {{service:String}} AND name IN {{names:Array(String)}}
        GROUP BY name, state, disk, step ORDER BY step
        """,
        parameters | {"names": [*_OF_HOST, _CPUS, _MEMORY, _DISK]},
    ):
        latest_at = at if latest_at is None else max(at, latest_at)
        if name == _CPUS:
            cpus = last
        elif name == _DISK:
            fields[step].setdefault("disks", {})[disk] = mean
            latest.setdefault("disks", {})[disk] = last
        elif name == _MEMORY and state != "used":
            continue
        else:
            field = "memory_used_bytes" if name == _MEMORY else _OF_HOST[name]
            fields[step][field], latest[field] = mean, last
    by_name = {PREFIX + key: field for key, field in _OF_PROCESSES.items()}
    for name, step, total, count, spent_s in client.rows(
        f"""
        SELECT name, {_STEP}, sum(value), sum(count), sum(sum)
        FROM metrics WHERE {_HOST} AND service != {{service:String}} AND name IN {{names:Array(String)}}
        GROUP BY name, step ORDER BY step
        """,
        parameters | {"names": [*by_name, _DURATION]},
    ):
        if name == _DURATION:
            fields[step]["response_average_ms"] = 1000 * spent_s / count if count else None
        else:
            fields[step][by_name[name]] = total
    newest = max(fields, default=None)
    if newest is not None:
        latest |= {name: value for name, value in fields[newest].items() if name not in latest}
    return NodejsSystem(
        app=app,
        agent=agent,
        from_=start,
        to=end,
        step_s=steps.step_s,
        latest=NodejsSystemSample(time=latest_at, **latest) if latest_at is not None else None,
        cpus=cpus,
        series=[NodejsSystemSample(time=time, **fields.get(int(time.timestamp()), {})) for time in steps.times()],
    )


_ERRORS = (
    f"{APPS} AND host = {{agent:String}} AND event = {{event:String}}"
    " AND time >= fromUnixTimestamp64Micro({start_us:Int64}, 'UTC')"
    " AND time < fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')"
)


def error_files(client: StoreClient, app: str, agent: str, start: datetime, end: datetime) -> list[NodejsErrorFile]:
    """Files with errors in that time, the one with the newest error first."""
    rows = client.rows(
        f"SELECT attributes['{FILE}'] AS watched, count(), max(time) AS seen FROM logs WHERE {_ERRORS}"
        f" GROUP BY watched ORDER BY seen DESC, watched LIMIT {MOST_FILES}",
        scope([app], start, end) | {"agent": agent, "event": EVENT},
    )
    return [NodejsErrorFile(file=file, errors=count, last_seen=seen) for file, count, seen in rows]


class BadCursorError(Exception):
    """Not one that an earlier page gave."""


def errors(
    client: StoreClient,
    app: str,
    agent: str,
    file: str | None,
    start: datetime,
    end: datetime,
    limit: int,
    cursor: str | None,
) -> tuple[list[NodejsLoggedError], str | None]:
    """Errors, newest first, and the cursor of what follows: the time it goes on at, how many of that time are known.

    Raises BadCursorError.
    """
    at_us, skip = micros(end), 0
    if cursor is not None:
        first, _, second = cursor.partition("-")
        if not first.isdecimal() or not second.isdecimal() or len(first) > 17 or len(second) > 5:
            raise BadCursorError
        at_us, skip = int(first) + 1, int(second)
    rows = client.rows(
        f"""
        SELECT time, attributes['{FILE}'], attributes['exception.type'], body, attributes['exception.stacktrace'],
            attributes['xprofiler.extra']
        FROM logs WHERE {_ERRORS} AND ({{any_watched:Bool}} OR attributes['{FILE}'] = {{watched:String}})
        ORDER BY time DESC, cityHash64(attributes['exception.stacktrace'], attributes['{FILE}'])
        LIMIT {{wanted:UInt32}}
        """,
        scope([app], start, end)
        | {
            "end_us": min(at_us, micros(end)),
            "agent": agent,
            "event": EVENT,
            "any_watched": file is None,
            "watched": file or "",
            "wanted": skip + limit + 1,
        },
    )
    shown = rows[skip : skip + limit]
    following = None
    if len(rows) > skip + limit:
        last = shown[-1][0]
        known = sum(row[0] == last for row in rows[: skip + limit])
        following = f"{micros(last)}-{known}"
    return [
        NodejsLoggedError(time=time, file=path, type=kind, message=message, stack=stack, extra=extra)
        for time, path, kind, message, stack, extra in shown
    ], following
