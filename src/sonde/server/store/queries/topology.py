"""Who calls whom: the map, how its traffic went over time, and a service's neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.insight.figures import QUANTILES, Sums
from sonde.server.insight.service_map import (
    CACHES,
    NOT_DATABASES,
    Calls,
    Hops,
    Requests,
    assemble,
    peer_id,
    peer_type,
    service_id,
)
from sonde.server.insight.steps import SLOT_S, Steps, floor_to
from sonde.server.reports.service_map import MapHistory, MapMoment, ServiceMap
from sonde.server.reports.services import Neighbour
from sonde.server.store.queries import rollups
from sonde.server.store.queries.scope import APPS, SLOTS, scope
from sonde.server.store.queries.sums import MERGED, MERGED_EDGES, ONCE_MERGED, quantiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sonde.server.store.client import StoreClient

MOST_EDGES = 5000


def _texts(texts: Iterable[str]) -> str:
    """Constants of ours, as SQL."""
    return ", ".join(f"'{text}'" for text in sorted(texts))


# A peer may be a gateway with several services behind it: its calls are shared out in the proportion that was seen when
# it was last looked at. What was learned ten minutes before that is about another time.
SHARES = f"""
    SELECT app, service, peer, target, calls / sum(calls) OVER (PARTITION BY app, service, peer) AS share
    FROM (
        SELECT app, service, peer, target, argMax(calls, learned) AS calls, max(learned) AS learned_last,
            max(learned_last) OVER (PARTITION BY app, service, peer) AS newest
        FROM peers
        WHERE {APPS}
        GROUP BY app, service, peer, target
    )
    WHERE learned_last + 600 >= newest"""

# Where no trace goes on at the other end, who says of itself that it answers there does, if it is the only one.
KNOWN = f"""
    SELECT app, address, argMax(service, seen_last) AS target
    FROM (
        SELECT app, address, service, max(seen) AS seen_last, max(seen_last) OVER (PARTITION BY app, address) AS newest
        FROM addresses
        WHERE {APPS}
        GROUP BY app, address, service
    )
    WHERE seen_last + 600 >= newest
    GROUP BY app, address
    HAVING count() = 1"""

# One call is one line of the map, in however many ways it is made: systems of one sort are one peer.
_TYPE = f"""multiIf(
            kind IN ('producer', 'consumer'), 'messaging',
            system IN ({_texts(CACHES)}), 'cache',
            system IN ({_texts(NOT_DATABASES)}), 'external',
            'database')"""

_ENDS = f"shares AS ({SHARES}), known AS ({KNOWN})"
# The parameter stands first: rules about names take `service = …` for a question about nobody else's rows.
_NEAR = """AND ({near:String} = service
            OR (app, service, peer) IN (SELECT app, service, peer FROM shares WHERE target = {near:String})
            OR (app, peer) IN (SELECT app, address FROM known WHERE target = {near:String}))"""
# Over `_ENDS` and `edges`, which come before.
_RESOLVED = f"""
        resolved AS (
            SELECT
                edges.app AS app, edges.service AS service, kind, edges.peer AS called, system,
                count, errors, sum_ns, max_ns, by_duration,
                if(kind = 'client', if(shares.target != '', shares.target, known.target), '') AS target,
                multiIf(target = '', '', shares.target != '', 'traces', 'address') AS known_by,
                if(known_by = 'traces', share, 1) AS part
            FROM edges
            LEFT JOIN shares ON edges.app = shares.app AND edges.service = shares.service AND edges.peer = shares.peer
            LEFT JOIN known ON edges.app = known.app AND edges.peer = known.address
        )
    SELECT
        app, service, kind, target,
        if(target = '', called, '') AS peer,
        if(target = '', {_TYPE}, 'service') AS type,
        argMax(system, count) AS of_system,
        max(known_by) AS how_known,
        toUInt64(round(sum(count * part))) AS requests,
        toUInt64(round(sum(resolved.errors * part))) AS errors,
        toUInt64(round(sum(resolved.sum_ns * part))) AS sum_ns,
        max(resolved.max_ns) AS max_ns,
        0 AS satisfied,
        0 AS tolerating,
        {quantiles("by_duration", *QUANTILES)} AS quantiles
    FROM resolved
    GROUP BY app, service, kind, target, peer, type
    ORDER BY requests DESC
    LIMIT {MOST_EDGES}"""


def service_map(client: StoreClient, apps: Sequence[str] | None, start: datetime, end: datetime) -> ServiceMap:
    """Everything that had traffic in that time."""
    asked = client, apps, floor_to(start, SLOT_S), end
    requests, outside = _requests(*asked)
    nodes, edges = assemble(requests, _calls(*asked), _peers(*asked), outside, _hops(*asked))
    return ServiceMap(from_=start, to=end, nodes=nodes, edges=edges)


def history(
    client: StoreClient, apps: Sequence[str] | None, start: datetime, end: datetime, *, points: int
) -> MapHistory:
    """All requests to services, step by step; a point for each step, also for those without any."""
    steps = Steps.over(start, end, points=points)
    rows = client.rows(
        f"""
        SELECT intDiv(toUnixTimestamp(slot), {{step_s:UInt32}}) * {{step_s:UInt32}} AS step, sum(count), sum(errors)
        FROM {rollups.requests(client, steps.start, end, (), step_s=steps.step_s)}
        WHERE {APPS} AND {SLOTS} AND is_entry
        GROUP BY step
        """,
        scope(apps, steps.start, end) | {"step_s": steps.step_s},
    )
    by_step = {int(step): (int(requests), int(errors)) for step, requests, errors in rows}
    moments = []
    for time in steps.times():
        requests, errors = by_step.get(int(time.timestamp()), (0, 0))
        moments.append(MapMoment(time=time, covered_s=steps.covered_s(time), requests=requests, errors=errors))
    return MapHistory(from_=steps.start, to=end, step_s=steps.step_s, moments=moments)


def neighbours(
    client: StoreClient, app: str, service: str, start: datetime, end: datetime
) -> tuple[list[Neighbour], list[Neighbour]]:
    """Who calls the service, and what it calls; the most frequent first."""
    callers: list[Neighbour] = []
    callees: list[Neighbour] = []
    for call in _calls(client, [app], floor_to(start, SLOT_S), end, service):
        if call.target == service:
            callers.append(_neighbour(call.service, "service", call))
        if call.service == service:
            name, kind = (call.target, "service") if call.target else (call.peer, peer_type(call.system, call.kind))
            (callers if call.kind == "consumer" else callees).append(_neighbour(name, kind, call))
    return callers, callees


def _requests(
    client: StoreClient, apps: Sequence[str] | None, start: datetime, end: datetime
) -> tuple[list[Requests], Sums]:
    """Requests to each service, and all those together that come from outside."""
    rows = client.dicts(
        f"""
        SELECT app, service, from_outside, max(kind = 'server') AS is_server,
            grouping(app) AS together, grouping(from_outside) AS served, {MERGED}
        FROM (
            SELECT app, service, kind, kind = 'server' AND is_root AS from_outside, {ONCE_MERGED}
            FROM {rollups.requests(client, start, end, ("service",))}
            WHERE {APPS} AND {SLOTS} AND is_entry
            GROUP BY app, service, kind, from_outside
        )
        GROUP BY GROUPING SETS ((app, service), (app, service, from_outside), (from_outside))
        """,
        scope(apps, start, end),
    )
    served = [row for row in rows if row["served"]]
    from_outside = [row for row in rows if not row["served"] and row["from_outside"]]
    outside = {(row["app"], row["service"]): Sums.of(row) for row in from_outside if not row["together"]}
    together = next((Sums.of(row) for row in from_outside if row["together"]), Sums())
    requests = [
        Requests(
            app=row["app"],
            service=row["service"],
            sums=Sums.of(row),
            from_outside=outside.get((row["app"], row["service"]), Sums()),
            is_server=bool(row["is_server"]),
        )
        for row in served
    ]
    return requests, together


def _calls(
    client: StoreClient, apps: Sequence[str] | None, start: datetime, end: datetime, near: str = ""
) -> list[Calls]:
    """Every edge with its target resolved, the most frequent first. `near`: those of one service, at either end."""
    edges = f"""
        SELECT app, service, toString(kind) AS kind, peer, system,
            sum(count) AS count, sum(errors) AS errors, sum(sum_ns) AS sum_ns, max(max_ns) AS max_ns,
            sumMap(by_duration) AS by_duration
        FROM {rollups.calls(client, start, end)}
        WHERE {APPS} AND {SLOTS} {_NEAR if near else ""}
        GROUP BY app, service, kind, peer, system"""
    rows = client.dicts(f"WITH {_ENDS}, edges AS ({edges}), {_RESOLVED}", scope(apps, start, end) | {"near": near})
    return [
        Calls(
            app=row["app"],
            service=row["service"],
            kind=row["kind"],
            system=row["of_system"],
            peer=row["peer"],
            target=row["target"],
            known_by=row["how_known"],
            sums=Sums.of(row),
        )
        for row in rows
    ]


def _hops(
    client: StoreClient, apps: Sequence[str] | None, start: datetime, end: datetime
) -> dict[tuple[str, str], Hops]:
    """What both ends say, by the ids of the nodes at the ends of the edge; of a message it is its consumer's edge."""
    rows = client.dicts(
        f"""
        SELECT app, is_message, target, if(is_message, '', service) AS caller, if(is_message, peer, '') AS queue,
            sum(calls) AS requests, sum(hops.errors) AS errors, sum(callee_ns) AS sum_ns, max(callee_max_ns) AS max_ns,
            0 AS satisfied, 0 AS tolerating,
            {quantiles("callees_by_duration", *QUANTILES)} AS quantiles,
            sum(caller_ns) AS caller_ns, sum(lag_ns) AS lag_ns
        FROM hops_30s AS hops FINAL
        WHERE {APPS} AND {SLOTS}
        GROUP BY app, is_message, target, caller, queue
        """,
        scope(apps, start, end),
        settings={"do_not_merge_across_partitions_select_final": 1},
    )
    return {
        (
            peer_id(row["queue"], "messaging") if row["is_message"] else service_id(row["app"], row["caller"]),
            service_id(row["app"], row["target"]),
        ): Hops(Sums.of(row), caller_ns=row["caller_ns"], lag_ns=row["lag_ns"], is_message=bool(row["is_message"]))
        for row in rows
    }


def _peers(client: StoreClient, apps: Sequence[str] | None, start: datetime, end: datetime) -> dict[str, Sums]:
    """What all calls to a peer amount to, by the id of its node."""
    rows = client.dicts(
        f"""
        SELECT peer, {_TYPE} AS type, {MERGED_EDGES}
        FROM {rollups.calls(client, start, end)}
        WHERE {APPS} AND {SLOTS}
        GROUP BY peer, type
        """,
        scope(apps, start, end),
    )
    return {peer_id(row["peer"], row["type"]): Sums.of(row) for row in rows}


def _neighbour(name: str, node_type: str, call: Calls) -> Neighbour:
    return Neighbour(
        name=name,
        type=node_type,
        system=call.system,
        requests=call.sums.requests,
        errors=call.sums.errors,
        average_ms=call.sums.average_ms,
        p95_ms=call.sums.percentile_ms(1),
    )
