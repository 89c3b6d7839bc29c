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


class Trace(BaseModel):
    """The waterfall page. Spans in drawing order: children after their parent, by start time."""

    trace_id: str
    start_time: datetime
    duration_ms: float
    services: list[str]
    errors: int
    spans: list[Span]
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
