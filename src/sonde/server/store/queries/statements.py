"""Calls of services, grouped by what they look like: which take most time, who makes them, whom they go to.

How many, how long and whose is of sums of long slots, and of spans where there are none; single calls are of spans.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal, get_args

from sonde.server.insight.duration_steps import at_rank_ns
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
from sonde.server.store.queries.shapes import FINGERPRINT, KIND, STATEMENT_SHAPE, path_of
from sonde.server.store.queries.statement_sums import CALLS, MOST_TEXTS, NAME
from sonde.server.store.queries.statement_sums import source as sums
from sonde.server.store.queries.sums import quantiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sonde.server.store.client import StoreClient
    from sonde.server.store.queries.statement_sums import Source

Order = Literal["total", "p95", "count", "max"]

MOST_GROUPS = 500
MOST_PEERS = 20
MOST_SERVICES = 50
MOST_CALLERS = 100
MOST_SLOWEST = 30
MOST_KEYS = 200
"""Ways to say what one group says, that are told apart by themselves."""
MOST_ENDPOINTS = 1000
"""Names of spans that a group is looked for by; of one with more, every call is looked at."""
CHART_POINTS = 60
LOOKED_AT = 2000
"""So many calls of a group are followed to the request that they belong to."""
_SORTED_BY = {
    "total": "total_ns",
    "p95": "least(toFloat64(p95_ns), toFloat64(longest_ns))",
    "count": "group_calls",
    "max": "longest_ns",
}


def kind_of(group: str) -> tuple[CallKind, int] | None:
    """Kind and hash of a group's id, such as `sql-00ff…`; None for what is no id."""
    kind, _, digits = group.partition("-")
    if kind not in get_args(CallKind) or len(digits) != 16 or not set(digits) <= set("0123456789abcdef"):
        return None
    return kind, int(digits, 16)  # type: ignore[return-value]


def _told(source: Source) -> str:
    """Rows of calls, each with the fingerprint of its group; what is in no group has 0."""
    return f"""
        SELECT *, multiIf(is_rest, 0, shape_hash != 0, shape_hash, {FINGERPRINT}) AS fingerprint
        FROM (SELECT *, if(shape_hash != 0, shape, {NAME}) AS text FROM ({source.sql}))"""


def _of_service(service: str | None) -> str:
    return "" if service is None else "AND service = {service:String}"


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
    source = sums(client, kinds, _of_service(service), start, end)
    parameters = scope(apps, start, end) | source.parameters | {"service": service}
    found = _groups(client, source, parameters, _SORTED_BY[order], limit)
    groups = [_group(row) for row in found if row["fingerprint"]][:limit]
    every = found[0] if found else dict.fromkeys(("all_groups", "all_calls", "all_errors", "all_ns"), 0)
    return SlowPage(
        items=groups,
        rest=RestOfCalls(
            groups=every["all_groups"] - len(groups),
            calls=every["all_calls"] - sum(group.calls for group in groups),
            errors=every["all_errors"] - sum(group.errors for group in groups),
            total_ms=max(0.0, every["all_ns"] / 1e6 - sum(group.total_ms for group in groups)),
        ),
    )


