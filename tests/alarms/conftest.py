"""One store process for the folder, and metadata of each test's own. Tests keep apart by app."""

import itertools
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import make_url

from sonde.server.accounts.accounts import Accounts
from sonde.server.accounts.database import open_metadata
from sonde.server.accounts.migrate import migrate as migrate_metadata
from sonde.server.accounts.sealing import KEY_BYTES, Sealer
from sonde.server.store.client import StoreClient
from sonde.server.store.migrate import migrate

sys.path.insert(0, str(Path(__file__).parents[1] / "store_queries"))
from otlp_making import Sender

sys.path.pop(0)

_names = itertools.count()


@pytest.fixture(scope="session")
def store_folder(tmp_path_factory):
    """Folder of a running store process with the schema."""
    folder = tmp_path_factory.mktemp("store")
    (folder / "spool").mkdir()
    command = [sys.executable, "-m", "sonde.server.store.process", "--data", str(folder / "data")]
    command += ["--socket", str(folder / "socket"), "--spool", str(folder / "spool")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        client = StoreClient.embedded(folder / "socket", "loader")
        migrate(client)
        client.close()
        yield folder
        process.terminate()
        assert process.wait(timeout=30) == 0


@pytest.fixture(scope="session")
def loader(store_folder):
    client = StoreClient.embedded(store_folder / "socket", "loader")
    yield client
    client.close()


@pytest.fixture(scope="session")
def web(store_folder):
    client = StoreClient.embedded(store_folder / "socket", "web")
    yield client
    client.close()


class Clock:
    """Stands still until somebody moves it."""

    def __init__(self):
        self.now = datetime.fromtimestamp(int(datetime.now(UTC).timestamp()) // 1800 * 1800, UTC)
        self.seconds = 1000.0

    def pass_by(self, seconds):
        self.now += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def empty_metadata(tmp_path_factory):
    """The bytes of a database with all tables, all empty: migrated once."""
    path = tmp_path_factory.mktemp("metadata") / "metadata.sqlite3"
    engine = open_metadata(make_url(f"sqlite:///{path}"))
    migrate_metadata(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    engine.dispose()
    return path.read_bytes()


@pytest.fixture
def accounts(tmp_path, empty_metadata, clock):
    path = tmp_path / "metadata.sqlite3"
    path.write_bytes(empty_metadata)
    made = Accounts(
        open_metadata(make_url(f"sqlite:///{path}")),
        timedelta(hours=12),
        Sealer(bytes(KEY_BYTES)),
        now=lambda: clock.now,
        seconds=lambda: clock.seconds,
        hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1),
    )
    yield made
    made.close()


@pytest.fixture
def app(accounts):
    """Id of an app of the test's own."""
    return accounts.apps.create(f"shop-{next(_names)}", "test").app.id


@pytest.fixture
def sender(loader, store_folder, app):
    """Sends OTLP bodies as that app."""
    return Sender(loader, store_folder / "spool", app)
