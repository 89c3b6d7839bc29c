"""Threads for what blocks: a bounded number at work, a bounded number waiting, the rest turned away at once."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sonde.server.api.failures import busy

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
P = ParamSpec("P")


class Workers:
    """Runs calls in threads. Used from one event loop."""

    def __init__(self, name: str, threads: int, waiting_max: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._name = name
        self._room = threads + waiting_max
        self.running = 0
        self.refused = 0

    async def __call__(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns or raises. Raises RefusedError (503) when too many wait already.

        The work goes on when the caller is cancelled: what it holds is given back when it ends, not before.
        """
        if self.running >= self._room:
            self.refused += 1
            raise busy(f"too many requests wait for {self._name}")
        self.running += 1
        done = asyncio.get_running_loop().run_in_executor(self._pool, lambda: work(*args, **kwargs))
        done.add_done_callback(self._finished)
        return await asyncio.shield(done)

    def _finished(self, done: asyncio.Future[T]) -> None:
        self.running -= 1
        if not done.cancelled():
            done.exception()  # seen: where the caller is gone nobody else looks

    def close(self) -> None:
        """Wait for what runs."""
        self._pool.shutdown(cancel_futures=True)
