"""What `leaks` costs a request: marked, judged, idle, taken away again; beside tracemalloc and memray."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bench import report
from bench.leaks_corpus import ROOT, VERSIONS, environment, interpreter

ROUNDS, REQUESTS = 15, 150
TITLES = {
    "bare": "bare",
    "idle": "installed, no request marked",
    "marked": "marked: line and type of every allocation",
    "judged": "a verdict on each request",
    "removed": "installed, then taken away",
    "tracemalloc": "tracemalloc, one frame",
    "tracemalloc_snapshots": "tracemalloc, two snapshots and their difference each request",
    "memray": "memray",
    "memray_python": "memray, Python allocators too",
}
TARGETS = {"marked": 1.15, "judged": 1.30, "idle": 1.03, "removed": 1.00}


def measure() -> None:
    """In the process that is measured: prints CPU microseconds of a request for each way, a value a round."""
    import gc
    import time
    import tracemalloc

    from bench.apps import orders_flask
    from sonde.probe.tools.leaks.tracker import Tracker

    drive = orders_flask.driver(orders_flask.make())
    drive(300)
    figures: dict[str, list[float]] = {}

    def timed(name: str, work: object) -> None:
        gc.collect()
        before = time.process_time()
        work()  # type: ignore[operator]
        figures.setdefault(name, []).append((time.process_time() - before) / REQUESTS * 1e6)

    def tracked() -> Tracker:
        made = Tracker(confirm=False)
        made.start()
        return made

    def marked(tracker: Tracker) -> None:
        loop = tracker.new()
        tracker.begin(loop)
        drive(REQUESTS)
        tracker._native.leave(loop)  # noqa: SLF001 - the marks alone, no verdict

    def judged(tracker: Tracker, count: int) -> None:
        for _ in range(count):
            loop = tracker.new()
            tracker.begin(loop)
            drive(1)
            tracker.end(loop)
            del loop

    def snapshots() -> None:
        for _ in range(REQUESTS // 10):
            before = tracemalloc.take_snapshot()
            drive(1)
            tracemalloc.take_snapshot().compare_to(before, "lineno")

    for number in range(ROUNDS):
        timed("bare", lambda: drive(REQUESTS))
        tracker = tracked()
        timed("idle", lambda: drive(REQUESTS))
        timed("marked", lambda tracker=tracker: marked(tracker))
        tracker.stop()
        tracker = tracked()
        judged(tracker, 20)
        timed("judged", lambda tracker=tracker: judged(tracker, REQUESTS))
        tracker.stop()
        timed("removed", lambda: drive(REQUESTS))
        if number >= 5:
            continue
        tracemalloc.start(1)
        drive(20)
        timed("tracemalloc", lambda: drive(REQUESTS))
        timed("tracemalloc_snapshots", snapshots)
        figures["tracemalloc_snapshots"][-1] *= 10
        tracemalloc.stop()
        try:
            import memray
        except ImportError:
            continue
        for name, python in (("memray", False), ("memray_python", True)):
            with tempfile.TemporaryDirectory() as folder:
                tracked_by_memray = memray.Tracker(Path(folder) / "out.bin", trace_python_allocators=python)
                with tracked_by_memray:
                    timed(name, lambda: drive(REQUESTS))
    print(json.dumps(figures))


def ratio(figures: dict[str, list[float]], name: str) -> float:
    """Against the bare runs of the same rounds."""
    return statistics.median(it / bare for it, bare in zip(figures[name], figures["bare"], strict=False))


def main() -> None:
    said: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory() as made:
        for version in VERSIONS:
            python = interpreter(version)
            if not python:
                continue
            here = environment(python, Path(made))
            install = [sys.executable, "-m", "uv", "pip", "install", "-q", "--system-certs", "--python", str(here)]
            subprocess.run([*install, "flask", "redis", "requests", "-c", str(ROOT / "constraints.txt")], check=True)
            if subprocess.run([*install, "memray"], check=False).returncode:
                print(f"memray cannot be had for {version}", flush=True)
            variables = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
            code = "from bench.tools_leaks import measure; measure()"
            ran = subprocess.run([here, "-c", code], check=True, stdout=subprocess.PIPE, cwd=ROOT, env=variables)
            said[version] = json.loads(ran.stdout.splitlines()[-1])
    columns = ["", "goal"]
    for version in said:
        columns += [f"{version}: µs CPU", "× bare"]
    rows = []
    for name, title in TITLES.items():
        row = [title, f"≤ {TARGETS[name]:.2f}" if name in TARGETS else ""]
        for figures in said.values():
            if name in figures:
                row += [f"{statistics.median(figures[name]):.0f}", f"{ratio(figures, name):.2f}"]
            else:
                row += ["not to be had", ""]
        rows.append(row)
    report.write(
        "tools_leaks",
        "leaks: what it costs a request",
        columns,
        rows,
        [
            (
                "A request of bench/apps/orders_flask.py: Flask, five Redis commands, one HTTP call, some 1,500 to "
                "2,000 allocations; transports are faked below the libraries."
            ),
            (
                f"By turns in one process, {ROUNDS} rounds of {REQUESTS} requests; ratios are medians of the ratios to "
                "the bare run of the same round. On 3.13 marked means exact."
            ),
            "A verdict contains a young collection of garbage, a look at what lives, and putting it down by line.",
        ],
    )


if __name__ == "__main__":
    main()
