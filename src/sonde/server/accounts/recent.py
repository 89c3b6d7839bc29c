"""What was looked up a moment ago: saves the database a question per request, forgets within seconds."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A bounded map whose entries live `keep_s` seconds. The oldest make room. Thread-safe."""

    def __init__(self, keep_s: float, most: int, seconds: Callable[[], float] = time.monotonic) -> None:
        self._keep_s = keep_s
        self._most = most
        self._seconds = seconds
        self._entries: dict[K, tuple[float, V]] = {}
        self._lock = Lock()

    def get(self, key: K, look_up: Callable[[], V]) -> V:
        """The value of `key`, looked up when it is not known or no longer fresh. Two threads may look up at once."""
        with self._lock:
            entry = self._entries.get(key)
        if entry is not None and self._seconds() < entry[0]:
            return entry[1]
        value = look_up()
        with self._lock:
            self._entries.pop(key, None)  # so that order of insertion stays order of age
            self._entries[key] = (self._seconds() + self._keep_s, value)
            if len(self._entries) > self._most:
                del self._entries[next(iter(self._entries))]
        return value

    def known(self, key: K) -> bool:
        """Whether `get` would answer without looking up."""
        with self._lock:
            entry = self._entries.get(key)
        return entry is not None and self._seconds() < entry[0]

    def forget(self, key: K) -> None:
        """Ask anew next time."""
        with self._lock:
            self._entries.pop(key, None)

    def __len__(self) -> int:
        return len(self._entries)
