"""Appends and syncs the requests of one signal: whatever waits when the disk is free goes in with one sync."""

from __future__ import annotations

import threading
import time
from collections import deque
from dataclasses import dataclass
from logging import getLogger
from typing import TYPE_CHECKING

from sonde.server.spool.names import OPEN_SUFFIX
from sonde.server.spool.open_file import OpenFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sonde.server.spool.entry import Entry
    from sonde.server.spool.limits import SpoolLimits

log = getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClosedFile:
    """A file that nobody writes any more."""

    path: Path
    size: int
    entries: int
    items: int


@dataclass(slots=True)
class Waiting:
    """An entry on its way to the disk. `written` is called once, from the writer's thread, with the error or None."""

    entry: Entry
    head: bytes
    written: Callable[[OSError | None], None]

    @property
    def size(self) -> int:
        """Bytes in the file."""
        return len(self.head) + len(self.entry.body)


class Writer:
    """One thread, one file at a time. A file is closed when it is full, or old while the loader has nothing else to do.

    The second rule makes files, and so inserts, larger when the store is slow or away, and charts fresh otherwise.
    """

    def __init__(
        self,
        *,
        limits: SpoolLimits,
        new_path: Callable[[], Path],
        loader_is_busy: Callable[[], bool],
        on_closed: Callable[[ClosedFile], None],
        name: str,
    ) -> None:
        self._limits = limits
        self._new_path = new_path
        self._loader_is_busy = loader_is_busy
        self._on_closed = on_closed
        self._changed = threading.Condition()
        self._queue: deque[Waiting] = deque()
        self._queued_bytes = 0
        self._stopping = False
        self._file: OpenFile | None = None
        self._opened_at = 0.0
        self.failing: OSError | None = None
        """The last write's error; None after one that went well."""
        self.syncs = 0
        self._thread = threading.Thread(target=self._run, name=f"spool-{name}", daemon=True)
        self._thread.start()

    def put(self, waiting: Waiting) -> bool:
        """Queue an entry; False where too many bytes wait already."""
        with self._changed:
            full = self._queued_bytes and self._queued_bytes + waiting.size > self._limits.queue_max_bytes
            if full or self._stopping:
                return False
            self._queue.append(waiting)
            self._queued_bytes += waiting.size
            self._changed.notify()
        return True

    def loader_is_free(self) -> None:
        """The loader has nothing to do: an old file may be closed."""
        with self._changed:
            self._changed.notify()

    def oldest_s(self) -> float:
        """Age of the open file in seconds; 0 where there is none."""
        return time.monotonic() - self._opened_at if self._file else 0.0

    def stop(self) -> None:
        """Write what waits, close the file, end the thread."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        while True:
            group = self._next_group()
            if group:
                self._commit(group)
            if self._file and (self._stopping or self._is_due(self._file)):
                self._close_file(self._file)
            if not group and self._stopping:
                return

    def _next_group(self) -> list[Waiting]:
        """Entries that wait, as many as one file takes; none when the open file is due or it is time to stop."""
        with self._changed:
            while not self._queue and not self._stopping and not (self._file and self._is_due(self._file)):
                self._changed.wait(self._until_due())
            group: list[Waiting] = []
            room_bytes = self._limits.file_max_bytes - (self._file.size if self._file else 0)
            room_items = self._limits.file_max_items - (self._file.items if self._file else 0)
            while self._queue and (not group or (room_bytes > 0 and room_items > 0)):
                waiting = self._queue.popleft()
                self._queued_bytes -= waiting.size
                room_bytes -= waiting.size
                room_items -= waiting.entry.items
                group.append(waiting)
            return group

    def _until_due(self) -> float | None:
        if self._file is None or self._loader_is_busy():
            return None
        return max(self._opened_at + self._limits.file_max_age_s - time.monotonic(), 0.001)

    def _is_due(self, file: OpenFile) -> bool:
        if file.size >= self._limits.file_max_bytes or file.items >= self._limits.file_max_items:
            return True
        old = time.monotonic() - self._opened_at >= self._limits.file_max_age_s
        return old and not self._loader_is_busy()

    def _commit(self, group: list[Waiting]) -> None:
        error: OSError | None = None
        try:
            self._append(group)
        except OSError as failure:
            error = failure
            if self.failing is None:
                log.warning("spool: %s; refusing until the disk takes data again", failure)
        self.failing = error
        for waiting in group:
            waiting.written(error)

    def _append(self, group: list[Waiting]) -> None:
        file = self._file
        if file is not None:
            file.mend()
        else:
            file = OpenFile(self._new_path())
            self._file, self._opened_at = file, time.monotonic()
        try:
            file.append([part for waiting in group for part in (waiting.head, waiting.entry.body)])
        except OSError:
            self._set_aside(file)
            raise
        self.syncs += 1
        file.entries += len(group)
        file.items += sum(waiting.entry.items for waiting in group)

    def _set_aside(self, file: OpenFile) -> None:
        """After a failed write or sync nothing more goes into this file; what was synced before is loaded as ever."""
        try:
            file.mend()
        except OSError as error:
            # Kept, and mended before the next entry: an entry that was refused must not be found by the next start
            # once its sender has sent it again.
            log.warning("spool: %s cannot be cut back yet: %s", file.path.name, error)
            self._opened_at = time.monotonic()
        else:
            self._hand_over(file)

    def _close_file(self, file: OpenFile) -> None:
        if self._stopping and file.torn:
            file.close()  # as a crash would leave it: nothing of this signal was accepted since
            self._file = None
        else:
            self._set_aside(file)

    def _hand_over(self, file: OpenFile) -> None:
        file.close()
        self._file = None
        try:
            if file.size == 0:
                file.path.unlink()
                return
            closed = file.path.with_name(file.path.name.removesuffix(OPEN_SUFFIX))
            file.path.rename(closed)
        except OSError as error:
            log.warning("spool: %s cannot be closed: %s; found again at the next start", file.path.name, error)
            return
        self._on_closed(ClosedFile(closed, file.size, file.entries, file.items))
