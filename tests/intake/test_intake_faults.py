"""Intake and store as processes of their own, killed under load: what was acknowledged is stored exactly once."""

from __future__ import annotations

import contextlib
import http.client
import random
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
from intake_world import TOKEN, traces

from sonde.server.spool.names import spool_files
from sonde.server.store.client import StoreClient
from sonde.server.store.errors import StoreError, StoreUnavailable
from sonde.server.store.migrate import migrate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEADLINE_S = 120
SPANS = 40
START = [sys.executable, str(Path(__file__).with_name("intake_server.py"))]


def until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not in {DEADLINE_S} s"
        time.sleep(0.02)


@dataclass
class World:
    """Folders, and the two processes that use them."""

    spool: Path
    data: Path
    socket: Path
    errors: Path
    max_bytes: int = 1 << 30
    port: int = 0
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start_store(self) -> None:
        command = [sys.executable, "-m", "sonde.server.store.process", "--data", str(self.data)]
        self._start("store", [*command, "--socket", str(self.socket), "--spool", str(self.spool)])

    def start_intake(self) -> None:
        self.port = int(self._start("intake", [*START, str(self.spool), str(self.socket), str(self.max_bytes)]))

    def _start(self, name: str, command: list[str]) -> bytes:
        with self.errors.open("ab") as errors:
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        self.processes[name] = process
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"{name} did not start: {self.errors.read_text()[-2000:]}"
        return line

    def kill(self, name: str) -> None:
        process = self.processes.pop(name)
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()

    def post(self, body: bytes) -> tuple[int, str | None]:
        """Status and Retry-After; 0 where there was no answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)
        headers = {"authorization": f"Bearer {TOKEN}", "content-type": "application/x-protobuf"}
        try:
            with contextlib.closing(connection):
                connection.request("POST", "/v1/traces", body, headers)
                answer = connection.getresponse()
                answer.read()
                return answer.status, answer.headers["retry-after"]
        except (OSError, http.client.HTTPException):
            return 0, None

    def rows(self, sql: str) -> list[tuple[int, ...]]:
        client = StoreClient.embedded(self.socket, "web")
        try:
            return client.rows(sql)
        finally:
            client.close()

    def everything_is_loaded(self) -> bool:
        return not [*self.spool.glob("*.pb"), *self.spool.glob("*.open")]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "spool", tmp_path / "data", tmp_path / "store.sock", tmp_path / "errors.log")
    world.spool.mkdir()
    try:
        world.start_store()
        with contextlib.closing(StoreClient.embedded(world.socket, "loader")) as client:
            migrate(client)
        yield world
    finally:
        for name in list(world.processes):
            world.kill(name)


class Load:
    """Senders that repeat a body until it is acknowledged, as the OTLP specification wants it."""

    def __init__(self, world: World, senders: int = 3) -> None:
        self._world = world
        self._stopping = threading.Event()
        self._giving_up = threading.Event()
        self._numbers = iter(range(1, 1 << 30))
        self._lock = threading.Lock()
        self.acknowledged: set[int] = set()
        self.refused: set[tuple[int, str | None]] = set()
        self._threads = [threading.Thread(target=self._send) for _ in range(senders)]

    def _send(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                number = next(self._numbers)
            body = traces(number, SPANS, time.time_ns())
            while not self._giving_up.is_set():
                status, retry_after = self._world.post(body)
                if status == 200:
                    self.acknowledged.add(number)
                    break
                if status:
                    self.refused.add((status, retry_after))
                time.sleep(0.01)

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        """Every body that was begun is acknowledged, unless the test has failed already."""
        self._stopping.set()
        if failed:
            self._giving_up.set()
        for thread in self._threads:
            thread.join()

    def grows(self, by: int) -> None:
        goal = len(self.acknowledged) + by
        until(lambda: len(self.acknowledged) >= goal, "acknowledged")


def assert_stored_exactly_once(world: World, load: Load) -> None:
    until(world.everything_is_loaded, "loaded")
    per_trace = world.rows(
        "SELECT reinterpretAsUInt64(reverse(trace_id)) - 1, count(), uniqExact(span_id) FROM spans GROUP BY trace_id"
    )
    assert {number for number, _, _ in per_trace} == load.acknowledged
    assert {(count, different) for _, count, different in per_trace} == {(SPANS, SPANS)}
    total = len(load.acknowledged) * SPANS
    assert world.rows("SELECT sum(count) FROM rollup_30s") == [(total,)]


def kill_at_random_moments(world: World, rounds: int, dice: random.Random) -> None:
    world.start_intake()
    with Load(world) as load:
        for _ in range(rounds):
            victims = dice.choice([["intake"], ["store"], ["intake", "store"]])
            load.grows(dice.randrange(1, 60))
            time.sleep(dice.random() * 0.1)  # a moment that nothing else decides
            for victim in victims:
                world.kill(victim)
            for victim in reversed(victims):
                world.start_store() if victim == "store" else world.start_intake()
        load.grows(20)
    assert_stored_exactly_once(world, load)


def test_kill_9_of_intake_and_store_loses_and_doubles_nothing(world: World) -> None:
    kill_at_random_moments(world, 3, random.Random(1))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_kill_9_twenty_times_loses_and_doubles_nothing(world: World, seed: int) -> None:
    kill_at_random_moments(world, 20, random.Random(seed))


def test_while_the_store_is_away_data_is_accepted_and_arrives_after(world: World) -> None:
    world.start_intake()
    world.kill("store")
    with Load(world) as load:
        load.grows(300)
    assert not world.everything_is_loaded()
    assert len(spool_files(world.spool)) <= 3  # files grow meanwhile, so that catching up takes few inserts

    world.start_store()

    assert_stored_exactly_once(world, load)


def test_when_the_spool_is_full_senders_are_told_to_come_again_and_all_arrives_in_the_end(world: World) -> None:
    world.max_bytes = 200_000
    world.start_intake()
    world.kill("store")
    with Load(world) as load:
        until(lambda: bool(load.refused), "refused")
        world.start_store()
        load.grows(100)
    assert load.refused == {(503, "5")}
    assert_stored_exactly_once(world, load)


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={request.param}", "tmpfs", folder], check=False).returncode:
        pytest.skip("a small disk of its own needs the right to mount")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize("small_disk", ["600k"], indirect=True)
def test_a_full_spool_disk_refuses_and_resumes_when_there_is_room(world: World, small_disk: Path) -> None:
    world.kill("store")
    world.spool = small_disk / "spool"
    world.spool.mkdir()
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    world.start_intake()
    with Load(world) as load:
        until(lambda: bool(load.refused), "refused")
        before = len(load.acknowledged)
        ballast.unlink()
        load.grows(10)
        world.start_store()
        load.grows(10)
    assert before > 0
    assert load.refused == {(503, "5")}
    assert_stored_exactly_once(world, load)


@pytest.mark.slow
@pytest.mark.parametrize("small_disk", ["60m"], indirect=True)
def test_a_full_store_disk_holds_data_in_the_spool_until_there_is_room(world: World, small_disk: Path) -> None:
    world.kill("store")
    world.data = small_disk / "data"
    ballast = small_disk / "ballast"
    world.start_store()
    client = StoreClient.embedded(world.socket, "loader")
    migrate(client)
    ballast.touch()
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(1 << 16))
    world.start_intake()
    with Load(world) as load:
        load.grows(50)
        with pytest.raises((StoreError, StoreUnavailable)):
            client.command("CREATE TABLE ballast ENGINE=MergeTree ORDER BY n AS SELECT number AS n FROM numbers(1e6)")
        load.grows(50)
        assert not world.everything_is_loaded()
        ballast.unlink()
    client.close()
    assert_stored_exactly_once(world, load)
