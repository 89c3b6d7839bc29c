"""Node.js processes."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, Field

FileKind = Literal["cpuprofile", "heapprofile", "gcprofile", "heapsnapshot", "diag", "core"]
FileState = Literal["creating", "on_agent", "transferring", "stored", "failed"]


class NodejsInstance(BaseModel):
    """A host or container with an xtransit agent. `agent` is what it calls itself; with `app` it is unique."""

    app: str
    agent: str
    connected: bool
    """An agent of that name is there, and its last heartbeat is at most 5 minutes old."""
    last_seen: datetime
    connected_at: datetime | None
    agent_version: str
    """Of xtransit, empty until its first `system_log`."""
    clock_offset_ms: float | None
    """The agent's clock minus ours, at its last heartbeat."""


class NodejsProcess(BaseModel):
    """A process that reported within the last 24 hours, or runs now. Figures are the last reported ones, of its main
    thread where a thread has them.
    """

    app: str
    agent: str
    pid: int
    instance: str
    """Its name in metrics: `agent:pid`."""
    command: str
    """Empty where nobody was there to ask while it ran."""
    reports: bool
    """Whether it has the xprofiler addon switched on. Of the others only pid and command are known."""
    alive: bool
    """It reported within the last 3 minutes, or its agent lists it now."""
    started_at: datetime | None
    last_seen: datetime | None
    threads: list[int]
    """Thread ids; 0 is the main thread."""
    cpu_percent: float | None
    """Of one core, over the last 15 s; may exceed 100."""
    cpu_60_percent: float | None
    rss_bytes: float | None
    heap_used_bytes: float | None
    heap_total_bytes: float | None
    heap_limit_bytes: float | None
    gc_percent: float | None
    """Share of the time in collections, since the report before."""
    active_handles: float | None
    requests_per_s: float | None
    """HTTP requests answered, since the report before."""
    response_average_ms: float | None


class NodejsPoint(BaseModel):
    """One step of a series; `time` is its start. None where nothing was reported."""

    time: datetime
    value: float | None


class NodejsSeries(BaseModel):
    """One line of a chart: a metric of one thread."""

    metric: str
    thread: int
    points: list[NodejsPoint]


class NodejsTrend(BaseModel):
    """Series of a process. Gauges are means of the step, counts (`http_response_sent`, `res__200` …) sums of it."""

    pid: int
    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    step_s: int
    series: list[NodejsSeries]


class NodejsSystemSample(BaseModel):
    """One step of an instance's charts."""

    time: datetime
    cpu_utilization: float | None = None
    memory_used_bytes: float | None = None
    memory_total_bytes: float | None = None
    load_1m: float | None = None
    load_5m: float | None = None
    load_15m: float | None = None
    node_processes: float | None = None
    disks: dict[str, float] = {}
    """Used share by mount point, 0…1."""
    requests: float | None = None
    """HTTP requests answered in the step, by all processes."""
    requests_expired: float | None = None
    response_average_ms: float | None = None
    gc_ms: float | None = None
    """In collections, by all processes."""
    scavenge_ms: float | None = None
    marksweep_ms: float | None = None


class NodejsSystem(BaseModel):
    """The host or container of an instance, as its agent sees it. `latest` is the last value of each figure."""

    app: str
    agent: str
    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    step_s: int
    latest: NodejsSystemSample | None
    cpus: float | None
    series: list[NodejsSystemSample]


class NodejsOs(BaseModel):
    """What an agent says of where it runs."""

    node_version: str
    agent_version: str
    core_limit: str
    """Of `ulimit -c`: a number of blocks, `0` (no core files), or `unlimited`."""
    os: str
    """Type/host/platform/architecture/release."""


class NodejsProcessStatus(BaseModel):
    """Whether a process is set up well, as its agent finds it."""

    pid: int
    node_version: str
    xprofiler_installed: bool
    xprofiler_enabled: bool
    xprofiler_version: str
    xprofiler_log_dir: str
    agent_log_dir: str
    """The two folders must be the same one for metrics to arrive."""
    config: dict[str, Any]


class NodejsErrorFile(BaseModel):
    """A file of error messages that an agent watches, with what came of it in the asked time."""

    file: str
    errors: int
    last_seen: datetime


class NodejsLoggedError(BaseModel):
    """An error found in a file. `time` is that of its own text where it has one, else when the agent read it."""

    time: datetime
    file: str
    type: str
    message: str
    stack: str
    extra: str


class NodejsDependency(BaseModel):
    """A package that another one asks for, and the version that the lock file holds; empty: it holds none."""

    name: str
    wanted: str
    locked: str
    kind: Literal["dependency", "dev", "optional", "peer"]


class NodejsLocked(BaseModel):
    """A package of the lock file."""

    name: str
    version: str
    path: str
    """Where it is installed, e.g. `node_modules/a/node_modules/b`."""


class NodejsPackage(BaseModel):
    """A package.json that an agent sends. `locked` is None in lists."""

    app: str
    agent: str
    file: str
    name: str
    version: str
    lock_version: int
    """1, 2 or 3; 0: there is no lock file, or none that can be read."""
    dependencies: list[NodejsDependency]
    locked_count: int
    locked: list[NodejsLocked] | None
    problem: str
    """Why not all of it could be read; empty: it could."""
    received_at: datetime


class NodejsCore(BaseModel):
    """A core file that lies on an agent's host."""

    app: str
    agent: str
    core_path: str
    executable_path: str
    node_version: str
    first_seen: datetime
    last_seen: datetime


class NodejsFilePart(BaseModel):
    """One stored file. Cores have two: the core, and the executable that it is of."""

    name: str
    bytes: int
    """As stored, gzip."""
    plain_bytes: int


class NodejsFile(BaseModel):
    """A profile, snapshot, report or core, from the wish for it to the stored file.

    creating → on_agent → transferring → stored; failed: the agent never made it. A transfer that fails leads back, and
    `message` says why.
    """

    id: int
    app: str
    agent: str
    pid: int
    kind: FileKind
    path: str
    """On the agent's host."""
    executable_path: str
    state: FileState
    message: str
    running: bool
    """Still recording: it can be stopped early."""
    duration_s: float
    created_at: datetime
    ends_at: datetime | None
    """When a recording ends by itself."""
    created_by: str
    favourite: bool
    note: str
    parts: list[NodejsFilePart]
    """Empty until something is stored."""
    stored_at: datetime | None


class NodejsConfig(BaseModel):
    """The settings of xprofiler in one process."""

    pid: int
    config: dict[str, Any]
    changeable: list[str]
    """Names that POST takes."""
