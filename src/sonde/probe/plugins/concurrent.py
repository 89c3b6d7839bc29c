"""concurrent.futures: what a thread pool does for a request is below that request, though it runs in another thread;
asyncio's `run_in_executor` included. Records how many tasks wait in thread pools, as the metric
`sonde.thread_pool.queued`; and tasks of a request that wait for `pool_wait_threshold_ms` or longer until a thread takes
them, as events on the time axis of its trace.

Makes no spans. Never records anything of a task but its function's name. A task that goes on after its request has
ended still belongs to it. Of the context of who submits, the task gets the current span and nothing else.
"""

from __future__ import annotations

import weakref
from time import perf_counter_ns
from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import pool_waits
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.runtime import runtime

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Span

_pools: weakref.WeakSet[Any] = weakref.WeakSet()


def waiting() -> int:
    """Tasks that no thread has taken yet."""
    return sum(pool._work_queue.qsize() for pool in list(_pools))  # noqa: SLF001 - there is no other way to ask


def init(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """A pool is made."""

    def call(self: Any, *args: Any, **kwargs: Any) -> None:
        wrapped(self, *args, **kwargs)
        try:
            _pools.add(self)
            runtime.watch_pools("concurrent", waiting)
        except Exception:
            fault("concurrent.init")

    return call


class _Below:
    """A task that runs below `span`."""

    __slots__ = ("_pool", "_since_ns", "_span", "_task")

    def __init__(self, task: Callable[..., Any], span: Span, pool: Any) -> None:
        self._task = task
        self._span = span
        self._pool = pool
        self._since_ns = perf_counter_ns()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        token = core.CURRENT.set(self._span)
        self._begun()
        try:
            return self._task(*args, **kwargs)
        finally:
            core.CURRENT.reset(token)

    def _begun(self) -> None:
        try:
            pool, task = self._pool, self._task
            self._pool = None  # a pool that nobody needs any more is not kept for what runs in it
            named, threads, waiting = pool._thread_name_prefix, pool._max_workers, pool._work_queue.qsize()  # noqa: SLF001
            pool_waits.began(self._span, self._since_ns, named, threads, waiting, task)
        except Exception:
            fault("concurrent.begun")


def submit(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """A task is given to a pool."""

    def call(self: Any, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        span = core.current()
        return wrapped(self, fn if span is None else _Below(fn, span, self), *args, **kwargs)

    return call


PLUGIN = Plugin(
    library="python",
    supports=">=3.11",
    points={
        "concurrent.futures.thread:ThreadPoolExecutor.__init__": init,
        "concurrent.futures.thread:ThreadPoolExecutor.submit": submit,
    },
)
