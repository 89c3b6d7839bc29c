"""The answers of the API as types: what the store's queries return and the console draws.

Times are aware datetimes (RFC 3339 in JSON), durations are in the unit their name carries, rates are fractions 0…1.
A figure that nobody measured is None, never 0.
"""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Generic, Literal, TypeVar

from pydantic import AliasChoices, BaseModel, Field

T = TypeVar("T")


class Page(BaseModel, Generic[T]):
    """A list, and the cursor of what follows."""

    items: list[T]
    next: str | None = None


class Figures(BaseModel):
    """Requests of something in a span of time. Percentiles from merged t-digests, so true over any width."""

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


NodeType = Literal["service", "database", "cache", "messaging", "external", "client"]


class MapNode(BaseModel):
    """A service, or a peer that no service of ours answers at. `client` is everybody outside who calls in."""

    id: str
    name: str
    type: NodeType
    system: str
    requests: int
    errors: int
    average_ms: float | None
    p95_ms: float | None


class MapEdge(BaseModel):
    """Calls from one node to another, by the ids of the nodes."""

    source: str
    target: str
    requests: int
    errors: int
    average_ms: float | None
    p95_ms: float | None


class ServiceMap(BaseModel):
    """The map page."""

    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    nodes: list[MapNode]
    edges: list[MapEdge]


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


class LiveService(BaseModel):
    """A service in the live view, over the last 10 s."""

    service: str
    requests_per_s: float
    errors_per_s: float
    average_ms: float | None
    p95_ms: float | None


class Live(BaseModel):
    """The live page: raw spans of the last `window_s` seconds at 1 s. `behind_ms`: newest stored span to now."""

    time: datetime
    window_s: int
    behind_ms: float | None
    series: list[Point]
    services: list[LiveService]
    latest: list[TraceRow]
    slowest: list[TraceRow]


class Filesystem(BaseModel):
    """A mounted disk."""

    mountpoint: str
    used_bytes: int
    total_bytes: int


class Node(BaseModel):
    """A host with an agent, as last seen."""

    host: str
    host_id: str
    os: str
    agent_version: str
    last_seen: datetime
    cpus: int
    cpu_utilization: float | None
    load_1m: float | None
    memory_used_bytes: int
    memory_total_bytes: int
    swap_used_bytes: int
    swap_total_bytes: int
    filesystems: list[Filesystem]
    network_receive_bytes_per_s: float | None
    network_transmit_bytes_per_s: float | None
    disk_read_bytes_per_s: float | None
    disk_write_bytes_per_s: float | None
    processes: int | None


class NodeSample(BaseModel):
    """One step of a host's charts."""

    time: datetime
    cpu_utilization: float | None
    load_1m: float | None
    memory_used_bytes: float | None
    swap_used_bytes: float | None
    filesystem_used: float | None
    network_receive_bytes_per_s: float | None
    network_transmit_bytes_per_s: float | None
    disk_read_bytes_per_s: float | None
    disk_write_bytes_per_s: float | None


class NodeReport(BaseModel):
    """A host's page."""

    node: Node
    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    step_s: int
    series: list[NodeSample]


class RuntimeSample(BaseModel):
    """One step of the charts of a service's processes. None where no process reported the figure."""

    time: datetime
    requests_active: float | None = None
    threads: float | None = None
    thread_pool_queued: float | None = None
    asyncio_tasks: float | None = None
    gc_pause_max_ms: float | None = None
    event_loop_lag_max_ms: float | None = None
    gil_wait_max_ms: float | None = None


class RuntimeReport(BaseModel):
    """How the interpreters of a service are doing."""

    service: str
    instances: int
    """The most processes that reported in one step."""
    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    step_s: int
    series: list[RuntimeSample]


class App(BaseModel):
    """The unit of access: everything a token of this app sends belongs to it."""

    id: str
    name: str
    created_at: datetime


class NewApp(App):
    """The only time that the token is shown."""

    secret: str
    token: str


class AppSecret(BaseModel):
    """What the xtransit agents of an app sign with. None where it cannot be read; then `why` says why."""

    app: str
    secret: str | None
    why: str


class ConnectHint(BaseModel):
    """Something that goes wrong with a sender, since the server started. `app` is empty where it could not say."""

    protocol: str
    reason: str
    subject: str
    text: str
    app: str
    count: int
    first_seen: datetime
    last_seen: datetime


class ConnectPorts(BaseModel):
    """Where this server listens; None: not for that. Each stands beside `host`, which is how the asker reached us."""

    host: str
    otlp_http: int | None
    otlp_grpc: int | None
    skywalking_grpc: int | None
    skywalking_http: int | None
    xtransit: int | None
    tokenless_skywalking: str
    """Name or id of the app of SkyWalking's agents without a token; empty: they are refused."""


class Arrival(BaseModel):
    """A service that sent something lately. `language` is empty where it does not say."""

    service: str
    language: str
    last_seen: datetime


class Sampling(BaseModel):
    """What was said about how much of a service is recorded. None: as each of its processes was configured."""

    app: str
    service: str
    sampling_rate: float | None
    slow_ms: float | None
    sampling_follows_parent: bool | None
    changed_at: datetime | None
    changed_by: str | None


class ServiceSettings(BaseModel):
    """What holds for the processes of a service instead of the settings of these names; see docs/settings.md."""

    sampling_rate: float | None = None
    slow_ms: float | None = None
    sampling_follows_parent: bool | None = None


class ProbeSettings(BaseModel):
    """What the probes of an app are told, by the name of their service. What is left out is as configured."""

    services: dict[str, ServiceSettings]
