"""How calls are added up in long slots, by what they look like: the shortest of spans, the others of the next shorter
ones. long_slots.py says when.

Of more ways to call than are kept it is those that take most time. What a slot kept when it was made before and does
not keep now is written again with nothing in it, since rows replace rows and nothing else does.
"""

from __future__ import annotations

from typing import get_args

from sonde.server.reports.slow import CallKind
from sonde.server.store.queries.statement_sums import DIMENSIONS, SUMS, of_spans

MOST_KEPT = 10_000
"""Rows of an app and a slot, its rests aside."""
_SAID = ("system", "peer", "endpoint", "path")
_LENGTH = "{slot_s:UInt32}"
_SLOTS = "at IN {slots:Array(DateTime('UTC'))}"
_FIRST_TO_LAST = "{time} >= {{first:DateTime('UTC')}} AND {time} < {{last:DateTime('UTC')}}"


def _at(time: str) -> str:
    return f"toStartOfInterval({time}, toIntervalSecond({_LENGTH}))"


def _insert(rows: str) -> str:
    """Of rows with `at`, DIMENSIONS and SUMS: those that are kept, the others as rests, and what is no longer there."""
    emptied = ", ".join(f"if(left_out, '', counted.{name}) AS {name}" for name in _SAID)
    return f"""
        INSERT INTO statements_long (slot_s, slot, {DIMENSIONS}, {SUMS}, made)
        SELECT {_LENGTH}, at, {DIMENSIONS}, anyIf(every.shape, fresh), sumIf(every.groups, fresh),
            sumIf(every.calls, fresh), sumIf(every.errors, fresh), sumIf(every.sum_ns, fresh),
            maxIf(every.max_ns, fresh), minIf(every.first_seen, fresh), maxIf(every.last_seen, fresh),
            argMaxIf(every.trace_id, every.max_ns, fresh), argMaxIf(every.span_id, every.max_ns, fresh),
            sumMapIf(every.by_duration, fresh), now64(3, 'UTC')
        FROM (
            SELECT at, app, service, call_kind, left_out AS is_rest, {emptied},
                if(left_out, 0, counted.shape_hash) AS shape_hash, if(left_out, '', counted.shape) AS shape,
                groups, calls, errors, sum_ns, max_ns, first_seen, last_seen, trace_id, span_id, by_duration,
                true AS fresh
            FROM (
                SELECT *,
                    is_rest OR row_number() OVER (PARTITION BY at, app ORDER BY is_rest, sum_ns DESC) > {MOST_KEPT}
                        AS left_out
                FROM ({rows})
            ) AS counted
            UNION ALL
            SELECT slot AS at, app, service, call_kind, is_rest, {", ".join(_SAID)}, shape_hash, shape,
                groups, calls, errors, sum_ns, max_ns, first_seen, last_seen, trace_id, span_id, by_duration,
                false AS fresh
            FROM statements_long FINAL
            WHERE slot_s = {_LENGTH} AND slot IN {{slots:Array(DateTime('UTC'))}}
        ) AS every
        GROUP BY at, {DIMENSIONS}"""


_CLOSED = f"{_FIRST_TO_LAST.format(time='start_time')} AND {_SLOTS}"
OF_SPANS = _insert(of_spans(get_args(CallKind), _CLOSED, _at("toDateTime(start_time)")))
OF_LONG = _insert(
    f"""
        SELECT {_at("slot")} AS at, {DIMENSIONS}, any(parts.shape) AS shape,
            if(is_rest, max(parts.groups), 1) AS groups, sum(parts.calls) AS calls, sum(parts.errors) AS errors,
            sum(parts.sum_ns) AS sum_ns, max(parts.max_ns) AS max_ns,
            min(parts.first_seen) AS first_seen, max(parts.last_seen) AS last_seen,
            argMax(parts.trace_id, parts.max_ns) AS trace_id, argMax(parts.span_id, parts.max_ns) AS span_id,
            sumMap(parts.by_duration) AS by_duration
        FROM statements_long AS parts FINAL
        WHERE slot_s = {{of_s:UInt32}} AND parts.calls > 0 AND {_FIRST_TO_LAST.format(time="slot")} AND {_SLOTS}
        GROUP BY at, {DIMENSIONS}""",
)
