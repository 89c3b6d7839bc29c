"""Bringing the metadata database to the schema of this program, whoever comes first."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import text

from sonde.server.accounts.database import current_revision, writing
from sonde.server.accounts.errors import WrongSchemaError
from sonde.server.accounts.tables import REVISION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

MIGRATIONS = Path(__file__).with_name("migrations")
_LOCK_NAME = "sonde_metadata"
_LOCK_NUMBER = 0x736F6E6465  # "sonde"; PostgreSQL names locks by number
_LOCK_WAIT_S = 60


def migrate(engine: Engine) -> None:
    """Apply what is missing. Safe when several processes start at once; quick when there is nothing to do."""
    found = current_revision(engine)
    if found == REVISION:
        return
    # Imported here: most starts find nothing to do, and Alembic is a third of a command's start time.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.util import CommandError  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with _alone(engine), writing(engine) as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise WrongSchemaError(f"the metadata database is at revision {found}, which this program lacks") from error


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    """One migration at a time. Held by a connection of its own: MySQL commits at every DDL statement, and the last
    change is to be committed before the next process looks. SQLite: the transaction is the lock (BEGIN IMMEDIATE).
    """
    if engine.dialect.name == "sqlite":
        yield
        return
    with engine.connect() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _LOCK_NUMBER})
            yield
            return
        got = connection.execute(text("SELECT GET_LOCK(:name, :wait)"), {"name": _LOCK_NAME, "wait": _LOCK_WAIT_S})
        if got.scalar() != 1:
            raise WrongSchemaError(f"another process has been migrating the metadata for over {_LOCK_WAIT_S} s")
        try:
            yield
        finally:
            connection.execute(text("SELECT RELEASE_LOCK(:name)"), {"name": _LOCK_NAME})
