"""Opening the metadata database: which one, with which connections, and how a change is made."""

from __future__ import annotations

import random
import sqlite3
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError, OperationalError

from sonde import settings
from sonde.server.accounts.errors import WrongSchemaError
from sonde.server.accounts.tables import REVISION

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sqlalchemy import URL, Connection, Engine

_BUSY_S = 15
_BUSY_PAUSE_S = 0.02
_TRIES = 8
_MYSQL_DEADLOCK = 1213
_DRIVERS = {"mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql", "postgresql": "postgresql+psycopg"}
_EXTRAS = {"mysql": "mysql", "mariadb": "mysql", "postgresql": "postgresql"}


def metadata_url(values: settings.Settings, data: Path) -> URL:
    """The database of these settings: METADATA_URL, else SQLite in the data folder. Raises SettingError."""
    raw = values[settings.METADATA_URL]
    if not raw:
        return make_url(f"sqlite:///{data / 'metadata.sqlite3'}")
    try:
        url = make_url(raw)
    except ArgumentError:
        raise settings.SettingError("metadata_url: not an address such as postgresql://user:password@host/db") from None
    return url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))


def open_metadata(url: URL) -> Engine:
    """An engine for `url`; nothing is connected yet. Raises SettingError where its driver is missing."""
    name = url.get_backend_name()
    try:
        if name == "sqlite":
            engine = create_engine(url, connect_args={"timeout": _BUSY_S}, pool_size=4, max_overflow=4)
        else:
            engine = create_engine(url, pool_size=4, max_overflow=4, pool_pre_ping=True, pool_recycle=1800)
    except (ImportError, NoSuchModuleError) as error:
        extra = _EXTRAS.get(name)
        hint = f"; pip install 'sonde[{extra}]'" if extra else ""
        raise settings.SettingError(f"metadata_url: no driver for {name} here ({error}){hint}") from None
    if name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _configure_sqlite(connection: Any, _record: object) -> None:
    # Transactions are begun by _begin_sqlite: the driver's own way begins them too late, and never for DDL.
    connection.isolation_level = None
    cursor = connection.cursor()
    _write_ahead(cursor)
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _write_ahead(cursor: sqlite3.Cursor) -> None:
    """The CLI writes while the server reads. Raises OperationalError after _BUSY_S: the busy timeout does not cover a
    change that several processes make at once, on a new file.
    """
    deadline = time.monotonic() + _BUSY_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_BUSY_PAUSE_S)
        else:
            return


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once when another wrote in between, whatever the busy
    # timeout; one that will write takes its place in the queue at the start.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that changes something: committed at the end, undone by an exception."""
    with engine.execution_options(writes=True).begin() as connection:
        yield connection


def until_it_holds(change: Callable[[], None]) -> None:
    """Make a change, a transaction of its own, once more when another one was in its way: one that made the same row,
    or that waited for us while we waited for it (a deadlock; InnoDB knows them also where rows are only to be made).

    Raises what the last of some tries raised.
    """
    for left in reversed(range(_TRIES)):
        try:
            change()
        except (IntegrityError, OperationalError) as error:
            if not left or not (isinstance(error, IntegrityError) or _was_deadlock(error)):
                raise
            time.sleep(random.uniform(0, _BUSY_PAUSE_S))  # noqa: S311 - so that the same two do not meet again
        else:
            return


def _was_deadlock(error: OperationalError) -> bool:
    """By the database's own code: SQLSTATE of PostgreSQL, number of MySQL."""
    return (
        getattr(error.orig, "sqlstate", None) == "40P01"
        or (getattr(error.orig, "args", None) or [0])[0] == _MYSQL_DEADLOCK
    )


def current_revision(engine: Engine) -> str | None:
    """The revision of the schema that is there; None for an empty database."""
    with engine.connect() as connection:
        if not engine.dialect.has_table(connection, "alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def check_schema(engine: Engine) -> None:
    """Raises WrongSchemaError unless the database is at the revision of this program, or cannot be reached."""
    try:
        found = current_revision(engine)
    except DBAPIError as error:
        raise WrongSchemaError(f"the metadata database does not answer: {error.orig}") from error
    if found != REVISION:
        raise WrongSchemaError(f"the metadata database is at revision {found}, this program needs {REVISION}")
