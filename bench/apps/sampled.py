"""`python -m bench.apps.sampled WORK ROUNDS`: by turns, what a sampler costs the process that it samples, as JSON.

CPU is that of the whole process, the sampler's thread included; py-spy's own, in its own process, stands beside it.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from bench.apps import call_heavy

if TYPE_CHECKING:
    from collections.abc import Callable

    End = Callable[[], dict[str, float]]

TURN_S = 0.6
"""About as long as a turn works."""


def numbers(count: int) -> None:
    """Arithmetic, hardly a call."""
    for _ in range(count):
        total = 0
        for i in range(20_000):
            total += i * i % 7


def flask() -> Callable[[int], None]:
    """Requests through a Flask application, in this thread."""
    from bench.apps import orders_flask

    drive = orders_flask.driver(orders_flask.make())
    return lambda count: drive(3 * count)


WORK: dict[str, Callable[[], Callable[[int], None]]] = {
    "numbers": lambda: numbers,
    "calls": lambda: call_heavy.work,
    "flask": flask,
}


def bare() -> End:
    """Nobody looks."""
    return dict


def sampled(hz: int, *, native: bool = True) -> Callable[[], End]:
    """Our tool, in a thread of its own as in the host."""
    from sonde.probe.tools import cpu

    def begin() -> End:
        tool, on, done = cpu.Cpu(), threading.Event(), threading.Event()
        said: dict[str, float] = {}

        def host() -> None:
            options = {name: option.default for name, option in cpu.Cpu.options.items()} | {"hz": hz}
            if native:
                tool.start(options, 60)
            else:
                with mock.patch.object(cpu, "_native", return_value=(None, "it is measured so")):
                    tool.start(options, 60)
            on.set()
            done.wait()
            summary = tool.stop().summary
            seconds = summary["duration_ns"] / 1e9
            said.update(
                looks_per_s=summary["rounds"] / seconds,
                samples_per_s=summary["samples"] / seconds,
                us_per_look=summary["own_cpu_ns"] / 1000 / max(1, summary["rounds"]),
            )

        thread = threading.Thread(target=host)
        thread.start()
        on.wait()

        def end() -> dict[str, float]:
            done.set()
            thread.join()
            return said

        return end

    return begin


def py_spy(hz: int) -> Callable[[], End]:
    """From outside."""
    beside = Path(sys.executable).with_name("py-spy")
    program = str(beside) if beside.exists() else shutil.which("py-spy")

    def begin() -> End:
        if program is None:
            raise FileNotFoundError("py-spy is not installed")
        command = [
            program,
            "record",
            "--rate",
            str(hz),
            "--pid",
            str(os.getpid()),
            "--format",
            "raw",
            "-o",
            "/dev/null",
        ]
        before, began = children_cpu_s(), time.monotonic()
        spy = subprocess.Popen([*command, "-d", "600"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        assert spy.stdout is not None
        for line in spy.stdout:
            if "Sampling process" in line:
                break

        def end() -> dict[str, float]:
            spy.send_signal(signal.SIGINT)
            said = spy.communicate(timeout=60)[0]
            samples = [int(word) for word in said.replace("Samples:", " ").split() if word.isdigit()]
            seconds = time.monotonic() - began
            return {
                "samples_per_s": (samples[0] if samples else 0) / seconds,
                "other_cpu": (children_cpu_s() - before) / seconds,
            }

        return end

    return begin


def children_cpu_s() -> float:
    """Of processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


WAYS: dict[str, Callable[[], End]] = {
    "nobody": bare,
    "Sonde, 100 Hz": sampled(100),
    "Sonde, 1000 Hz": sampled(1000),
    "py-spy, 100 Hz": py_spy(100),
    "py-spy, 1000 Hz": py_spy(1000),
    "Sonde without its native part, 100 Hz": sampled(100, native=False),
    "nobody, afterwards": bare,
}


def count_of_turn(work: Callable[[int], None]) -> int:
    """So many pieces of work make a turn."""
    work(2)
    count = 1
    while True:
        before = time.thread_time()
        work(count)
        used = time.thread_time() - before
        if used > TURN_S / 8:
            return max(1, round(count * TURN_S / used))
        count *= 2


def main(name: str, rounds: int) -> None:
    """Seconds of CPU, and of the wall, of each way."""
    work = WORK[name]()
    count = count_of_turn(work)
    figures: dict[str, dict[str, Any]] = {way: {"cpu_s": [], "wall_s": [], "said": []} for way in WAYS}
    for _ in range(rounds):
        for way, begin in WAYS.items():
            try:
                end = begin()
            except (OSError, RuntimeError) as error:
                figures[way]["failed"] = str(error)
                continue
            cpu_s, wall_s = time.process_time(), time.monotonic()
            work(count)
            figures[way]["cpu_s"].append(time.process_time() - cpu_s)
            figures[way]["wall_s"].append(time.monotonic() - wall_s)
            figures[way]["said"].append(end())
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
