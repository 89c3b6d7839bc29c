"""Statistics of requests by whatever they are kept by, and of calls by who makes them and to whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from sonde.server.insight.histogram import whole_numbers
from sonde.server.insight.measures import QUANTILES, Counted, Thresholds, report, report_of_several
from sonde.server.insight.service_map import peer_type as peer_type_of
from sonde.server.insight.steps import SLOT_S, floor_to
from sonde.server.reports.services import StatusCount
from sonde.server.reports.statistics import Statistics, StatisticsRow
from sonde.server.store.queries import rollups, topology
from sonde.server.store.queries.scope import APPS, SLOTS, SPAN_TIMES, scope
from sonde.server.store.queries.sums import MEASURED, MEASURED_EDGES, MEASURED_FROM_SPANS, ONCE_MEASURED, quantiles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sonde.server.reports.statistics import By, Measured
    from sonde.server.store.client import StoreClient

Order = Literal["requests", "errors", "error_rate", "total", "average", "max", "p50", "p90", "p95", "p99", "name"]
AGO = {"yesterday": timedelta(days=1), "last_week": timedelta(days=7)}
MOST_ROWS = 1000

_KEYS: dict[By, tuple[str, ...]] = {
    "service": ("app", "service"),
    "endpoint": ("app", "service", "endpoint", "kind_name"),
    "instance": ("app", "service", "instance"),
    "status": ("app", "status_code"),
    "kind": ("app", "kind_name"),
    "host": ("app", "host"),
    "peer": ("app", "peer", "system", "kind_name"),
    "client_address": ("app", "address"),
    "server_address": ("app", "address"),
}
_ORDERS: dict[Order, str] = {
    "requests": "requests DESC",
    "errors": "errors DESC",
    "error_rate": "errors / requests DESC",
    "total": "sum_ns DESC",
    "average": "sum_ns / requests DESC",
    "max": "max_ns DESC",
    "p50": "quantiles[1] DESC",
    "p90": "quantiles[2] DESC",
    "p95": "quantiles[3] DESC",
    "p99": "quantiles[4] DESC",
    "name": "",
}
# Of a request's attributes, new names and old: who asked, and where it came in.
_ADDRESSES: dict[By, tuple[str, ...]] = {
    "client_address": ("client.address", "http.client_ip", "network.peer.address", "net.sock.peer.addr", "net.peer.ip"),
    "server_address": ("server.address", "net.host.name", "http.server_name", "http.host"),
}
_UNKEPT: dict[By, frozenset[str]] = {
    "caller": frozenset({"endpoint", "instance", "status", "kind"}),
    "callee": frozenset({"endpoint", "instance", "status"}),
    "peer": frozenset({"endpoint", "instance", "status"}),
}
OUTGOING = frozenset({"client", "producer"})
_UNCODED = frozenset({"peer", "client_address", "server_address"})
"""By what no codes of status are told."""


class UnfitFilterError(ValueError):
    """What is asked for is not kept by this; `name` is the filter's."""

    def __init__(self, name: str, by: By) -> None:
        super().__init__(f"statistics by {by} are not kept by {name}")
        self.name = name


@dataclass(frozen=True, slots=True)
class Filters:
    """What requests must be; None: anything. `status` is a code, or a class such as 5xx."""

    app: str | None = None
    service: str | None = None
    endpoint: str | None = None
    instance: str | None = None
    kind: str | None = None
    status: str | None = None

    def keys(self) -> set[str]:
        """What is asked for."""
        return {name for name in ("app", "service", "endpoint", "instance", "kind", "status") if getattr(self, name)}

    def sql(self, *, every_kind: bool = False) -> tuple[str, dict[str, object]]:
        """Conditions over rollup_30s or spans as they are shown, each with AND in front, and their parameters.

        Requests alone, unless outgoing calls were asked for.
        """
        conditions, parameters = "", dict[str, object]()
        for name in ("app", "service", "endpoint", "instance", "kind"):
            if (value := getattr(self, name)) is not None:
                conditions += f" AND {'toString(kind)' if name == 'kind' else name} = {{of_{name}:String}}"
                parameters[f"of_{name}"] = value
        if self.kind not in OUTGOING and not (every_kind and self.kind is None):
            conditions += " AND is_entry"
        if self.status is not None:
            a_class = self.status.endswith("xx")
            conditions += f" AND {'intDiv(status_code, 100)' if a_class else 'status_code'} = {{of_status:UInt16}}"
            parameters["of_status"] = int(self.status.removesuffix("xx"))
        return conditions, parameters


