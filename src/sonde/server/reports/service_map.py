"""The map."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Literal

from pydantic import AliasChoices, BaseModel, Field

NodeType = Literal["service", "database", "cache", "messaging", "external", "client"]


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


class MapEdge(BaseModel):
    """Calls from one node to another, by the ids of the nodes."""

    source: str
    target: str
    requests: int
    errors: int
    average_ms: float | None
    p95_ms: float | None


class ServiceMap(BaseModel):
    """The map page."""

    from_: datetime = Field(validation_alias=AliasChoices("from", "from_"), serialization_alias="from")
    to: datetime
    nodes: list[MapNode]
    edges: list[MapEdge]
