"""Tests that fail when what they call keeps memory: `@pytest.mark.no_leaks`, `@pytest.mark.no_leaks(loops=40)`, or
`pytest --sonde-leaks` for all of them. The test's function runs in loops, with the same fixtures.

Nothing is imported, and no test runs otherwise than without it, unless one of these asks.
"""

from __future__ import annotations

import functools
import gc
import inspect
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sonde.probe.tools.leaks.tracker import Tracker

LOOPS = 20
LEAST = 8


def pytest_addoption(parser: pytest.Parser) -> None:
    """The flags."""
    group = parser.getgroup("sonde", "memory that tests keep")
    group.addoption("--sonde-leaks", action="store_true", help="Run each test in loops; it fails where memory is kept.")
    group.addoption(
        "--sonde-leaks-loops", type=int, default=LOOPS, metavar="N", help=f"How many loops. Default: {LOOPS}."
    )


def pytest_configure(config: pytest.Config) -> None:
    """The mark."""
    config.addinivalue_line(
        "markers", f"no_leaks(loops={LOOPS}): the test runs in loops, and fails where a line keeps memory (sonde)"
    )


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Iterator[None]:
    """A function that loops takes the test's place, for whoever calls it: pytest, or a plugin for coroutines."""
    loops = _loops(pyfuncitem)
    if not loops:
        yield
        return
    tracker = _tracker()
    original = pyfuncitem.obj
    pyfuncitem.obj = _looped(original, tracker, loops)
    try:
        outcome: Any = yield
        if outcome.excinfo is None:
            said = _said(tracker)
            if said:
                outcome.force_exception(pytest.fail.Exception(said, pytrace=False))
    finally:
        pyfuncitem.obj = original
        tracker.stop()


def _loops(item: pytest.Function) -> int:
    mark = item.get_closest_marker("no_leaks")
    if mark is not None:
        return max(LEAST, int(mark.kwargs.get("loops", item.config.getoption("--sonde-leaks-loops"))))
    if item.config.getoption("--sonde-leaks"):
        return max(LEAST, int(item.config.getoption("--sonde-leaks-loops")))
    return 0


def _tracker() -> Tracker:
    from sonde.probe.tools.leaks.tracker import Tracker  # noqa: PLC0415 - every pytest imports this file

    try:
        tracker = Tracker()
        tracker.start()
    except (ImportError, RuntimeError, MemoryError) as error:
        pytest.skip(f"leaks cannot be looked for: {error}")
    return tracker


def _looped(function: Callable[..., Any], tracker: Tracker, loops: int) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def calls_async(*args: Any, **kwargs: Any) -> None:
            for _ in range(loops):
                loop = tracker.new()
                tracker.begin(loop)
                try:
                    await function(*args, **kwargs)
                finally:
                    tracker.end(loop)
                    del loop

        return calls_async

    @functools.wraps(function)
    def calls(*args: Any, **kwargs: Any) -> None:
        for _ in range(loops):
            loop = tracker.new()
            tracker.begin(loop)
            try:
                function(*args, **kwargs)
            finally:
                tracker.end(loop)
                del loop

    return calls


def _said(tracker: Tracker) -> str:
    """What leaks; empty: nothing."""
    from sonde.probe.tools.leaks.report import report  # noqa: PLC0415 - as above

    gc.collect()
    tracker.finish()
    document = report(tracker)
    leaks = [site for site in document["sites"] if site["verdict"] == "leak"]
    if not leaks:
        return ""
    lines = [f"memory is kept by each of {document['loops']} loops:"]
    for site in leaks[:20]:
        via = f" (allocated in {site['via']['file']}:{site['via']['line']})" if site["via"] else ""
        lines.append(f"  {site['file']}:{site['line']} => {site['bytes']} bytes of {site['type']}{via}")
        if site["held_by"]:
            lines.append(f"      held by {site['held_by']}")
    return "\n".join(lines)
