"""What the probes of a service are told."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time

from pydantic import BaseModel


class Sampling(BaseModel):
    """What was said about how much of a service is recorded. None: as each of its processes was configured."""

    app: str
    service: str
    sampling_rate: float | None
    slow_ms: float | None
    sampling_follows_parent: bool | None
    changed_at: datetime | None
    changed_by: str | None


class ServiceSettings(BaseModel):
    """What holds for the processes of a service instead of the settings of these names; see docs/settings.md."""

    sampling_rate: float | None = None
    slow_ms: float | None = None
    sampling_follows_parent: bool | None = None


class ProbeSettings(BaseModel):
    """What the probes of an app are told, by the name of their service. What is left out is as configured."""

    services: dict[str, ServiceSettings]
