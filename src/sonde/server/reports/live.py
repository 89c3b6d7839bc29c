"""The last minutes: as one answer, and as what a stream of events says."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time

from pydantic import BaseModel

from sonde.server.reports.traces import TraceRow  # noqa: TC001 - pydantic reads it at run time


class LivePoint(BaseModel):
    """Requests that ended in the second that starts at `time`."""

    time: datetime
    requests: int
    errors: int
    average_ms: float | None
    max_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class LiveService(BaseModel):
    """A service in the live view, over the last 10 s."""

    service: str
    requests_per_s: float
    errors_per_s: float
    average_ms: float | None
    p95_ms: float | None


class Live(BaseModel):
    """The last `window_s` seconds in one answer. `behind_ms`: from the end of the newest stored request to now."""

    time: datetime
    window_s: int
    behind_ms: float | None
    series: list[LivePoint]
    services: list[LiveService]
    latest: list[TraceRow]
    slowest: list[TraceRow]


class LiveTail(BaseModel):
    """Requests that match the viewer's filter, oldest end first.

    `more` match and are not among `rows`. `unread` came in greater number than is looked at: nobody knows which of them
    match.
    """

    rows: list[TraceRow]
    more: int
    unread: int


class LiveWhole(BaseModel):
    """Event `whole`: everything as of `time`. Of `series`, seconds without requests are left out.

    `behind_ms` is how old the newest request was when it came into view; None: there was none in the last minutes.
    """

    time: datetime
    window_s: int
    behind_ms: float | None
    series: list[LivePoint]
    services: list[LiveService]
    tail: LiveTail


class LiveChange(BaseModel):
    """Event `change`: what is new or otherwise than before. `services` is None where all is as it was."""

    time: datetime
    behind_ms: float | None
    series: list[LivePoint]
    services: list[LiveService] | None
    tail: LiveTail


class LiveTrouble(BaseModel):
    """Event `trouble`: nothing new can be read, and why. It is tried again each second; the next `change` has it all.

    Event `end` has the same fields: nothing more will come, and coming back does not help.
    """

    time: datetime
    code: str
    message: str
