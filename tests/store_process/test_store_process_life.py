"""Start, end and sudden death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from store_process_harness import Background, StoreProcess, until

if TYPE_CHECKING:
    from pathlib import Path

ENDLESS = "SELECT count() FROM system.numbers WHERE NOT ignore(sipHash64(number))"


def test_sigterm_ends_readers_lets_writers_finish_and_leaves_no_socket(tmp_path: Path) -> None:
    with StoreProcess(tmp_path) as process:
        process.ask("CREATE TABLE t (a UInt64) ENGINE = MergeTree ORDER BY a")
        readers = [Background(lambda: process.ask(ENDLESS, user="web")) for _ in range(2)]
        slow = "INSERT INTO t SELECT number + sleepEachRow(0.05) FROM numbers(20)"
        writer = Background(lambda: process.ask(slow, max_block_size=1))
        until(lambda: process.counter("sonde_store_running") == 3, "all three run")
        assert process.stop() == 0
        assert [reader.result().code for reader in readers] == [394, 394]
        assert writer.result().status == 200
        assert not process.socket.exists()
        process.start()
        assert process.values("SELECT count() FROM t") == ["20"]
        assert process.stop() == 0


def test_idle_and_half_connected_clients_do_not_hold_up_the_end(tmp_path: Path) -> None:
    with StoreProcess(tmp_path, tcp=True) as process:
        idle = process.connection()
        process.ask("SELECT 1", connection=idle)
        half = process.tcp()
        half.connect()
        half.sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-")
        process.ask("SELECT 1", session_id="open")
        assert process.stop(signal.SIGINT) == 0
        idle.close()
        half.close()
    assert "Traceback" not in process.log


def test_a_second_owner_of_the_data_is_refused_at_once_and_the_first_goes_on(tmp_path: Path) -> None:
    with StoreProcess(tmp_path) as process:
        second = subprocess.run(
            process.command, env=process.environ, capture_output=True, text=True, timeout=20, check=False
        )
        assert second.returncode == 1
        assert f"another process owns {process.data}" in second.stderr
        assert "ready" not in second.stdout
        assert process.ask("SELECT 1").text == "1\n"


def test_a_port_needs_a_password(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sonde.server.store.process", "--port", "0"]
    command += ["--data", str(tmp_path / "d"), "--socket", str(tmp_path / "s"), "--spool", str(tmp_path)]
    environ = {name: value for name, value in os.environ.items() if name != "SONDE_STORE_PASSWORD"}
    got = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=20, check=False)
    assert got.returncode == 1
    assert "SONDE_STORE_PASSWORD" in got.stderr
    assert not (tmp_path / "d").exists()


def test_a_socket_file_left_behind_is_replaced(tmp_path: Path) -> None:
    with StoreProcess(tmp_path) as process:
        process.process.kill()
        process.process.wait()
        assert process.socket.exists()
        process.start()
        assert process.ask("SELECT 1").text == "1\n"


def test_it_ends_with_the_process_it_was_told_to_watch(tmp_path: Path) -> None:
    watched = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        with StoreProcess(tmp_path, "--exit-with", str(watched.pid)) as process:
            assert process.ask("SELECT 1").text == "1\n"
            watched.kill()
            watched.wait()
            assert process.process.wait(20) == 0
            assert not process.socket.exists()
    finally:
        watched.kill()
        watched.wait()


def test_nothing_acknowledged_is_lost_by_kill_9_under_inserters(tmp_path: Path) -> None:
    """Three writers send batches under their own tokens until the process dies; after the start they send the batch
    again whose answer they never saw. Each is stored once.
    """
    with StoreProcess(tmp_path) as process:
        process.ask(
            "CREATE TABLE t (writer UInt8, batch UInt32, row UInt32) ENGINE = MergeTree ORDER BY (writer, batch)"
            " SETTINGS non_replicated_deduplication_window = 10000"
        )

        def insert(writer: int, batch: int) -> int:
            rows = b"".join(b"%d\t%d\t%d\n" % (writer, batch, row) for row in range(100))
            token = {"insert_deduplication_token": f"{writer}-{batch}"}
            return process.ask("INSERT INTO t FORMAT TSV", rows, **token).status

        def write(writer: int) -> int:
            """The batch whose fate is unknown."""
            for batch in range(100_000):
                try:
                    if insert(writer, batch) != 200:
                        return batch
                except OSError:
                    return batch
            raise AssertionError("the process did not die")

        batches = [0, 0, 0]
        for _ in range(2):
            writers = [Background(lambda n=n: write(n)) for n in range(3)]
            seen = process.counter("sonde_store_inserted_rows_total")
            until(lambda seen=seen: process.counter("sonde_store_inserted_rows_total") > seen + 3000, "batches arrive")
            process.process.kill()
            process.process.wait()
            unsure = [writer.result() for writer in writers]
            batches = [max(pair) for pair in zip(batches, unsure, strict=True)]
            process.start()
            for writer, batch in enumerate(batches):
                assert insert(writer, batch) == 200
        stored = process.values("SELECT writer, batch, count() FROM t GROUP BY writer, batch ORDER BY writer, batch")
        expected = [f"{writer}\t{batch}\t100" for writer in range(3) for batch in range(batches[writer] + 1)]
        assert stored == expected


@pytest.mark.slow
def test_starting_and_ending_many_times_leaves_everything_as_it_was(tmp_path: Path) -> None:
    with StoreProcess(tmp_path) as process:
        process.ask("CREATE TABLE default.kept (a UInt64) ENGINE = MergeTree ORDER BY a")
        for round_ in range(10):
            process.ask("INSERT INTO default.kept VALUES (1)")
            if round_ % 2:
                assert process.stop() == 0
            else:
                process.process.kill()
                process.process.wait()
            began = time.monotonic()
            process.start()
            assert time.monotonic() - began < 30
            assert process.values("SELECT count() FROM default.kept") == [str(round_ + 1)]
