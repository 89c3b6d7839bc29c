"""Finding requests, and the waterfall of one trace."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Self, TypedDict, Unpack

from sonde.server.insight.critical_path import Step, critical_path
from sonde.server.insight.waterfall import Timing, waterfall
from sonde.server.reports.page import Page
from sonde.server.reports.traces import CriticalStretch, Span, SpanEvent, SpanLink, Trace, TraceRow
from sonde.server.store.queries.scope import APPS, SPAN_TIMES, at_micros, micros, scope
from sonde.server.store.queries.strides import newest_first
from sonde.server.store.queries.trace_time import trace_time

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sonde.server.store.client import StoreClient
    from sonde.server.store.queries.attributes import Condition

Order = Literal["newest", "slowest"]

MOST_SPANS = 20_000
NO_PARENT = bytes(8)


class BadCursorError(ValueError):
    """The text is no cursor of this search."""


class Cursor(NamedTuple):
    """Where the page before ended. The span of time is the first page's: spans that arrive meanwhile shift nothing."""

    order: str
    start_us: int
    end_us: int
    key: int
    span: str
    """Ids of trace and span in hex, for spans with the same key."""

    def __str__(self) -> str:
        return base64.urlsafe_b64encode(json.dumps(list(self), separators=(",", ":")).encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str, order: Order) -> Self:
        """Raises BadCursorError."""
        try:
            fields = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
            given, start_us, end_us, key, span = fields
            cursor = cls(str(given), int(start_us), int(end_us), int(key), bytes.fromhex(span).hex())
            at_micros(cursor.start_us), at_micros(cursor.end_us)
        except (ValueError, TypeError, OverflowError, binascii.Error) as error:
            raise BadCursorError(text) from error
        if cursor.order != order or len(cursor.span) != 48 or not 0 <= cursor.key < 1 << 63:
            raise BadCursorError(text)
        return cursor


TRACE_ROW = """
    lower(hex(trace_id)) AS trace, lower(hex(span_id)) AS span, app, service, instance, endpoint,
    toString(kind) AS kind_name, start_time, duration_ns, is_error, status_code"""


class Filters(TypedDict, total=False):
    """What is searched for; what is None or left out is not asked about."""

    app: str | None
    service: str | None
    instance: str | None
    endpoint: str | None
    peer: str | None
    """Whom a span talks to: of outgoing calls and messages, see `any_span`."""
    status: str | None
    """A code, or a class of them such as 5xx."""
    min_ms: float | None
    max_ms: float | None
    error: bool | None
    attributes: Sequence[Condition]
    """All of them are met."""
    any_span: bool
    """Also spans that are no entry: what a request does inside, and its outgoing calls."""


def search(
    client: StoreClient,
    apps: Sequence[str] | None,
    *,
    start: datetime,
    end: datetime,
    limit: int = 50,
    cursor: str | None = None,
    order: Order = "newest",
    **filters: Unpack[Filters],
) -> Page[TraceRow]:
    """Spans that match all filters, entry spans unless `any_span`; `next` leads to those after them. Raises
    BadCursorError.

    newest: by start time, looked for from the end backwards in ever longer strides. slowest: by duration.
    """
    after = Cursor.parse(cursor, order) if cursor else None
    if after is not None:
        start, end = at_micros(after.start_us), at_micros(after.end_us)
    conditions, parameters = _conditions(filters)
    key = "toUnixTimestamp64Micro(start_time)" if order == "newest" else "duration_ns"
    if after is not None:
        conditions += (
            f" AND ({key}, trace_id, span_id)"
            " < ({key:Int64},"
            " toFixedString(unhex({after_trace:String}), 16), toFixedString(unhex({after_span:String}), 8))"
        )
        parameters |= {"key": after.key, "after_trace": after.span[:32], "after_span": after.span[32:]}
    newest_us = min(micros(end), after.key + 1) if after is not None and order == "newest" else micros(end)
    found: list[dict[str, Any]] = []
    newest_end = at_micros(newest_us)
    strides = newest_first(start, newest_end) if order == "newest" else [(start, newest_end)]
    for stride_start, stride_end in strides:
        found += client.dicts(
            f"""
            SELECT {TRACE_ROW}, {key} AS sort_key
            FROM spans
            WHERE {APPS} AND {SPAN_TIMES} {conditions}
            ORDER BY sort_key DESC, trace_id DESC, span_id DESC
            LIMIT {{limit:UInt32}}
            """,
            scope(apps, stride_start, stride_end) | parameters | {"limit": limit + 1 - len(found)},
        )
        if len(found) > limit:
            break
    following = None
    if len(found) > limit:
        last = found[limit - 1]
        following = str(Cursor(order, micros(start), micros(end), last["sort_key"], last["trace"] + last["span"]))
    return Page(items=[trace_row(row) for row in found[:limit]], next=following)


_EQUAL = {"app": "String", "service": "String", "instance": "String", "endpoint": "String", "peer": "String"}


