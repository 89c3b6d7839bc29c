"""Tokens of the API, for scripts and other programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from sqlalchemy import delete, insert, select

from sonde.server.accounts import audit, tables
from sonde.server.accounts.credentials import API_TOKEN, digest, looks_like, new_credential, new_id
from sonde.server.accounts.database import writing
from sonde.server.accounts.names import checked_name
from sonde.server.accounts.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Engine

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""Each includes those before it: read pages; change things; change who may do so."""

CACHED_S = 3.0
CACHED_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret part."""

    id: str
    name: str
    scope: Scope
    created_at: datetime


class ApiTokens:
    """Makes, finds and revokes tokens."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], seconds: Callable[[], float]) -> None:
        self._engine = engine
        self._now = now
        self._recent: Recent[str, ApiToken | None] = Recent(CACHED_S, CACHED_TOKENS, seconds)

    def create(self, name: str, scope: Scope, who: str) -> str:
        """A new token, which nobody can read again. Raises BadNameError."""
        token, row = new_credential(API_TOKEN), ApiToken(new_id(), checked_name(name), scope, self._now())
        with writing(self._engine) as connection:
            connection.execute(
                insert(tables.api_tokens).values(
                    id=row.id, name=row.name, scope=row.scope, digest=digest(token), created_at=row.created_at
                )
            )
            audit.record(connection, audit.AuditEntry(row.created_at, who, "token.create", row.id, f"{scope} {name}"))
        return token

    def all(self) -> list[ApiToken]:
        """Every token, oldest first."""
        columns = tables.api_tokens.c
        query = select(columns.id, columns.name, columns.scope, columns.created_at)
        with self._engine.connect() as connection:
            return [ApiToken(*row) for row in connection.execute(query.order_by(columns.created_at, columns.id))]

    def find(self, token: str) -> ApiToken | None:
        """The token, if somebody made it and nobody revoked it. Remembered for CACHED_S."""
        if not looks_like(API_TOKEN, token):
            return None
        key = digest(token)
        return self._recent.get(key, lambda: self._look_up(key))

    def _look_up(self, key: str) -> ApiToken | None:
        columns = tables.api_tokens.c
        query = select(columns.id, columns.name, columns.scope, columns.created_at).where(columns.digest == key)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return ApiToken(*row) if row else None

    def revoke(self, token_id: str, who: str) -> bool:
        """Make a token worthless, within CACHED_S everywhere. False where there is no such token."""
        with writing(self._engine) as connection:
            gone = connection.execute(delete(tables.api_tokens).where(tables.api_tokens.c.id == token_id)).rowcount
            if gone:
                audit.record(connection, audit.AuditEntry(self._now(), who, "token.revoke", token_id, ""))
        return bool(gone)
