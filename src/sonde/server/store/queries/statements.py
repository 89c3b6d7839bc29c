"""Calls of services, grouped by what they look like: which take most time, who makes them, whom they go to.

All of it is made of the spans that are kept, at the time it is asked for.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal, get_args

from sonde.server.insight.fingerprint import LONGEST_SHOWN
from sonde.server.insight.steps import Steps
from sonde.server.reports.slow import (
    CalledPeer,
    Caller,
    CallingService,
    CallKind,
    CallPoint,
    RestOfCalls,
    SlowCall,
    SlowGroup,
    SlowPage,
    SlowReport,
)
from sonde.server.store.queries.scope import APPS, SPAN_TIMES, scope
from sonde.server.store.queries.shapes import FINGERPRINT, KIND, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sonde.server.store.client import StoreClient

Order = Literal["total", "p95", "count", "max"]

MOST_GROUPS = 500
MOST_PEERS = 20
MOST_SERVICES = 50
MOST_CALLERS = 100
MOST_SLOWEST = 30
CHART_POINTS = 60
LOOKED_AT = 2000
"""So many calls of a group are followed to the request that they belong to."""
P95_CANDIDATES = 5000
"""Of more groups than that, those with the longest single call are looked at for the largest p95."""

_FIRST_BY = {"total": "total_ns", "p95": "max_ns", "count": "calls", "max": "max_ns"}
_SORTED_BY = {"total": "total_ms", "p95": "p95_ms", "count": "calls", "max": "max_ms"}


def kind_of(group: str) -> tuple[CallKind, int] | None:
    """Kind and hash of a group's id, such as `sql-00ff…`; None for what is no id."""
    kind, _, digits = group.partition("-")
    if kind not in get_args(CallKind) or len(digits) != 16 or not set(digits) <= set("0123456789abcdef"):
        return None
    return kind, int(digits, 16)  # type: ignore[return-value]


def _calls(kinds: Sequence[CallKind], more: str = "", columns: str = "") -> str:
    """Calls of those kinds as rows with call_kind, system, text and fingerprint."""
    return f"""
        SELECT *, {FINGERPRINT} AS fingerprint
        FROM (
            SELECT app, service, peer, system, duration_ns, is_error, start_time, trace_id, span_id, {columns}
                {KIND} AS call_kind,
                {text_of(with_paths="http" in kinds)} AS text
            FROM spans
            WHERE {APPS} AND {SPAN_TIMES} AND kind IN ('client', 'producer', 'consumer') {more}
                AND call_kind IN {{kinds:Array(String)}}
        )"""


def slow(
    client: StoreClient,
    apps: Sequence[str] | None,
    kinds: Sequence[CallKind],
    start: datetime,
    end: datetime,
    *,
    service: str | None = None,
    order: Order = "total",
    limit: int = 100,
) -> SlowPage:
    """The groups with the most of what `order` says, no more than `limit`, and what all others amount to."""
    calls = _calls(kinds, "AND service = {service:String}" if service is not None else "")
    parameters = scope(apps, start, end) | {"kinds": list(kinds), "service": service}
    first = client.dicts(
        f"""
        SELECT fingerprint, calls, errors, total_ns,
            count() OVER () AS all_groups, sum(calls) OVER () AS all_calls,
            sum(errors) OVER () AS all_errors, sum(total_ns) OVER () AS all_ns
        FROM (
            SELECT fingerprint, count() AS calls, countIf(is_error) AS errors,
                sum(duration_ns) AS total_ns, max(duration_ns) AS max_ns
            FROM ({calls})
            GROUP BY fingerprint
        )
        ORDER BY {_FIRST_BY[order]} DESC, fingerprint
        LIMIT {P95_CANDIDATES if order == "p95" else limit}
        """,
        parameters,
    )
    if not first:
        return SlowPage(items=[], rest=RestOfCalls(groups=0, calls=0, errors=0, total_ms=0))
    every = first[0]
    chosen = [row["fingerprint"] for row in first]
    if order == "p95":
        chosen = _of_largest_p95(client, calls, parameters | {"chosen": chosen}, limit)
    groups = _groups(client, calls, parameters | {"chosen": chosen}, every["all_ns"])
    groups.sort(key=lambda group: (-getattr(group, _SORTED_BY[order]), group.id))
    shown = set(chosen)
    inside = [row for row in first if row["fingerprint"] in shown]
    return SlowPage(
        items=groups,
        rest=RestOfCalls(
            groups=every["all_groups"] - len(inside),
            calls=every["all_calls"] - sum(row["calls"] for row in inside),
            errors=every["all_errors"] - sum(row["errors"] for row in inside),
            total_ms=(every["all_ns"] - sum(row["total_ns"] for row in inside)) / 1e6,
        ),
    )


