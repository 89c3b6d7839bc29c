"""Who connects, and who fails to."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time

from pydantic import BaseModel


class ConnectHint(BaseModel):
    """Something that goes wrong with a sender, since the server started. `app` is empty where it could not say."""

    protocol: str
    reason: str
    subject: str
    text: str
    code: str
    """Which sentence `text` is, for those who say it in another language; empty: there is no other."""
    values: dict[str, str]
    """What stands in that sentence."""
    app: str
    count: int
    first_seen: datetime
    last_seen: datetime


class ConnectPorts(BaseModel):
    """Where this server listens; None: not for that. Each stands beside `host`, which is how the asker reached us."""

    host: str
    otlp_http: int | None
    otlp_grpc: int | None
    skywalking_grpc: int | None
    skywalking_http: int | None
    xtransit: int | None
    tokenless_skywalking: str
    """Name or id of the app of SkyWalking's agents without a token; empty: they are refused."""


class Arrival(BaseModel):
    """A service that sent something lately. `language` is empty where it does not say."""

    service: str
    language: str
    last_seen: datetime
