"""What the hooks of system calls cost: ns a call that is hooked, and one that is not slow is never looked at further.

By turns in one process. Reference: the same call with the slots as they were.
"""

from __future__ import annotations

import os
import socket
import statistics
import threading
import time
from typing import TYPE_CHECKING

from bench import report
from sonde.probe.tools.syscalls import Syscalls

if TYPE_CHECKING:
    from collections.abc import Callable

CALLS = 20_000
ROUNDS = 31


def beside(call: Callable[[], object]) -> None:
    """In a thread, as the tool host does."""
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def loops() -> dict[str, tuple[int, Callable[[], object]]]:
    """What is called, and how many hooked calls a turn makes."""
    null = os.open("/dev/null", os.O_WRONLY)
    zero = os.open("/dev/zero", os.O_RDONLY)
    here, there = socket.socketpair()

    def echo() -> None:
        here.send(b"x")
        there.recv(1)

    return {
        "os.write to /dev/null": (1, lambda: os.write(null, b"x")),
        "os.read of /dev/zero": (1, lambda: os.read(zero, 1)),
        "send and recv of a socket pair": (2, echo),
        "time.sleep(0)": (1, lambda: time.sleep(0)),
    }


def cpu_ns(call: Callable[[], object]) -> float:
    """CPU of one."""
    began = time.thread_time_ns()
    for _ in range(CALLS):
        call()
    return (time.thread_time_ns() - began) / CALLS


def main() -> None:
    """The table."""
    rows = []
    for name, (hooked, call) in loops().items():
        off: list[float] = []
        on: list[float] = []
        for _ in range(ROUNDS):
            off.append(cpu_ns(call))
            tool = Syscalls()
            beside(lambda tool=tool: tool.start({"threshold_ms": 100.0, "locks": False}, 60))
            on.append(cpu_ns(call))
            beside(tool.stop)
        pairs = [b - a for a, b in zip(off, on, strict=True)]
        added = statistics.median(pairs) / hooked
        base = statistics.median(off) / hooked
        rows.append(
            (name, f"{base:.0f}", f"{statistics.median(on) / hooked:.0f}", f"{added:+.0f}", f"{1 + added / base:.2f}")
        )
    report.write(
        "tools_syscalls",
        "What timing system calls costs",
        ("call", "off, ns", "on, ns", "added a call, ns", "× off"),
        rows,
        [f"CPU of the calling thread; added: the median of {ROUNDS} pairs by turns in one process."],
    )


if __name__ == "__main__":
    main()
