"""Traffic that keeps coming while something else is measured."""

from __future__ import annotations

import contextlib
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@contextlib.contextmanager
def each_second(send: Callable[[datetime, datetime], object]) -> Iterator[list[float]]:
    """Calls `send(start, end)` about the second that has just passed, each second. Gives the seconds each call took."""
    stopping, took = threading.Event(), list[float]()

    def keep_sending() -> None:
        while not stopping.is_set():
            began, now = time.monotonic(), datetime.now(UTC)
            send(now - timedelta(seconds=1), now)
            took.append(time.monotonic() - began)
            stopping.wait(max(0.0, 1 - took[-1]))

    thread = threading.Thread(target=keep_sending)
    thread.start()
    try:
        yield took
    finally:
        stopping.set()
        thread.join()
