"""What the application's functions do for the sender, in a thread that lives as long as there is some.

So the sender waits for none of them. The native side is native/sending/work.c.
"""

from __future__ import annotations

import _thread
import os
from time import monotonic
from typing import TYPE_CHECKING

from sonde.probe.core.twin import counting
from sonde.probe.core.twin.real import Lock, sleep, start_new_thread

if TYPE_CHECKING:
    from collections.abc import Callable

_BEGIN_AGAIN_S = 1.0


class Work:
    """At most one thread. After a fork the child makes another Work."""

    def __init__(self, woken: Callable[[], None]) -> None:
        self._woken = woken
        """Called at the end."""
        self._over = Lock()
        """Held while the thread lives."""
        self._thread: int | None = None
        self._again_at = 0.0

    def begin(self, work: Callable[[], None]) -> None:
        """Have a thread call `work`, unless there is one. Failure is counted, and tried again a second later."""
        if not self._over.acquire(blocking=False):
            return
        try:
            self._thread = None
            start_new_thread(self._run, (work,))
        except RuntimeError:  # the interpreter is ending, or the system has no thread left
            counting.count("start_errors")
            self._again_at = monotonic() + _BEGIN_AGAIN_S
            self._over.release()

    def possible_at(self) -> float:
        """When it can begin; infinity while the thread lives."""
        return float("inf") if self._over.locked() else self._again_at

    def wait(self, timeout_s: float) -> bool:
        """Wait until there is no thread. False: not in time, or the caller is that thread."""
        if self._thread == _thread.get_native_id() and self._over.locked():
            return False
        until = monotonic() + timeout_s
        if not self._over.acquire(timeout=max(0.0, timeout_s)):
            return False
        thread = self._thread
        self._over.release()
        if thread is not None:
            wait_for_end(thread, until)
        return True

    def _run(self, work: Callable[[], None]) -> None:
        self._thread = _thread.get_native_id()
        try:
            work()
        finally:
            self._over.release()
            self._woken()


def wait_for_end(thread: int, until: float) -> None:
    """A thread that has nothing to do but return may still be going, and be counted by who warns of a fork."""
    task = f"/proc/self/task/{thread}"
    while os.path.exists(task) and monotonic() < until:  # noqa: PTH110 - pathlib is not imported for this
        sleep(0.0002)