@dataclass(frozen=True, slots=True)
class Asked:
    """What a report is about: requests from `start` to `end` that match, judged by the thresholds of their apps."""

    apps: Sequence[str] | None
    start: datetime
    end: datetime
    thresholds: Callable[[str], Thresholds]
    filters: Filters = field(default_factory=Filters)

    @property
    def begin(self) -> datetime:
        """Where the counted time begins: the start of the slot that `start` falls into."""
        return floor_to(self.start, SLOT_S)

    @property
    def seconds(self) -> float:
        """How long the counted time is."""
        return (self.end - self.begin).total_seconds()

    def ago(self, by: timedelta) -> Asked:
        """The same that long ago."""
        return Asked(self.apps, self.start - by, self.end - by, self.thresholds, self.filters)

    def parameters(self) -> dict[str, object]:
        """Of APPS, SLOTS and SPAN_TIMES."""
        return scope(self.apps, self.begin, self.end)


@dataclass(frozen=True, slots=True)
class _Found:
    """Rows of a query, those of each app as a whole, and all of it."""

    rows: list[dict[str, Any]]
    by_app: dict[str, Counted]
    whole: Counted
    groups: int

    def measured(self, asked: Asked) -> Measured:
        return report_of_several(self.whole, self.by_app, asked.seconds, asked.thresholds)


def table(
    client: StoreClient,
    asked: Asked,
    by: By,
    *,
    order: Order = "requests",
    limit: int = 100,
    compare: Literal["none", "yesterday", "last_week"] = "none",
) -> Statistics:
    """A row for each of what `by` says. Raises UnfitFilterError.

    client_address, server_address: from spans, so as far back as those are kept, and of the traces that were recorded.
    """
    for name in sorted(_UNKEPT.get(by, ())):
        if getattr(asked.filters, name) is not None:
            raise UnfitFilterError(name, by)
    ask = _calls if by in {"caller", "callee"} else _ask
    found = ask(client, asked, by, order, limit, None)
    before, then = None, None
    if compare != "none":
        before = asked.ago(AGO[compare])
        then = ask(client, before, by, order, limit, [row["id"] for row in found.rows])
    compared = {row["id"]: Counted.of(row) for row in then.rows} if then else {}
    whole = found.measured(asked)
    faults = _out_of_time(client, asked)
    return Statistics(
        by=by,
        from_=asked.begin,
        to=asked.end,
        compared_from=before.begin if before else None,
        compared_to=before.end if before else None,
        items=[
            _row(row, asked, compared.get(row["id"]) if then else None, compares=then is not None) for row in found.rows
        ],
        rows=found.groups,
        rest=max(whole.requests - sum(row["requests"] for row in found.rows), 0),  # shares of calls are rounded
        whole=whole,
        whole_compared=then.measured(before) if then and before else None,
        too_old=faults.get("too_old", 0),
        in_future=faults.get("in_future", 0),
    )


def _out_of_time(client: StoreClient, asked: Asked) -> dict[str, int]:
    """What came later than the apps' settings allow, and what has not happened yet; by the time it came."""
    rows = client.rows(
        f"SELECT reason, sum(count) FROM dropped WHERE {APPS} AND {SLOTS} AND reason IN ('too_old', 'in_future')"
        " AND ({of_app:String} = '' OR app = {of_app:String}) GROUP BY reason",
        asked.parameters() | {"of_app": asked.filters.app or ""},
    )
    return {str(reason): int(count) for reason, count in rows}


def _ask(client: StoreClient, asked: Asked, by: By, order: Order, limit: int, only: Sequence[int] | None) -> _Found:
    """`only`: the rows of these ids, whatever the order."""
    keys = _KEYS[by]
    inner, measured, parameters = _source(client, asked, by)
    sql_order = ", ".join(filter(None, [_ORDERS[order], *keys]))
    codes = "" if by in _UNCODED else "sumMap(map(status_code, count)) AS codes,"
    rows = client.dicts(
        f"""
        SELECT *, count() OVER () AS groups
        FROM (
            SELECT {", ".join(keys)}, cityHash64({", ".join(f"toString({key})" for key in keys)}) AS id,
                {codes} {measured}
            FROM ({inner})
            {"" if only is None else "WHERE has({only:Array(UInt64)}, id)"}
            GROUP BY {", ".join(keys)}
        )
        ORDER BY {sql_order}
        LIMIT {{limit:UInt32}}
        """,
        parameters | {"limit": limit, "only": list(only or [])},
    )
    by_app, whole = totals(client, asked, by)
    return _Found(rows, by_app, whole, rows[0]["groups"] if rows else 0)


