"""Statements and other calls by what they look like, and calls that a trace makes again and again."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Literal

from pydantic import AliasChoices, BaseModel, Field

from sonde.server.reports.page import Page

CallKind = Literal["sql", "cache", "http", "rpc", "mq"]


class CallFigures(BaseModel):
    """Calls of one sort in a span of time. p95 within 1.1 %. `share`: of the time that all calls of the kind took
    that were asked for, 0 … 1.
    """

    calls: int
    errors: int
    total_ms: float
    average_ms: float
    p95_ms: float
    max_ms: float
    share: float


class CallingService(BaseModel):
    """A service that makes such calls."""

    app: str
    service: str
    calls: int
    total_ms: float


class SlowGroup(CallFigures):
    """Calls that differ in values alone. `text` is their statement with `?` for values, or what else they are called;
    `example` the trace of the slowest.
    """

    id: str
    kind: CallKind
    system: str
    text: str
    text_is_cut: bool
    peers: list[str]
    more_peers: int
    services: list[CallingService]
    first_seen: datetime
    last_seen: datetime
    trace_id: str
    span_id: str


class RestOfCalls(BaseModel):
    """All calls that are in no group of the answer."""

    groups: int
    calls: int
    errors: int
    total_ms: float


class SlowPage(Page[SlowGroup]):
    """The groups that were asked for, and what all others amount to. It has no following page: `next` is null."""

    rest: RestOfCalls


class CallPoint(BaseModel):
    """One step of a group's series; `time` is its start. Steps without calls are present, their figures None."""

    time: datetime
    calls: int
    errors: int
    average_ms: float | None
    p95_ms: float | None
    max_ms: float | None


class Caller(BaseModel):
    """A request of a service that makes such calls. `calls` and `total_ms` are of the calls that were looked at."""

    app: str
    service: str
    endpoint: str
    calls: int
    total_ms: float


class CalledPeer(BaseModel):
    """Whom the calls went to."""

    peer: str
    calls: int
    errors: int
    average_ms: float
    p95_ms: float


class SlowCall(BaseModel):
    """One call."""

    trace_id: str
    span_id: str
    app: str
    service: str
    instance: str
    peer: str
    start_time: datetime
    duration_ms: float
    error: bool


class SlowReport(BaseModel):
    """The page of a group. `callers` are those of `looked_at` calls: all, or so many that were drawn at random."""

    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    step_s: int
    group: SlowGroup
    series: list[CallPoint]
    callers: list[Caller]
    looked_at: int
    peers: list[CalledPeer]
    slowest: list[SlowCall]


class Finding(BaseModel):
    """Calls of one sort that one span makes again and again. `elapsed_ms` is how long at least one of them ran, which
    is less than `total_ms` where they overlap.
    """

    parent_id: str
    parent: str
    app: str
    service: str
    kind: CallKind
    system: str
    text: str
    peer: str
    calls: int
    errors: int
    total_ms: float
    elapsed_ms: float
    average_ms: float
    span_ids: list[str]
    """Of the first ones."""


class Findings(BaseModel):
    """What is worth a word about a trace, the costliest first. `truncated`: of a longer trace its beginning only."""

    trace_id: str
    at_least: int
    items: list[Finding]
    more: int
    truncated: bool
