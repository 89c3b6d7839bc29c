"""The map."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Literal

from pydantic import AliasChoices, BaseModel, Field

NodeType = Literal["service", "database", "cache", "messaging", "external", "client"]
KnownBy = Literal["", "traces", "address"]


class MapNode(BaseModel):
    """A service, or a peer that no service of ours answers at. `client` is everybody outside who calls in."""

    id: str
    name: str
    type: NodeType
    system: str
    requests: int
    errors: int
    average_ms: float | None
    p95_ms: float | None


class OtherEnd(BaseModel):
    """What the called service says of those calls that both ends were seen of: of many spans a sample by trace."""

    requests: int
    errors: int
    average_ms: float | None
    p95_ms: float | None
    waiting_ms: float
    """Mean time between both ends: what network and queues take of a call, and until a message was taken."""
    waiting_share: float | None
    """That of the caller's duration; null for messages, whose sender does not wait."""


class MapEdge(BaseModel):
    """Calls from one node to another, by the ids of the nodes, as the caller says; of what a service takes from a
    queue, as the taker says.
    """

    source: str
    target: str
    requests: int
    errors: int
    average_ms: float | None
    p95_ms: float | None
    is_message: bool = False
    """To or from a queue: nobody waits for an answer."""
    known_by: KnownBy = ""
    """How the service at the other end is known: by traces that go on there, or because it says that it answers at that
    address. Empty where the target is no service, or the caller none.
    """
    other_end: OtherEnd | None = None


class ServiceMap(BaseModel):
    """The map page."""

    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    nodes: list[MapNode]
    edges: list[MapEdge]


class MapMoment(BaseModel):
    """Requests to all services in one step; `covered_s` of it are counted."""

    time: datetime
    covered_s: float
    requests: int
    errors: int


class MapHistory(BaseModel):
    """What the map's time line draws."""

    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    step_s: int
    moments: list[MapMoment]