def totals(client: StoreClient, asked: Asked, by: By | None = None) -> tuple[dict[str, Counted], Counted]:
    """All that is asked for, by app and together; not from the rows, for of an app there are shorter ways to sum it."""
    inner, measured, parameters = _source(client, asked, by, whole=True)
    rows = client.dicts(
        f"""
        SELECT app, grouping(app) AS together, {measured}
        FROM ({inner})
        GROUP BY GROUPING SETS ((app), ())
        """,
        parameters,
    )
    by_app = {row["app"]: Counted.of(row) for row in rows if not row["together"]}
    return by_app, next((Counted.of(row) for row in rows if row["together"] and row["requests"]), Counted())


def _source(
    client: StoreClient, asked: Asked, by: By | None, *, whole: bool = False
) -> tuple[str, str, dict[str, object]]:
    """Where the figures come from: SQL that has a report's keys (`whole`: that has the app), the columns to make of it,
    and parameters.
    """
    conditions, parameters = asked.filters.sql(every_kind=by == "kind")
    parameters |= asked.parameters()
    if by == "peer":
        calls, of_calls = _of_calls(asked.filters)
        read = (
            "SELECT app, peer, system, toString(kind) AS kind_name,"
            " count, errors, sum_ns, max_ns, histogram, by_duration"
            f" FROM {rollups.calls(client, asked.begin, asked.end)} WHERE {APPS} AND {SLOTS} {calls}"
        )
        return read, MEASURED_EDGES, asked.parameters() | of_calls
    if by in _ADDRESSES:
        said = [f"attributes['{name}']" for name in _ADDRESSES[by]]
        first = ", ".join(f"{one} != '', {one}" for one in said)
        read = (
            f"SELECT app, multiIf({first}, '') AS address, is_error, duration_ns FROM spans"
            f" WHERE {APPS} AND {SPAN_TIMES} {conditions}"
        )
        return read, MEASURED_FROM_SPANS, parameters
    if whole or by is None:
        keys: tuple[str, ...] = ("app",)
    else:
        keys = ("app", "service", "instance") if by == "host" else _KEYS[by]
    grouped = list(dict.fromkeys([*keys, "status_code"]))
    named = ", ".join("toString(kind) AS kind_name" if key == "kind_name" else key for key in grouped)
    source = rollups.requests(client, asked.begin, asked.end, {*keys, *asked.filters.keys()})
    once = (
        f"SELECT {named}, {ONCE_MEASURED} FROM {source} WHERE {APPS} AND {SLOTS} {conditions}"
        f" GROUP BY {', '.join(grouped)}"
    )
    if by == "host" and not whole:
        once = (
            f"SELECT *, of_host AS host FROM ({once}) AS counted LEFT JOIN ("
            f" SELECT app, service, instance, argMaxIf(host, last_seen, host != '') AS of_host"
            " FROM instances"
            f" WHERE {APPS} GROUP BY app, service, instance"
            f") AS known USING (app, service, instance)"
        )
    return once, MEASURED, parameters


def _of_calls(filters: Filters) -> tuple[str, dict[str, object]]:
    """Conditions over edges_30s."""
    conditions, parameters = "", dict[str, object]()
    for name in ("app", "service", "kind"):
        if (value := getattr(filters, name)) is not None:
            conditions += f" AND {'toString(kind)' if name == 'kind' else name} = {{of_{name}:String}}"
            parameters[f"of_{name}"] = value
    return conditions, parameters


