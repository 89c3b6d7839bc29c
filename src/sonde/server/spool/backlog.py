"""Closed files of one signal: those that wait for the loader, oldest first, and those that are stored, kept a while."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from sonde.server.spool.names import LOADED

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sonde.server.spool.limits import SpoolLimits
    from sonde.server.spool.writer import ClosedFile


class BacklogFile:
    """A closed file and how loading it went so far."""

    __slots__ = ("closed", "closed_at", "failures", "not_before")

    def __init__(self, closed: ClosedFile, closed_at: float) -> None:
        self.closed = closed
        self.closed_at = closed_at
        self.failures = 0
        """Times the store refused this file while it was there; 0 for one that nobody has tried in vain."""
        self.not_before = 0.0
        """When to try again, on the monotonic clock."""


class Backlog:
    """Handed from the writer to the loader. A file stays here until it is stored or rejected, also while tried."""

    def __init__(self, limits: SpoolLimits, on_free: Callable[[], None]) -> None:
        self._limits = limits
        self._on_free = on_free
        self._changed = threading.Condition()
        self._waiting: list[BacklogFile] = []
        self._loaded: deque[tuple[float, Path, int]] = deque()
        self._loaded_bytes = 0
        self._stopping = False
        self._store_fails = False

    def add(self, closed: ClosedFile, *, first: bool = False) -> None:
        """A file to load; `first`: before all others."""
        with self._changed:
            self._waiting.insert(0 if first else len(self._waiting), BacklogFile(closed, time.monotonic()))
            self._changed.notify()

    def add_loaded(self, path: Path, size: int) -> None:
        """A file that is stored; it is deleted `keep_s` from now."""
        with self._changed:
            self._loaded.append((time.monotonic(), path, size))
            self._loaded_bytes += size

    def next(self, timeout_s: float) -> BacklogFile | None:
        """The oldest file that may be tried; None after `timeout_s` without one, or when it is time to stop."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while not self._stopping:
                now = time.monotonic()
                for file in self._waiting:
                    if file.not_before <= now:
                        return file
                if now >= deadline:
                    return None
                self._changed.wait(min([deadline, *(file.not_before for file in self._waiting)]) - now)
            return None

    def stored(self, file: BacklogFile) -> None:
        """The store has it: keep it aside. Raises OSError where it cannot be moved; it may be tried again then."""
        self._store_fails = False
        kept = file.closed.path.parent / LOADED / file.closed.path.name
        file.closed.path.replace(kept)
        self.add_loaded(kept, file.closed.size)
        self.remove(file)

    def failed(self, file: BacklogFile, *, again_in_s: float, blame_file: bool) -> None:
        """Not stored; try again later. `blame_file` False: the store was away, no file could have been loaded."""
        with self._changed:
            self._store_fails = True
            file.failures += blame_file
            file.not_before = time.monotonic() + again_in_s

    def remove(self, file: BacklogFile) -> None:
        """Neither waiting nor tried any more."""
        with self._changed:
            self._waiting.remove(file)
            free = not self._is_busy()
        if free:
            self._on_free()

    def is_busy(self) -> bool:
        """Whether the loader has enough to do, so that a file had better grow. One bad file alone keeps nobody busy."""
        with self._changed:
            return self._is_busy()

    def _is_busy(self) -> bool:
        return any(self._store_fails or not file.failures for file in self._waiting)

    def prune(self, *, all_of_them: bool = False) -> None:
        """Delete loaded files that are old or too many. Raises OSError."""
        with self._changed:
            oldest_kept = time.monotonic() - self._limits.keep_s
            while self._loaded and (
                all_of_them or self._loaded[0][0] < oldest_kept or self._loaded_bytes > self._limits.loaded_max_bytes
            ):
                _, path, size = self._loaded.popleft()
                self._loaded_bytes -= size
                path.unlink(missing_ok=True)

    def oldest_s(self) -> float:
        """Seconds since the oldest waiting file was closed; 0 where none waits."""
        with self._changed:
            return max((time.monotonic() - file.closed_at for file in self._waiting), default=0.0)

    def behind_s(self) -> float:
        """Likewise, without files that the store has refused: those may wait for ever."""
        with self._changed:
            waiting = (file for file in self._waiting if not file.failures)
            return max((time.monotonic() - file.closed_at for file in waiting), default=0.0)

    def counts(self) -> tuple[int, int, int]:
        """Files waiting, those of them the store has refused, loaded ones kept."""
        with self._changed:
            return len(self._waiting), sum(file.failures > 0 for file in self._waiting), len(self._loaded)

    def stop(self) -> None:
        """Let `next` return."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
