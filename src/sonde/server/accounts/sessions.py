"""Who is logged in. Sessions live in the database, so that any web process knows them and logging out is final."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from sonde.server.accounts import audit, tables
from sonde.server.accounts.credentials import SESSION, digest, looks_like, new_credential
from sonde.server.accounts.database import writing
from sonde.server.accounts.recent import Recent
from sonde.server.accounts.users import User

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from sqlalchemy import Engine

CACHED_S = 3.0
CACHED_SESSIONS = 4096
_EXTEND_AFTER = 0.05
"""The end is moved when this part of the time has passed: a write now and then, not one per request."""


@dataclass(frozen=True, slots=True)
class Session:
    """A login that has not ended."""

    user: User
    expires_at: datetime


def csrf_token(session_token: str) -> str:
    """What a page must send back with its writes. Derived, so there is nothing to store or to get out of step."""
    return hmac.new(session_token.encode(), b"csrf", hashlib.sha256).hexdigest()


class Sessions:
    """Opens, finds and ends sessions. A session ends `lifetime` after it was last used."""

    def __init__(
        self, engine: Engine, now: Callable[[], datetime], seconds: Callable[[], float], lifetime: timedelta
    ) -> None:
        self._engine = engine
        self._now = now
        self.lifetime = lifetime
        self._recent: Recent[str, Session | None] = Recent(CACHED_S, CACHED_SESSIONS, seconds)

    def open(self, user: User, address: str) -> str:
        """The token of a new session. Sessions that ran out are removed on the way."""
        token = new_credential(SESSION)
        now = self._now()
        with writing(self._engine) as connection:
            connection.execute(delete(tables.sessions).where(tables.sessions.c.expires_at <= now))
            connection.execute(
                insert(tables.sessions).values(
                    token_digest=digest(token),
                    user_id=user.id,
                    address=address[:64],
                    created_at=now,
                    expires_at=now + self.lifetime,
                )
            )
            audit.record(connection, audit.AuditEntry(now, f"user:{user.name}", "session.open", user.name, address))
        return token

    def find(self, token: str) -> Session | None:
        """The session of `token`, its end moved on; None for one that never was, ended or ran out."""
        if not looks_like(SESSION, token):
            return None
        key = digest(token)
        found = self._recent.get(key, lambda: self._look_up(key))
        return found if found is not None and found.expires_at > self._now() else None

    def _look_up(self, key: str) -> Session | None:
        user, session = tables.users.c, tables.sessions.c
        query = (
            select(user.id, user.name, user.role, session.expires_at)
            .join_from(tables.sessions, tables.users)
            .where(session.token_digest == key)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        now = self._now()
        if row is None or row.expires_at <= now:
            return None
        found = Session(User(row.id, row.name, row.role), row.expires_at)
        if row.expires_at - now > self.lifetime * (1 - _EXTEND_AFTER):
            return found
        with writing(self._engine) as connection:
            connection.execute(
                update(tables.sessions).where(session.token_digest == key).values(expires_at=now + self.lifetime)
            )
        return Session(found.user, now + self.lifetime)

    def end(self, token: str) -> None:
        """Log out. Other web processes may remember the session for CACHED_S."""
        key = digest(token)
        with writing(self._engine) as connection:
            connection.execute(delete(tables.sessions).where(tables.sessions.c.token_digest == key))
        self._recent.forget(key)
