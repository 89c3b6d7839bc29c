"""What upkeep learns about calls from the spans of the last minutes: which service answers at an address, and what both
ends of a call say of it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sonde.server.insight.steps import SLOT_S, floor_to
from sonde.server.store.queries.scope import SLOTS, SPAN_TIMES, scope

if TYPE_CHECKING:
    from sonde.server.store.client import StoreClient

LEARN_FROM_SPANS = 200_000
"""About so many spans are looked at in one learning; of more, a sample by trace."""

_SAMPLED = "cityHash64(trace_id) % {one_in:UInt64} = 0"

# A message's consumer may begin long after its producer ended; what took longer than this is not learned.
_CALLER_TIMES = SPAN_TIMES.replace("{start_us:Int64}", "{start_us:Int64} - 60000000")

# One microsecond more or less is the clock's: a callee that began "before" its caller counts as begun with it.
_HOPS = f"""
    INSERT INTO hops_30s (
        slot, app, service, peer, target, is_message, calls, errors, caller_ns, callee_ns, callee_max_ns, lag_ns,
        callees_by_duration, learned)
    SELECT
        toStartOfInterval(toDateTime(callee.start_time), INTERVAL {SLOT_S} SECOND) AS slot,
        caller.app, caller.service, caller.peer, callee.service, callee.kind = 'consumer' AS is_message,
        count(), countIf(callee.is_error),
        sum(caller.duration_ns), sum(callee.duration_ns), max(callee.duration_ns),
        sum(1000 * greatest(0, dateDiff('microsecond', caller.start_time, callee.start_time))),
        sumMap(map(sonde_step(callee.duration_ns), toUInt64(1))),
        now64(3, 'UTC')
    FROM (
        SELECT app, service, kind, trace_id, parent_id, start_time, duration_ns, is_error FROM spans
        WHERE {SPAN_TIMES} AND kind IN ('server', 'consumer') AND parent_id != toFixedString('', 8) AND {_SAMPLED}
    ) AS callee
    INNER JOIN (
        SELECT app, service, kind, peer, trace_id, span_id, start_time, duration_ns FROM spans
        WHERE {_CALLER_TIMES} AND kind IN ('client', 'producer') AND peer != '' AND {_SAMPLED}
    ) AS caller
    ON caller.app = callee.app AND caller.trace_id = callee.trace_id AND caller.span_id = callee.parent_id
    WHERE (caller.kind = 'producer') = (callee.kind = 'consumer')
    GROUP BY slot, caller.app, caller.service, caller.peer, callee.service, is_message"""

_PEERS = f"""
    INSERT INTO peers (app, service, peer, target, calls, learned)
    SELECT app, service, peer, target, sum(calls), toDateTime(toStartOfMinute(max(slot)))
    FROM hops_30s FINAL
    WHERE {SLOTS} AND NOT is_message
    GROUP BY app, service, peer, target"""

# A request's span says host and port by which its server was reached, or those it listens on; its process says on which
# host it runs. A service or process that has no name of its own is called by its address. Addresses of loopback say
# nothing: they are another place on each host.
_ADDRESSES = f"""
    INSERT INTO addresses (app, address, service, seen)
    SELECT app, address, service, max(at)
    FROM (
        SELECT app, service, at, arrayJoin(arrayConcat(
            [service, instance],
            arrayFlatten(arrayMap(
                host -> multiIf(
                    host = '' OR port = '', [],
                    port IN ('80', '443'), [host, concat(host, ':', port)],
                    [concat(host, ':', port)]),
                arrayDistinct(arrayConcat([said, listening, process.host, process.pod], process.ips)))))) AS address
        FROM (
            SELECT app, service, instance, said, listening, port, toDateTime(max(start_time)) AS at
            FROM (
                SELECT app, service, instance, start_time,
                    if(attributes['server.address'] != '', attributes['server.address'], attributes['net.host.name'])
                        AS said,
                    if(attributes['network.local.address'] != '', attributes['network.local.address'],
                        attributes['net.host.ip']) AS listening,
                    multiIf(
                        attributes['server.port'] != '', attributes['server.port'],
                        attributes['net.host.port'] != '', attributes['net.host.port'],
                        attributes['network.local.port']) AS port
                FROM spans
                WHERE {SPAN_TIMES} AND kind = 'server' AND {_SAMPLED}
            )
            GROUP BY app, service, instance, said, listening, port
        ) AS served
        LEFT JOIN (
            SELECT app, service, instance, anyLast(host) AS host, anyLast(attributes['k8s.pod.ip']) AS pod,
                JSONExtract(anyLast(attributes['host.ip']), 'Array(String)') AS ips
            FROM instances GROUP BY app, service, instance
        ) AS process USING (app, service, instance)
    )
    WHERE (app, address) IN (SELECT app, peer FROM edges_30s WHERE {SLOTS} AND kind = 'client')
        AND NOT match(address, '^(localhost|127\\.|0\\.0\\.0\\.0|\\[?::1?\\]?:)')
    GROUP BY app, address, service"""


def learn_peers(client: StoreClient, since: datetime, until: datetime | None = None) -> None:
    """Find out who answers at an address and what both ends say, from traces since then; whole slots of them.

    `client` may write. Looking at the same time again changes nothing.
    """
    parameters = scope(None, floor_to(since, SLOT_S), until or datetime.now(UTC))
    client.command(_HOPS, parameters | {"one_in": _one_in(client, parameters)})
    client.command(_PEERS, parameters)


def learn_addresses(client: StoreClient, since: datetime, until: datetime | None = None) -> None:
    """Find out under which addresses services say that they answer, of those that somebody called since then.

    `client` may write. Looking at the same time again changes nothing.
    """
    parameters = scope(None, floor_to(since, SLOT_S), until or datetime.now(UTC))
    client.command(_ADDRESSES, parameters | {"one_in": _one_in(client, parameters)})


def _one_in(client: StoreClient, parameters: dict[str, object]) -> int:
    """Of how many traces one is looked at."""
    ((spans,),) = client.rows(f"SELECT count() FROM spans WHERE {SPAN_TIMES}", parameters)
    return max(1, int(spans) // LEARN_FROM_SPANS)
