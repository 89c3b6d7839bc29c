"""Calls added up by what they look like, as rows: of long slots where those are made, else of spans.

Every row has DIMENSIONS, which say what calls look like and whose they are, and SUMS.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sonde.server.insight.fingerprint import LONGEST_SHOWN
from sonde.server.insight.steps import SLOT_S
from sonde.server.store.queries import rollups
from sonde.server.store.queries.scope import APPS, SPAN_TIMES, micros
from sonde.server.store.queries.shapes import FINGERPRINT, KIND, STATEMENT_SHAPE, path_of

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sonde.server.reports.slow import CallKind
    from sonde.server.store.client import StoreClient

MOST_TEXTS = 50_000
"""Of more calls that say different things, word for word, those that are met first are grouped, the others are rest."""

DIMENSIONS = "app, service, call_kind, is_rest, system, peer, endpoint, path, shape_hash"
SUMS = "shape, groups, calls, errors, sum_ns, max_ns, first_seen, last_seen, trace_id, span_id, by_duration"

CALLS = "kind IN ('client', 'producer', 'consumer')"
"""Condition over spans."""
NAME = "trimRight(concat(endpoint, ' ', peer, path))"
"""What a call without statement goes by."""
# What stands in a rest says whose it is, and of which kind; nothing else.
_KNOWN_AS = ", ".join(f"if(is_rest, '', said_{name}) AS {name}" for name in ("system", "peer", "endpoint", "path"))


def of_spans(kinds: Collection[CallKind], where: str, at: str) -> str:
    """Calls of those kinds that `where` fits, added up by `at`, an expression over spans, and DIMENSIONS."""
    calls = f"""
        SELECT {at} AS at, app, service, {KIND} AS call_kind, system AS said_system, peer AS said_peer,
            endpoint AS said_endpoint, {path_of(kinds)} AS said_path, statement,
            cityHash64(app, service, call_kind, system, peer, endpoint, said_path, statement) AS key,
            duration_ns, is_error, start_time, trace_id AS trace, span_id AS span
        FROM spans WHERE {CALLS} AND {where}"""
    shapes = f"""
        SELECT key, true AS known, if(statement = '', '', substringUTF8(text, 1, {LONGEST_SHOWN + 1})) AS shape,
            if(statement = '', 0, {FINGERPRINT}) AS shape_hash
        FROM (
            SELECT *, {STATEMENT_SHAPE} AS text
            FROM (
                SELECT key, call_kind, said_system AS system, statement FROM ({calls})
                LIMIT 1 BY key LIMIT {MOST_TEXTS}
            )
        )"""
    return f"""
        SELECT at, {DIMENSIONS}, any(shape) AS shape, if(is_rest, uniq(key), 1) AS groups,
            count() AS calls, countIf(is_error) AS errors, sum(duration_ns) AS sum_ns, max(duration_ns) AS max_ns,
            min(start_time) AS first_seen, max(start_time) AS last_seen,
            argMax(trace, duration_ns) AS trace_id, argMax(span, duration_ns) AS span_id,
            sumMap(map(sonde_step(duration_ns), toUInt64(1))) AS by_duration
        FROM (
            SELECT calls.*, shapes.shape AS shape, shapes.shape_hash AS shape_hash, NOT known AS is_rest, {_KNOWN_AS}
            FROM ({calls}) AS calls LEFT ANY JOIN ({shapes}) AS shapes ON calls.key = shapes.key
        )
        GROUP BY at, {DIMENSIONS}"""


class Source(NamedTuple):
    """Rows of calls, as SQL, and the parameters that they need beside those of `scope`."""

    sql: str
    parameters: dict[str, object]


def source(
    client: StoreClient,
    kinds: Sequence[CallKind],
    more: str,
    start: datetime,
    end: datetime,
    *,
    step_s: int = 0,
) -> Source:
    """Calls of those kinds from `start` to `end` that `more` fits, conditions over what spans and long slots have both.

    `step_s`: no row is of two steps of this length, and `at` is when that of a row begins or later; 0: there are none.
    """
    until_s = rollups.made_until_s(client, "long_statements_made")
    start_us, end_us = micros(start), micros(end)
    covered = rollups.cover(-(-start_us // 1_000_000), min(end_us // 1_000_000, until_s), step_s)
    pieces = [piece for piece in covered if piece.slot_s != SLOT_S]
    first_us, last_us = (pieces[0].start_s * 1_000_000, pieces[-1].end_s * 1_000_000) if pieces else (end_us, end_us)
    begin = f"toUnixTimestamp(toStartOfInterval(toDateTime(start_time), INTERVAL {step_s} SECOND))" if step_s else "0"
    of_spans_ = of_spans(
        kinds,
        f"{APPS} AND {SPAN_TIMES} {more} AND call_kind IN {{kinds:Array(String)}}"
        f" AND (start_time < fromUnixTimestamp64Micro({first_us}, 'UTC')"
        f" OR start_time >= fromUnixTimestamp64Micro({last_us}, 'UTC'))",
        begin,
    )
    sql = f"SELECT at, {DIMENSIONS}, {SUMS} FROM ({of_spans_})"
    if pieces:
        sql += f"""
            UNION ALL
            SELECT {"toUnixTimestamp(slot)" if step_s else "0"} AS at, {DIMENSIONS}, {SUMS}
            FROM statements_long FINAL
            WHERE {APPS} {more} AND call_kind IN {{kinds:Array(String)}} AND calls > 0 AND ({rollups.within(pieces)})"""
    return Source(sql, {"kinds": list(kinds)})
