"""Do the statistics say what the spans say? For the tests that kill things."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sonde.server.store.queries.scope import scope

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


_SPANS_OF = {"rollup_30s": "is_entry OR kind IN ('client', 'producer')", "edges_30s": "peer != ''"}


def compare(client: StoreClient, start: datetime, end: datetime) -> list[Difference]:
    """Where rollup_30s or edges_30s differ from spans, over whole slots from `start` to `end`; empty: nowhere."""
    return [difference for table in _SPANS_OF for difference in _compare(client, table, start, end)]


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


def _compare(client: StoreClient, table: str, start: datetime, end: datetime) -> list[Difference]:
    rows = client.rows(
        f"""
        SELECT at, app, service,
            (sumIf(n, of_spans), sumIf(failed, of_spans), sumIf(ns, of_spans)) AS spans,
            (sumIf(n, NOT of_spans), sumIf(failed, NOT of_spans), sumIf(ns, NOT of_spans)) AS statistics
        FROM (
            SELECT true AS of_spans, toStartOfInterval(toDateTime(start_time), INTERVAL 30 SECOND) AS at, app, service,
                count() AS n, countIf(is_error) AS failed, sum(duration_ns) AS ns
            FROM spans WHERE {_SPANS_OF[table]}
            GROUP BY at, app, service
            UNION ALL
            SELECT false, slot, app, service, sum(count), sum(errors), sum(sum_ns)
            FROM {table} GROUP BY slot, app, service
        )
        WHERE at >= toDateTime({{start_s:Int64}}, 'UTC') AND at < toDateTime({{end_s:Int64}}, 'UTC')
        GROUP BY at, app, service
        HAVING spans != statistics
        ORDER BY at, app, service
        """,
        scope(None, start, end),
    )
    return [Difference(table, *row) for row in rows]
