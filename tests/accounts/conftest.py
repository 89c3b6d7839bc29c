"""Accounts on every database that answers here: SQLite always, PostgreSQL and MariaDB on this machine."""

import secrets
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from sonde.server.accounts import tables
from sonde.server.accounts.accounts import Accounts
from sonde.server.accounts.database import open_metadata, writing
from sonde.server.accounts.migrate import migrate
from sonde.server.accounts.sealing import KEY_BYTES, Sealer

SERVERS = {
    "postgresql": make_url("postgresql+psycopg://root@127.0.0.1:5432/test"),
    "mysql": make_url("mysql+pymysql://root@127.0.0.1:3306/test?charset=utf8mb4"),
}
LIFETIME = timedelta(hours=12)


@contextmanager
def empty_database(backend, folder):
    """An address of a database with nothing in it; gone afterwards."""
    if backend == "sqlite":
        yield make_url(f"sqlite:///{folder / 'metadata.sqlite3'}")
        return
    server = create_engine(SERVERS[backend], isolation_level="AUTOCOMMIT")
    name = f"sonde_test_{secrets.token_hex(6)}"
    try:
        with server.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
    except OperationalError:
        server.dispose()
        pytest.skip(f"no {backend} answers on this machine")
    try:
        if backend == "mysql":
            yield SERVERS[backend].set(database=name)
        else:
            yield SERVERS[backend].update_query_dict({"options": f"-csearch_path={name}"})
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {name}" + (" CASCADE" if backend == "postgresql" else "")))
        server.dispose()


@pytest.fixture(params=["sqlite", "postgresql", "mysql"])
def empty_url(request, tmp_path):
    with empty_database(request.param, tmp_path) as url:
        yield url


@pytest.fixture(scope="module", params=["sqlite", "postgresql", "mysql"])
def migrated(request, tmp_path_factory):
    with empty_database(request.param, tmp_path_factory.mktemp("metadata")) as url:
        engine = open_metadata(url)
        migrate(engine)
        yield engine
        engine.dispose()


@pytest.fixture
def engine(migrated):
    """A database with all tables, all empty."""
    yield migrated
    with writing(migrated) as connection:
        for table in reversed(tables.metadata.sorted_tables):
            connection.execute(table.delete())


class Clock:
    """Stands still until somebody moves it."""

    def __init__(self):
        self.now = datetime(2026, 11, 20, 18, 0, 0, 123456, tzinfo=UTC)
        self.seconds = 1000.0

    def pass_by(self, span):
        self.now += span
        self.seconds += span.total_seconds()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def make_accounts(engine, clock):
    """Accounts as one web process has them; a second call is a second process on the same database."""

    def make():
        hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
        return Accounts(
            engine,
            LIFETIME,
            Sealer(bytes(KEY_BYTES)),
            now=lambda: clock.now,
            seconds=lambda: clock.seconds,
            hasher=hasher,
        )

    return make


@pytest.fixture
def accounts(make_accounts):
    return make_accounts()
