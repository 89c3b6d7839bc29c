"""Hosts, from the metrics that their agents send each few seconds, and from when the server last heard of them."""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.insight.host_health import agent_health
from sonde.server.insight.steps import Steps
from sonde.server.reports.nodes import Filesystem, Node, NodeReport, NodeSample
from sonde.server.store.queries import node_inhabitants
from sonde.server.store.queries.scope import APPS, EPOCH, METRIC_TIMES, scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sonde.server.store.client import StoreClient

AGENT = "sonde-agent"
"""service.name that an agent gives itself."""
XTRANSIT = "xtransit"
"""The same of easy-monitor's: it tells of disks only how full they are."""
LATELY = timedelta(days=1)
"""A host that was silent for longer is not listed any more."""
INHABITED = timedelta(hours=1)
"""A service that sent nothing from a host for longer is not named beside it."""
LAST_VALUES = timedelta(seconds=90)
"""The last values of a host are looked for in this time before it was last seen; rates are means over it."""
CHART_POINTS = 120
MOST_HOSTS = 1000

_GAUGES = (
    "system.cpu.utilization",
    "system.cpu.load_average.1m",
    "system.cpu.logical.count",
    "system.memory.usage",
    "system.memory.limit",
    "system.paging.usage",
    "system.filesystem.usage",
    "system.filesystem.inodes.usage",
    "system.filesystem.utilization",
    "system.process.count",
    "system.file_handles.usage",
    "system.file_handles.limit",
    "sonde.agent.queue.usage",
    "sonde.agent.queue.batches",
)
_COUNTERS = ("system.cpu.time", "system.disk.io", "system.network.io", "system.network.errors")
_LONGEST_BETWEEN_S = 150.0
"""Two readings further apart are the edges of a gap: what was counted in between belongs to no step."""
# Which of a metric's series a value belongs to: the state of memory, the direction of traffic.
_KIND = (
    "coalesce(nullIf(attributes['system.memory.state'], ''), nullIf(attributes['system.paging.state'], ''),"
    " nullIf(attributes['system.filesystem.state'], ''), nullIf(attributes['disk.io.direction'], ''),"
    " nullIf(attributes['cpu.mode'], ''), attributes['network.io.direction'])"
)
_DEVICE = (
    "coalesce(nullIf(attributes['system.filesystem.mountpoint'], ''), nullIf(attributes['system.device'], ''),"
    " attributes['network.interface.name'])"
)
_OF_HOSTS = f"{APPS} AND {METRIC_TIMES} AND host IN {{hosts:Array(String)}} AND name IN {{names:Array(String)}}"


class Series(NamedTuple):
    """One line of a host. `kind`: state or direction, `device`: mount point or interface; both may be empty."""

    name: str
    kind: str
    device: str


def list_nodes(client: StoreClient, apps: Sequence[str] | None, now: datetime) -> list[Node]:
    """Hosts that reported within LATELY, each with the values it reported last, by name."""
    return _nodes(client, apps, now - LATELY, now + timedelta(minutes=5), now, host=None)


def report(
    client: StoreClient, apps: Sequence[str] | None, host: str, start: datetime, end: datetime
) -> NodeReport | None:
    """Charts of a host, which is shown as it was at `end`; None where it did not report in that time."""
    steps = Steps.over(start, end, points=CHART_POINTS)
    found = _nodes(client, apps, steps.start, end, end, host=host)
    if not found:
        return None
    gauges = _gauge_steps(client, apps, host, steps)
    rates = _rate_steps(client, apps, host, steps)
    return NodeReport(
        node=found[0],
        from_=start,
        to=end,
        step_s=steps.step_s,
        series=[
            _sample(time, gauges.get(int(time.timestamp()), {}), rates.get(int(time.timestamp()), {}))
            for time in steps.times()
        ],
        services=node_inhabitants.services(client, apps, host, steps.start, end),
        losses=node_inhabitants.losses(client, apps, host, steps.start, end),
    )


