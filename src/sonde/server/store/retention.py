"""How long the store keeps what: the TTL of each table, from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sonde import settings as rows

if TYPE_CHECKING:
    from sonde.server.store.client import StoreClient
    from sonde.settings import Setting, Settings


class Kept(NamedTuple):
    """A table and what decides how long its rows stay."""

    table: str
    time: str
    """Expression of type DateTime that a row's age is counted from."""
    days: Setting[int]


_SLOT_END = "(slot + toIntervalSecond(slot_s))"
KEPT = (
    Kept("spans", "toDateTime(start_time)", rows.RETENTION_SPANS_DAYS),
    Kept("trace_times", "start_time", rows.RETENTION_SPANS_DAYS),
    Kept("statements_long", _SLOT_END, rows.RETENTION_SPANS_DAYS),
    Kept("rollup_30s", "slot", rows.RETENTION_ROLLUPS_DAYS),
    Kept("request_slots", _SLOT_END, rows.RETENTION_ROLLUPS_DAYS),
    Kept("edges_30s", "slot", rows.RETENTION_ROLLUPS_DAYS),
    Kept("edges_long", _SLOT_END, rows.RETENTION_ROLLUPS_DAYS),
    Kept("hops_30s", "slot", rows.RETENTION_ROLLUPS_DAYS),
    Kept("peers", "learned", rows.RETENTION_ROLLUPS_DAYS),
    Kept("addresses", "seen", rows.RETENTION_ROLLUPS_DAYS),
    Kept("instances", "last_seen", rows.RETENTION_ROLLUPS_DAYS),
    Kept("failures", "toDateTime(start_time)", rows.RETENTION_ROLLUPS_DAYS),
    Kept("process_runs", "last_seen", rows.RETENTION_ROLLUPS_DAYS),
    Kept("events", "toDateTime(time)", rows.RETENTION_ROLLUPS_DAYS),
    Kept("metrics", "toDateTime(time)", rows.RETENTION_METRICS_DAYS),
    Kept("metric_names", "last_seen", rows.RETENTION_METRICS_DAYS),
    Kept("logs", "toDateTime(time)", rows.RETENTION_LOGS_DAYS),
)


def apply_retention(client: StoreClient, values: Settings) -> list[str]:
    """Give every table the TTL of its setting; the tables that had another one. `client` may write. Raises StoreError.

    Nothing is rewritten for it: partitions are days, and a day is dropped whole when its last row is too old.
    """
    defined = dict(client.rows("SELECT name, create_table_query FROM system.tables WHERE database = currentDatabase()"))
    changed = []
    for kept in KEPT:
        days = int(values[kept.days])
        if f"TTL {kept.time} + toIntervalDay({days})" in defined[kept.table]:
            continue
        client.command(
            f"ALTER TABLE {kept.table} MODIFY TTL {kept.time} + toIntervalDay({days})",
            settings={"materialize_ttl_after_modify": 0},
        )
        changed.append(kept.table)
    return changed
