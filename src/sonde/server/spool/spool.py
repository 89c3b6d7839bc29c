"""The spool as intakes and the loader use it: what `store` has promised is on the disk, once, until the store has it.

A body is accepted at most once while it is remembered: a sender that repeats itself because our answer was lost gets
its 200 and nothing is written. Bodies in files are remembered across a kill -9, for the files are read at the start.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sonde.server.spool import names
from sonde.server.spool.backlog import Backlog
from sonde.server.spool.entry import APP_MAX, Entry, Signal, digest_of
from sonde.server.spool.open_file import sync_folder
from sonde.server.spool.recovery import current_boot, recover
from sonde.server.spool.seen import Seen
from sonde.server.spool.split import set_aside, split
from sonde.server.spool.writer import Waiting, Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sonde.server.spool.backlog import BacklogFile
    from sonde.server.spool.limits import SpoolLimits

Sample = tuple[str, dict[str, str], float]
"""One figure for /metrics: its name, its labels, its value."""


class SpoolRefusedError(Exception):
    """Not accepted, and nothing of it kept: the sender shall come again. `reason` is a word for a counter."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class SpoolInUseError(RuntimeError):
    """Another process works in this folder."""


@dataclass(frozen=True, slots=True)
class Submission:
    """`synced` is done when the body is on the disk; it raises SpoolRefusedError where that went wrong."""

    synced: Future[None]
    duplicate: bool