def _nodes(
    client: StoreClient, apps: Sequence[str] | None, start: datetime, end: datetime, now: datetime, host: str | None
) -> list[Node]:
    """Hosts that reported between `start` and `end`, as they were last seen in that time; also those whose agent was
    heard of while nothing of what it measured has a time that is near. How they do is judged as of `now`.
    """
    measured: dict[str, datetime] = dict(
        client.rows(
            f"""
            SELECT host, max(time) FROM metrics
            WHERE {APPS} AND {METRIC_TIMES} AND name = 'system.cpu.utilization' AND host != ''
                AND ({{any_host:Bool}} OR host = {{host:String}})
            GROUP BY host ORDER BY host LIMIT {MOST_HOSTS}
            """,
            scope(apps, start, end) | {"any_host": host is None, "host": host or ""},
        )
    )
    heard = _agents(client, apps, host)
    last_seen = measured | {
        name: agent.last_seen
        for name, agent in heard.items()
        if name not in measured and start <= agent.last_seen < end and agent.service == AGENT
    }
    last_seen = dict(sorted(last_seen.items())[:MOST_HOSTS])
    values: dict[str, dict[Series, float]] = {}
    for hosts, newest in _together(last_seen):
        values |= _last_values(client, apps, hosts, newest)
    services = node_inhabitants.services_by_host(client, apps, list(last_seen), end - INHABITED, end)
    return [
        _node(name, seen, values.get(name, {}), heard.get(name), services.get(name, []), now)
        for name, seen in last_seen.items()
    ]


def _together(last_seen: dict[str, datetime]) -> Iterable[tuple[list[str], datetime]]:
    """Hosts that can be asked about at once, because they were last seen at about the same time, and that time."""
    groups: dict[datetime, list[str]] = {}
    for host, seen in sorted(last_seen.items(), key=lambda item: item[1], reverse=True):
        newest = next((at for at in groups if at - seen < LAST_VALUES / 3), seen)
        groups.setdefault(newest, []).append(host)
    for newest, hosts in groups.items():
        yield hosts, newest


def _last_values(
    client: StoreClient, apps: Sequence[str] | None, hosts: list[str], newest: datetime
) -> dict[str, dict[Series, float]]:
    """The last value of each gauge, and the rate of each counter, by host."""
    times = scope(apps, newest - LAST_VALUES, newest + timedelta(milliseconds=1))
    values: dict[str, dict[Series, float]] = defaultdict(dict)
    for host, name, kind, device, value in client.rows(
        f"SELECT host, name, {_KIND} AS kind, {_DEVICE} AS device, argMax(value, time)"
        f" FROM metrics WHERE {_OF_HOSTS} GROUP BY host, name, kind, device",
        times | {"hosts": hosts, "names": list(_GAUGES)},
    ):
        values[host][Series(name, kind, device)] = value
    for host, name, kind, device, _, rate in _rates(client, times, hosts, step_s=1 << 31):
        values[host][Series(name, kind, device)] = rate
    return values


def _rates(
    client: StoreClient, parameters: dict[str, object], hosts: list[str], *, step_s: int
) -> list[tuple[str, str, str, str, int, float]]:
    """(host, name, kind, device, step, increase a second) of the counters.

    A counter that is lower than before was reset in between: it counted from 0. The loopback interface is nobody's
    traffic.
    """
    return client.rows(
        f"""
        SELECT host, name, kind, device,
            toUnixTimestamp(toStartOfInterval(time, toIntervalSecond({{step_s:UInt32}}))) AS step,
            sum(increase) / sum(seconds)
        FROM (
            SELECT host, name, time, {_KIND} AS kind, {_DEVICE} AS device,
                lagInFrame(toNullable(value)) OVER series AS before,
                if(value >= before, value - before, value) AS increase,
                dateDiff('millisecond', lagInFrame(time) OVER series, time) / 1000 AS seconds
            FROM metrics
            WHERE {_OF_HOSTS} AND {_DEVICE} NOT IN ('lo', 'lo0')
            WINDOW series AS (
                PARTITION BY app, instance, host, name, {_KIND}, {_DEVICE} ORDER BY time
                ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
        )
        WHERE before IS NOT NULL AND seconds > 0 AND seconds <= {_LONGEST_BETWEEN_S}
        GROUP BY host, name, kind, device, step
        """,
        parameters | {"hosts": hosts, "names": list(_COUNTERS), "step_s": step_s},
    )


