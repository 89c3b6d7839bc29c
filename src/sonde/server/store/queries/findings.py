"""What is worth a word about one trace: calls that a span makes again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.server.insight.fingerprint import LONGEST_SHOWN, folded, shape
from sonde.server.insight.repeated_calls import Call, Repeated, repeated_calls
from sonde.server.reports.slow import Finding, Findings
from sonde.server.store.queries.scope import APPS, SPAN_TIMES, micros, scope
from sonde.server.store.queries.shapes import KIND
from sonde.server.store.queries.trace_time import trace_time

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from sonde.server.store.client import StoreClient

MOST_CALLS = 20_000
MOST_FINDINGS = 50
MOST_SPAN_IDS = 20


def findings(client: StoreClient, apps: Sequence[str] | None, trace_id: str, at_least: int) -> Findings | None:
    """Of a trace (`trace_id` in hex) that the asker may see; None where there is none.

    Of more than MOST_CALLS calls the earliest are looked at, of more than MOST_FINDINGS findings the costliest told.
    """
    times = trace_time(client, trace_id)
    if times is None:
        return None
    parameters = scope(apps, *times) | {"trace": trace_id}
    of_trace = f"FROM spans WHERE trace_id = toFixedString(unhex({{trace:String}}), 16) AND {APPS} AND {SPAN_TIMES}"
    rows = client.dicts(
        f"""
        SELECT span_id, parent_id, app, service, endpoint, {KIND} AS call_kind, start_time, duration_ns, is_error, peer,
            system, statement
        {of_trace} AND kind IN ('client', 'producer')
        ORDER BY start_time, span_id
        LIMIT {MOST_CALLS + 1}
        """,
        parameters,
    )
    if not rows and not client.rows(f"SELECT 1 {of_trace} LIMIT 1", parameters):
        return None
    by_id = {row["span_id"]: row for row in rows[:MOST_CALLS]}
    found = repeated_calls([_call(row) for row in rows[:MOST_CALLS]], at_least)
    told = found[:MOST_FINDINGS]
    parents = dict(
        client.rows(
            f"SELECT lower(hex(span_id)), endpoint {of_trace}"
            " AND span_id IN (SELECT toFixedString(unhex(arrayJoin({parents:Array(String)})), 8))",
            parameters | {"parents": sorted({one.calls[0].parent_id.hex() for one in told})},
        )
        if told
        else []
    )
    return Findings(
        trace_id=trace_id,
        at_least=at_least,
        items=[_finding(one, by_id, parents) for one in told],
        more=len(found) - len(told),
        truncated=len(rows) > MOST_CALLS,
    )


def _call(row: dict[str, Any]) -> Call:
    return Call(
        span_id=row["span_id"],
        parent_id=row["parent_id"],
        alike=_alike(row),
        start_ns=micros(row["start_time"]) * 1000,
        duration_ns=row["duration_ns"],
    )


def _alike(row: dict[str, Any]) -> Hashable:
    """The same statement in other words for values; where there is no statement, the same name and peer."""
    said = folded(shape(row["statement"], row["system"])) if row["statement"] else row["endpoint"]
    return row["app"], row["service"], row["call_kind"], row["system"], row["peer"], said


def _finding(one: Repeated, by_id: dict[bytes, dict[str, Any]], parents: dict[str, str]) -> Finding:
    first = by_id[one.calls[0].span_id]
    statement = first["statement"]
    parent = one.calls[0].parent_id.hex()
    return Finding(
        parent_id=parent,
        parent=parents.get(parent, ""),
        app=first["app"],
        service=first["service"],
        kind=first["call_kind"],
        system=first["system"],
        text=shape(statement, first["system"])[:LONGEST_SHOWN] if statement else first["endpoint"],
        peer=first["peer"],
        calls=len(one.calls),
        errors=sum(bool(by_id[call.span_id]["is_error"]) for call in one.calls),
        total_ms=one.total_ns / 1e6,
        elapsed_ms=one.elapsed_ns / 1e6,
        average_ms=one.total_ns / len(one.calls) / 1e6,
        span_ids=[call.span_id.hex() for call in one.calls[:MOST_SPAN_IDS]],
    )
