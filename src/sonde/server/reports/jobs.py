"""Processes, tools and jobs."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict


class ToolOption(BaseModel):
    """One thing that a run of a tool may be told. The default's type is the option's."""

    default: bool | int | float | str
    doc: str
    at_least: float | None = None
    at_most: float | None = None
    choices: list[str] = []


class Tool(BaseModel):
    """A tool of the debugger. Of heavy ones, one runs at a time in a process; one that is at_once needs no seconds."""

    name: str
    heavy: bool
    at_once: bool
    options: dict[str, ToolOption]


class ToolState(BaseModel):
    """What a tool can do in one process, as that process says. `unlock`: the one setting or package it lacks."""

    model_config = ConfigDict(extra="ignore")

    name: str
    available: bool
    why_not: str
    unlock: str
    exact: str
    approximate: str
    options: dict[str, Any]
    running: bool = False


class Process(BaseModel):
    """A process with a probe, as its node's agent sees it. `tools`: None where nobody has asked it yet."""

    app: str
    node: str
    host: str
    node_connected: bool
    pid: int
    service: str
    instance: str
    language: str
    command: str
    probe_version: str
    native: bool
    connected_at: datetime
    tools: list[ToolState] | None


class JobProgress(BaseModel):
    """How far a running job is. `note` is a line for people."""

    seconds: float
    of: float
    note: str


class JobFailure(BaseModel):
    """Why a job has no result: a word for programs, a sentence for people."""

    reason: str
    message: str


class JobArtifact(BaseModel):
    """A file that a job made."""

    name: str
    media_type: str
    bytes: int


class Job(BaseModel):
    """A tool that runs, or ran, in a process. `document` is the result, None in lists."""

    id: str
    app: str
    node: str
    host: str
    pid: int
    service: str
    instance: str
    tool: str
    options: dict[str, Any]
    seconds: float
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    progress: JobProgress | None
    failure: JobFailure | None
    document: dict[str, Any] | None
    artifacts: list[JobArtifact]
