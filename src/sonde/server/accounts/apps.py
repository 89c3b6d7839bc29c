"""Apps: whoever sends data belongs to one, and what it sends belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from sonde.server.accounts import audit, tables
from sonde.server.accounts.credentials import APP_SECRET, APP_TOKEN, digest, looks_like, new_credential, new_id
from sonde.server.accounts.database import writing
from sonde.server.accounts.errors import NameTakenError
from sonde.server.accounts.names import checked_name
from sonde.server.accounts.recent import Recent
from sonde.server.accounts.sealing import UnsealError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Engine

    from sonde.server.accounts.sealing import Sealer

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
    """A new app with its credentials. Nobody can read the token again; the secret, who may write to the app."""

    app: App
    secret: str
    token: str


@dataclass(frozen=True, slots=True)
class AppSecret:
    """An app, and what its agents sign with. `secret`: None where it cannot be read, and `why` says why."""

    app: App
    secret: str | None
    why: str = ""


class Apps:
    """Makes and lists apps, says whose a token is, and what an app's agents sign with."""

    def __init__(
        self, engine: Engine, now: Callable[[], datetime], seconds: Callable[[], float], sealer: Sealer
    ) -> None:
        self._engine = engine
        self._now = now
        self._sealer = sealer
        self._recent: Recent[str, str | None] = Recent(CACHED_S, CACHED_TOKENS, seconds)

    def create(self, name: str, who: str) -> NewApp:
        """A new app with one token. Raises BadNameError, NameTakenError."""
        app = App(new_id(), checked_name(name), self._now())
        new = NewApp(app, secret=new_credential(APP_SECRET), token=new_credential(APP_TOKEN))
        try:
            with writing(self._engine) as connection:
                connection.execute(
                    insert(tables.apps).values(
                        id=new.app.id,
                        name=name,
                        secret_digest=digest(new.secret),
                        secret_sealed=self._sealer.seal(new.secret, new.app.id),
                        created_at=new.app.created_at,
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

    def create_first(self, name: str, who: str) -> NewApp | None:
        """An app for whoever starts with nothing; None where there is one already. Raises NameTakenError."""
        with self._engine.connect() as connection:
            if connection.execute(select(tables.apps.c.id).limit(1)).first() is not None:
                return None
        return self.create(name, who)

    def new_token(self, app_id: str, who: str) -> str | None:
        """One more token, which nobody can read again; the others stay. None: there is no such app."""
        if not self.exists(app_id):
            return None
        token, now = new_credential(APP_TOKEN), self._now()
        with writing(self._engine) as connection:
            connection.execute(
                insert(tables.app_tokens).values(id=new_id(), app_id=app_id, digest=digest(token), created_at=now)
            )
            audit.record(connection, audit.AuditEntry(now, who, "app.token", app_id, ""))
        return token

    def secret_of(self, app_id: str) -> AppSecret | None:
        """The app and its secret as of now; None where there is no such app."""
        columns = tables.apps.c
        query = select(columns.id, columns.name, columns.created_at, columns.secret_sealed).where(columns.id == app_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            return None
        app = App(row.id, row.name, row.created_at)
        if row.secret_sealed is None:
            return AppSecret(app, None, "the app was made before secrets could be read again")
        try:
            return AppSecret(app, self._sealer.unseal(row.secret_sealed, app.id))
        except UnsealError as error:
            return AppSecret(app, None, f"its secret was {error}")

    def renew_secret(self, app_id: str, who: str) -> AppSecret | None:
        """A new secret in place of the one before, which is worth nothing from now on. None: there is no such app."""
        secret, columns = new_credential(APP_SECRET), tables.apps.c
        with writing(self._engine) as connection:
            changed = connection.execute(
                update(tables.apps)
                .where(columns.id == app_id)
                .values(secret_digest=digest(secret), secret_sealed=self._sealer.seal(secret, app_id))
            )
            if not changed.rowcount:
                return None
            audit.record(connection, audit.AuditEntry(self._now(), who, "app.secret", app_id, ""))
        return self.secret_of(app_id)

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

    def called(self, name_or_id: str) -> App | None:
        """The app of that name, else of that id."""
        columns = tables.apps.c
        query = select(columns.id, columns.name, columns.created_at)
        with self._engine.connect() as connection:
            for column in (columns.name, columns.id):
                if row := connection.execute(query.where(column == name_or_id)).first():
                    return App(*row)
        return None

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