class Spool:
    """One folder, owned by one process. Thread-safe."""

    def __init__(
        self,
        folder: Path,
        limits: SpoolLimits,
        *,
        clock_ns: Callable[[], int] = time.time_ns,
        boot: Callable[[], str] = current_boot,
    ) -> None:
        """Takes what the last process left. Raises SpoolInUseError, OSError."""
        for needed in (folder, folder / names.LOADED, folder / names.REJECTED):
            needed.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._owner = _own(folder)
        self.folder = folder
        self._limits = limits
        self._clock_ns = clock_ns
        self._lock = threading.Lock()
        self._seen = Seen(limits.keep_s, limits.seen_max, time.monotonic)
        self._pending: dict[bytes, Future[None]] = {}
        self._held_bytes = 0
        self.cut_bytes = 0
        self._sequence = 0
        self._backlogs: dict[Signal, Backlog] = {}
        self._writers: dict[Signal, Writer] = {}
        for signal in Signal:
            self._backlogs[signal] = Backlog(limits, lambda signal=signal: self._writers[signal].loader_is_free())  # type: ignore[misc]
        self._recover(boot())
        for signal in Signal:
            self._writers[signal] = Writer(
                limits=limits,
                new_path=lambda signal=signal: self._new_path(signal),  # type: ignore[misc]
                loader_is_busy=self._backlogs[signal].is_busy,
                on_closed=self._backlogs[signal].add,
                name=signal,
            )

    def _recover(self, boot: str) -> None:
        found = recover(self.folder, remember_at_most=self._limits.seen_max // 2, boot=boot)
        sync_folder(self.folder)
        for digest in found.digests:
            self._seen.add(digest)
        for closed in found.waiting:
            self._backlogs[names.signal_of(closed.path.name)].add(closed)
            self._held_bytes += closed.size
        for closed in found.loaded:
            self._backlogs[names.signal_of(closed.path.name)].add_loaded(closed.path, closed.size)
        rejected = names.spool_files(self.folder / names.REJECTED)
        known = [closed.path for closed in (*found.waiting, *found.loaded)] + rejected
        self._sequence = max((names.sequence_of(path.name) or 0 for path in known), default=0)
        self.cut_bytes = found.cut_bytes

    def _new_path(self, signal: Signal) -> Path:
        with self._lock:
            self._sequence += 1
            return self.folder / (names.file_name(self._sequence, signal) + names.OPEN_SUFFIX)

    # -- for intakes --------------------------------------------------------------------------------------------------
    def store(self, signal: Signal, app: str, body: bytes, items: int) -> Submission:
        """Accept a complete Export…ServiceRequest or SegmentCollection of `app`.

        Raises SpoolRefusedError, at once or from `synced`.

        An equal body of the same app and signal that is on its way or remembered is a duplicate: it is promised again.
        """
        if len(app.encode()) > APP_MAX:
            raise ValueError(f"an app id of more than {APP_MAX} bytes: {app[:40]}…")
        entry = Entry(signal, app, self._clock_ns(), digest_of(signal, app, body), body, items)
        synced: Future[None] = Future()
        synced.set_running_or_notify_cancel()  # one that waits and goes away does not cancel it for the others
        waiting = Waiting(entry, entry.head(), lambda error: self._written(waiting, synced, error))
        with self._lock:
            if (on_its_way := self._pending.get(entry.digest)) is not None:
                return Submission(on_its_way, duplicate=True)
            if entry.digest in self._seen:
                synced.set_result(None)
                return Submission(synced, duplicate=True)
            self._refuse_when_full(waiting.size)
            if not self._writers[signal].put(waiting):
                raise SpoolRefusedError("busy", "too much waits for the disk")
            self._pending[entry.digest] = synced
            self._held_bytes += waiting.size
        return Submission(synced, duplicate=False)

    def _refuse_when_full(self, size: int) -> None:
        if self._held_bytes + size > self._limits.max_bytes:
            raise SpoolRefusedError("spool_full", "the store is behind and the spool is full")
        if self.disk_is_low():
            raise SpoolRefusedError("disk_low", "the disk of the spool is nearly full")

    def _written(self, waiting: Waiting, synced: Future[None], error: OSError | None) -> None:
        with self._lock:
            del self._pending[waiting.entry.digest]
            if error is None:
                self._seen.add(waiting.entry.digest)
            else:
                self._held_bytes -= waiting.size
        if error is None:
            synced.set_result(None)
        else:
            synced.set_exception(SpoolRefusedError("write_failed", f"the spool cannot be written: {error.strerror}"))

    def disk_is_low(self) -> bool:
        """Whether less is free than has to stay free."""
        disk = os.statvfs(self.folder)
        return disk.f_bavail * disk.f_frsize < self._limits.min_free_bytes

    # -- for the loader -----------------------------------------------------------------------------------------------
    def backlog(self, signal: Signal) -> Backlog:
        """Closed files of `signal`."""
        return self._backlogs[signal]

    def stored(self, signal: Signal, file: BacklogFile) -> None:
        """The store has `file`: it is kept a while and counts no more. Raises OSError; then it may be tried again."""
        self._backlogs[signal].stored(file)
        self._release(file.closed.size)

    def isolate(self, signal: Signal, file: BacklogFile) -> bool:
        """The store cannot read `file`: split it, to be tried again in halves, or set its only entry aside.

        True where it is set aside, in `rejected`. Nothing of the file may be in the store. Raises OSError.
        """
        backlog = self._backlogs[signal]
        halves = split(file.closed)
        if halves:
            file.closed.path.unlink()
        else:
            set_aside(file.closed, self._limits.rejected_max_bytes)
        for half in reversed(halves):
            backlog.add(half, first=True)
        backlog.remove(file)
        self._release(file.closed.size - sum(half.size for half in halves))
        return not halves

    def prune(self) -> None:
        """Delete loaded files that are old, or all of them where accepting needs the room. Raises OSError."""
        no_room = self.disk_is_low() or any(writer.failing for writer in self._writers.values())
        for backlog in self._backlogs.values():
            backlog.prune(all_of_them=no_room)

    def _release(self, size: int) -> None:
        with self._lock:
            self._held_bytes -= size

    # -- for /metrics -------------------------------------------------------------------------------------------------
    def samples(self) -> Iterator[Sample]:
        """Figures of the spool."""
        with self._lock:
            yield "sonde_spool_bytes", {}, self._held_bytes
            yield "sonde_spool_remembered_bodies", {}, len(self._seen)
        yield "sonde_spool_cut_bytes_total", {}, self.cut_bytes
        for signal in Signal:
            labels = {"signal": str(signal)}
            writer, backlog = self._writers[signal], self._backlogs[signal]
            waiting, refused, kept = backlog.counts()
            yield "sonde_spool_files", labels | {"state": "waiting"}, waiting
            yield "sonde_spool_files", labels | {"state": "refused_by_store"}, refused
            yield "sonde_spool_files", labels | {"state": "loaded"}, kept
            yield "sonde_spool_oldest_seconds", labels, max(backlog.oldest_s(), writer.oldest_s())
            yield "sonde_spool_syncs_total", labels, writer.syncs
            yield "sonde_spool_write_failing", labels, writer.failing is not None

    def behind_s(self) -> float:
        """For how long the oldest data that were accepted have waited to be loaded."""
        return max(backlog.behind_s() for backlog in self._backlogs.values())

    # -- its life -----------------------------------------------------------------------------------------------------
    def close(self) -> None:
        """Write what waits, close the files, let go of the folder. Stop the loader first."""
        for writer in self._writers.values():
            writer.stop()
        os.close(self._owner)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _own(folder: Path) -> int:
    """A lock that ends with the process, however it ends."""
    fd = os.open(folder / names.LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        raise SpoolInUseError(f"another process works in the spool {folder}") from None
    return fd