def _conditions(filters: Filters) -> tuple[str, dict[str, object]]:
    """What the filters add to WHERE, and its parameters."""
    conditions = "" if filters.get("any_span") else " AND is_entry"
    parameters: dict[str, object] = {}
    given: dict[str, object] = {**filters}
    for column, kind in _EQUAL.items():
        if given.get(column) is not None:
            conditions += f" AND {column} = {{{column}:{kind}}}"
            parameters[column] = given[column]
    if (status := filters.get("status")) is not None:
        least, most = _codes(status)
        conditions += " AND status_code BETWEEN {least_code:UInt16} AND {most_code:UInt16}"
        parameters |= {"least_code": least, "most_code": most}
    if (min_ms := filters.get("min_ms")) is not None:
        conditions += " AND duration_ns >= {min_ns:UInt64}"
        parameters["min_ns"] = round(min_ms * 1e6)
    if (max_ms := filters.get("max_ms")) is not None:
        conditions += " AND duration_ns <= {max_ns:UInt64}"
        parameters["max_ns"] = round(max_ms * 1e6)
    if (error := filters.get("error")) is not None:
        conditions += " AND is_error = {error:Bool}"
        parameters["error"] = error
    for number, condition in enumerate(filters.get("attributes", ())):
        sql, more = condition.sql(number)
        conditions += f" AND {sql}"
        parameters |= more
    return conditions, parameters


def _codes(status: str) -> tuple[int, int]:
    """The least and the greatest code that `status` means: `404`, or `5xx`."""
    if status.endswith("xx"):
        hundreds = int(status[0]) * 100
        return hundreds, hundreds + 99
    return int(status), int(status)


def trace_row(row: dict[str, Any]) -> TraceRow:
    """A row with the columns of TRACE_ROW."""
    return TraceRow(
        trace_id=row["trace"],
        span_id=row["span"],
        app=row["app"],
        service=row["service"],
        instance=row["instance"],
        endpoint=row["endpoint"],
        kind=row["kind_name"],
        start_time=row["start_time"],
        duration_ms=row["duration_ns"] / 1e6,
        error=row["is_error"],
        status_code=row["status_code"],
    )


def trace(client: StoreClient, apps: Sequence[str] | None, trace_id: str) -> Trace | None:
    """All spans of a trace, `trace_id` in hex, that the asker may see; None where there are none.

    Of more than MOST_SPANS the earliest are shown. A span that was stored twice is shown once.
    """
    times = trace_time(client, trace_id)
    if times is None:
        return None
    rows = client.dicts(
        f"""
        SELECT span_id, parent_id, app, service, instance, endpoint, toString(kind) AS kind_name, start_time,
            duration_ns, is_error, status_message, status_code, peer, statement, attributes,
            events.time AS event_times, events.name AS event_names, events.attributes AS event_attributes,
            links.trace_id AS link_traces, links.span_id AS link_spans
        FROM spans
        WHERE trace_id = toFixedString(unhex({{trace:String}}), 16) AND {APPS} AND {SPAN_TIMES}
        ORDER BY start_time, span_id
        LIMIT 1 BY span_id, service, kind, start_time, duration_ns
        LIMIT {MOST_SPANS + 1}
        """,
        scope(apps, *times) | {"trace": trace_id},
    )
    return _assemble(trace_id, rows) if rows else None


def _assemble(trace_id: str, rows: list[dict[str, Any]]) -> Trace:
    shown = rows[:MOST_SPANS]
    timings = [
        Timing(number, row["span_id"], row["parent_id"], micros(row["start_time"]) * 1000, row["duration_ns"])
        for number, row in enumerate(shown)
    ]
    begin_ns, end_ns = timings[0].start_ns, max(timing.end_ns for timing in timings)
    bars = waterfall(timings)
    path = critical_path(
        [
            Step(timings[bar.number].start_ns, timings[bar.number].end_ns, bar.depth, shown[bar.number]["kind_name"])
            for bar in bars
        ]
    )
    return Trace(
        trace_id=trace_id,
        start_time=shown[0]["start_time"],
        duration_ms=(end_ns - begin_ns) / 1e6,
        services=list(dict.fromkeys(row["service"] for row in shown)),
        errors=sum(1 for row in shown if row["is_error"]),
        spans=[
            _span(shown[bar.number], timings[bar.number].start_ns - begin_ns, bar.depth, bar.self_ns) for bar in bars
        ],
        critical_path=[
            CriticalStretch(
                span=stretch.step, from_ms=(stretch.start_ns - begin_ns) / 1e6, to_ms=(stretch.end_ns - begin_ns) / 1e6
            )
            for stretch in path
        ],
        truncated=len(rows) > MOST_SPANS,
    )


def _span(row: dict[str, Any], offset_ns: int, depth: int, self_ns: int) -> Span:
    start = row["start_time"]
    events = zip(row["event_names"], row["event_times"], row["event_attributes"], strict=True)
    # not checked again: the store's types are these, and a trace has up to MOST_SPANS of them
    return Span.model_construct(
        span_id=row["span_id"].hex(),
        parent_id="" if row["parent_id"] == NO_PARENT else row["parent_id"].hex(),
        app=row["app"],
        service=row["service"],
        instance=row["instance"],
        name=row["endpoint"],
        kind=row["kind_name"],
        start_time=start,
        offset_ms=offset_ns / 1e6,
        duration_ms=row["duration_ns"] / 1e6,
        self_ms=self_ns / 1e6,
        error=row["is_error"],
        status_message=row["status_message"],
        status_code=row["status_code"],
        peer=row["peer"],
        statement=row["statement"],
        depth=depth,
        attributes=row["attributes"],
        events=[
            SpanEvent(name=name, time=time, offset_ms=(time - start).total_seconds() * 1000, attributes=attributes)
            for name, time, attributes in events
        ],
        links=[
            SpanLink(trace_id=linked.hex(), span_id=span.hex())
            for linked, span in zip(row["link_traces"], row["link_spans"], strict=True)
        ],
    )
