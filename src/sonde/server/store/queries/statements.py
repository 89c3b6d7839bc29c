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
from sonde.server.store.queries.shapes import FINGERPRINT, KIND, name_of, text_of

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
MOST_TEXTS = 50_000
"""Of more calls that say different things, word for word, those that are met first are grouped."""
_BOUNDED = {"max_rows_to_group_by": MOST_TEXTS, "group_by_overflow_mode": "any"}
MOST_KEYS = 200
"""Ways to say what one group says, that are told apart by themselves."""
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


def _keyed(kinds: Sequence[CallKind], more: str, columns: str = "") -> str:
    """Calls of those kinds as rows, each with the key of what it says word for word."""
    return f"""
        SELECT app, service, peer, duration_ns, is_error, start_time, trace_id, span_id, {columns}
            {KIND} AS call_kind, system, statement, {name_of(kinds)} AS name,
            cityHash64(call_kind, system, statement, name) AS key
        FROM spans
        WHERE {APPS} AND {SPAN_TIMES} AND kind IN ('client', 'producer', 'consumer') {more}
            AND call_kind IN {{kinds:Array(String)}}"""


def _known(kinds: Sequence[CallKind], more: str) -> str:
    """Each of those keys once, with what its calls amount to, and the text and fingerprint of its group."""
    return f"""
        SELECT *, {FINGERPRINT} AS fingerprint
        FROM (
            SELECT *, {text_of(kinds)} AS text
            FROM (
                SELECT key, any(call_kind) AS call_kind, any(system) AS system, any(statement) AS statement,
                    any(name) AS name, count() AS calls, countIf(is_error) AS errors,
                    sum(duration_ns) AS total_ns, max(duration_ns) AS max_ns
                FROM ({_keyed(kinds, more)})
                GROUP BY key
            )
        )"""


def _chosen(kinds: Sequence[CallKind], more: str, columns: str = "") -> str:
    """The calls of the `chosen` fingerprints, as rows."""
    return f"""
        SELECT keyed.*, known.fingerprint AS fingerprint
        FROM ({_keyed(kinds, more, columns)}) AS keyed
        INNER JOIN (
            SELECT key, fingerprint FROM ({_known(kinds, more)}) WHERE fingerprint IN {{chosen:Array(UInt64)}}
        ) AS known ON keyed.key = known.key"""


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
    more = _of_service(service)
    parameters = scope(apps, start, end) | {"kinds": list(kinds), "service": service}
    first = _first(client, kinds, more, parameters, _FIRST_BY[order], P95_CANDIDATES if order == "p95" else limit)
    if not first:
        return SlowPage(items=[], rest=RestOfCalls(groups=0, calls=0, errors=0, total_ms=0))
    every = _all(client, kinds, more, parameters)
    chosen = [row["fingerprint"] for row in first]
    if order == "p95":
        chosen = _of_largest_p95(client, _chosen(kinds, more), parameters | {"chosen": chosen}, limit)
    inside = [row | every for row in first if row["fingerprint"] in chosen]
    parameters |= {"chosen": chosen}
    groups = _groups(client, _chosen(kinds, more), parameters, inside)
    groups.sort(key=lambda group: (-getattr(group, _SORTED_BY[order]), group.id))
    return SlowPage(
        items=groups,
        rest=RestOfCalls(
            groups=first[0]["known_groups"] - len(groups) + max(0, every["all_keys"] - MOST_TEXTS),
            calls=every["all_calls"] - sum(group.calls for group in groups),
            errors=every["all_errors"] - sum(group.errors for group in groups),
            total_ms=max(0.0, every["all_ns"] / 1e6 - sum(group.total_ms for group in groups)),
        ),
    )


def _first(
    client: StoreClient,
    kinds: Sequence[CallKind],
    more: str,
    parameters: dict[str, Any],
    order: str,
    limit: int,
    where: str = "1",
) -> list[dict[str, Any]]:
    """The groups with the most of `order`, each with how many there are."""
    return client.dicts(
        f"""
        SELECT * FROM (
            SELECT *, count() OVER () AS known_groups
            FROM (
                SELECT fingerprint, any(call_kind) AS of_kind, any(system) AS of_system,
                    substringUTF8(any(text), 1, {LONGEST_SHOWN + 1}) AS said,
                    sum(calls) AS calls, sum(errors) AS errors, sum(total_ns) AS total_ns, max(max_ns) AS max_ns
                FROM ({_known(kinds, more)}) AS known
                GROUP BY fingerprint
            )
        )
        WHERE {where}
        ORDER BY {order} DESC, fingerprint
        LIMIT {limit}
        """,
        parameters,
        settings=_BOUNDED,
    )


