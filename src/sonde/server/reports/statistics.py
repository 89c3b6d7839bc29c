"""Statistics by service, endpoint, process and so on; series, days, histograms; settings of apps; rules about names.

See docs/statistics.md for every formula.
"""

from __future__ import annotations

from datetime import date, datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Literal

from pydantic import AliasChoices, BaseModel, Field

from sonde.server.reports.services import StatusCount  # noqa: TC001 - pydantic reads it at run time
from sonde.server.reports.traces import TraceRow  # noqa: TC001 - pydantic reads it at run time

By = Literal[
    "service",
    "endpoint",
    "instance",
    "status",
    "kind",
    "host",
    "caller",
    "callee",
    "peer",
    "client_address",
    "server_address",
]
"""What the rows of a report are: one for each of these."""
Compare = Literal["none", "yesterday", "last_week"]
RuleKind = Literal["alias", "endpoint", "hide", "move"]


class Tiers(BaseModel):
    """Requests by how long they took, each in one tier: together they are all requests.

    normal: no error, within `normal_ms` of the app's settings; slow: within `slow_ms`; very_slow: longer, however long.
    unknown: recorded by a version that kept no histogram.
    """

    normal: int
    slow: int
    very_slow: int
    failed: int
    unknown: int


class Measured(BaseModel):
    """Requests (or calls) of something in a span of time. What nobody can know of none, or of these, is None.

    `average_ms` and `error_average_ms` are over all requests and over the failed ones. `timeouts`: longer than
    `timeout_ms`, failed ones too. Apdex, timeouts and tiers are for the settings of each request's own app.
    """

    requests: int
    errors: int
    success_rate: float | None
    requests_per_s: float
    total_ms: float
    average_ms: float | None
    error_average_ms: float | None
    min_ms: float | None
    max_ms: float | None
    p50_ms: float | None
    p90_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    apdex: float | None
    timeouts: int | None
    tiers: Tiers | None


class StatisticsRow(Measured):
    """One thing. The fields that tell which are those a search for traces takes; None: not part of this report's rows.

    callee: `service` calls `peer`; caller: `peer` calls `service`, or leaves messages for it. `peer` is the name of a
    service where `peer_type` is `service`.
    """

    app: str
    service: str | None
    endpoint: str | None
    kind: str | None
    instance: str | None
    host: str | None
    status_code: int | None
    peer: str | None
    peer_type: str | None
    system: str | None
    address: str | None
    status_codes: list[StatusCount]
    compared: Measured | None


class Statistics(BaseModel):
    """A report: `items` of `rows` that there are, in the order that was asked for, and `whole`, all of them together.

    `rest`: requests of the rows that are not shown. `too_old`: spans and points that came later than the apps'
    `late_max_s` allows, `in_future`: those dated more than a day after they came; both by the time they came, and no
    statistic counts them. `compared_…`: None where nothing is compared.
    """

    by: By
    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    compared_from: datetime | None
    compared_to: datetime | None
    items: list[StatisticsRow]
    next: str | None = None
    rows: int
    rest: int
    whole: Measured
    whole_compared: Measured | None
    too_old: int
    in_future: int


class StatisticsPoint(Measured):
    """A step of a series; `time` is its start. Steps without requests are present.

    `covered_s` of it is counted so far: less than the whole for the one that is running, 0 for one to come.
    """

    time: datetime
    covered_s: float


class StatisticsSeries(BaseModel):
    """Figures step by step. `compared` has the same number of points, each one day or one week earlier."""

    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    step_s: int
    points: list[StatisticsPoint]
    compared: list[StatisticsPoint] | None


class DayBlock(StatisticsPoint):
    """180 s of a day. `index` counts from local midnight; `local` is the time on a clock of that place."""

    index: int
    local: str


class StatisticsDay(BaseModel):
    """A date in the time zone of an app. 480 blocks, and another number on the days on which the clocks are changed."""

    app: str
    date: date
    time_zone: str
    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    block_s: int
    whole: Measured
    blocks: list[DayBlock]


class HistogramBucket(BaseModel):
    """Requests that took longer than `above_ms` and no longer than `up_to_ms`; None: however long."""

    above_ms: float
    up_to_ms: float | None
    requests: int
    errors: int


class StatisticsHistogram(BaseModel):
    """How long requests took. `buckets` are the few that people know, `fine` all that are kept.

    `unknown` were recorded by a version that kept no histogram.
    """

    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    requests: int
    unknown: int
    buckets: list[HistogramBucket]
    fine: list[HistogramBucket]


class TopError(BaseModel):
    """An endpoint that failed, with a trace of the last time."""

    app: str
    service: str
    endpoint: str
    kind: str
    status_code: int
    errors: int
    last_seen: datetime
    trace_id: str


class StatisticsTop(BaseModel):
    """The slowest requests and the endpoints with the most errors, of those whose traces are kept."""

    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    slowest: list[TraceRow]
    errors: list[TopError]


class AppSettings(BaseModel):
    """What the statistics of an app go by. `changed_…` is None where nobody changed anything.

    Thresholds are exact where they are one of `exact_ms` (Apdex: where T and 4 T are), else estimated within a bucket.
    """

    app: str
    time_zone: str
    apdex_t_ms: float
    normal_ms: float
    slow_ms: float
    timeout_ms: float
    late_max_s: int
    exact_ms: list[float]
    changed_at: datetime | None
    changed_by: str | None


class NameRule(BaseModel):
    """alias: `service` is shown as `name`. endpoint: an endpoint that `pattern` (RE2) matches as a whole is shown as
    `name`, of `service` alone or, where that is empty, of all services of the app. hide: `service` is shown nowhere.
    move: `service` is shown in the app `target_app`.
    """

    id: str
    app: str
    kind: RuleKind
    service: str
    pattern: str
    name: str
    target_app: str | None
    changed_at: datetime
    changed_by: str


class NamePreviewRow(BaseModel):
    """An endpoint as it is recorded, and what it would be called."""

    service: str
    endpoint: str
    name: str
    requests: int


class NamePreview(BaseModel):
    """What a rule would do to endpoints of a span of time. Of `matched` of them the busiest are shown."""

    matched: int
    requests: int
    items: list[NamePreviewRow]
    next: str | None = None
