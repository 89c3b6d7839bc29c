"""Deploys and restarts."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Literal

from pydantic import BaseModel


class DeployMark(BaseModel):
    """A service got another version, or some of its processes were started anew. `previous`: the version before a
    deploy, empty where it is not known. `processes`: how many started.
    """

    app: str
    service: str
    kind: Literal["deploy", "restart"]
    time: datetime
    version: str
    previous: str
    processes: int
