"""The loader against the real store: once, in order, and one bad entry holds nobody up."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from intake_world import recorded, traces

from sonde.server.spool.entry import Entry, Signal, digest_of
from sonde.server.spool.limits import SpoolLimits
from sonde.server.spool.names import file_name
from sonde.server.spool.spool import Spool
from sonde.server.store.client import StoreClient
from sonde.server.store.intake_statements import SETTINGS, STATEMENTS
from sonde.server.store.loader import Loaded, Loader
from sonde.server.store.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

DEADLINE_S = 120


@pytest.fixture(scope="module")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A store process with its tables: `store.sock` and `spool` in a folder."""
    folder = tmp_path_factory.mktemp("loader")
    (folder / "spool").mkdir()
    command = [sys.executable, "-m", "sonde.server.store.process", "--data", str(folder / "data")]
    process = subprocess.Popen(
        [*command, "--socket", str(folder / "store.sock"), "--spool", str(folder / "spool")], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline()
        with contextlib.closing(StoreClient.embedded(folder / "store.sock", "loader")) as client:
            migrate(client)
        yield folder
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def client(store_folder: Path) -> Iterator[StoreClient]:
    with contextlib.closing(StoreClient.embedded(store_folder / "store.sock", "loader")) as client:
        for table in ("spans", "rollup_30s"):
            client.command(f"TRUNCATE TABLE {table}")
        yield client


class Listener:
    """Remembers what was loaded; `wait` for a condition over it."""

    def __init__(self) -> None:
        self.loaded: list[Loaded] = []
        self._changed = threading.Condition()

    def __call__(self, loaded: Loaded) -> None:
        with self._changed:
            self.loaded.append(loaded)
            self._changed.notify_all()

    def wait(self, condition: Callable[[list[Loaded]], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self.loaded), DEADLINE_S)


@contextlib.contextmanager
def loading(spool: Spool, client: StoreClient) -> Iterator[tuple[Loader, Listener]]:
    listener = Listener()
    with Loader(spool, client, STATEMENTS, settings=SETTINGS, on_loaded=listener) as loader:
        yield loader, listener


def write_closed(folder: Path, bodies: list[bytes], name: str = "") -> str:
    """A closed spool file as the writer leaves it."""
    entries = [
        Entry(Signal.TRACES, "shop", time.time_ns(), digest_of(Signal.TRACES, "shop", body), body) for body in bodies
    ]
    name = name or file_name(1, Signal.TRACES)
    (folder / name).write_bytes(b"".join(entry.head() + entry.body for entry in entries))
    return name


LIMITS = SpoolLimits(min_free_bytes=0, file_max_age_s=0.02)


def test_each_signal_becomes_rows_under_the_app_of_its_token(store_folder: Path, client: StoreClient) -> None:
    with Spool(store_folder / "spool", LIMITS) as spool, loading(spool, client) as (loader, listener):
        for signal in Signal:
            body = recorded(f"{'python-agent' if signal is Signal.SEGMENTS else 'python-sdk'}.{signal}.pb")
            spool.store(signal, "shop", body, 1).synced.result(DEADLINE_S)
        spool.store(Signal.TRACES, "shop", traces(1, 3, time.time_ns()), 3).synced.result(DEADLINE_S)
        listener.wait(lambda loaded: sum(one.items for one in loaded) == 7)
        assert {signal for signal in Signal if loader.files[signal]} == set(Signal)
    assert client.rows("SELECT app, count() FROM spans WHERE endpoint = 'GET /orders/{id}' GROUP BY app") == [
        ("shop", 3)
    ]


def test_a_file_that_was_loaded_before_a_crash_is_not_stored_twice(store_folder: Path, client: StoreClient) -> None:
    now = time.time_ns()
    name = write_closed(store_folder / "spool", [traces(number, 5, now) for number in range(20)])
    with Spool(store_folder / "spool", LIMITS) as spool, loading(spool, client) as (_, listener):
        listener.wait(lambda loaded: any(one.name == name for one in loaded))
    (store_folder / "spool" / "loaded" / name).rename(store_folder / "spool" / name)

    with Spool(store_folder / "spool", LIMITS) as spool, loading(spool, client) as (_, listener):
        listener.wait(lambda loaded: any(one.name == name for one in loaded))

    assert client.rows("SELECT count() FROM spans") == [(100,)]
    assert client.rows("SELECT sum(count) FROM rollup_30s") == [(100,)]


def test_a_schema_file_that_a_full_disk_cut_short_is_written_anew(store_folder: Path, client: StoreClient) -> None:
    with Spool(store_folder / "spool", LIMITS) as spool, loading(spool, client) as (loader, listener):
        spool.store(Signal.TRACES, "shop", traces(1, 1, time.time_ns()), 1).synced.result(DEADLINE_S)
        listener.wait(lambda loaded: len(loaded) == 1)
        (kept,) = (store_folder / "data").rglob("__cache__/*.proto")
        client.command("SYSTEM DROP FORMAT SCHEMA CACHE")
        kept.touch()

        spool.store(Signal.TRACES, "shop", traces(2, 1, time.time_ns()), 1).synced.result(DEADLINE_S)
        listener.wait(lambda loaded: len(loaded) == 2)
        assert loader.failures[Signal.TRACES, "BAD_ARGUMENTS"] == 1
    assert kept.stat().st_size > 0
    assert client.rows("SELECT count() FROM spans") == [(2,)]


@pytest.mark.parametrize("poison", [b"\x0a\x05\x0a", b"\xff" * 40], ids=["truncated", "random"])
def test_an_entry_that_the_store_cannot_read_is_set_aside_and_the_others_are_loaded(
    store_folder: Path, client: StoreClient, poison: bytes
) -> None:
    now = time.time_ns()
    bodies = [traces(number, 2, now) for number in range(9)]
    name = write_closed(store_folder / "spool", [*bodies[:4], poison, *bodies[4:]])

    with Spool(store_folder / "spool", LIMITS) as spool, loading(spool, client) as (loader, listener):
        listener.wait(lambda loaded: sum(one.entries for one in loaded) == 9)
        assert all(one.name != name for one in listener.loaded)
        deadline = time.monotonic() + DEADLINE_S
        while loader.rejected[Signal.TRACES] != 1:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    (aside,) = (path for path in (store_folder / "spool" / "rejected").iterdir() if path.name.startswith(name[:20]))
    assert poison in aside.read_bytes()
    assert client.rows("SELECT count(), uniqExact(trace_id) FROM spans") == [(18, 9)]


def test_a_file_that_the_store_will_not_have_is_tried_again_and_holds_nobody_up(
    store_folder: Path, client: StoreClient
) -> None:
    client.command("RENAME TABLE intake_metrics TO intake_metrics_away")
    try:
        with Spool(store_folder / "spool", LIMITS) as spool, loading(spool, client) as (loader, listener):
            spool.store(Signal.METRICS, "billing", recorded("python-sdk.metrics.pb"), 1).synced.result(DEADLINE_S)
            deadline = time.monotonic() + DEADLINE_S
            while not loader.failures:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            spool.store(Signal.TRACES, "shop", traces(7, 1, time.time_ns()), 1).synced.result(DEADLINE_S)
            listener.wait(lambda loaded: any(one.signal is Signal.TRACES for one in loaded))
            assert not loader.files[Signal.METRICS]

            client.command("RENAME TABLE intake_metrics_away TO intake_metrics")

            listener.wait(lambda loaded: any(one.signal is Signal.METRICS for one in loaded))
    finally:
        client.command("RENAME TABLE IF EXISTS intake_metrics_away TO intake_metrics")
