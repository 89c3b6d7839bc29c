"""Do the statistics say what the spans say? For the tests that kill things."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.insight.steps import SLOT_S
from sonde.server.store.queries.rollups import KEPT_BY, KEPT_SHORT, LONG_SLOTS_S, made_until
from sonde.server.store.queries.scope import scope
from sonde.server.store.queries.statement_sums import CALLS as OF_CALLS

if TYPE_CHECKING:
    from datetime import datetime

    from sonde.server.store.client import StoreClient


class Difference(NamedTuple):
    """A slot in which a table of statistics and the spans disagree, each as (count, errors, sum of durations in ns)."""

    table: str
    slot: datetime
    app: str
    service: str
    spans: tuple[int, int, int]
    statistics: tuple[int, int, int]


_REQUESTS, _CALLS = "is_entry OR kind IN ('client', 'producer')", "peer != ''"

_MADE = f"at + {{slot_s}} <= ({made_until('long_slots_made')})"
_STATEMENTS_MADE = f"at + {{slot_s}} <= ({made_until('long_statements_made')})"


class _Kept(NamedTuple):
    """Statistics that are to say what spans say, by slots of so many seconds."""

    table: str
    slot_s: int
    spans: str
    rows: str = "true"
    times: str = "true"
    counted: str = "count"
    service: str = "service"
    """Of spans, what rows have as their service."""


_KEPT = (
    _Kept("rollup_30s", SLOT_S, _REQUESTS),
    _Kept("edges_30s", SLOT_S, _CALLS),
    *(
        _Kept(
            "request_slots FINAL",
            slot_s,
            _REQUESTS,
            f"slot_s = {slot_s} AND kept_by = '{kept_by}'",
            _MADE,
            service="''" if kept_by == "app" else "service",
        )
        for slot_s, kept_by in [*product(LONG_SLOTS_S, KEPT_BY), *product((SLOT_S,), KEPT_SHORT)]
    ),
    *(_Kept("edges_long FINAL", slot_s, _CALLS, f"slot_s = {slot_s}", _MADE) for slot_s in LONG_SLOTS_S),
    *(
        _Kept("statements_long FINAL", slot_s, OF_CALLS, f"slot_s = {slot_s}", _STATEMENTS_MADE, "calls")
        for slot_s in LONG_SLOTS_S
    ),
)


def compare(client: StoreClient, start: datetime, end: datetime) -> list[Difference]:
    """Where statistics differ from spans, over the slots that have a part from `start` to `end`; empty: nowhere."""
    return [difference for kept in _KEPT for difference in _compare(client, kept, start, end)]


def traces_without_time(client: StoreClient, start: datetime, end: datetime) -> int:
    """How many traces with spans in that time cannot be found through trace_times."""
    rows = client.rows(
        """
        SELECT uniqExact(trace_id) FROM spans
        WHERE start_time >= toDateTime({start_s:Int64}, 'UTC') AND start_time < toDateTime({end_s:Int64}, 'UTC')
            AND substring(trace_id, 9, 8) NOT IN (SELECT trace_id_end::String FROM trace_times)
        """,
        scope(None, start, end),
    )
    return int(rows[0][0])


def _compare(client: StoreClient, kept: _Kept, start: datetime, end: datetime) -> list[Difference]:
    rows = client.rows(
        f"""
        SELECT at, app, of_service,
            (sumIf(n, of_spans), sumIf(failed, of_spans), sumIf(ns, of_spans)) AS spans,
            (sumIf(n, NOT of_spans), sumIf(failed, NOT of_spans), sumIf(ns, NOT of_spans)) AS statistics
        FROM (
            SELECT true AS of_spans, toStartOfInterval(toDateTime(start_time), INTERVAL {kept.slot_s} SECOND) AS at,
                app, {kept.service} AS of_service, count() AS n, countIf(is_error) AS failed, sum(duration_ns) AS ns
            FROM spans WHERE {kept.spans}
            GROUP BY at, app, of_service
            UNION ALL
            SELECT false, slot, app, service, sum({kept.counted}), sum(errors), sum(sum_ns)
            FROM {kept.table} WHERE {kept.rows} GROUP BY slot, app, service
        )
        WHERE at > toDateTime({{start_s:Int64}} - {kept.slot_s}, 'UTC') AND at < toDateTime({{end_s:Int64}}, 'UTC')
            AND {kept.times.format(slot_s=kept.slot_s)}
        GROUP BY at, app, of_service
        HAVING spans != statistics
        ORDER BY at, app, of_service
        """,
        scope(None, start, end),
    )
    return [Difference(kept.table.removesuffix(" FINAL"), *row) for row in rows]
