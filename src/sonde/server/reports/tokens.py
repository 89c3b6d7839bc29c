"""Tokens of the API."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Literal

from pydantic import BaseModel


class Token(BaseModel):
    """A token without its secret part."""

    id: str
    name: str
    scope: Literal["read", "write", "admin"]
    apps: list[str] | None
    """Ids of the apps that it may see; None: all."""
    created_at: datetime


class NewToken(Token):
    """One that was made just now; nobody can read `token` again."""

    token: str
