"""What the watch over event loops costs: ns a callback and a task's step, and the watchdog's CPU beside an idle loop.

By turns in one process, so that all see the same machine. Reference: asyncio's own debug mode, and the same timing done
in Python in the place of Handle._run.
"""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import threading
import time
from typing import TYPE_CHECKING, Any

from bench import report
from sonde.probe.tools import _stalls
from sonde.probe.tools.stalls import Stalls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CALLBACKS = 20_000
DEBUG_CALLBACKS = 1000
ROUNDS = 15
IDLE_S = 10


def callbacks_ns(loop: asyncio.AbstractEventLoop, count: int) -> float:
    """CPU of one callback: each schedules the next."""
    left = [count]

    def callback() -> None:
        left[0] -= 1
        if left[0]:
            loop.call_soon(callback)
        else:
            loop.stop()

    loop.call_soon(callback)
    began = time.thread_time_ns()
    loop.run_forever()
    return (time.thread_time_ns() - began) / count


def steps_ns(loop: asyncio.AbstractEventLoop, count: int) -> float:
    """CPU of one step of a task."""

    async def steps() -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    began = time.thread_time_ns()
    loop.run_until_complete(steps())
    return (time.thread_time_ns() - began) / count


@contextlib.contextmanager
def off(_: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Nothing."""
    yield


@contextlib.contextmanager
def watched(_: asyncio.AbstractEventLoop) -> Iterator[None]:
    """The tool, as it is."""
    tool = Stalls()
    run_beside(lambda: tool.start({"threshold_ms": 10.0}, 60))
    try:
        yield
    finally:
        run_beside(tool.stop)


@contextlib.contextmanager
def timed_in_python(_: asyncio.AbstractEventLoop) -> Iterator[None]:
    """Handle._run replaced by a function of Python's that takes the time twice."""
    original, clock, slow = asyncio.Handle._run, time.perf_counter, []  # noqa: SLF001 - what it is about

    def run(self: asyncio.Handle) -> None:
        began = clock()
        original(self)
        if clock() - began > 0.01:
            slow.append(self)

    asyncio.Handle._run = run  # type: ignore[method-assign]  # noqa: SLF001
    try:
        yield
    finally:
        asyncio.Handle._run = original  # type: ignore[method-assign]  # noqa: SLF001


@contextlib.contextmanager
def debug(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """The debug mode of asyncio, which says when a callback was slow."""
    loop.set_debug(True)
    loop.slow_callback_duration = 0.01
    yield


MODES = {"off": off, "stalls": watched, "timed in Python": timed_in_python, "asyncio's debug mode": debug}


def run_beside(call: Callable[[], object]) -> None:
    """In a thread, as the tool host does."""
    thread = threading.Thread(target=call)
    thread.start()
    thread.join()


def idle_cpu_percent() -> float:
    """The watchdog's CPU while a loop sleeps, in percent of a core."""
    used: list[float] = []

    async def sleep() -> None:
        await asyncio.sleep(0.1)
        before: Any = _stalls.counts()["own_cpu_ns"]
        await asyncio.sleep(IDLE_S)
        after: Any = _stalls.counts()["own_cpu_ns"]
        used.append((after - before) / 1e9 / IDLE_S * 100)

    with watched(asyncio.new_event_loop()):
        asyncio.run(sleep())
    return used[0]


def main() -> None:
    """Both tables."""
    _stalls.init()
    # The C library is slower for all once a process has a second thread, and one with the probe has its sender.
    threading.Thread(target=threading.Event().wait, daemon=True).start()
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in MODES}
    for _ in range(ROUNDS):
        for name, mode in MODES.items():
            loop = asyncio.new_event_loop()
            count = DEBUG_CALLBACKS if mode is debug else CALLBACKS
            with mode(loop):
                found[name].append((callbacks_ns(loop, count), steps_ns(loop, count)))
            loop.close()
    middle = {name: [statistics.median(one[at] for one in rounds) for at in (0, 1)] for name, rounds in found.items()}
    idle = idle_cpu_percent()
    report.write(
        "tools_stalls",
        "What watching event loops costs",
        ("mode", "callback, ns", "added", "× off", "step of a task, ns", "added", "× off"),
        [
            (
                name,
                *(
                    text
                    for at in (0, 1)
                    for text in (
                        f"{ns[at]:.0f}",
                        f"{ns[at] - middle['off'][at]:+.0f}" if name != "off" else "",
                        f"{ns[at] / middle['off'][at]:.2f}",
                    )
                ),
            )
            for name, ns in middle.items()
        ],
        [
            f"CPU of the loop's thread; median of {ROUNDS} rounds by turns in one process, which has a second thread.",
            f"The watchdog's thread beside a loop that sleeps: {idle:.2f} % of a core, over {IDLE_S} s.",
        ],
    )


if __name__ == "__main__":
    main()
