"""Alarms: rules, what fires now and what did, whom it is told to, and what a rule would have done."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

Kind = Literal["statistic", "host", "metric", "errors", "no_data", "agent", "promql"]
Statistic = Literal[
    "requests",
    "requests_per_s",
    "errors",
    "error_rate",
    "average_ms",
    "max_ms",
    "p50_ms",
    "p90_ms",
    "p95_ms",
    "p99_ms",
    "apdex",
]
HostFigure = Literal["cpu_utilization", "load_per_cpu", "memory_used", "swap_used", "disk_used", "inodes_used"]
Aggregate = Literal["average", "min", "max", "sum", "last", "rate"]
Signal = Literal["requests", "metric"]
Op = Literal[">", ">=", "<", "<="]
WhenNoData = Literal["no_data", "ok", "fire"]
Severity = Literal["info", "warning", "critical"]
State = Literal["ok", "pending", "firing", "recovering", "no_data", "suppressed"]
SuppressedBy = Literal["", "dependency", "silence", "quiet_hours"]
Ended = Literal["recovered", "rule_deleted", "rule_changed", "rule_disabled", "forgotten"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
NotifierKind = Literal["webhook", "email", "dingtalk", "feishu", "wecom", "slack"]
WebhookFormat = Literal["sonde", "alertmanager"]
SmtpSecurity = Literal["none", "starttls", "tls"]
DeliveryState = Literal["waiting", "sent", "failed", "dropped"]

MASKED = "********"
"""In place of a secret that is kept. Sent back, it means: as it was."""


class _Strict(BaseModel):
    """What comes in as well as goes out: an unknown field is refused."""

    model_config = ConfigDict(extra="forbid")


class AlarmWhat(_Strict):
    """What is measured. Which fields belong to which kind, docs/alarms.md says; the others stay empty.

    A filter is a name, or a pattern with `*` where the rule groups by that name.
    """

    kind: Kind
    statistic: Statistic | None = None
    figure: HostFigure | None = None
    metric: str = Field("", max_length=255)
    aggregate: Aggregate | None = None
    labels: dict[str, str] = Field(default_factory=dict, max_length=20)
    signal: Signal | None = None
    query: str = Field("", max_length=10_000)
    error_type: str = Field("", max_length=255)
    service: str = Field("", max_length=255)
    endpoint: str = Field("", max_length=1000)
    instance: str = Field("", max_length=255)
    host: str = Field("", max_length=255)


class AlarmBaseline(_Strict):
    """The threshold is what was usual at this time of day: median ± k · max(1.4826 · MAD, floor, floor_ratio · median)
    of the windows that end within half an hour of the same time, on `periods` past days or weeks.
    """

    every: Literal["day", "week"] = "day"
    periods: int = Field(7, ge=3, le=14)
    k: float = Field(4.0, gt=0, le=100, allow_inf_nan=False)
    floor: float = Field(0.0, ge=0, allow_inf_nan=False)
    floor_ratio: float = Field(0.1, ge=0, le=10, allow_inf_nan=False)


class AlarmCondition(_Strict):
    """When it is an alarm. Either `threshold` or `baseline` is said.

    `recovery_threshold`: from there on it is over; None: where the condition does not hold any more. Durations are
    whole slots of 30 s.
    """

    op: Op = ">"
    threshold: float | None = Field(None, allow_inf_nan=False)
    recovery_threshold: float | None = Field(None, allow_inf_nan=False)
    baseline: AlarmBaseline | None = None
    for_s: int = Field(0, ge=0, le=86_400)
    recover_for_s: int = Field(60, ge=0, le=86_400)
    when_no_data: WhenNoData = "no_data"
    requests_least: int = Field(0, ge=0, le=1_000_000_000)
    """Of a statistic: a window with fewer requests is not judged."""


class AlarmQuietHours(_Strict):
    """Nobody is told at these times of each week, by the clock of a time zone. 22:00 to 06:00 ends the next day."""

    days: list[Day] = Field(min_length=1, max_length=7)
    start: str = Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")
    end: str = Field(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")
    time_zone: str = Field("UTC", max_length=64)


class AlarmRuleDocument(_Strict):
    """A rule as it is written, in the API and in files."""

    name: str = Field(min_length=1, max_length=100)
    description: str = Field("", max_length=2000)
    enabled: bool = True
    severity: Severity = "warning"
    what: AlarmWhat
    group_by: list[str] = Field(default_factory=list, max_length=4)
    most_groups: int = Field(100, ge=1, le=1000)
    window_s: int = Field(300, ge=30, le=86_400)
    condition: AlarmCondition
    labels: dict[str, str] = Field(default_factory=dict, max_length=20)
    notify: list[str] = Field(default_factory=list, max_length=20)
    """Names of notifiers."""
    remind_s: int = Field(14_400, ge=0, le=604_800)
    """What goes on firing, and nobody has acknowledged, is told again so long after it was told; 0: never."""
    depends_on: str = Field("", max_length=100)
    """Name of a rule: while that one fires, nobody is told of this one."""
    quiet_hours: list[AlarmQuietHours] = Field(default_factory=list, max_length=10)


class AlarmRuleWish(_Strict):
    """A rule of an app, to be kept."""

    app: str = Field(pattern="^[0-9a-f]{1,32}$")
    rule: AlarmRuleDocument


class AlarmRule(BaseModel):
    """A rule that is kept, and how many of its groups are in which state."""

    id: str
    app: str
    version: int
    rule: AlarmRuleDocument
    unit: str
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str
    firing: int
    pending: int
    no_data: int
    groups: int
    """As last evaluated."""
    groups_dropped: int
    """More than `most_groups`: not evaluated."""
    problem: str
    """Why it could not be evaluated last time; empty: it could."""


class Alarm(BaseModel):
    """A group of a rule that is not just well."""

    id: str | None
    """Of what fires; None until it does. The same in the history."""
    app: str
    rule_id: str
    rule: str
    description: str
    severity: Severity
    labels: dict[str, str]
    group: dict[str, str]
    what: AlarmWhat
    op: Op
    unit: str
    state: State
    suppressed_by: SuppressedBy
    since: datetime
    """Of the state."""
    started_at: datetime | None
    """Of what fires."""
    value: float | None
    threshold: float | None
    peak: float | None
    breached_s: int
    for_s: int
    flap_score: float
    """0 to 1; from 0.5 on it flaps."""
    recent: list[float | None]
    """The last values, one each 30 s, the newest last."""
    acknowledged_at: datetime | None
    acknowledged_by: str
    note: str


class AlarmEvaluation(BaseModel):
    """How the evaluation itself is doing."""

    evaluated_until: datetime | None
    delay_s: float
    """A slot is judged so long after its end, when its data are there."""
    behind_s: float
    """Later than that."""
    trouble: str
    """Why it does not go on; empty: it does."""
    holder: str
    """The process that evaluates."""
    round_ms: float
    rules: int
    groups: int
    missed_slots: int
    """That were left out, because they were too many or a clock jumped."""


class AlarmSummary(BaseModel):
    """For the navigation: how many groups are in which state."""

    firing: int
    critical: int
    warning: int
    info: int
    unacknowledged: int
    pending: int
    suppressed: int
    no_data: int
    evaluation: AlarmEvaluation


class AlarmInterval(BaseModel):
    """From where a group of a rule began to fire until it was over. The rule may be gone."""

    id: str
    app: str
    rule_id: str
    rule: str
    severity: Severity
    group: dict[str, str]
    op: Op
    unit: str
    started_at: datetime
    ended_at: datetime | None
    ended_by: Ended | None
    value: float | None
    """When it began."""
    threshold: float | None
    peak: float | None
    flap_score: float
    told: bool
    """Whether anybody was told, or would have been."""
    acknowledged_at: datetime | None
    acknowledged_by: str
    note: str


class AlarmAcknowledgement(_Strict):
    """Somebody looks after it."""

    note: str = Field("", max_length=1000)


class AlarmSilenceWish(_Strict):
    """Nobody is told of what matches all that is said here, from `starts_at` (None: now) until `ends_at`."""

    app: str = Field(pattern="^[0-9a-f]{1,32}$")
    rule: str = Field("", max_length=100)
    """Name of a rule; empty: all of the app."""
    group: dict[str, str] = Field(default_factory=dict, max_length=10)
    """What the group must say; `*` in a value stands for anything."""
    starts_at: datetime | None = None
    ends_at: datetime
    comment: str = Field("", max_length=1000)


class AlarmSilence(BaseModel):
    """A silence that is to come, holds, or is over."""

    id: str
    app: str
    rule: str
    group: dict[str, str]
    starts_at: datetime
    ends_at: datetime
    comment: str
    created_at: datetime
    created_by: str
    active: bool


class AlarmNotifierDocument(_Strict):
    """Whom to tell, and how. Which fields belong to which kind, docs/alarms.md says.

    Of `url`, `secret`, `headers` and `smtp_password` only MASKED comes out.
    """

    name: str = Field(min_length=1, max_length=100)
    kind: NotifierKind
    enabled: bool = True
    language: Literal["en", "zh"] = "en"
    group_s: int = Field(10, ge=0, le=3600)
    """Alarms of so long a time are told in one message."""
    url: str = Field("", max_length=2000)
    secret: str = Field("", max_length=500)
    format: WebhookFormat = "sonde"
    headers: dict[str, str] = Field(default_factory=dict, max_length=20)
    mentions: list[str] = Field(default_factory=list, max_length=50)
    smtp_host: str = Field("", max_length=255)
    smtp_port: int = Field(587, ge=1, le=65_535)
    smtp_security: SmtpSecurity = "starttls"
    smtp_user: str = Field("", max_length=255)
    smtp_password: str = Field("", max_length=500)
    from_address: str = Field("", max_length=255)
    to_addresses: list[str] = Field(default_factory=list, max_length=50)


class AlarmNotifierWish(_Strict):
    """A notifier of an app, to be kept, shown or tried."""

    app: str = Field(pattern="^[0-9a-f]{1,32}$")
    notifier: AlarmNotifierDocument


class AlarmNotifier(BaseModel):
    """A notifier that is kept, its secrets masked."""

    id: str
    app: str
    notifier: AlarmNotifierDocument
    target: str
    """Where it goes to, without what is secret."""
    created_at: datetime
    created_by: str
    changed_at: datetime
    changed_by: str
    waiting: int
    """Messages that are still to be delivered."""
    last_sent_at: datetime | None
    last_problem: str
    """Of the last try, where that was in vain; else empty."""


class AlarmPreview(BaseModel):
    """What would be sent, secrets masked."""

    target: str
    media_type: str
    title: str
    body: str


class AlarmNotifierTest(BaseModel):
    """What came of a message that says it is a test."""

    delivered: bool
    answer: str
    took_ms: float


class AlarmDelivery(BaseModel):
    """A message, and how delivering it went."""

    id: str
    app: str
    notifier_id: str
    notifier: str
    state: DeliveryState
    title: str
    alarms: int
    attempts: int
    created_at: datetime
    next_at: datetime | None
    """When it is tried again."""
    ended_at: datetime | None
    answer: str
    """Of the last try, or why it was dropped."""


class AlarmTemplate(BaseModel):
    """A rule to start from."""

    id: str
    title: str
    description: str
    rule: AlarmRuleDocument


class AlarmBacktestWish(_Strict):
    """What would this rule have done in the last `days`?"""

    app: str = Field(pattern="^[0-9a-f]{1,32}$")
    rule: AlarmRuleDocument
    days: float = Field(14, gt=0, le=14, allow_inf_nan=False)
    to: datetime | None = None
    """End; None: the last complete slot."""


class AlarmBacktestPoint(BaseModel):
    """Of several windows the one that is nearest to an alarm."""

    time: datetime
    value: float | None
    threshold: float | None


class AlarmBacktestInterval(BaseModel):
    """It would have fired. `ended_at` None: until the end."""

    started_at: datetime
    ended_at: datetime | None
    peak: float | None


class AlarmBacktestGroup(BaseModel):
    """One group. `series` is empty for those that are not drawn."""

    group: dict[str, str]
    fired: int
    firing_s: int
    intervals: list[AlarmBacktestInterval]
    series: list[AlarmBacktestPoint]


class AlarmSuggestion(BaseModel):
    """A threshold that what was usual does not reach. `formula` says how it was found."""

    threshold: float
    recovery_threshold: float
    fired: int
    """How often the rule would have fired with it."""
    formula: str


class AlarmBacktest(BaseModel):
    """What the rule would have done. Groups that would have fired most often come first."""

    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    data_from: datetime | None
    """Of the first data; None: there are none."""
    step_s: int
    """Between two windows that are judged; 30, or more where a finer look would take too long."""
    unit: str
    fired: int
    firing_s: int
    groups: list[AlarmBacktestGroup]
    groups_dropped: int
    suggestion: AlarmSuggestion | None
    took_ms: float


class AlarmImportWish(_Strict):
    """Rules of an app as a file has them. `prune`: those that it does not name go. `dry_run`: only say what changes."""

    app: str = Field(pattern="^[0-9a-f]{1,32}$")
    toml: str = Field(max_length=60_000)
    prune: bool = False
    dry_run: bool = False


class AlarmRuleChange(BaseModel):
    """A rule that is not as it was, and in which of its fields."""

    name: str
    fields: list[str]


class AlarmImport(BaseModel):
    """What an import changes, or has changed."""

    added: list[str]
    changed: list[AlarmRuleChange]
    removed: list[str]
    unchanged: list[str]
    dry_run: bool
