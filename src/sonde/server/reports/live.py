"""The last seconds."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time

from pydantic import BaseModel

from sonde.server.reports.services import Point  # noqa: TC001 - pydantic reads it at run time
from sonde.server.reports.traces import TraceRow  # noqa: TC001 - pydantic reads it at run time


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
