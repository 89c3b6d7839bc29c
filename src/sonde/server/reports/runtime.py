"""Processes from within."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time

from pydantic import AliasChoices, BaseModel, Field


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
