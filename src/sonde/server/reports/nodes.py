"""Hosts."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time

from pydantic import AliasChoices, BaseModel, Field


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