def _gauge_steps(
    client: StoreClient, apps: Sequence[str] | None, host: str, steps: Steps
) -> dict[int, dict[Series, float]]:
    """Mean of each gauge in each step."""
    by_step: dict[int, dict[Series, float]] = defaultdict(dict)
    for step, name, kind, device, value in client.rows(
        f"SELECT toUnixTimestamp(toStartOfInterval(time, toIntervalSecond({{step_s:UInt32}}))) AS step,"
        f" name, {_KIND} AS kind, {_DEVICE} AS device, avg(value)"
        f" FROM metrics WHERE {_OF_HOSTS} GROUP BY step, name, kind, device",
        scope(apps, steps.start, steps.end) | {"hosts": [host], "names": list(_GAUGES), "step_s": steps.step_s},
    ):
        by_step[step][Series(name, kind, device)] = value
    return by_step


def _rate_steps(
    client: StoreClient, apps: Sequence[str] | None, host: str, steps: Steps
) -> dict[int, dict[Series, float]]:
    """Rate of each counter in each step."""
    by_step: dict[int, dict[Series, float]] = defaultdict(dict)
    parameters = scope(apps, steps.start, steps.end)
    for _, name, kind, device, step, rate in _rates(client, parameters, [host], step_s=steps.step_s):
        by_step[step][Series(name, kind, device)] = rate
    return by_step


class Heard(NamedTuple):
    """What an agent said of itself, and when the server last heard it, by the server's clock."""

    service: str
    last_seen: datetime
    facts: dict[str, str]


def _agents(client: StoreClient, apps: Sequence[str] | None, host: str | None) -> dict[str, Heard]:
    """Agents by host; ours where a host has several."""
    rows = client.rows(
        f"""
        SELECT host, argMax(service, (service = {{ours:String}}, last_seen)) AS agent, max(last_seen),
            argMax(attributes, (service = {{ours:String}}, last_seen))
        FROM instances
        WHERE {APPS} AND host != '' AND ({{any_host:Bool}} OR host = {{host:String}})
            AND service IN {{agents:Array(String)}}
        GROUP BY host
        """,
        scope(apps, EPOCH, EPOCH)
        | {"any_host": host is None, "host": host or "", "agents": [AGENT, XTRANSIT], "ours": AGENT},
    )
    return {name: Heard(service, last_seen, facts) for name, service, last_seen, facts in rows}


def _node(
    host: str, last_seen: datetime, values: dict[Series, float], heard: Heard | None, services: list[str], now: datetime
) -> Node:
    facts = heard.facts if heard else {}

    def gauge(name: str, kind: str = "") -> float | None:
        return values.get(Series(name, kind, ""))

    disks: dict[str, dict[str, float]] = defaultdict(dict)
    inodes: dict[str, dict[str, float]] = defaultdict(dict)
    for series, value in values.items():
        if series.name == "system.filesystem.usage":
            disks[series.device][series.kind] = value
        if series.name == "system.filesystem.inodes.usage":
            inodes[series.device][series.kind] = value
    swap = [gauge("system.paging.usage", kind) or 0 for kind in ("used", "free")]
    return Node(
        host=host,
        host_id=facts.get("host.id", ""),
        os=facts.get("os.description") or facts.get("os.type", ""),
        agent_version=facts.get("service.version", ""),
        agent=None
        if heard is None or heard.service != AGENT
        else agent_health(
            facts,
            heard.last_seen if heard.last_seen <= now else last_seen,
            now,
            queue_bytes=_whole(gauge("sonde.agent.queue.usage")),
            queue_batches=_whole(gauge("sonde.agent.queue.batches")),
        ),
        services=services,
        last_seen=last_seen,
        cpus=int(gauge("system.cpu.logical.count") or 0),
        cpu_utilization=gauge("system.cpu.utilization"),
        load_1m=gauge("system.cpu.load_average.1m"),
        memory_used_bytes=int(gauge("system.memory.usage", "used") or 0),
        memory_total_bytes=int(gauge("system.memory.limit") or 0),
        swap_used_bytes=int(swap[0]),
        swap_total_bytes=int(sum(swap)),
        filesystems=[
            Filesystem(
                mountpoint=mountpoint,
                used_bytes=int(states.get("used", 0)),
                total_bytes=int(sum(states.values())),
                inodes_used=int(inodes[mountpoint].get("used", 0)),
                inodes_total=int(sum(inodes[mountpoint].values())),
            )
            for mountpoint, states in sorted(disks.items())
        ],
        network_receive_bytes_per_s=_total(values, "system.network.io", "receive"),
        network_transmit_bytes_per_s=_total(values, "system.network.io", "transmit"),
        disk_read_bytes_per_s=_total(values, "system.disk.io", "read"),
        disk_write_bytes_per_s=_total(values, "system.disk.io", "write"),
        processes=_whole(gauge("system.process.count")),
        file_handles=_whole(gauge("system.file_handles.usage")),
        file_handles_limit=_whole(gauge("system.file_handles.limit")),
    )


