"""Against guessing passwords: after some failures, no more attempts for a while."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from math import ceil
from threading import Lock
from typing import TYPE_CHECKING

from sonde.server.accounts.errors import TooManyAttemptsError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable


@dataclass(slots=True)
class _Failures:
    first_at_s: float
    count: int


class Throttle:
    """Counts failures by key, e.g. (user, address): `limit` of them within `window_s` close the key until the
    window has passed. Remembers `most` keys; with more, those that failed longest ago are forgiven.
    """

    def __init__(
        self, limit: int, window_s: float, seconds: Callable[[], float] = time.monotonic, most: int = 10_000
    ) -> None:
        self._limit = limit
        self._window_s = window_s
        self._most = most
        self._seconds = seconds
        self._failures: OrderedDict[Hashable, _Failures] = OrderedDict()
        self._lock = Lock()

    def check(self, key: Hashable) -> None:
        """Raises TooManyAttemptsError while `key` is closed."""
        with self._lock:
            found = self._failures.get(key)
            if found is None:
                return
            left_s = found.first_at_s + self._window_s - self._seconds()
            if left_s <= 0:
                del self._failures[key]
            elif found.count >= self._limit:
                raise TooManyAttemptsError(ceil(left_s))

    def failed(self, key: Hashable) -> None:
        """Count a failure of `key`."""
        with self._lock:
            found = self._failures.setdefault(key, _Failures(self._seconds(), 0))
            if self._seconds() >= found.first_at_s + self._window_s:
                found.first_at_s, found.count = self._seconds(), 0
            found.count += 1
            self._failures.move_to_end(key)
            if len(self._failures) > self._most:
                self._failures.popitem(last=False)

    def succeeded(self, key: Hashable) -> None:
        """Forgive `key`."""
        with self._lock:
            self._failures.pop(key, None)

    def __len__(self) -> int:
        return len(self._failures)
