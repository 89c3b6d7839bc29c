"""Traces, and what happened besides."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Literal

from pydantic import BaseModel


class TraceRow(BaseModel):
    """A request found by a search: one entry span (server, consumer or root)."""

    trace_id: str
    span_id: str
    app: str
    service: str
    instance: str
    endpoint: str
    kind: str
    start_time: datetime
    duration_ms: float
    error: bool
    status_code: int


class SpanEvent(BaseModel):
    """Something that happened in a span at a moment, e.g. an exception."""

    name: str
    time: datetime
    offset_ms: float
    attributes: dict[str, str]


class SpanLink(BaseModel):
    """Another span this one belongs to without being its child."""

    trace_id: str
    span_id: str


class Span(BaseModel):
    """One bar of the waterfall. offset_ms counts from the start of the trace; self_ms is time not spent in children."""

    span_id: str
    parent_id: str
    app: str
    service: str
    instance: str
    name: str
    kind: Literal["internal", "server", "client", "producer", "consumer"]
    start_time: datetime
    offset_ms: float
    duration_ms: float
    self_ms: float
    error: bool
    status_message: str
    status_code: int
    peer: str
    statement: str
    depth: int
    attributes: dict[str, str]
    events: list[SpanEvent]
    links: list[SpanLink]


class CriticalStretch(BaseModel):
    """A stretch of time, from the trace's start, in which it waited for one span: `span` is its place in `spans`."""

    span: int
    from_ms: float
    to_ms: float


class Trace(BaseModel):
    """The waterfall page. Spans in drawing order: children after their parent, by start time. The critical path is that
    of the longest root, by time and without gap: what is shortened on it shortens the request.
    """

    trace_id: str
    start_time: datetime
    duration_ms: float
    services: list[str]
    errors: int
    spans: list[Span]
    critical_path: list[CriticalStretch]
    truncated: bool


class AttributeKey(BaseModel):
    """An attribute, and how many of the spans looked at have it."""

    key: str
    spans: int


class AttributeValue(BaseModel):
    """A value of an attribute, and how many of the spans looked at have it."""

    value: str
    spans: int


class ComparedTrace(BaseModel):
    """One of two traces: its first root, and it as a whole."""

    trace_id: str
    start_time: datetime
    duration_ms: float
    service: str
    endpoint: str
    spans: int
    errors: int


class ComparedOperation(BaseModel):
    """All spans of one sort in both traces: how many, and how much time they spent by themselves."""

    service: str
    name: str
    kind: str
    peer: str
    spans_a: int
    spans_b: int
    self_a_ms: float
    self_b_ms: float


class ComparedSpan(BaseModel):
    """A span of one trace beside that of the other which stands at the same place. Of a side that has none the id is
    empty and the durations are null.
    """

    depth: int
    service: str
    name: str
    kind: str
    peer: str
    span_a: str
    span_b: str
    duration_a_ms: float | None
    duration_b_ms: float | None
    self_a_ms: float | None
    self_b_ms: float | None
    error_a: bool
    error_b: bool


class Comparison(BaseModel):
    """Two traces aligned by their structure. Operations by how much their own time differs, most first."""

    a: ComparedTrace
    b: ComparedTrace
    same_endpoint: bool
    operations: list[ComparedOperation]
    spans: list[ComparedSpan]
    truncated: bool


class Moment(BaseModel):
    """Something that happened while a trace ran: a log line, or an event of the probe. offset_ms counts from the start
    of the trace, and is negative for what had begun before; duration_ms is 0 for a point in time.
    """

    event: str
    """`sonde.stall`, `sonde.gc_pause`, `sonde.slow_syscall`, `sonde.queued`, `sonde.tool` …; empty: a log line."""
    own: bool
    """It has the trace's id; else it befell a process of the trace at that time."""
    time: datetime
    offset_ms: float
    duration_ms: float
    service: str
    instance: str
    span_id: str
    severity: int
    """OTLP's number: 9 info, 13 warning, 17 error; 0 unknown."""
    text: str
    attributes: dict[str, str]


class Moments(BaseModel):
    """What else happened during a trace, by time."""

    trace_id: str
    start_time: datetime
    duration_ms: float
    moments: list[Moment]
    truncated: bool