def _groups(
    client: StoreClient,
    source: Source,
    parameters: dict[str, Any],
    order: str,
    limit: int,
    only: str = "1",
) -> list[dict[str, Any]]:
    """What is in no group, if there is such, with the fingerprint 0; then the groups with the most of `order`, at least
    `limit` if there are so many. Each with what all calls together amount to.
    """
    return client.dicts(
        f"""
        SELECT * FROM (
            SELECT *,
                sum(groups) OVER () AS all_groups, sum(group_calls) OVER () AS all_calls,
                sum(group_errors) OVER () AS all_errors, sum(total_ns) OVER () AS all_ns
            FROM (
                SELECT fingerprint, if(fingerprint = 0, sum(most_groups), 1) AS groups, {_FIGURES},
                    any(of_kind) AS group_kind, any(of_system) AS group_system, any(said) AS group_text,
                    groupArray((app, service, calls, sum_ns)) AS services,
                    groupUniqArrayArray({MOST_PEERS})(peers) AS some_peers, uniqMerge(peer_states) AS peer_count,
                    groupUniqArrayArray(endpoints) AS group_endpoints,
                    min(first_seen) AS first, max(last_seen) AS last,
                    lower(hex(argMax(trace_id, max_ns))) AS trace, lower(hex(argMax(span_id, max_ns))) AS span
                FROM (
                    SELECT fingerprint, app, service, call_kind AS of_kind, max(groups) AS most_groups,
                        any(system) AS of_system, any(substringUTF8(text, 1, {LONGEST_SHOWN + 1})) AS said,
                        sum(told.calls) AS calls, sum(told.errors) AS errors, sum(told.sum_ns) AS sum_ns,
                        max(told.max_ns) AS max_ns, min(told.first_seen) AS first_seen,
                        max(told.last_seen) AS last_seen, argMax(told.trace_id, told.max_ns) AS trace_id,
                        argMax(told.span_id, told.max_ns) AS span_id,
                        groupUniqArray({MOST_PEERS})(peer) AS peers, uniqState(peer) AS peer_states,
                        groupUniqArray({MOST_ENDPOINTS})(endpoint) AS endpoints,
                        sumMap(told.by_duration) AS by_duration
                    FROM ({_told(source)}) AS told
                    GROUP BY fingerprint, app, service, of_kind
                )
                GROUP BY fingerprint
            )
        )
        WHERE {only}
        ORDER BY fingerprint = 0 DESC, {order} DESC, fingerprint
        LIMIT {limit + 1}
        """,
        parameters,
    )


_FIGURES = f"""
    sum(calls) AS group_calls, sum(errors) AS group_errors, sum(sum_ns) AS total_ns, max(max_ns) AS longest_ns,
    ({quantiles("by_duration", 0.95)})[1] AS p95_ns"""


def _p95_ms(row: dict[str, Any]) -> float:
    return at_rank_ns(row["p95_ns"], 0.95, row["group_calls"], row["longest_ns"]) / 1e6


def _group(row: dict[str, Any]) -> SlowGroup:
    services = sorted(row["services"], key=lambda one: (-one[3], one[0], one[1]))[:MOST_SERVICES]
    return SlowGroup(
        id=f"{row['group_kind']}-{row['fingerprint']:016x}",
        kind=row["group_kind"],
        system=row["group_system"],
        text=row["group_text"][:LONGEST_SHOWN],
        text_is_cut=len(row["group_text"]) > LONGEST_SHOWN,
        peers=sorted(filter(None, row["some_peers"])),
        more_peers=max(0, row["peer_count"] - len(row["some_peers"])),
        services=[
            CallingService(app=app, service=service, calls=calls, total_ms=sum_ns / 1e6)
            for app, service, calls, sum_ns in services
        ],
        first_seen=row["first"],
        last_seen=row["last"],
        trace_id=row["trace"],
        span_id=row["span"],
        calls=row["group_calls"],
        errors=row["group_errors"],
        total_ms=row["total_ns"] / 1e6,
        average_ms=row["total_ns"] / row["group_calls"] / 1e6,
        p95_ms=_p95_ms(row),
        max_ms=row["longest_ns"] / 1e6,
        share=row["total_ns"] / row["all_ns"] if row["all_ns"] else 0.0,
    )


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
    of_service = _of_service(service)
    source = sums(client, [kind], of_service, steps.start, end)
    parameters = scope(apps, steps.start, end) | source.parameters | {"service": service, "chosen": [fingerprint]}
    found = _groups(client, source, parameters, "total_ns", 1, _CHOSEN)
    if not found:
        return None
    endpoints = sorted(found[0]["group_endpoints"])
    parameters |= {"services": sorted({name for _, name, *_ in found[0]["services"]}), "endpoints": endpoints}
    places = of_service + _AT_PLACES if len(endpoints) < MOST_ENDPOINTS else of_service
    at_places = sums(client, [kind], places, steps.start, end)
    by_step = sums(client, [kind], places, steps.start, end, step_s=steps.step_s)
    calls, parameters["keys"] = _calls(client, kind, places, parameters, fingerprint)
    callers, looked_at = _callers(client, apps, calls, parameters)
    return SlowReport(
        from_=start,
        to=end,
        step_s=steps.step_s,
        group=_group(found[0]),
        series=_series(client, by_step, parameters, steps),
        callers=callers,
        looked_at=looked_at,
        peers=_peers(client, at_places, parameters),
        slowest=_slowest(client, calls, parameters),
    )


