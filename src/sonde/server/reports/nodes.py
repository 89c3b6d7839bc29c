"""Hosts."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Literal

from pydantic import AliasChoices, BaseModel, Field


class Filesystem(BaseModel):
    """A mounted disk. Of inodes 0 and 0 where it has no fixed number of them."""

    mountpoint: str
    used_bytes: int
    total_bytes: int
    inodes_used: int
    inodes_total: int


class NodeAgent(BaseModel):
    """How the agent of a host is doing.

    state: `ok`; `clock`, its clock is off by `clock_offset_s` (ahead: positive), so spans of this host have wrong
    times; `silent`, nothing has come for a while, be it the host, the agent or the way between. `last_seen` is a time
    of the server's clock: when something came.
    """

    state: Literal["ok", "clock", "silent"]
    version: str
    last_seen: datetime
    clock_offset_s: float | None
    queue_bytes: int | None
    queue_batches: int | None


class Node(BaseModel):
    """A host, as last seen. `agent` is None where something else measures it, a collector of OpenTelemetry's."""

    host: str
    host_id: str
    os: str
    agent_version: str
    agent: NodeAgent | None
    services: list[str]
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
    file_handles: int | None
    file_handles_limit: int | None


class HostedService(BaseModel):
    """A process of a service on a host. Open files as last reported; None where nobody counts them."""

    app: str
    service: str
    instance: str
    language: str
    version: str
    pid: int | None
    last_seen: datetime
    open_files: int | None
    open_files_limit: int | None


class Loss(BaseModel):
    """What an agent or the probes of its host dropped in a span of time, by reason."""

    what: str
    reason: str
    count: int


class NodeSample(BaseModel):
    """One step of a host's charts; None where nothing was measured. cpu_…: shares of all cores."""

    time: datetime
    cpu_utilization: float | None
    cpu_user: float | None
    cpu_system: float | None
    cpu_iowait: float | None
    cpu_steal: float | None
    cpu_other: float | None
    load_1m: float | None
    memory_used_bytes: float | None
    memory_cached_bytes: float | None
    swap_used_bytes: float | None
    filesystem_used: float | None
    inodes_used: float | None
    network_receive_bytes_per_s: float | None
    network_transmit_bytes_per_s: float | None
    network_errors_per_s: float | None
    disk_read_bytes_per_s: float | None
    disk_write_bytes_per_s: float | None
    file_handles: float | None
    agent_queue_bytes: float | None


class NodeReport(BaseModel):
    """A host's page."""

    node: Node
    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    step_s: int
    series: list[NodeSample]
    services: list[HostedService]
    losses: list[Loss]


class TopProcess(BaseModel):
    """A process that used much in a minute. `cpu_cores`: 1 is one core busy; None: it had only just begun."""

    pid: int
    started: datetime
    name: str
    command: str
    user: str
    cpu_cores: float | None
    memory_bytes: int
    threads: int
    service: str


class TopProcesses(BaseModel):
    """The processes that used most CPU or memory in the `seconds` before `time`, by CPU. `processes`: all there were.

    `times` are the minutes that can be asked for, oldest first.
    """

    host: str
    time: datetime
    seconds: float
    processes: int
    items: list[TopProcess]
    times: list[datetime]


class ProcessSample(BaseModel):
    """One process in one minute."""

    time: datetime
    cpu_cores: float | None
    memory_bytes: int


class ProcessHistory(BaseModel):
    """One process over time: minutes in which it was among those that used most, and no others."""

    host: str
    pid: int
    started: datetime
    name: str
    command: str
    series: list[ProcessSample]
