"""One store process a test file: starting one takes a second."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from store_process_harness import ClickHouseServer, Store, StoreProcess

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    """The process under test, with a TCP port."""
    with StoreProcess(tmp_path_factory.mktemp("store"), tcp=True) as running:
        yield running


SERVER_URL = os.environ.get("SONDE_TEST_CLICKHOUSE_URL", "")


@pytest.fixture(scope="module", params=["embedded", "server"] if SERVER_URL else ["embedded"])
def store(request: pytest.FixtureRequest) -> Store:
    """The process under test and, where SONDE_TEST_CLICKHOUSE_URL names one, a ClickHouse server."""
    if request.param == "embedded":
        running: Store = request.getfixturevalue("process")
        return running
    return ClickHouseServer(SERVER_URL)


@pytest.fixture
def table(store: Store, request: pytest.FixtureRequest) -> Iterator[str]:
    """An empty table (a Int32, b String)."""
    name = "t_" + str(abs(hash(request.node.nodeid)))
    made = store.ask(f"CREATE TABLE {name} (a Int32, b String) ENGINE = MergeTree ORDER BY a")
    assert made.status == 200, made.text
    yield name
    store.ask(f"DROP TABLE IF EXISTS {name}")
