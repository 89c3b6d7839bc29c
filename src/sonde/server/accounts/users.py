"""People who log in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import func, insert, select, update
from sqlalchemy.exc import IntegrityError

from sonde.server.accounts import audit, tables
from sonde.server.accounts.credentials import new_credential, new_id
from sonde.server.accounts.database import writing
from sonde.server.accounts.errors import NameTakenError, WeakPasswordError
from sonde.server.accounts.names import checked_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from sqlalchemy import Connection, Engine

Role = Literal["admin", "viewer"]
MIN_PASSWORD_CHARS = 8
MAX_PASSWORD_CHARS = 256


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with a login. A viewer reads; an admin also changes things."""

    id: str
    name: str
    role: Role


class Users:
    """Makes users and checks their passwords. Passwords are kept as argon2id (RFC 9106, low-memory parameters)."""

    def __init__(self, engine: Engine, now: Callable[[], datetime], hasher: PasswordHasher | None = None) -> None:
        self._engine = engine
        self._now = now
        self._hasher = hasher or PasswordHasher()
        self._nobody: str | None = None

    def create(self, name: str, password: str, role: Role, who: str) -> User:
        """A new user. Raises BadNameError, NameTakenError, WeakPasswordError."""
        try:
            with writing(self._engine) as connection:
                return self._insert(connection, name, password, role, who)
        except IntegrityError:
            raise NameTakenError(f"there is a user {name!r} already") from None

    def create_first(self, name: str, password: str, keep: Callable[[User], None]) -> User | None:
        """The admin of an empty database; None, and nothing changed, where somebody is there already.

        `keep` runs before the change is final: what it writes down is never missing for a user that exists.
        """
        with writing(self._engine) as connection:
            if connection.execute(select(func.count()).select_from(tables.users)).scalar_one():
                return None
            user = self._insert(connection, name, password, "admin", "first start")
            keep(user)
            return user

    def _insert(self, connection: Connection, name: str, password: str, role: Role, who: str) -> User:
        user = User(new_id(), checked_name(name), role)
        connection.execute(
            insert(tables.users).values(
                id=user.id, name=name, password_hash=self._hash(password), role=role, created_at=self._now()
            )
        )
        audit.record(connection, audit.AuditEntry(self._now(), who, "user.create", name, role))
        return user

    def set_password(self, user: User, password: str, who: str) -> None:
        """Replace the password and end every session of the user. Raises WeakPasswordError."""
        hashed = self._hash(password)
        with writing(self._engine) as connection:
            connection.execute(update(tables.users).where(tables.users.c.id == user.id).values(password_hash=hashed))
            connection.execute(tables.sessions.delete().where(tables.sessions.c.user_id == user.id))
            audit.record(connection, audit.AuditEntry(self._now(), who, "user.password", user.name, ""))

    def verify(self, name: str, password: str) -> User | None:
        """The user, if the password is theirs. Takes tens of milliseconds and 64 MiB, also for names nobody has."""
        columns = tables.users.c
        query = select(columns.id, columns.name, columns.role, columns.password_hash).where(columns.name == name)
        with self._engine.connect() as connection:
            row = connection.execute(query).one_or_none()
        hashed = row.password_hash if row else self._hash_of_nobody()
        try:
            self._hasher.verify(hashed, password[:MAX_PASSWORD_CHARS])
        except (VerificationError, InvalidHashError):
            return None
        if row is None:
            return None
        if self._hasher.check_needs_rehash(hashed):
            self._rehash(row.id, password)
        return User(row.id, row.name, row.role)

    def named(self, name: str) -> User | None:
        """The user of that name."""
        columns = tables.users.c
        with self._engine.connect() as connection:
            row = connection.execute(select(columns.id, columns.name, columns.role).where(columns.name == name)).first()
        return User(*row) if row else None

    def _hash(self, password: str) -> str:
        if not MIN_PASSWORD_CHARS <= len(password) <= MAX_PASSWORD_CHARS:
            raise WeakPasswordError(f"a password has {MIN_PASSWORD_CHARS} to {MAX_PASSWORD_CHARS} characters")
        return self._hasher.hash(password)

    def _hash_of_nobody(self) -> str:
        if self._nobody is None:
            self._nobody = self._hasher.hash(new_credential(""))
        return self._nobody

    def _rehash(self, user_id: str, password: str) -> None:
        hashed = self._hasher.hash(password)
        with writing(self._engine) as connection:
            connection.execute(update(tables.users).where(tables.users.c.id == user_id).values(password_hash=hashed))
