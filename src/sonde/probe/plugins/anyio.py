"""anyio: counts the tasks that wait for one of its own threads, in the metric `sonde.thread_pool.queued`.

Tasks of a request that wait for `pool_wait_threshold_ms` or longer are events on the time axis of its trace. So are the
plain functions of Starlette and FastAPI, which run there, 40 at a time where nobody says otherwise.

Makes no spans: what a task does is below its request anyway. Never records anything of a task but its function's name.
On asyncio; anyio's threads on trio are not seen.
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

_waiting: weakref.WeakSet[_Task] = weakref.WeakSet()
"""A task that is cancelled before it gets a thread is forgotten with the call that it was for."""


def waiting() -> int:
    """Tasks that no thread has taken yet."""
    return len(_waiting)


class _Task:
    """What is to run in a thread."""

    __slots__ = ("__weakref__", "_limiter", "_since_ns", "_task")

    def __init__(self, task: Callable[..., Any], limiter: Any) -> None:
        self._task = task
        self._limiter = limiter
        self._since_ns = perf_counter_ns()
        _waiting.add(self)

    def __call__(self, *args: Any) -> Any:
        try:
            _waiting.discard(self)
            threads = getattr(self._limiter, "total_tokens", 0)
            threads = threads if type(threads) is int else 0  # it may be infinite
            pool_waits.began(core.current(), self._since_ns, "anyio", threads, len(_waiting), self._task)
        except Exception:
            fault("anyio.begun")
        return self._task(*args)


def run_sync(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """A function is to run in a thread."""

    def call(
        cls: Any,
        func: Callable[..., Any],
        args: Any,
        abandon_on_cancel: bool = False,
        limiter: Any = None,
    ) -> Any:
        return wrapped(cls, _task(func, limiter, cls.current_default_thread_limiter), args, abandon_on_cancel, limiter)

    return call


def run_sync_of_3(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The same, of anyio 3."""

    def call(func: Callable[..., Any], *args: Any, cancellable: bool = False, limiter: Any = None) -> Any:
        default = wrapped.__globals__["current_default_thread_limiter"]
        return wrapped(_task(func, limiter, default), *args, cancellable=cancellable, limiter=limiter)

    return call


def _task(func: Callable[..., Any], limiter: Any, default: Callable[[], Any]) -> Callable[..., Any]:
    try:
        runtime.watch_pools("anyio", waiting)
        return _Task(func, default() if limiter is None else limiter)
    except Exception:
        fault("anyio.run_sync")
        return func


_BACKEND = "anyio._backends._asyncio"
PLUGIN = Plugin(
    library="anyio",
    supports=">=3.5,<5",
    points={
        f"{_BACKEND}:AsyncIOBackend.run_sync_in_worker_thread": run_sync,
        f"{_BACKEND}:run_sync_in_worker_thread": run_sync_of_3,
    },
    optional=frozenset(
        {f"{_BACKEND}:AsyncIOBackend.run_sync_in_worker_thread", f"{_BACKEND}:run_sync_in_worker_thread"}
    ),
)