def _all(client: StoreClient, kinds: Sequence[CallKind], more: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """What all calls together amount to, however many groups they are of."""
    (every,) = client.dicts(
        f"""
        SELECT count() AS all_calls, countIf(is_error) AS all_errors, sum(duration_ns) AS all_ns, uniq(key) AS all_keys
        FROM ({_keyed(kinds, more)})
        """,
        parameters,
    )
    return every


def _of_largest_p95(client: StoreClient, calls: str, parameters: dict[str, Any], limit: int) -> list[int]:
    rows = client.rows(
        f"""
        SELECT fingerprint FROM ({calls})
        GROUP BY fingerprint ORDER BY quantileTDigest(0.95)(duration_ns) DESC, fingerprint LIMIT {limit}
        """,
        parameters,
        settings=_BOUNDED,
    )
    return [fingerprint for (fingerprint,) in rows]


_FIGURES = """
    count() AS calls, countIf(is_error) AS errors, sum(duration_ns) AS total_ns, max(duration_ns) AS max_ns,
    quantileTDigest(0.95)(duration_ns) AS p95_ns"""


def _groups(
    client: StoreClient, calls: str, parameters: dict[str, Any], told: Sequence[dict[str, Any]]
) -> list[SlowGroup]:
    """The groups of `_first`'s rows, with what takes every call to know."""
    rows = client.dicts(
        f"""
        SELECT fingerprint, app, service, 1 - grouping(service) AS is_part, {_FIGURES},
            groupUniqArray({MOST_PEERS})(peer) AS peers, uniq(peer) AS peer_count,
            min(start_time) AS first_seen, max(start_time) AS last_seen,
            lower(hex(argMax(trace_id, duration_ns))) AS trace, lower(hex(argMax(span_id, duration_ns))) AS span
        FROM ({calls})
        GROUP BY GROUPING SETS ((fingerprint), (fingerprint, app, service))
        ORDER BY total_ns DESC, app, service
        """,
        parameters,
        settings=_BOUNDED,
    )
    whole = {row["fingerprint"]: row for row in rows if not row["is_part"]}
    services: dict[int, list[CallingService]] = defaultdict(list)
    for row in rows:
        if row["is_part"] and len(services[row["fingerprint"]]) < MOST_SERVICES:
            services[row["fingerprint"]].append(
                CallingService(
                    app=row["app"], service=row["service"], calls=row["calls"], total_ms=row["total_ns"] / 1e6
                )
            )
    return [
        _group(one, whole[one["fingerprint"]], services[one["fingerprint"]])
        for one in told
        if one["fingerprint"] in whole  # else its last span was dropped between the two questions
    ]


def _group(told: dict[str, Any], row: dict[str, Any], services: list[CallingService]) -> SlowGroup:
    return SlowGroup(
        id=f"{told['of_kind']}-{row['fingerprint']:016x}",
        kind=told["of_kind"],
        system=told["of_system"],
        text=told["said"][:LONGEST_SHOWN],
        text_is_cut=len(told["said"]) > LONGEST_SHOWN,
        peers=sorted(filter(None, row["peers"])),
        more_peers=max(0, row["peer_count"] - len(row["peers"])),
        services=services,
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
        share=row["total_ns"] / told["all_ns"] if told["all_ns"] else 0.0,
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
    more = _of_service(service)
    parameters = scope(apps, steps.start, end) | {
        "kinds": [kind],
        "service": service,
        "chosen": [fingerprint],
        "step_s": steps.step_s,
    }
    told = _first(client, [kind], more, parameters, "calls", 1, "fingerprint IN {chosen:Array(UInt64)}")
    every = _all(client, [kind], more, parameters)
    told = [row | every for row in told]
    calls, keys = _of_one(client, kind, more, parameters, fingerprint)
    parameters |= {"keys": keys}
    groups = _groups(client, calls, parameters, told)
    if not groups:
        return None
    of_group = f"({calls})"
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


def _of_one(
    client: StoreClient, kind: CallKind, more: str, parameters: dict[str, Any], fingerprint: int
) -> tuple[str, list[int]]:
    """The calls of one group as rows, and the `keys` that this needs: most groups have few, and need no shapes then."""
    keys = client.rows(
        f"SELECT key FROM ({_known([kind], more)}) WHERE fingerprint IN {{chosen:Array(UInt64)}} LIMIT {MOST_KEYS + 1}",
        parameters,
        settings=_BOUNDED,
    )
    if len(keys) > MOST_KEYS:
        return _chosen([kind], more, "instance,"), []
    keyed = _keyed([kind], more, "instance,")
    of_keys = f"SELECT *, toUInt64({fingerprint}) AS fingerprint FROM ({keyed}) WHERE key IN {{keys:Array(UInt64)}}"
    return of_keys, [key for (key,) in keys]


def _series(client: StoreClient, of_group: str, parameters: dict[str, Any], steps: Steps) -> list[CallPoint]:
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


def _peers(client: StoreClient, of_group: str, parameters: dict[str, Any]) -> list[CalledPeer]:
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