def _calls(client: StoreClient, asked: Asked, by: By, order: Order, limit: int, only: Sequence[int] | None) -> _Found:
    """Who calls a service, or what it calls, with the services that are known to answer at an address in its place."""
    conditions, parameters = _of_calls(Filters(app=asked.filters.app, kind=asked.filters.kind))
    service = asked.filters.service
    if by == "callee":
        ends = (
            "app, service, kind_name, system, if(target = '', peer, target) AS other, target != '' AS is_service,"
            " part_of, count, errors, sum_ns, max_ns, histogram, by_duration FROM calls"
            " WHERE kind_name IN ('client', 'producer')"
        )
    else:
        ends = (
            "app, if(kind_name = 'consumer', service, target) AS called, kind_name, system,"
            " if(kind_name = 'consumer', peer, service) AS other, kind_name != 'consumer' AS is_service,"
            " part_of, count, errors, sum_ns, max_ns, histogram, by_duration FROM calls"
            " WHERE kind_name = 'consumer' OR target != ''"
        )
    side = "service" if by == "callee" else "called"
    keys = ("app", side, "other", "is_service", "system", "kind_name")
    sql_order = ", ".join(filter(None, [_ORDERS[order], *keys]))
    wanted = "place <= {limit:UInt32}" if only is None else "has({only:Array(UInt64)}, id)"
    rows = client.dicts(
        f"""
        WITH
            shares AS ({topology.SHARES}),
            known AS ({topology.KNOWN}),
            edges AS (
                SELECT app, service, toString(kind) AS kind_name, peer, system,
                    count, errors, sum_ns, max_ns, histogram, by_duration
                FROM {rollups.calls(client, asked.begin, asked.end)} WHERE {APPS} AND {SLOTS} {conditions}
            ),
            calls AS (
                SELECT edges.app AS app, edges.service AS service, kind_name, edges.peer AS peer, system,
                    if(kind_name = 'client', if(shares.target != '', shares.target, known.target), '') AS target,
                    if(shares.target != '' AND kind_name = 'client', share, 1) AS part_of,
                    count, errors, sum_ns, max_ns, histogram, by_duration
                FROM edges
                LEFT JOIN shares ON edges.app = shares.app AND edges.service = shares.service
                    AND edges.peer = shares.peer
                LEFT JOIN known ON edges.app = known.app AND edges.peer = known.address
            )
        SELECT * FROM (
            SELECT *,
                cityHash64({", ".join(f"toString({key})" for key in keys)}) AS id,
                count() OVER (PARTITION BY part) AS groups,
                row_number() OVER (PARTITION BY part ORDER BY {sql_order}) AS place
            FROM (
                SELECT {", ".join(keys)},
                    multiIf(grouping(other) = 0, 'row', grouping(app) = 0, 'app', 'whole') AS part,
                    toUInt64(round(sum(count * part_of))) AS requests,
                    toUInt64(round(sum(errors * part_of))) AS errors,
                    toUInt64(round(sum(sum_ns * part_of))) AS sum_ns,
                    NULL AS error_sum_ns, NULL AS min_ns, max(max_ns) AS max_ns, NULL AS satisfied, NULL AS tolerating,
                    sumMap(mapApply((bucket, calls) -> (bucket, calls * part_of), histogram)) AS histogram,
                    {quantiles("by_duration", *QUANTILES)} AS quantiles
                FROM (SELECT {ends})
                WHERE {{called:String}} = '' OR {side} = {{called:String}}
                GROUP BY GROUPING SETS (({", ".join(keys)}), (app), ())
            )
        )
        WHERE part != 'row' OR {wanted}
        ORDER BY place
        """,
        parameters | asked.parameters() | {"limit": limit, "only": list(only or []), "called": service or ""},
    )
    for row in rows:
        row["histogram"] = whole_numbers(row["histogram"], row["requests"])
    whole = next((Counted.of(row) for row in rows if row["part"] == "whole" and row["requests"]), None)
    found = [row | {"service": row[side], "peer": row["other"]} for row in rows if row["part"] == "row"]
    of_apps = {row["app"]: Counted.of(row) for row in rows if row["part"] == "app" and row["requests"]}
    return _Found(found, of_apps, whole or Counted(), found[0]["groups"] if found else 0)


def _row(row: dict[str, Any], asked: Asked, compared: Counted | None, *, compares: bool) -> StatisticsRow:
    kind, peer = row.get("kind_name"), row.get("peer")
    peer_type = None
    if peer is not None:
        peer_type = "service" if row.get("is_service") else peer_type_of(row["system"], kind or "client")
    by = asked.thresholds(row["app"])
    then = compared or (Counted() if compares else None)
    return StatisticsRow(
        app=row["app"],
        service=row.get("service"),
        endpoint=row.get("endpoint"),
        kind=kind,
        instance=row.get("instance"),
        host=row.get("host"),
        status_code=row.get("status_code"),
        peer=peer,
        peer_type=peer_type,
        system=row.get("system"),
        address=row.get("address"),
        status_codes=[
            StatusCount(code=code, requests=requests)
            for code, requests in sorted(row.get("codes", {}).items(), key=lambda counted: -counted[1])
        ],
        compared=report(then, asked.seconds, by) if then else None,
        **report(Counted.of(row), asked.seconds, by).model_dump(),
    )
