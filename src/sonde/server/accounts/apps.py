"""Apps: whoever sends data belongs to one, and what it sends belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from sonde.server.accounts import audit, tables
from sonde.server.accounts.credentials import APP_SECRET, APP_TOKEN, digest, looks_like, new_credential, new_id
from sonde.server.accounts.database import writing
from sonde.server.accounts.errors import NameTakenError
from sonde.server.accounts.names import checked_name
from sonde.server.accounts.recent import Recent

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Engine

CACHED_S = 5.0
CACHED_TOKENS = 4096


@dataclass(frozen=True, slots=True)
class App:
    """The unit of access."""

    id: str
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class NewApp:
    """A new app with its credentials, which nobody can read again."""

    app: App
    secret: str
    token: str


class Apps:
    """Makes and lists apps, and says whose a token is."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], seconds: Callable[[], float]) -> None:
        self._engine = engine
        self._now = now
        self._recent: Recent[str, str | None] = Recent(CACHED_S, CACHED_TOKENS, seconds)

    def create(self, name: str, who: str) -> NewApp:
        """A new app with one token. Raises BadNameError, NameTakenError."""
        app = App(new_id(), checked_name(name), self._now())
        new = NewApp(app, secret=new_credential(APP_SECRET), token=new_credential(APP_TOKEN))
        try:
            with writing(self._engine) as connection:
                connection.execute(
                    insert(tables.apps).values(
                        id=new.app.id, name=name, secret_digest=digest(new.secret), created_at=new.app.created_at
                    )
                )
                connection.execute(
                    insert(tables.app_tokens).values(
                        id=new_id(), app_id=new.app.id, digest=digest(new.token), created_at=new.app.created_at
                    )
                )
                audit.record(connection, audit.AuditEntry(self._now(), who, "app.create", new.app.id, name))
        except IntegrityError:
            raise NameTakenError(f"there is an app {name!r} already") from None
        return new

    def all(self) -> list[App]:
        """Every app, oldest first."""
        columns = tables.apps.c
        query = select(columns.id, columns.name, columns.created_at).order_by(columns.created_at, columns.id)
        with self._engine.connect() as connection:
            return [App(*row) for row in connection.execute(query)]

    def exists(self, app_id: str) -> bool:
        """Whether there is an app of this id."""
        with self._engine.connect() as connection:
            return connection.execute(select(tables.apps.c.id).where(tables.apps.c.id == app_id)).first() is not None

    def authenticate(self, token: str) -> str | None:
        """The id of the app that `token` belongs to; None for a token nobody has. Remembered for CACHED_S."""
        if not looks_like(APP_TOKEN, token):
            return None
        key = digest(token)
        return self._recent.get(key, lambda: self._app_of(key))

    def remembers(self, token: str) -> bool:
        """Whether `authenticate` would answer at once, without the database."""
        return not looks_like(APP_TOKEN, token) or self._recent.known(digest(token))

    def _app_of(self, key: str) -> str | None:
        columns = tables.app_tokens.c
        with self._engine.connect() as connection:
            return connection.execute(select(columns.app_id).where(columns.digest == key)).scalar_one_or_none()
