"""Windows that end at regular times, and what was measured in each of them: one query for many rules.

Rows come by group and `k`, the number of the window. What was recorded is first merged into chunks that no window cuts
through, then each chunk goes to the windows that it lies in.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.insight.measures import QUANTILES
from sonde.server.store.queries import rollups
from sonde.server.store.queries.scope import APPS, METRIC_TIMES, SLOTS, SPAN_TIMES, at_micros, scope
from sonde.server.store.queries.sums import quantiles as quantiles_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sonde.server.store.client import StoreClient

MOST_ROWS = 1_000_000
"""Of one query; more are refused by the store, and the rules that asked say so."""
_TOO_MUCH = {"max_result_rows": MOST_ROWS, "result_overflow_mode": "throw"}


@dataclass(frozen=True, slots=True)
class Windows:
    """`count` windows of `window_s` seconds, the first of which ends at `first_s`. `period_s`: only what lies within
    `around_s` after the first one's end, in each period, is wanted; the others may be incomplete.
    """

    first_s: int
    window_s: int
    step_s: int = 30
    count: int = 1
    period_s: int = 0
    around_s: int = 0

    @property
    def base_s(self) -> int:
        """Where the first one begins."""
        return self.first_s - self.window_s

    @property
    def end_s(self) -> int:
        """Where the last one ends."""
        return self.first_s + (self.count - 1) * self.step_s

    def end_of(self, number: int) -> int:
        """Where a window ends."""
        return self.first_s + number * self.step_s

    @property
    def whole_s(self) -> int:
        """A length whose multiples since the epoch no chunk is cut by."""
        return math.gcd(self._chunk_s, self.base_s)

    @property
    def _chunk_s(self) -> int:
        return math.gcd(self.step_s, self.window_s) if self.count > 1 else self.window_s

    def chunk(self, seconds: str) -> str:
        """SQL for the number of the chunk that a time, in whole seconds since the epoch, falls into."""
        return f"intDiv({seconds} - {self.base_s}, {self._chunk_s})"

    @property
    def of_chunk(self) -> str:
        """SQL for the number of each window that `chunk` lies in."""
        if self.count == 1:
            return "toInt64(0)"
        size, step = self._chunk_s, self.step_s
        first = f"greatest(0, intDiv((chunk + 1) * {size} - {self.window_s} + {step - 1}, {step}))"
        return f"arrayJoin(range(toInt64({first}), least({self.count}, toInt64(intDiv(chunk * {size}, {step})) + 1)))"

    def wanted(self, seconds: str) -> str:
        """SQL: such a time belongs to a window that is wanted."""
        if not self.period_s or self.around_s + self.window_s >= self.period_s:
            return ""
        return f" AND modulo({seconds} - {self.base_s}, {self.period_s}) < {self.around_s + self.window_s}"

    def scope(self, apps: Sequence[str] | None) -> dict[str, object]:
        """Parameters of a query over all of them."""
        return scope(apps, at_micros(self.base_s * 1_000_000), at_micros(self.end_s * 1_000_000))


class Filters(NamedTuple):
    """Columns and the only values that are wanted of them."""

    values: dict[str, list[str]]

    def condition(self, names: dict[str, str] | None = None) -> str:
        """SQL. `names`: what a column is called there."""
        shown = names or {}
        return "".join(f" AND {shown.get(name, name)} IN {{only_{name}:Array(String)}}" for name in self.values)

    @property
    def parameters(self) -> dict[str, object]:
        """For the condition."""
        return {f"only_{name}": values for name, values in self.values.items()}


@dataclass(frozen=True, slots=True)
class RequestSums:
    """Of the requests of a window. Durations in ns. Where they were asked for `quantiles`, p50, p90, p95, p99, and
    the `histogram`, requests by bucket.
    """

    requests: int = 0
    errors: int = 0
    sum_ns: int = 0
    max_ns: int = 0
    satisfied: int = 0
    tolerating: int = 0
    quantiles: Sequence[float] = ()
    histogram: Mapping[int, int] = field(default_factory=dict)


def request_sums(
    client: StoreClient,
    apps: Sequence[str],
    windows: Windows,
    sets: Sequence[tuple[str, ...]],
    filters: Filters,
    *,
    quantiles: bool,
    histogram: bool = False,
) -> dict[tuple[str, ...], list[tuple[str, tuple[str, ...], int, RequestSums]]]:
    """For each set of columns (of service, endpoint, instance): (app, values of the columns, k, sums)."""
    columns = [name for name in ("service", "endpoint", "instance") if any(name in wanted for wanted in sets)]
    shown = "".join(f", {name}" for name in columns)
    seconds = "toInt64(toUnixTimestamp(slot))"
    start, end = at_micros(windows.base_s * 1_000_000), at_micros(windows.end_s * 1_000_000)
    source = rollups.requests(client, start, end, {*columns, *filters.values}, step_s=windows.whole_s)
    by_duration = "sumMap(by_duration)" if quantiles else "0"
    merged = quantiles_of("steps", *QUANTILES) if quantiles else "[]"
    buckets = "sumMap(histogram)" if histogram else "0"
    merged += ", sumMap(buckets)" if histogram else ", CAST(map(), 'Map(UInt8, UInt64)')"
    grouping = ", ".join(f"(app, k{''.join(f', {name}' for name in wanted)})" for wanted in sets)
    marks = "".join(f", grouping({name})" for name in columns)
    rows = client.rows(
        f"""
        SELECT app, k{shown}{marks}, sum(n), sum(failed), sum(ns), max(longest), sum(happy), sum(patient), {merged}
        FROM (
            SELECT app{shown}, {windows.of_chunk} AS k, n, failed, ns, longest, happy, patient, steps, buckets
            FROM (
                SELECT app{shown}, {windows.chunk(seconds)} AS chunk,
                    sum(count) AS n, sum(errors) AS failed, sum(sum_ns) AS ns, max(max_ns) AS longest,
                    sum(satisfied) AS happy, sum(tolerating) AS patient, {by_duration} AS steps, {buckets} AS buckets
                FROM {source}
                WHERE {APPS} AND {SLOTS}{windows.wanted(seconds)} AND is_entry{filters.condition()}
                GROUP BY app{shown}, chunk
            )
        )
        GROUP BY GROUPING SETS ({grouping})
        """,
        windows.scope(apps) | filters.parameters,
        settings=_TOO_MUCH,
    )
    by_marks = {tuple(int(name not in wanted) for name in columns): wanted for wanted in sets}
    places = {wanted: [2 + columns.index(name) for name in wanted] for wanted in sets}
    first, width = 2 + len(columns), len(columns)
    found: dict[tuple[str, ...], list[tuple[str, tuple[str, ...], int, RequestSums]]] = {wanted: [] for wanted in sets}
    for row in rows:
        wanted = by_marks[row[first : first + width]]
        sums = RequestSums(*row[first + width :])
        found[wanted].append((row[0], tuple(row[place] for place in places[wanted]), row[1], sums))
    return found


_ERROR_TYPE = (
    "multiIf(arrayFirst(e -> e.name = 'exception', events).attributes['exception.type'] != '',"
    " arrayFirst(e -> e.name = 'exception', events).attributes['exception.type'],"
    " attributes['error.type'] != '', attributes['error.type'], status_code != 0, toString(status_code), '')"
)


def failures(
    client: StoreClient, apps: Sequence[str], windows: Windows, columns: Sequence[str], filters: Filters
) -> list[tuple[str, tuple[str, ...], int, int]]:
    """(app, values of the columns, k, failed spans). Columns are of service, endpoint, error_type."""
    names = {"error_type": _ERROR_TYPE}
    shown = "".join(f", {names.get(name, name)} AS of_{name}" for name in columns)
    keys = "".join(f", of_{name}" for name in columns)
    seconds = "toInt64(toUnixTimestamp(start_time))"
    rows = client.rows(
        f"""
        SELECT app{keys}, {windows.of_chunk} AS k, sum(n) FROM (
            SELECT app{shown}, {windows.chunk(seconds)} AS chunk, count() AS n FROM spans
            WHERE {APPS} AND {SPAN_TIMES}{windows.wanted(seconds)} AND is_error{filters.condition(names)}
            GROUP BY app{keys}, chunk
        )
        GROUP BY app{keys}, k
        """,
        windows.scope(apps) | filters.parameters,
        settings=_TOO_MUCH,
    )
    return [(row[0], tuple(row[1:-2]), row[-2], row[-1]) for row in rows]


class MetricRow(NamedTuple):
    """Points of one group of series in a window. `labels`: values of the attributes that were asked for."""

    app: str
    metric: str
    service: str
    instance: str
    host: str
    labels: Sequence[str]
    k: int
    points: int
    total: float
    least: float
    most: float
    last: float
    last_ms: int
    rate: float


_METRIC_KEYS = "app, name, service, instance, host, labels"


def metric_points(
    client: StoreClient,
    apps: Sequence[str],
    windows: Windows,
    metrics: Sequence[str],
    keys: Sequence[str],
    filters: Filters,
) -> list[MetricRow]:
    """Of gauges and sums. `keys`: attributes that tell groups apart."""
    seconds = "toInt64(toUnixTimestamp(time))"
    rows = client.rows(
        f"""
        SELECT {_METRIC_KEYS}, {windows.of_chunk} AS k, sum(n), sum(total), min(least), max(most),
            argMax(newest, at), max(at), 0.
        FROM (
            SELECT app, name, service, instance, host,
                arrayMap(key -> attributes[key], {{keys:Array(String)}}) AS labels,
                {windows.chunk(seconds)} AS chunk,
                count() AS n, sum(value) AS total, min(value) AS least, max(value) AS most,
                argMax(value, time) AS newest, toUnixTimestamp64Milli(max(time)) AS at
            FROM metrics
            WHERE {APPS} AND {METRIC_TIMES}{windows.wanted(seconds)} AND name IN {{metrics:Array(String)}}
                AND type IN ('gauge', 'sum'){filters.condition()}
            GROUP BY {_METRIC_KEYS}, chunk
        )
        GROUP BY {_METRIC_KEYS}, k
        """,
        windows.scope(apps) | {"metrics": list(metrics), "keys": list(keys)} | filters.parameters,
        settings=_TOO_MUCH,
    )
    return [MetricRow(*row) for row in rows]


def metric_rates(
    client: StoreClient,
    apps: Sequence[str],
    windows: Windows,
    metrics: Sequence[str],
    keys: Sequence[str],
    filters: Filters,
) -> list[MetricRow]:
    """Increase a second of counters, over the time between the points of a window, added up over series. A counter
    that is lower than before was reset in between: it counted from 0.
    """
    seconds = "toInt64(toUnixTimestamp(time))"
    series = "app, service, instance, host, name, mapSort(attributes)"
    rows = client.rows(
        f"""
        SELECT {_METRIC_KEYS}, k, sum(n), 0., 0., 0., 0., 0, sum(gained / took) FROM (
            SELECT {_METRIC_KEYS}, series, {windows.of_chunk} AS k, sum(n) AS n, sum(gained) AS gained,
                sum(took) AS took
            FROM (
                SELECT {_METRIC_KEYS}, series, {windows.chunk(seconds)} AS chunk, count() AS n,
                    sum(increase) AS gained, sum(passed) AS took
                FROM (
                    SELECT app, name, service, instance, host, time,
                        arrayMap(key -> attributes[key], {{keys:Array(String)}}) AS labels,
                        sipHash64({series}) AS series,
                        lagInFrame(toNullable(value)) OVER by_time AS before,
                        if(temporality = 'delta' OR value < before, value, value - before) AS increase,
                        dateDiff('millisecond', lagInFrame(time) OVER by_time, time) / 1000 AS passed
                    FROM metrics
                    WHERE {APPS} AND {METRIC_TIMES}{windows.wanted(seconds)} AND name IN {{metrics:Array(String)}}
                        AND type = 'sum'{filters.condition()}
                    WINDOW by_time AS (
                        PARTITION BY app, service, instance, host, name, mapSort(attributes) ORDER BY time
                        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
                )
                WHERE before IS NOT NULL AND passed > 0
                GROUP BY {_METRIC_KEYS}, series, chunk
            )
            GROUP BY {_METRIC_KEYS}, series, k
        )
        GROUP BY {_METRIC_KEYS}, k
        """,
        windows.scope(apps) | {"metrics": list(metrics), "keys": list(keys)} | filters.parameters,
        settings=_TOO_MUCH,
    )
    return [MetricRow(*row) for row in rows]


class HostFigure(NamedTuple):
    """A share: sum of `part` over sum of `whole`, which each report of a host says once; of devices the fullest."""

    metrics: tuple[str, ...]
    part: str
    whole: str
    device: str = "''"


_MOUNT = "attributes['system.filesystem.mountpoint']"
_USED = "attributes['system.filesystem.state'] = 'used'"
HOST_FIGURES = {
    "cpu_utilization": HostFigure(("system.cpu.utilization",), "value", "1."),
    "load_per_cpu": HostFigure(
        ("system.cpu.load_average.1m", "system.cpu.logical.count"),
        "if(name = 'system.cpu.load_average.1m', value, 0)",
        "if(name = 'system.cpu.logical.count', value, 0)",
    ),
    "memory_used": HostFigure(
        ("system.memory.usage", "system.memory.limit"),
        "if(name = 'system.memory.usage' AND attributes['system.memory.state'] = 'used', value, 0)",
        "if(name = 'system.memory.limit', value, 0)",
    ),
    "swap_used": HostFigure(
        ("system.paging.usage",), "if(attributes['system.paging.state'] = 'used', value, 0)", "value"
    ),
    "disk_used": HostFigure(
        ("system.filesystem.usage", "system.filesystem.utilization"),
        f"if(name = 'system.filesystem.utilization' OR {_USED}, value, 0)",
        "if(name = 'system.filesystem.utilization', 1, value)",
        _MOUNT,
    ),
    "inodes_used": HostFigure(("system.filesystem.inodes.usage",), f"if({_USED}, value, 0)", "value", _MOUNT),
}


def host_figures(
    client: StoreClient, apps: Sequence[str], windows: Windows, figure: str, filters: Filters
) -> list[tuple[str, str, int, float]]:
    """(app, host, k, value)."""
    told = HOST_FIGURES[figure]
    seconds = "toInt64(toUnixTimestamp(time))"
    rows = client.rows(
        f"""
        SELECT app, host, k, max(share) FROM (
            SELECT app, host, device, {windows.of_chunk} AS k, sum(part) / sum(whole) AS share FROM (
                SELECT app, host, {told.device} AS device, {windows.chunk(seconds)} AS chunk,
                    sum({told.part}) AS part, sum({told.whole}) AS whole
                FROM metrics
                WHERE {APPS} AND {METRIC_TIMES}{windows.wanted(seconds)} AND name IN {{metrics:Array(String)}}
                    AND host != ''{filters.condition()}
                GROUP BY app, host, device, chunk
            )
            GROUP BY app, host, device, k
            HAVING sum(whole) > 0
        )
        GROUP BY app, host, k
        """,
        windows.scope(apps) | {"metrics": list(told.metrics)} | filters.parameters,
        settings=_TOO_MUCH,
    )
    return [(app, host, k, share) for app, host, k, share in rows]


AGENTS = ("sonde-agent", "xtransit")
_HEARTBEAT = "system.cpu.utilization"
Presence = dict[tuple[str, ...], list[int]]
"""Ends of the slots with data, in order, by (app, service, instance) or (app, metric, service, instance, host)."""


@dataclass(frozen=True, slots=True)
class Look:
    """A span of time in which data are looked for, in seconds since the epoch. `newest`: only the last slot counts."""

    start_s: int
    end_s: int
    newest: bool = False

    def slots(self, of: str) -> str:
        """SQL for what is found, from the ends of slots."""
        return f"[max({of})]" if self.newest else f"groupUniqArray({of})"

    def scope(self, apps: Sequence[str] | None) -> dict[str, object]:
        """Parameters of a query over it."""
        return scope(apps, at_micros(self.start_s * 1_000_000), at_micros(self.end_s * 1_000_000))


def requests_seen(client: StoreClient, apps: Sequence[str], look: Look, filters: Filters) -> Presence:
    """By (app, service, instance): which had requests when."""
    rows = client.rows(
        f"""
        SELECT app, service, instance, {look.slots("toUnixTimestamp(slot) + 30")} FROM rollup_30s
        WHERE {APPS} AND {SLOTS} AND is_entry{filters.condition()}
        GROUP BY app, service, instance
        """,
        look.scope(apps) | filters.parameters,
    )
    return {tuple(key): sorted(slots) for *key, slots in rows}


def metrics_seen(
    client: StoreClient, apps: Sequence[str], look: Look, metrics: Sequence[str], filters: Filters
) -> Presence:
    """By (app, metric, service, instance, host): of which there were points when."""
    rows = client.rows(
        f"""
        SELECT app, name, service, instance, host,
            {look.slots("toUnixTimestamp(toStartOfInterval(toDateTime(time), INTERVAL 30 SECOND)) + 30")}
        FROM metrics
        WHERE {APPS} AND {METRIC_TIMES} AND name IN {{metrics:Array(String)}}{filters.condition()}
        GROUP BY app, name, service, instance, host
        """,
        look.scope(apps) | {"metrics": list(metrics)} | filters.parameters,
    )
    return {tuple(key): sorted(slots) for *key, slots in rows}


def agents_seen(client: StoreClient, apps: Sequence[str], look: Look, filters: Filters) -> Presence:
    """By (app, host): which agents reported when."""
    wanted = Filters(filters.values | {"service": list(AGENTS)})
    found: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for key, slots in metrics_seen(client, apps, look, [_HEARTBEAT], wanted).items():
        if key[4]:
            found[key[0], key[4]].update(slots)
    return {key: sorted(slots) for key, slots in found.items()}
