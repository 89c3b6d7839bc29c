"""Errors by type and place."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time

from pydantic import AliasChoices, BaseModel, Field

from sonde.server.reports.deploys import DeployMark  # noqa: TC001 - pydantic reads it at run time
from sonde.server.reports.page import Page


class FailingService(BaseModel):
    """A service that an error befell."""

    app: str
    service: str
    times: int


class ErrorRow(BaseModel):
    """Failures of one type at one place. `times`: requests in which it happened, however many of their spans say so.
    `first_seen` looks back as far as statistics are kept, `last_seen` lies within the asked time. `new_since`: the last
    deploy of an affected service, where the error was never seen before it. `series`: times by the steps of the page.
    """

    id: str
    type: str
    place: str
    has_stack: bool
    message: str
    times: int
    first_seen: datetime
    last_seen: datetime
    services: list[FailingService]
    endpoints: int
    instances: int
    new_since: DeployMark | None
    series: list[int]
    trace_id: str
    span_id: str


class RestOfErrors(BaseModel):
    """All failures that are in no group of the answer."""

    groups: int
    times: int


class ErrorPage(Page[ErrorRow]):
    """The groups that were asked for, and what all others amount to. It has no following page: `next` is null."""

    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    step_s: int
    rest: RestOfErrors


class ErrorPoint(BaseModel):
    """One step of a group's series; `time` is its start."""

    time: datetime
    times: int


class ErrorPlace(BaseModel):
    """Where it happened: an endpoint of a service, or an instance of it."""

    app: str
    service: str
    name: str
    times: int
    last_seen: datetime


class ErrorMessage(BaseModel):
    """What it said, with values left out."""

    message: str
    times: int


class ErrorSample(BaseModel):
    """One failure as its span tells it."""

    trace_id: str
    span_id: str
    app: str
    service: str
    instance: str
    endpoint: str
    time: datetime
    type: str
    message: str
    stack: str


class ErrorReport(BaseModel):
    """The page of a group. Lists are the most frequent first; samples the newest first."""

    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    step_s: int
    group: ErrorRow
    series: list[ErrorPoint]
    endpoints: list[ErrorPlace]
    instances: list[ErrorPlace]
    messages: list[ErrorMessage]
    deploys: list[DeployMark]
    samples: list[ErrorSample]
