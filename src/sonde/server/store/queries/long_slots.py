"""Makes the long slots of statistics and of statements, which pages about days and weeks read: when their time is over,
and again when something came late.

A slot is one block of an insert, and a slot that is made again replaces the one before, so a reader sees the old one or
the new one. Where nothing was made yet, short slots are read, or spans.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.insight.steps import SLOT_S, floor_to
from sonde.server.store.queries import long_statements
from sonde.server.store.queries.rollups import KEPT_BY, KEPT_SHORT, LONG_SLOTS_S, MADE_AS, made_until

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sonde.server.store.client import StoreClient

CLOSED_AFTER = timedelta(seconds=90)
"""Before that, most of a slot is still on its way: it would be made twice."""
_INSERT_MAX = timedelta(minutes=3)
"""Rows are dated when their insert begins; longer than this none takes."""

_SHORTEST_S = LONG_SLOTS_S[-1]
_LENGTH = "{slot_s:UInt32}"
_LONG = f"toStartOfInterval(slot, toIntervalSecond({_LENGTH}))"
_KEPT = ", ".join([*(f"({_LENGTH}, '{name}')" for name in KEPT_BY), *(f"({SLOT_S}, '{name}')" for name in KEPT_SHORT)])
"""(length of the slot, by what it is kept)"""
_TIMES = (
    "slot >= {first:DateTime('UTC')} AND slot < {last:DateTime('UTC')}"
    f" AND {_LONG} IN {{slots:Array(DateTime('UTC'))}}"
)

_REQUEST_SUMS = """
    sum(count) AS count, sum(errors) AS errors, sum(sum_ns) AS sum_ns, sum(error_sum_ns) AS error_sum_ns,
    min(min_ns) AS min_ns, max(max_ns) AS max_ns, sum(satisfied) AS satisfied, sum(tolerating) AS tolerating,
    max(last_seen) AS last_seen, sumMap(histogram) AS histogram,
    sumMap(by_duration) AS by_duration"""
_CALL_SUMS = """
    sum(count) AS count, sum(errors) AS errors, sum(sum_ns) AS sum_ns, max(max_ns) AS max_ns,
    sumMap(histogram) AS histogram, sumMap(by_duration) AS by_duration"""
_REQUEST_KEYS = "kept_by, app, service, kind, is_entry, is_root, endpoint, instance, status_code"
_CALL_KEYS = "app, service, kind, peer, system"
_TOTALS = (
    "count, errors, sum_ns, error_sum_ns, min_ns, max_ns, satisfied, tolerating, last_seen, histogram, by_duration"
)

_REQUESTS = f"""
    INSERT INTO request_slots (slot_s, slot, {_REQUEST_KEYS}, {_TOTALS}, made)
    SELECT length, long, {_REQUEST_KEYS}, {_REQUEST_SUMS}, now64(3, 'UTC')
    FROM (
        SELECT
            kept.1 AS length, kept.2 AS by, if(length = {SLOT_S}, slot, {_LONG}) AS long,
            by AS kept_by, app, if(by = 'app', '', service) AS service, kind, is_entry, is_root,
            if(by = 'endpoint', endpoint, '') AS endpoint, if(by = 'instance', instance, '') AS instance,
            status_code, {_TOTALS}
        FROM (SELECT * FROM rollup_30s WHERE {_TIMES})
        ARRAY JOIN [{_KEPT}] AS kept
    )
    GROUP BY length, long, {_REQUEST_KEYS}"""
_CALLS = f"""
    INSERT INTO edges_long (slot_s, slot, {_CALL_KEYS}, count, errors, sum_ns, max_ns, histogram, by_duration, made)
    SELECT {_LENGTH}, {_LONG} AS long, {_CALL_KEYS}, {_CALL_SUMS}, now64(3, 'UTC')
    FROM edges_30s WHERE {_TIMES}
    GROUP BY long, {_CALL_KEYS}"""
_REQUESTS_LONGER = f"""
    INSERT INTO request_slots (slot_s, slot, {_REQUEST_KEYS}, {_TOTALS}, made)
    SELECT {_LENGTH}, {_LONG} AS long, {_REQUEST_KEYS}, {_REQUEST_SUMS}, now64(3, 'UTC')
    FROM request_slots FINAL WHERE slot_s = {{of_s:UInt32}} AND {_TIMES}
    GROUP BY long, {_REQUEST_KEYS}"""
_CALLS_LONGER = f"""
    INSERT INTO edges_long (slot_s, slot, {_CALL_KEYS}, count, errors, sum_ns, max_ns, histogram, by_duration, made)
    SELECT {_LENGTH}, {_LONG} AS long, {_CALL_KEYS}, {_CALL_SUMS}, now64(3, 'UTC')
    FROM edges_long FINAL WHERE slot_s = {{of_s:UInt32}} AND {_TIMES}
    GROUP BY long, {_CALL_KEYS}"""
_ONE_BLOCK: dict[str, object] = {"min_insert_block_size_rows": 10**8, "min_insert_block_size_bytes": 2**30}


class _Family(NamedTuple):
    """Long slots that are made together. `marker`: the table that says until when they are.

    Statements have the parameters `slot_s`, the length of the slots that are made, these as `slots`, from `first` to
    `last`, and `of_s`, the length of those that they are made of.
    """

    marker: str
    of_short: tuple[str, ...]
    of_long: tuple[str, ...]
    since: str = "true"
    """Condition over `slot`: of which time there is anything to make them of."""


_STATISTICS = _Family("long_slots_made", (_REQUESTS, _CALLS), (_REQUESTS_LONGER, _CALLS_LONGER))
_STATEMENTS = _Family(
    "long_statements_made",
    (long_statements.OF_SPANS,),
    (long_statements.OF_LONG,),
    f"slot >= (SELECT toDateTime(min(start_time)) - {_SHORTEST_S} FROM spans)",
)


def make(client: StoreClient, now: datetime | None = None) -> int:
    """Make what is closed and not made, or was written to since; how many quarters of an hour of statistics. `client`
    may write.

    Raises StoreError: then what was made stays, and the rest is made by the next call. Before the first call nothing is
    made, and all there is will be.
    """
    made = _make(client, _STATISTICS, now)
    _make(client, _STATEMENTS, now)
    return made


def is_behind(client: StoreClient) -> bool:
    """Whether something came for slots that are made since they were; what comes within their second is not seen."""
    late = (
        f"slot < ({made_until(_STATISTICS.marker)})"
        f" AND written > (SELECT max(of_rows_until) FROM {_STATISTICS.marker}) + {int(_INSERT_MAX.total_seconds())}"
    )
    looks = (f"EXISTS(SELECT 1 FROM {table} WHERE {late})" for table in ("rollup_30s", "edges_30s"))
    ((behind,),) = client.rows(f"SELECT {' OR '.join(looks)}")
    return bool(behind)


def _make(client: StoreClient, family: _Family, now: datetime | None) -> int:
    ((began, until, of_rows_until),) = client.rows(
        f"SELECT now('UTC'), ({made_until(family.marker)}), max(of_rows_until) FROM {family.marker}"
    )
    closed = floor_to((now or began) - CLOSED_AFTER, _SHORTEST_S)
    wanted = _wanted(client, family, until, closed, of_rows_until)
    touched = {*wanted, *([until] if until.timestamp() else [])}
    _write(client, family.of_short, wanted, _SHORTEST_S, SLOT_S)
    for of_s, slot_s in pairwise(reversed(LONG_SLOTS_S)):
        longer = sorted({floor_to(slot, slot_s) for slot in touched})
        over = [slot for slot in longer if slot + timedelta(seconds=slot_s) <= closed]
        _write(client, family.of_long, over, slot_s, of_s)
    client.command(
        f"""
        INSERT INTO {family.marker} (made_as, until, of_rows_until, made)
        SELECT '{MADE_AS}', {{closed:DateTime('UTC')}}, {{written:DateTime('UTC')}}, now64(3, 'UTC')
        """,
        {"closed": max(closed, until), "written": began - _INSERT_MAX},
    )
    return len(wanted)


def _wanted(
    client: StoreClient, family: _Family, until: datetime, closed: datetime, of_rows_until: datetime
) -> list[datetime]:
    """In order: what was not made, and what was written to since it was."""
    long = f"SELECT DISTINCT {_LONG} AS long"
    rows = client.rows(
        " UNION DISTINCT ".join(
            f"{long} FROM {table} WHERE slot < {{closed:DateTime('UTC')}} AND {family.since} AND {condition}"
            for table in ("rollup_30s", "edges_30s")
            for condition in ("slot >= {until:DateTime('UTC')}", "written >= {written:DateTime('UTC')}")
        ),
        {"closed": closed, "until": until, "written": of_rows_until, "slot_s": _SHORTEST_S},
    )
    return sorted(slot for (slot,) in rows)


def _write(client: StoreClient, statements: Collection[str], slots: Sequence[datetime], slot_s: int, of_s: int) -> None:
    """Some at once. Of a longer time there may be more keys than the engine has memory for."""
    at_once_s = min((length for length in LONG_SLOTS_S if length > slot_s), default=slot_s)
    for _, some in groupby(slots, key=lambda slot: floor_to(slot, at_once_s)):
        near = list(some)
        first, last = near[0], near[-1] + timedelta(seconds=slot_s)
        parameters = {"slot_s": slot_s, "of_s": of_s, "first": first, "last": last, "slots": near}
        for statement in statements:
            client.command(statement, parameters, settings=_ONE_BLOCK)