def _whole(value: float | None) -> int | None:
    return None if value is None else int(value)


def _sample(time: datetime, gauges: dict[Series, float], rates: dict[Series, float]) -> NodeSample:
    return NodeSample(
        time=time,
        cpu_utilization=_total(gauges, "system.cpu.utilization", ""),
        **_cpu_shares(rates),
        load_1m=_total(gauges, "system.cpu.load_average.1m", ""),
        memory_used_bytes=_total(gauges, "system.memory.usage", "used"),
        memory_cached_bytes=_total(gauges, "system.memory.usage", "cached"),
        swap_used_bytes=_total(gauges, "system.paging.usage", "used"),
        filesystem_used=_fullest(gauges, "system.filesystem.usage", "system.filesystem.utilization"),
        inodes_used=_fullest(gauges, "system.filesystem.inodes.usage"),
        network_receive_bytes_per_s=_total(rates, "system.network.io", "receive"),
        network_transmit_bytes_per_s=_total(rates, "system.network.io", "transmit"),
        network_errors_per_s=_sum(
            _total(rates, "system.network.errors", "receive"), _total(rates, "system.network.errors", "transmit")
        ),
        disk_read_bytes_per_s=_total(rates, "system.disk.io", "read"),
        disk_write_bytes_per_s=_total(rates, "system.disk.io", "write"),
        file_handles=_total(gauges, "system.file_handles.usage", ""),
        agent_queue_bytes=_total(gauges, "sonde.agent.queue.usage", ""),
    )


def _cpu_shares(rates: dict[Series, float]) -> dict[str, float | None]:
    """Of all time of all cores in the step, what went into each mode."""
    modes = {series.kind: rate for series, rate in rates.items() if series.name == "system.cpu.time"}
    whole = sum(modes.values())
    names = {"cpu_user": "user", "cpu_system": "system", "cpu_iowait": "iowait", "cpu_steal": "steal"}
    if not whole:
        return dict.fromkeys([*names, "cpu_other"])
    shares: dict[str, float | None] = {field: modes.get(mode, 0.0) / whole for field, mode in names.items()}
    shares["cpu_other"] = (modes.get("nice", 0.0) + modes.get("interrupt", 0.0)) / whole
    return shares


def _sum(*values: float | None) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None


def _total(values: dict[Series, float], name: str, kind: str) -> float | None:
    """Over all devices; None where none was measured."""
    measured = [value for series, value in values.items() if series.name == name and series.kind == kind]
    return sum(measured) if measured else None


def _fullest(gauges: dict[Series, float], usage: str, utilization: str = "") -> float | None:
    """Share of the fullest filesystem that is used. `utilization`: a metric that tells the share itself."""
    sizes: dict[str, float] = defaultdict(float)
    used: dict[str, float] = defaultdict(float)
    for series, value in gauges.items():
        if series.name == usage:
            sizes[series.device] += value
            if series.kind == "used":
                used[series.device] = value
    told = [value for series, value in gauges.items() if utilization and series.name == utilization]
    return max((*(used[device] / size for device, size in sizes.items() if size), *told), default=None)
