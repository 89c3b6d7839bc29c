"""One store process with the schema for the whole folder. Tests keep apart by app: each has one of its own."""

from __future__ import annotations

import itertools
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from otlp_making import Sender

from sonde.server.store.client import StoreClient
from sonde.server.store.migrate import migrate
from sonde.server.store.queries import long_slots

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_numbers = itertools.count()


@pytest.fixture(scope="session")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Folder of a running store process: its socket is `socket`, its spool `spool`."""
    folder = tmp_path_factory.mktemp("store")
    (folder / "spool").mkdir()
    command = [sys.executable, "-m", "sonde.server.store.process", "--data", str(folder / "data")]
    command += ["--socket", str(folder / "socket"), "--spool", str(folder / "spool")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield folder
        process.terminate()
        assert process.wait(timeout=30) == 0


@pytest.fixture(scope="session")
def loader(store_folder: Path) -> Iterator[StoreClient]:
    """Who may write. The schema is there."""
    client = StoreClient.embedded(store_folder / "socket", "loader")
    migrate(client)
    yield client
    client.close()


@pytest.fixture(scope="session")
def web(store_folder: Path, loader: StoreClient) -> Iterator[StoreClient]:
    """Who asks."""
    client = StoreClient.embedded(store_folder / "socket", "web")
    yield client
    client.close()


@pytest.fixture(scope="module")
def make_long_slots(loader: StoreClient) -> Iterator[Callable[[], int]]:
    """Makes what is closed, as upkeep does; other files' tests find none made."""
    yield lambda: long_slots.make(loader)
    for marker in ("long_slots_made", "long_statements_made"):
        loader.command(f"TRUNCATE TABLE {marker}")


@pytest.fixture
def app() -> str:
    """An app of the test's own."""
    return f"app-{next(_numbers)}"


@pytest.fixture
def sender(loader: StoreClient, store_folder: Path, app: str) -> Sender:
    """Sends OTLP bodies as that app."""
    return Sender(loader, store_folder / "spool", app)