_CHOSEN = "fingerprint IN {chosen:Array(UInt64)}"
_AT_PLACES = " AND service IN {services:Array(String)} AND endpoint IN {endpoints:Array(String)}"
"""Spans are kept in this order, so that those of others need not be read."""


def _calls(
    client: StoreClient, kind: CallKind, more: str, parameters: dict[str, Any], fingerprint: int
) -> tuple[str, list[int]]:
    """Single calls of one group, as rows, and the `keys` that this needs: most groups have few, and need no shapes."""
    of_kind = f"""
        SELECT app, service, instance, peer, {KIND} AS call_kind, system, statement, endpoint,
            {path_of([kind])} AS path, duration_ns, is_error, start_time, trace_id, span_id,
            cityHash64(system, statement, endpoint, peer, path) AS key
        FROM spans
        WHERE {CALLS} AND {APPS} AND {SPAN_TIMES} {more} AND call_kind IN {{kinds:Array(String)}}"""
    alike = f"""
        SELECT key FROM (
            SELECT key, call_kind, system, if(statement != '', {STATEMENT_SHAPE}, {NAME}) AS text
            FROM (
                SELECT key, call_kind, system, statement, endpoint, peer, path FROM ({of_kind})
                LIMIT 1 BY key LIMIT {MOST_TEXTS}
            )
        )
        WHERE {FINGERPRINT} = {fingerprint}"""
    keys = client.rows(f"{alike} LIMIT {MOST_KEYS + 1}", parameters)
    if len(keys) > MOST_KEYS:
        return f"(SELECT * FROM ({of_kind}) WHERE key IN ({alike}))", []
    return f"(SELECT * FROM ({of_kind}) WHERE key IN {{keys:Array(UInt64)}})", [key for (key,) in keys]


def _series(client: StoreClient, source: Source, parameters: dict[str, Any], steps: Steps) -> list[CallPoint]:
    rows = client.dicts(
        f"""
        SELECT intDiv(at, {steps.step_s}) * {steps.step_s} AS step, {_FIGURES}
        FROM ({_told(source)}) WHERE {_CHOSEN} GROUP BY step
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
                calls=row["group_calls"] if row else 0,
                errors=row["group_errors"] if row else 0,
                average_ms=row["total_ns"] / row["group_calls"] / 1e6 if row else None,
                p95_ms=_p95_ms(row) if row else None,
                max_ms=row["longest_ns"] / 1e6 if row else None,
            )
        )
    return points


def _peers(client: StoreClient, source: Source, parameters: dict[str, Any]) -> list[CalledPeer]:
    rows = client.dicts(
        f"SELECT peer, {_FIGURES} FROM ({_told(source)}) WHERE {_CHOSEN}"
        f" GROUP BY peer ORDER BY total_ns DESC, peer LIMIT {MOST_CALLERS}",
        parameters,
    )
    return [
        CalledPeer(
            peer=row["peer"],
            calls=row["group_calls"],
            errors=row["group_errors"],
            average_ms=row["total_ns"] / row["group_calls"] / 1e6,
            p95_ms=_p95_ms(row),
        )
        for row in rows
    ]


def _slowest(client: StoreClient, of_group: str, parameters: dict[str, Any]) -> list[SlowCall]:
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
    client: StoreClient, apps: Sequence[str] | None, of_group: str, parameters: dict[str, Any]
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