def _of_largest_p95(client: StoreClient, calls: str, parameters: dict[str, object], limit: int) -> list[int]:
    rows = client.rows(
        f"""
        SELECT fingerprint FROM ({calls}) WHERE fingerprint IN {{chosen:Array(UInt64)}}
        GROUP BY fingerprint ORDER BY quantileTDigest(0.95)(duration_ns) DESC, fingerprint LIMIT {limit}
        """,
        parameters,
    )
    return [fingerprint for (fingerprint,) in rows]


_FIGURES = """
    count() AS calls, countIf(is_error) AS errors, sum(duration_ns) AS total_ns, max(duration_ns) AS max_ns,
    quantileTDigest(0.95)(duration_ns) AS p95_ns"""


def _groups(client: StoreClient, calls: str, parameters: dict[str, object], all_ns: int) -> list[SlowGroup]:
    """Those of the `chosen` fingerprints."""
    rows = client.dicts(
        f"""
        SELECT fingerprint, {_FIGURES},
            any(call_kind) AS of_kind, any(system) AS of_system,
            substringUTF8(any(text), 1, {LONGEST_SHOWN + 1}) AS said,
            groupUniqArray({MOST_PEERS})(peer) AS peers, uniq(peer) AS peer_count,
            min(start_time) AS first_seen, max(start_time) AS last_seen,
            lower(hex(argMax(trace_id, duration_ns))) AS trace, lower(hex(argMax(span_id, duration_ns))) AS span
        FROM ({calls})
        WHERE fingerprint IN {{chosen:Array(UInt64)}}
        GROUP BY fingerprint
        """,
        parameters,
    )
    services = _services(client, calls, parameters)
    return [
        SlowGroup(
            id=f"{row['of_kind']}-{row['fingerprint']:016x}",
            kind=row["of_kind"],
            system=row["of_system"],
            text=row["said"][:LONGEST_SHOWN],
            text_is_cut=len(row["said"]) > LONGEST_SHOWN,
            peers=sorted(filter(None, row["peers"])),
            more_peers=max(0, row["peer_count"] - len(row["peers"])),
            services=services[row["fingerprint"]],
            first_seen=row["first_seen"],
            last_seen=row["last_seen"],
            trace_id=row["trace"],
            span_id=row["span"],
            calls=row["calls"],
            errors=row["errors"],
            total_ms=row["total_ns"] / 1e6,
            average_ms=row["total_ns"] / row["calls"] / 1e6,
            p95_ms=min(row["p95_ns"], row["max_ns"]) / 1e6,
            max_ms=row["max_ns"] / 1e6,
            share=row["total_ns"] / all_ns if all_ns else 0.0,
        )
        for row in rows
    ]


def _services(client: StoreClient, calls: str, parameters: dict[str, object]) -> dict[int, list[CallingService]]:
    """Who makes the calls of each `chosen` fingerprint, by time spent; no more than MOST_SERVICES of each."""
    rows = client.rows(
        f"""
        SELECT fingerprint, app, service, count(), sum(duration_ns) AS total_ns FROM ({calls})
        WHERE fingerprint IN {{chosen:Array(UInt64)}}
        GROUP BY fingerprint, app, service ORDER BY total_ns DESC, app, service
        LIMIT {MOST_SERVICES} BY fingerprint
        """,
        parameters,
    )
    found: dict[int, list[CallingService]] = defaultdict(list)
    for fingerprint, app, service, count, total_ns in rows:
        found[fingerprint].append(CallingService(app=app, service=service, calls=count, total_ms=total_ns / 1e6))
    return found


def report(
    client: StoreClient,
    apps: Sequence[str] | None,
    group: tuple[CallKind, int],
    start: datetime,
    end: datetime,
    *,
    service: str | None = None,
) -> SlowReport | None:
    """The page of a group, of `service` alone where it is given; None where there were no such calls in that time."""
    kind, fingerprint = group
    steps = Steps.over(start, end, points=CHART_POINTS)
    of_service = "AND service = {service:String}" if service is not None else ""
    calls = _calls([kind], of_service, "instance,")
    parameters = scope(apps, steps.start, end) | {
        "kinds": [kind],
        "service": service,
        "chosen": [fingerprint],
        "step_s": steps.step_s,
    }
    ((all_ns,),) = client.rows(
        f"""
        SELECT sum(duration_ns)
        FROM (SELECT duration_ns, {KIND} AS call_kind FROM spans WHERE {APPS} AND {SPAN_TIMES} {of_service})
        WHERE call_kind = {{kind:String}}
        """,
        parameters | {"kind": kind},
    )
    groups = _groups(client, calls, parameters, all_ns)
    if not groups:
        return None
    of_group = f"({calls}) WHERE fingerprint IN {{chosen:Array(UInt64)}}"
    callers, looked_at = _callers(client, apps, of_group, parameters)
    return SlowReport(
        from_=start,
        to=end,
        step_s=steps.step_s,
        group=groups[0],
        series=_series(client, of_group, parameters, steps),
        callers=callers,
        looked_at=looked_at,
        peers=_peers(client, of_group, parameters),
        slowest=_slowest(client, of_group, parameters),
    )


