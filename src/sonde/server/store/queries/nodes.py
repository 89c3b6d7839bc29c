"""Hosts, from the metrics that their agents send each few seconds."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.insight.steps import Steps
from sonde.server.reports.nodes import Filesystem, Node, NodeReport, NodeSample
from sonde.server.store.queries.scope import APPS, METRIC_TIMES, scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sonde.server.store.client import StoreClient

AGENT = "sonde-agent"
"""service.name that an agent gives itself."""
XTRANSIT = "xtransit"
"""The same of easy-monitor's: it tells of disks only how full they are."""
LATELY = timedelta(days=1)
"""A host that was silent for longer is not listed any more."""
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
    "system.filesystem.utilization",
    "system.process.count",
)
_COUNTERS = ("system.disk.io", "system.network.io")
# Which of a metric's series a value belongs to: the state of memory, the direction of traffic.
_KIND = (
    "coalesce(nullIf(attributes['system.memory.state'], ''), nullIf(attributes['system.paging.state'], ''),"
    " nullIf(attributes['system.filesystem.state'], ''), nullIf(attributes['disk.io.direction'], ''),"
    " attributes['network.io.direction'])"
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
    return _nodes(client, apps, now - LATELY, now + timedelta(minutes=5), host=None)


def report(
    client: StoreClient, apps: Sequence[str] | None, host: str, start: datetime, end: datetime
) -> NodeReport | None:
    """Charts of a host, which is shown as it was at `end`; None where it did not report in that time."""
    steps = Steps.over(start, end, points=CHART_POINTS)
    found = _nodes(client, apps, steps.start, end, host=host)
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
    )


def _nodes(
    client: StoreClient, apps: Sequence[str] | None, start: datetime, end: datetime, host: str | None
) -> list[Node]:
    """Hosts that reported between `start` and `end`, as they were last seen in that time."""
    last_seen: dict[str, datetime] = dict(
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
    facts = _facts(client, apps, list(last_seen))
    values: dict[str, dict[Series, float]] = {}
    for hosts, newest in _together(last_seen):
        values |= _last_values(client, apps, hosts, newest)
    return [_node(name, seen, values.get(name, {}), facts.get(name, {})) for name, seen in last_seen.items()]


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
        WHERE before IS NOT NULL AND seconds > 0
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


def _facts(client: StoreClient, apps: Sequence[str] | None, hosts: list[str]) -> dict[str, dict[str, str]]:
    """Resource attributes of each host's agent."""
    now = datetime.now(UTC)
    return dict(
        client.rows(
            f"SELECT host, argMax(attributes, last_seen) FROM instances"
            f" WHERE {APPS} AND host IN {{hosts:Array(String)}} AND service IN {{agents:Array(String)}} GROUP BY host",
            scope(apps, now, now) | {"hosts": hosts, "agents": [AGENT, XTRANSIT]},
        )
    )


def _node(host: str, last_seen: datetime, values: dict[Series, float], facts: dict[str, str]) -> Node:
    def gauge(name: str, kind: str = "") -> float | None:
        return values.get(Series(name, kind, ""))

    disks: dict[str, dict[str, float]] = defaultdict(dict)
    for series, value in values.items():
        if series.name == "system.filesystem.usage":
            disks[series.device][series.kind] = value
    cpus, processes = gauge("system.cpu.logical.count"), gauge("system.process.count")
    swap = [gauge("system.paging.usage", kind) or 0 for kind in ("used", "free")]
    return Node(
        host=host,
        host_id=facts.get("host.id", ""),
        os=facts.get("os.description") or facts.get("os.type", ""),
        agent_version=facts.get("service.version", ""),
        last_seen=last_seen,
        cpus=int(cpus or 0),
        cpu_utilization=gauge("system.cpu.utilization"),
        load_1m=gauge("system.cpu.load_average.1m"),
        memory_used_bytes=int(gauge("system.memory.usage", "used") or 0),
        memory_total_bytes=int(gauge("system.memory.limit") or 0),
        swap_used_bytes=int(swap[0]),
        swap_total_bytes=int(sum(swap)),
        filesystems=[
            Filesystem(
                mountpoint=mountpoint, used_bytes=int(states.get("used", 0)), total_bytes=int(sum(states.values()))
            )
            for mountpoint, states in sorted(disks.items())
        ],
        network_receive_bytes_per_s=_total(values, "system.network.io", "receive"),
        network_transmit_bytes_per_s=_total(values, "system.network.io", "transmit"),
        disk_read_bytes_per_s=_total(values, "system.disk.io", "read"),
        disk_write_bytes_per_s=_total(values, "system.disk.io", "write"),
        processes=None if processes is None else int(processes),
    )


def _sample(time: datetime, gauges: dict[Series, float], rates: dict[Series, float]) -> NodeSample:
    return NodeSample(
        time=time,
        cpu_utilization=_total(gauges, "system.cpu.utilization", ""),
        load_1m=_total(gauges, "system.cpu.load_average.1m", ""),
        memory_used_bytes=_total(gauges, "system.memory.usage", "used"),
        swap_used_bytes=_total(gauges, "system.paging.usage", "used"),
        filesystem_used=_fullest(gauges),
        network_receive_bytes_per_s=_total(rates, "system.network.io", "receive"),
        network_transmit_bytes_per_s=_total(rates, "system.network.io", "transmit"),
        disk_read_bytes_per_s=_total(rates, "system.disk.io", "read"),
        disk_write_bytes_per_s=_total(rates, "system.disk.io", "write"),
    )


def _total(values: dict[Series, float], name: str, kind: str) -> float | None:
    """Over all devices; None where none was measured."""
    measured = [value for series, value in values.items() if series.name == name and series.kind == kind]
    return sum(measured) if measured else None


def _fullest(gauges: dict[Series, float]) -> float | None:
    """Share of the fullest filesystem that is used."""
    sizes: dict[str, float] = defaultdict(float)
    used: dict[str, float] = defaultdict(float)
    for series, value in gauges.items():
        if series.name == "system.filesystem.usage":
            sizes[series.device] += value
            if series.kind == "used":
                used[series.device] = value
    told = [value for series, value in gauges.items() if series.name == "system.filesystem.utilization"]
    return max((*(used[device] / size for device, size in sizes.items() if size), *told), default=None)
