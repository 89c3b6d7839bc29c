"""Tokens of the API, for scripts and other programs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from sqlalchemy import delete, insert, select

from sonde.server.accounts import audit, tables
from sonde.server.accounts.credentials import API_TOKEN, digest, looks_like, new_credential, new_id
from sonde.server.accounts.database import writing
from sonde.server.accounts.errors import BadAppsError
from sonde.server.accounts.names import checked_name
from sonde.server.accounts.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from sqlalchemy import Engine

Scope = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)
"""Each includes those before it: read pages; change things; change who may do so."""

CACHED_S = 3.0
CACHED_TOKENS = 4096

_READ = tuple(tables.api_tokens.c[name] for name in ("id", "name", "scope", "created_at", "apps"))


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token without its secret part."""

    id: str
    name: str
    scope: Scope
    created_at: datetime
    apps: tuple[str, ...] | None = None
    """Ids of the apps that it may see; None: all, those to come as well."""


class ApiTokens:
    """Makes, finds and revokes tokens."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], seconds: Callable[[], float]) -> None:
        self._engine = engine
        self._now = now
        self._recent: Recent[str, ApiToken | None] = Recent(CACHED_S, CACHED_TOKENS, seconds)

    def create(self, name: str, scope: Scope, who: str, apps: Sequence[str] | None = None) -> tuple[str, ApiToken]:
        """A new token, which nobody can read again, and what is kept of it. Raises BadNameError,
        BadAppsError.

        `apps`: ids of those that it may see, of a token that reads: who changes things changes them for all.
        """
        if apps is not None and (scope != "read" or not apps):
            raise BadAppsError("a token for some apps reads, and names at least one of them")
        mine = None if apps is None else tuple(dict.fromkeys(apps))
        token, row = new_credential(API_TOKEN), ApiToken(new_id(), checked_name(name), scope, self._now(), mine)
        with writing(self._engine) as connection:
            if mine is not None:
                known = connection.execute(select(tables.apps.c.id).where(tables.apps.c.id.in_(mine))).scalars().all()
                if missing := [app for app in mine if app not in known]:
                    raise BadAppsError(f"there is no app {missing[0][:64]!r}")
            connection.execute(
                insert(tables.api_tokens).values(
                    id=row.id,
                    name=row.name,
                    scope=row.scope,
                    digest=digest(token),
                    created_at=row.created_at,
                    apps=None if mine is None else json.dumps(mine),
                )
            )
            detail = f"{scope} {name}" + (f" of {', '.join(mine)}" if mine else "")
            audit.record(connection, audit.AuditEntry(row.created_at, who, "token.create", row.id, detail))
        return token, row

    def all(self) -> list[ApiToken]:
        """Every token, oldest first."""
        columns = tables.api_tokens.c
        query = select(*_READ).order_by(columns.created_at, columns.id)
        with self._engine.connect() as connection:
            return [_token(row) for row in connection.execute(query)]

    def find(self, token: str) -> ApiToken | None:
        """The token, if somebody made it and nobody revoked it. Remembered for CACHED_S."""
        if not looks_like(API_TOKEN, token):
            return None
        key = digest(token)
        return self._recent.get(key, lambda: self._look_up(key))

    def _look_up(self, key: str) -> ApiToken | None:
        query = select(*_READ).where(tables.api_tokens.c.digest == key)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        return _token(row) if row else None

    def revoke(self, token_id: str, who: str) -> bool:
        """Make a token worthless, within CACHED_S everywhere. False where there is no such token."""
        with writing(self._engine) as connection:
            gone = connection.execute(delete(tables.api_tokens).where(tables.api_tokens.c.id == token_id)).rowcount
            if gone:
                audit.record(connection, audit.AuditEntry(self._now(), who, "token.revoke", token_id, ""))
        return bool(gone)


def _token(row: Any) -> ApiToken:
    apps = None if row.apps is None else tuple(json.loads(row.apps))
    return ApiToken(row.id, row.name, row.scope, row.created_at, apps)