def _series(client: StoreClient, of_group: str, parameters: dict[str, object], steps: Steps) -> list[CallPoint]:
    rows = client.dicts(
        f"""
        SELECT toUnixTimestamp(toStartOfInterval(start_time, toIntervalSecond({{step_s:UInt32}}))) AS step, {_FIGURES}
        FROM {of_group} GROUP BY step
        """,
        parameters,
    )
    by_step = {row["step"]: row for row in rows}
    points = []
    for time in steps.times():
        row = by_step.get(int(time.timestamp()))
        points.append(
            CallPoint(
                time=time,
                calls=row["calls"] if row else 0,
                errors=row["errors"] if row else 0,
                average_ms=row["total_ns"] / row["calls"] / 1e6 if row else None,
                p95_ms=min(row["p95_ns"], row["max_ns"]) / 1e6 if row else None,
                max_ms=row["max_ns"] / 1e6 if row else None,
            )
        )
    return points


def _peers(client: StoreClient, of_group: str, parameters: dict[str, object]) -> list[CalledPeer]:
    rows = client.dicts(
        f"SELECT peer, {_FIGURES} FROM {of_group} GROUP BY peer ORDER BY total_ns DESC, peer LIMIT {MOST_CALLERS}",
        parameters,
    )
    return [
        CalledPeer(
            peer=row["peer"],
            calls=row["calls"],
            errors=row["errors"],
            average_ms=row["total_ns"] / row["calls"] / 1e6,
            p95_ms=min(row["p95_ns"], row["max_ns"]) / 1e6,
        )
        for row in rows
    ]


def _slowest(client: StoreClient, of_group: str, parameters: dict[str, object]) -> list[SlowCall]:
    rows = client.dicts(
        f"""
        SELECT lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, app, service, instance, peer, start_time,
            duration_ns, is_error
        FROM {of_group} ORDER BY duration_ns DESC, span_id LIMIT 1 BY trace_id LIMIT {MOST_SLOWEST}
        """,
        parameters,
    )
    return [
        SlowCall(
            trace_id=row["trace"],
            span_id=row["span"],
            app=row["app"],
            service=row["service"],
            instance=row["instance"],
            peer=row["peer"],
            start_time=row["start_time"],
            duration_ms=row["duration_ns"] / 1e6,
            error=row["is_error"],
        )
        for row in rows
    ]


def _callers(
    client: StoreClient, apps: Sequence[str] | None, of_group: str, parameters: dict[str, object]
) -> tuple[list[Caller], int]:
    """By the request that a call belongs to: the entry span of its trace in the same process that was under way when
    it began. A call that belongs to none that is known is its service's alone.
    """
    sample = client.dicts(
        f"""
        SELECT app, service, instance, lower(hex(trace_id)) AS trace, start_time, duration_ns FROM {of_group}
        ORDER BY cityHash64(span_id) LIMIT {LOOKED_AT}
        """,
        parameters,
    )
    if not sample:
        return [], 0
    first, last = (pick(row["start_time"] for row in sample) for pick in (min, max))
    entries = client.dicts(
        f"""
        SELECT app, service, instance, lower(hex(trace_id)) AS trace, endpoint, start_time FROM spans
        WHERE {APPS} AND start_time >= {{first:DateTime64(6, 'UTC')}} - INTERVAL 10 MINUTE
            AND start_time <= {{last:DateTime64(6, 'UTC')}} AND is_entry
            AND service IN {{services:Array(String)}}
            AND trace_id IN (SELECT toFixedString(unhex(arrayJoin({{traces:Array(String)}})), 16))
        """,
        scope(apps, first, last)
        | {
            "first": first,
            "last": last,
            "services": sorted({row["service"] for row in sample}),
            "traces": sorted({row["trace"] for row in sample}),
        },
    )
    return _shared_out(sample, entries)[:MOST_CALLERS], len(sample)


def _shared_out(sample: Iterable[dict[str, Any]], entries: Iterable[dict[str, Any]]) -> list[Caller]:
    by_place: dict[tuple[str, str, str, str], list[dict[str, Any]]] = defaultdict(list)
    for entry in entries:
        by_place[entry["app"], entry["service"], entry["instance"], entry["trace"]].append(entry)
    sums: dict[tuple[str, str, str], list[int]] = defaultdict(lambda: [0, 0])
    for call in sample:
        candidates = by_place[call["app"], call["service"], call["instance"], call["trace"]]
        begun = [entry for entry in candidates if entry["start_time"] <= call["start_time"]]
        endpoint = max(begun or candidates, key=lambda one: one["start_time"])["endpoint"] if candidates else ""
        place = sums[call["app"], call["service"], endpoint]
        place[0] += 1
        place[1] += call["duration_ns"]
    found = [
        Caller(app=app, service=service, endpoint=endpoint, calls=calls, total_ms=total_ns / 1e6)
        for (app, service, endpoint), (calls, total_ns) in sums.items()
    ]
    found.sort(key=lambda caller: (-caller.total_ms, -caller.calls, caller.app, caller.service, caller.endpoint))
    return found
