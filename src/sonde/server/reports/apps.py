"""Apps."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time

from pydantic import BaseModel


class App(BaseModel):
    """The unit of access: everything a token of this app sends belongs to it."""

    id: str
    name: str
    created_at: datetime


class NewApp(App):
    """The only time that the token is shown."""

    secret: str
    token: str


class AppSecret(BaseModel):
    """What the xtransit agents of an app sign with. None where it cannot be read; then `why` says why."""

    app: str
    secret: str | None
    why: str
