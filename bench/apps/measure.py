"""One process, one probe: `measure.py flask|fastapi PROBE ADDRESSES`. Says on standard output what requests cost.

It is told what to do by lines on standard input, and answers each with a line, so that several such processes can be
measured by turns. `go`: some requests that are not counted, as many that are, and a rest, in which queues are emptied:
no probe may win by dropping. The answer is the CPU of all threads of the process, in microseconds a request. `end`:
send what is left, and a last answer, JSON: `flush_us`, the CPU of that, `requests`, `calls`, functions called for a
request, `threads`.

`switched` asks nothing: it puts Sonde's wrappers on and off within one process, and prints what that makes.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.apps.probes import PROBES
from bench.apps.turns import AGAIN_WARM, REQUESTS, by_turns

if TYPE_CHECKING:
    from collections.abc import Callable

WARM_UP, REST_S = 300, 0.05
COUNTED = 10
TURNS, REQUESTS_A_TURN = 10, 120


def switched(kind: str, addresses: dict[str, str]) -> dict[str, float]:
    """Both ways in one process, see `turns`."""
    PROBES["sonde"](kind, addresses)
    from sonde.probe.start import probe

    engine = probe._engine  # noqa: SLF001 - the recorder and its connection are to stay
    assert engine is not None
    module = importlib.import_module(f"bench.apps.orders_{kind}")
    drive = module.driver(module.make())
    drive(WARM_UP)
    return by_turns(lambda on: engine.start() if on else engine.stop(), drive, TURNS, REQUESTS_A_TURN, 2 * REST_S)


def measured(kind: str, probe: str, addresses: dict[str, str]) -> dict[str, Any]:
    """One probe all the time; the last answer."""
    instrumented, flush = PROBES[probe](kind, addresses)
    module = importlib.import_module(f"bench.apps.orders_{kind}")
    drive = module.driver(instrumented(module.make()))
    drive(WARM_UP)
    flush()
    gc.collect()
    time.sleep(REST_S)
    print("warm", flush=True)
    chunks = 0
    while sys.stdin.readline() == "go\n":
        drive(AGAIN_WARM)
        time.sleep(REST_S)
        before = time.process_time()
        drive(REQUESTS)
        time.sleep(REST_S)
        print((time.process_time() - before) / REQUESTS * 1e6, flush=True)
        chunks += 1
    before = time.process_time()
    flush()
    time.sleep(REST_S)
    flushing = time.process_time() - before
    called = calls(drive)
    flush()
    said: dict[str, Any] = {
        "calls": called,
        "flush_us": flushing * 1e6,
        "requests": WARM_UP + chunks * (AGAIN_WARM + REQUESTS) + COUNTED,
        "threads": len(list(Path("/proc/self/task").iterdir())),
    }
    core = sys.modules.get("sonde.probe.core")
    return said if core is None else {**said, "native": core.NATIVE, "counters": core.counters()}


def calls(drive: Callable[[int], None]) -> float:
    """Functions that a request calls in its own thread, in Python and in C: nothing that varies with the machine."""
    count = 0

    def called(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    sys.setprofile(called)
    try:
        drive(COUNTED)
    finally:
        sys.setprofile(None)
    return count / COUNTED


def main(kind: str, probe: str, addresses: str) -> None:
    """Measure and print."""
    # For every probe: httpcore looks for a module that is not there six times a request, in each folder of the path.
    sys.path.insert(0, str(Path(__file__).parents[2] / "src"))
    run = switched(kind, json.loads(addresses)) if probe == "switched" else measured(kind, probe, json.loads(addresses))
    print(json.dumps(run), flush=True)
    os._exit(0)  # what is queued is of no interest any more


main(*sys.argv[1:])
