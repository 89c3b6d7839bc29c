"""Dashboards: what is kept of one, and what its panels show."""

from __future__ import annotations

import re
from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

COLUMNS = 12
"""A dashboard is so many wide."""
MOST_PANELS, MOST_QUERIES, MOST_VARIABLES = 50, 8, 8
_VARIABLE = re.compile(r"\$([a-z][a-z0-9_]*)")

ServiceFigure = Literal[
    "requests_per_s", "error_rate", "average_ms", "max_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "apdex", "timeouts"
]
HostFigure = Literal[
    "cpu_utilization",
    "cpu_user",
    "cpu_system",
    "cpu_iowait",
    "cpu_steal",
    "load_1m",
    "memory_used_bytes",
    "swap_used_bytes",
    "filesystem_used",
    "inodes_used",
    "network_receive_bytes_per_s",
    "network_transmit_bytes_per_s",
    "disk_read_bytes_per_s",
    "disk_write_bytes_per_s",
    "file_handles",
]
Unit = Literal["", "ms", "s", "bytes", "bytes/s", "per_s", "ratio"]
Name = Annotated[str, Field(max_length=255)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PromqlQuery(_Strict):
    """`legend`: a name for each series, with {{label}} in it; empty: its labels."""

    kind: Literal["promql"]
    query: str = Field(min_length=1, max_length=10_000)
    legend: Name = ""


class ServiceQuery(_Strict):
    """A figure of a service over time."""

    kind: Literal["service"]
    service: Name = Field(min_length=1)
    figure: ServiceFigure


class HostQuery(_Strict):
    """A figure of a host over time."""

    kind: Literal["host"]
    host: Name = Field(min_length=1)
    figure: HostFigure


class ServicesQuery(_Strict):
    """A table of all services."""

    kind: Literal["services"]


class HostsQuery(_Strict):
    """A table of all hosts."""

    kind: Literal["hosts"]


PanelQuery = Annotated[PromqlQuery | ServiceQuery | HostQuery | ServicesQuery | HostsQuery, Field(discriminator="kind")]
_TABLES = (ServicesQuery, HostsQuery)


class Panel(_Strict):
    """`x`, `w` in columns, `y`, `h` in rows, from the upper left. A number is the last value of its first series."""

    id: str = Field(pattern="^[a-z0-9][a-z0-9-]{0,31}$")
    title: str = Field("", max_length=200)
    kind: Literal["timeseries", "number", "table", "text"]
    x: int = Field(ge=0, lt=COLUMNS)
    y: int = Field(ge=0, le=1000)
    w: int = Field(ge=1, le=COLUMNS)
    h: int = Field(ge=1, le=40)
    unit: Unit = ""
    queries: list[PanelQuery] = Field(default_factory=list, max_length=MOST_QUERIES)
    text: str = Field("", max_length=10_000)

    @model_validator(mode="after")
    def _fits(self) -> Panel:
        if self.x + self.w > COLUMNS:
            raise ValueError(f"panel {self.id}: x + w is more than the {COLUMNS} columns there are")
        if self.kind == "text":
            if self.queries:
                raise ValueError(f"panel {self.id}: a text asks nothing")
            return self
        if not self.queries:
            raise ValueError(f"panel {self.id}: needs a query")
        tables = [isinstance(query, _TABLES) for query in self.queries]
        if self.kind == "table" and not (tables == [True] or not any(tables)):
            raise ValueError(f"panel {self.id}: a table is of one list, or of series")
        if self.kind != "table" and any(tables):
            raise ValueError(f"panel {self.id}: lists are shown by tables only")
        return self


class Variable(_Strict):
    """A word for which something is put into queries, as `$name`. text: whatever is written."""

    name: str = Field(pattern="^[a-z][a-z0-9_]{0,31}$")
    kind: Literal["service", "host", "text"]
    default: Name = ""


class DashboardDocument(_Strict):
    """What is kept, exported and imported."""

    schema_version: Literal[1] = 1
    title: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=2000)
    variables: list[Variable] = Field(default_factory=list, max_length=MOST_VARIABLES)
    panels: list[Panel] = Field(default_factory=list, max_length=MOST_PANELS)

    @field_validator("panels")
    @classmethod
    def _are_told_apart(cls, panels: list[Panel]) -> list[Panel]:
        _distinct([panel.id for panel in panels], "panel")
        return panels

    @model_validator(mode="after")
    def _knows_its_variables(self) -> DashboardDocument:
        _distinct([variable.name for variable in self.variables], "variable")
        known = {variable.name for variable in self.variables}
        for panel in self.panels:
            for query in panel.queries:
                text = " ".join(str(value) for value in query.model_dump().values())
                for name in _VARIABLE.findall(text):
                    if name not in known:
                        raise ValueError(f"panel {panel.id}: there is no variable ${name}")
        return self


def _distinct(names: list[str], what: str) -> None:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ValueError(f"two of one {what}: {twice}")


class DashboardRow(BaseModel):
    """A dashboard in the list. `app` and `changed_at` are null for those that come with Sonde."""

    id: str
    app: str | None
    title: str
    description: str
    panels: int
    version: int
    changed_at: datetime | None
    changed_by: str


class Dashboard(DashboardRow):
    """The whole of it. Who saves it says which version they saw."""

    document: DashboardDocument


class PanelSeries(BaseModel):
    """Points are pairs of epoch milliseconds and value, null where there was none."""

    name: str
    points: list[tuple[int, float | None]]


class PanelData(BaseModel):
    """What a panel shows. `problem`: why a query of it could not be answered; the others are."""

    series: list[PanelSeries]
    columns: list[str]
    rows: list[list[str | float | int | None]]
    left_out: int
    problem: str


class Share(BaseModel):
    """A link to look at one dashboard without an account. The token itself is told only once."""

    id: str
    dashboard: str
    values: dict[str, str]
    created_at: datetime
    created_by: str
    expires_at: datetime | None


class NewShare(Share):
    """With the part of the address that nobody can read again."""

    token: str


class SharedDashboard(BaseModel):
    """What such a link shows."""

    document: DashboardDocument
    values: dict[str, str]
    expires_at: datetime | None


SERVICE_FIGURES: tuple[str, ...] = get_args(ServiceFigure)
HOST_FIGURES: tuple[str, ...] = get_args(HostFigure)
