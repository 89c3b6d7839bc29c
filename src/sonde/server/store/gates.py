"""How many statements run at once. Readers and the loader have a gate each, so a console cannot starve intake."""

from __future__ import annotations

import time
from collections import deque
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING

from sonde.server.store.errors import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Gate:
    """`places` statements at once, `queue` more wait their turn in order, at most `patience_s` each."""

    def __init__(
        self, name: str, *, places: int, queue: int, patience_s: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self.places = places
        self._queue = queue
        self._patience_s = patience_s
        self._clock = clock
        self._changed = Condition()
        self._waiting: deque[object] = deque()
        self.inside = 0
        self.refused = 0
        self.waited_s = 0.0
        """Sum over all that got in."""
        self.entered = 0

    @property
    def waiting(self) -> int:
        """How many stand in the queue."""
        return len(self._waiting)

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place while the block runs. Raises StoreUnavailable 202 when the queue is full or takes too long."""
        self._enter()
        try:
            yield
        finally:
            with self._changed:
                self.inside -= 1
                self._changed.notify_all()

    def _enter(self) -> None:
        arrived = self._clock()
        ticket = object()
        with self._changed:
            if len(self._waiting) >= self._queue and (self._waiting or self.inside >= self.places):
                raise self._refusal(f"{len(self._waiting)} wait already")
            self._waiting.append(ticket)
            try:
                my_turn = self._changed.wait_for(
                    lambda: self._waiting[0] is ticket and self.inside < self.places, self._patience_s
                )
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
            if not my_turn:
                raise self._refusal(f"none became free in {self._patience_s:g} s")
            self.inside += 1
            self.entered += 1
            self.waited_s += self._clock() - arrived

    def _refusal(self, why: str) -> StoreUnavailable:
        self.refused += 1
        message = f"Too many simultaneous queries of {self.name}: all {self.places} places are taken and {why}"
        return StoreUnavailable(202, "TOO_MANY_SIMULTANEOUS_QUERIES", message, retry_after_s=1)
