"""The store process: what one call costs, what it weighs, how many queries it answers a second.

Reference: the same statements on the engine itself, in a process of its own, without HTTP (`direct`). The two take
turns, so that whatever else the machine does falls on both.
"""

from __future__ import annotations

import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from bench import report
from sonde.server.store.client import StoreClient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROWS_SQL = "SELECT number, toString(number) FROM numbers(10000)"
AGGREGATE_SQL = "SELECT k, count(), sum(v), quantile(0.95)(v) FROM bench GROUP BY k"
FILL_SQL = "INSERT INTO bench SELECT number % 20, number FROM numbers(10000)"
STATEMENTS = {"SELECT 1": "SELECT 1", "aggregate of 10k rows": AGGREGATE_SQL, "10k rows to Python": ROWS_SQL}
TABLE_SQL = "CREATE TABLE bench (k UInt8, v UInt64) ENGINE = MergeTree ORDER BY k"
TURNS, CALLS = 10, 30
CROWD_S, IDLE_S = 2.0, 20.0

DIRECT = f"""
import json, sys, time
from chdb import _chdb
main = _chdb.connect(sys.argv[1])
main.query({TABLE_SQL!r}, "Null")
main.query({FILL_SQL!r}, "Null")
for line in sys.stdin:
    times, cpu = [], time.process_time()
    for _ in range({CALLS}):
        began = time.perf_counter()
        link = _chdb.connect(sys.argv[1])
        link.query(json.loads(line), "Native").bytes()
        link.close()
        times.append(time.perf_counter() - began)
    print(json.dumps([times, time.process_time() - cpu]), flush=True)
main.close()
"""
"""A fresh connection each time, as the store process makes one for each request."""


@contextlib.contextmanager
def running(folder: Path) -> Iterator[psutil.Process]:
    """The store process, ready."""
    (folder / "spool").mkdir()
    command = [sys.executable, "-m", "sonde.server.store.process", "--data", str(folder / "data")]
    command += ["--socket", str(folder / "store.sock"), "--spool", str(folder / "spool")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


class Direct:
    """The engine without us."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", DIRECT, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def turn(self, sql: str) -> tuple[list[float], float]:
        """Times of CALLS calls and the CPU time of all of them, in seconds."""
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(sql), file=self._process.stdin, flush=True)
        times, cpu = json.loads(self._process.stdout.readline())
        return times, cpu

    def close(self) -> None:
        """The process ends."""
        self._process.communicate()


def turn(process: psutil.Process, web: StoreClient, sql: str) -> tuple[list[float], float]:
    """Likewise, through the client; the CPU time is the store process's alone."""
    times, before = [], cpu_s(process)
    for _ in range(CALLS):
        began = time.perf_counter()
        web.rows(sql)
        times.append(time.perf_counter() - began)
    return times, cpu_s(process) - before


def cpu_s(process: psutil.Process) -> float:
    """User and system time so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def compared(process: psutil.Process, web: StoreClient, direct: Direct, sql: str) -> list[str]:
    """Wall and CPU time per call: ours, the engine's, and their ratio."""
    ours, theirs = [], []
    direct.turn(sql)
    turn(process, web, sql)
    for _ in range(TURNS):
        ours.append(turn(process, web, sql))
        theirs.append(direct.turn(sql))
    cells = []
    wall = [statistics.median(time for times, _ in side for time in times) * 1e6 for side in (ours, theirs)]
    cpu = [sum(cpu for _, cpu in side) / TURNS / CALLS * 1e6 for side in (ours, theirs)]
    for mine, reference in (wall, cpu):
        cells += [f"{mine:.0f}", f"{reference:.0f}", f"{mine / reference:.2f}"]
    return cells


def calls_per_second(call: Callable[[], object], threads: int) -> float:
    """Of `threads` at once."""
    done = [0] * threads
    until = time.monotonic() + CROWD_S

    def work(number: int) -> None:
        while time.monotonic() < until:
            call()
            done[number] += 1

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return sum(done) / CROWD_S


def megabytes(process: psutil.Process) -> float:
    """Resident."""
    return float(process.memory_info().rss) / (1 << 20)


def cpu_percent_idle(process: psutil.Process) -> float:
    """Of one core, over IDLE_S without a request."""
    before = cpu_s(process)
    time.sleep(IDLE_S)
    return (cpu_s(process) - before) / IDLE_S * 100


def main() -> None:
    """Prints and keeps the table."""
    with tempfile.TemporaryDirectory() as name, running(Path(name)) as process:
        ready_mb, idle = megabytes(process), cpu_percent_idle(process)
        socket = Path(name) / "store.sock"
        loader, web = StoreClient.embedded(socket, "loader"), StoreClient.embedded(socket, "web")
        for sql in ("CREATE DATABASE sonde", TABLE_SQL, FILL_SQL):
            loader.command(sql)
        direct = Direct(Path(name) / "direct")
        rows = []
        for title, sql in STATEMENTS.items():
            crowd = [f"{calls_per_second(lambda sql=sql: web.rows(sql), threads):.0f}" for threads in (1, 2, 8)]
            rows.append([title, *compared(process, web, direct, sql), " / ".join(crowd)])
        direct.close()
        loaded_mb = megabytes(process)
        for client in (web, loader):
            client.close()
    load = os.getloadavg()[0]
    notes = (
        "wall time is the client's (`StoreClient`, rows as Python objects), CPU time that of the store process alone",
        f"memory: {ready_mb:.0f} MB resident when ready, {loaded_mb:.0f} MB after this load",
        f"idle: {idle:.2f} % of a core over {IDLE_S:.0f} s; load average of the machine at the end {load:.1f}",
    )
    columns = ("statement", "wall µs", "direct", "ratio", "CPU µs", "direct", "ratio", "a second, 1 / 2 / 8 threads")
    report.write("store_process", "Store process against the engine itself", columns, rows, notes)


if __name__ == "__main__":
    main()
