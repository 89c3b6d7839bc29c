"""Services and their statistics."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time

from pydantic import AliasChoices, BaseModel, Field


class Figures(BaseModel):
    """Requests of something in a span of time. Percentiles within 1.1 %, over any width."""

    requests: int
    errors: int
    success_rate: float | None
    requests_per_s: float
    average_ms: float | None
    max_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    apdex: float | None


class Point(BaseModel):
    """One step of a series; `time` is its start. Steps without requests are present, their figures None.

    `covered_s` of the step is counted so far: less than the whole for the step that is still running, and perhaps for
    the first. Rates are requests / covered_s.
    """

    time: datetime
    covered_s: float
    requests: int
    errors: int
    average_ms: float | None
    max_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class Service(Figures):
    """A row of the overview."""

    app: str
    service: str
    language: str
    instances: int
    last_seen: datetime
    series: list[Point]


class Endpoint(Figures):
    """A row of a service's endpoints. kind: server, consumer or internal (a root that is neither)."""

    endpoint: str
    kind: str


class Instance(Figures):
    """A process of the service."""

    instance: str
    last_seen: datetime


class Neighbour(BaseModel):
    """Who calls the service, or what it calls. type as in MapNode."""

    name: str
    type: str
    system: str
    requests: int
    errors: int
    average_ms: float | None
    p95_ms: float | None


class StatusCount(BaseModel):
    """Requests by response status code, e.g. 200; 0 where the protocol has none."""

    code: int
    requests: int


class ErrorGroup(BaseModel):
    """Failed spans with the same type and message."""

    type: str
    message: str
    endpoint: str
    count: int
    last_seen: datetime
    trace_id: str


class ServiceReport(BaseModel):
    """The service page."""

    app: str
    service: str
    language: str
    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    step_s: int
    figures: Figures
    yesterday: Figures | None
    last_week: Figures | None
    series: list[Point]
    endpoints: list[Endpoint]
    instances: list[Instance]
    callers: list[Neighbour]
    callees: list[Neighbour]
    status_codes: list[StatusCount]
    errors: list[ErrorGroup]
