"""Who calls whom: the map, a service's neighbours, and learning which service answers at which address."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sonde.server.insight.figures import Sums
from sonde.server.insight.service_map import Calls, Requests, assemble, peer_type
from sonde.server.insight.steps import SLOT_S, floor_to
from sonde.server.reports.service_map import ServiceMap
from sonde.server.reports.services import Neighbour
from sonde.server.store.queries.scope import APPS, SLOTS, SPAN_TIMES, scope
from sonde.server.store.queries.sums import MERGED, MERGED_EDGES, ONCE_MERGED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sonde.server.store.client import StoreClient

MOST_EDGES = 5000
LEARN_FROM_SPANS = 200_000
"""About so many spans are looked at in one learning; of more, a sample by trace."""

# A peer may be a gateway with several services behind it: its calls are shared out in the proportion that was seen when
# it was last looked at. What was learned ten minutes before that is about another time.
_SHARES = f"""
    SELECT app, service, peer, target, calls / sum(calls) OVER (PARTITION BY app, service, peer) AS share
    FROM (
        SELECT app, service, peer, target, argMax(calls, learned) AS calls, max(learned) AS learned_last,
            max(learned_last) OVER (PARTITION BY app, service, peer) AS newest
        FROM peers
        WHERE {APPS}
        GROUP BY app, service, peer, target
    )
    WHERE learned_last + 600 >= newest"""

_CALLS = f"""
    WITH
        shares AS ({_SHARES}),
        edges AS (
            SELECT app, service, toString(kind) AS kind, peer, system,
                sum(count) AS count, sum(errors) AS errors, sum(sum_ns) AS sum_ns, max(max_ns) AS max_ns,
                quantilesTDigestMergeState(0.5, 0.95, 0.99)(durations) AS durations
            FROM edges_30s
            WHERE {APPS} AND {SLOTS}
            GROUP BY app, service, kind, peer, system
        )
    SELECT
        app, service, kind, system,
        if(kind = 'client', shares.target, '') AS target,
        if(target = '', edges.peer, '') AS peer,
        toUInt64(round(sum(edges.count * if(target = '', 1, share)))) AS requests,
        toUInt64(round(sum(edges.errors * if(target = '', 1, share)))) AS errors,
        toUInt64(round(sum(edges.sum_ns * if(target = '', 1, share)))) AS sum_ns,
        max(edges.max_ns) AS max_ns,
        0 AS satisfied,
        0 AS tolerating,
        quantilesTDigestMerge(0.5, 0.95, 0.99)(edges.durations) AS quantiles
    FROM edges
    LEFT JOIN shares ON edges.app = shares.app AND edges.service = shares.service AND edges.peer = shares.peer
    GROUP BY app, service, kind, system, target, peer
    ORDER BY requests DESC
    LIMIT {MOST_EDGES}"""


def service_map(client: StoreClient, apps: Sequence[str] | None, start: datetime, end: datetime) -> ServiceMap:
    """Everything that had traffic in that time."""
    parameters = scope(apps, floor_to(start, SLOT_S), end)
    requests, outside = _requests(client, parameters)
    nodes, edges = assemble(requests, _calls(client, parameters), _peers(client, parameters), outside)
    return ServiceMap(from_=start, to=end, nodes=nodes, edges=edges)


def neighbours(
    client: StoreClient, app: str, service: str, start: datetime, end: datetime
) -> tuple[list[Neighbour], list[Neighbour]]:
    """Who calls the service, and what it calls; the most frequent first."""
    callers: list[Neighbour] = []
    callees: list[Neighbour] = []
    for call in _calls(client, scope([app], floor_to(start, SLOT_S), end)):
        if call.target == service:
            callers.append(_neighbour(call.service, "service", call))
        if call.service == service:
            name, kind = (call.target, "service") if call.target else (call.peer, peer_type(call.system, call.kind))
            (callers if call.kind == "consumer" else callees).append(_neighbour(name, kind, call))
    return callers, callees


def learn_peers(client: StoreClient, since: datetime, until: datetime | None = None) -> None:
    """Find out which service answers at an address: a client span says the address, its child is the server's.

    `client` may write. Looking at the same time again changes nothing.
    """
    parameters = scope(None, since, until or datetime.now(UTC))
    ((spans,),) = client.rows(f"SELECT count() FROM spans WHERE {SPAN_TIMES}", parameters)
    client.command(
        """
        INSERT INTO peers (app, service, peer, target, calls, learned)
        SELECT caller.app, caller.service, caller.peer, callee.service, count(),
            toDateTime(toStartOfMinute(max(callee.start_time)))
        FROM (
            SELECT app, service, trace_id, parent_id, start_time FROM spans
            WHERE start_time >= fromUnixTimestamp64Micro({start_us:Int64}, 'UTC')
                AND start_time < fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')
                AND kind = 'server' AND parent_id != toFixedString('', 8)
                AND cityHash64(trace_id) % {one_in:UInt64} = 0
        ) AS callee
        INNER JOIN (
            SELECT app, service, peer, trace_id, span_id FROM spans
            WHERE start_time >= fromUnixTimestamp64Micro({start_us:Int64} - 60000000, 'UTC')
                AND start_time < fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')
                AND kind = 'client' AND peer != ''
                AND cityHash64(trace_id) % {one_in:UInt64} = 0
        ) AS caller
        ON caller.app = callee.app AND caller.trace_id = callee.trace_id AND caller.span_id = callee.parent_id
        GROUP BY caller.app, caller.service, caller.peer, callee.service
        """,
        parameters | {"one_in": max(1, int(spans) // LEARN_FROM_SPANS)},
    )


def _requests(client: StoreClient, parameters: dict[str, object]) -> tuple[list[Requests], Sums]:
    """Requests to each service, and all those together that come from outside."""
    rows = client.dicts(
        f"""
        SELECT app, service, from_outside, max(kind = 'server') AS is_server,
            grouping(app) AS together, grouping(from_outside) AS served, {MERGED}
        FROM (
            SELECT app, service, kind, kind = 'server' AND is_root AS from_outside, {ONCE_MERGED}
            FROM rollup_30s
            WHERE {APPS} AND {SLOTS} AND is_entry
            GROUP BY app, service, kind, from_outside
        )
        GROUP BY GROUPING SETS ((app, service), (app, service, from_outside), (from_outside))
        """,
        parameters,
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


def _calls(client: StoreClient, parameters: dict[str, object]) -> list[Calls]:
    """Every edge with its target resolved, the most frequent first."""
    return [
        Calls(
            app=row["app"],
            service=row["service"],
            kind=row["kind"],
            system=row["system"],
            peer=row["peer"],
            target=row["target"],
            sums=Sums.of(row),
        )
        for row in client.dicts(_CALLS, parameters)
    ]


def _peers(client: StoreClient, parameters: dict[str, object]) -> dict[str, Sums]:
    """What all calls to a peer amount to, by the id of its node."""
    rows = client.dicts(
        f"""
        SELECT peer, if(kind = 'client', system, '') AS of_system, if(kind = 'client', 'client', 'producer') AS of_kind,
            {MERGED_EDGES}
        FROM edges_30s
        WHERE {APPS} AND {SLOTS}
        GROUP BY peer, of_system, of_kind
        ORDER BY requests
        """,
        parameters,
    )
    return {f"{peer_type(row['of_system'], row['of_kind'])}:{row['peer']}": Sums.of(row) for row in rows}


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
