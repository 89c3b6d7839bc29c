"""What server and agent cost while nobody calls: CPU and memory of each process over a quiet minute.

The figure is of a server that has data and an agent that reports its host each 10 s, as after a day of use at night.
Reference: the same minute of the store process alone, which is the floor of an embedded engine.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import TYPE_CHECKING

import psutil

from bench import report
from sonde.server.supervision.second_ports import SECOND_PORTS

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET_S = 60
SETTLE_S = 20
SONDE = [sys.executable, "-m", "sonde"]
NO_SECOND_PORTS = [word for port in SECOND_PORTS for word in (f"--{port.option}", "-1")]


def free_port() -> int:
    """A port nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The program, stopped at the end."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def wait_ready(port: int) -> None:
    """Until /readyz says yes."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=1) as answer,
        ):
            if answer.status == 200:
                return
        time.sleep(0.2)
    raise TimeoutError("the server did not get ready")


def cpu_s(process: psutil.Process) -> float:
    """CPU time of the process so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def role(process: psutil.Process) -> str:
    """What the process is, by its command line."""
    line = " ".join(process.cmdline())
    for word, name in (("store.process", "store"), ("server.web", "web"), (" agent", "agent"), (" up", "supervisor")):
        if word in line:
            return name
    return line[:40]


def main() -> None:
    """Start both, let them settle, look at a quiet minute."""
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        data, port = f"{folder}/data", free_port()
        server = stack.enter_context(running([*SONDE, "up", "--data", data, "--port", str(port), *NO_SECOND_PORTS]))
        wait_ready(port)
        app = json.loads(subprocess.check_output([*SONDE, "app", "create", "bench", "--data", data]))
        agent = stack.enter_context(
            running(
                [
                    *(*SONDE, "agent", "--server", f"http://127.0.0.1:{port}", "--token", app["token"]),
                    *("--socket", f"{folder}/agent.sock", "--queue-dir", f"{folder}/queue"),
                ]
            )
        )
        time.sleep(SETTLE_S)
        watched = [
            psutil.Process(server.pid),
            *psutil.Process(server.pid).children(recursive=True),
            psutil.Process(agent.pid),
        ]
        before = {process.pid: cpu_s(process) for process in watched}
        started = time.monotonic()
        time.sleep(QUIET_S)
        width = time.monotonic() - started
        rows = []
        for process in watched:
            percent = (cpu_s(process) - before[process.pid]) / width * 100
            memory = process.memory_full_info()
            rows.append((role(process), percent, memory.rss / 1e6, memory.pss / 1e6))
    servers = [row for row in rows if row[0] != "agent"]
    rows.append(("server, all processes", *(sum(row[i] for row in servers) for i in (1, 2, 3))))
    store = next(row for row in rows if row[0] == "store")
    report.write(
        "idle",
        f"Idle cost over {QUIET_S} s",
        ("process", "CPU % of one core", "RSS MB", "PSS MB", "CPU against the store alone"),
        [
            (name, f"{cpu:.2f}", f"{rss:.0f}", f"{pss:.0f}", f"{cpu / store[1]:.2f}×" if store[1] else "")
            for name, cpu, rss, pss in rows
        ],
        [f"Threads counted with their process; {os.cpu_count()} cores; agent reports the host each 10 s."],
    )


if __name__ == "__main__":
    main()
