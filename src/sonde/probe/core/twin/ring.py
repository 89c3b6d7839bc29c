"""Finished spans on their way to the sender: one bounded queue per thread, one writer and one reader each.

The native side (native/sending/ring.c, native/sending/rings.c) is a ring of bytes. Here it is a deque of encoded
records, whose `append` and `popleft` cannot be torn, with the same budget in bytes: what was written less what was
taken.
"""

from __future__ import annotations

from collections import deque
from threading import local

from sonde.probe.core.twin.real import RLock

MAX_RINGS = 4096
"""Threads that record at the same time. The spans of further ones are dropped and counted."""


class Ring:
    """The finished spans of one thread. `put` is the owner's; `peek` and `discard` are the sender's."""

    __slots__ = ("_records", "_taken", "_written", "adoptable", "dropped_no_agent", "dropped_ring_full", "finished")

    FULL, OPEN, FILLS_UP = 0, 1, 2

    def __init__(self) -> None:
        self._records: deque[bytes] = deque()
        self._written = 0
        self._taken = 0
        self.adoptable = False
        """Its thread has ended: another one may own it, and inherits what is not sent yet."""
        self.finished = 0
        self.dropped_ring_full = 0
        self.dropped_no_agent = 0

    def put(self, record: bytes, room: int) -> int:
        """Append a record. FULL: it does not fit in `room`, and is not kept. FILLS_UP: the sender should hurry."""
        self.finished += 1
        written = self._written + len(record)
        used = written - self._taken
        if used > room:
            return self.FULL
        self._records.append(record)
        self._written = written
        return self.FILLS_UP if used * 2 > room else self.OPEN

    def peek(self, budget: int) -> list[bytes]:
        """The oldest records, as many as fit in `budget` bytes, but one at least. They stay."""
        records: list[bytes] = []
        for at in range(len(self._records)):
            record = self._records[at]
            budget -= len(record)
            if budget < 0 and records:
                break
            records.append(record)
        return records

    def discard(self, count: int) -> None:
        """Let go of the oldest `count` records."""
        for _ in range(count):
            self._taken += len(self._records.popleft())

    def __len__(self) -> int:
        return len(self._records)


class _Lease:
    """Lives as long as its thread: the interpreter clears a thread's locals when it ends."""

    __slots__ = ("ring",)

    def __init__(self, ring: Ring) -> None:
        self.ring = ring

    def __del__(self) -> None:
        self.ring.adoptable = True


class Rings:
    """The rings of all threads. `mine` is for those who record, `all` for the sender."""

    def __init__(self) -> None:
        self._thread = local()
        self._attaching = RLock()  # reentrant: a finalizer may record its thread's first span in here
        self.all: list[Ring] = []

    def mine(self) -> Ring | None:
        """The calling thread's ring; None where there can be none."""
        try:
            return self._thread.lease.ring  # type: ignore[no-any-return]
        except AttributeError:
            return self._attach()

    def _attach(self) -> Ring | None:
        with self._attaching:
            ring = next((ring for ring in self.all if ring.adoptable), None)
            if ring is None:
                if len(self.all) >= MAX_RINGS:
                    return None
                ring = Ring()
                self.all.append(ring)
            ring.adoptable = False
            self._thread.lease = _Lease(ring)
            return ring

    def empty(self) -> bool:
        """Whether there is nothing to send."""
        return not any(self.all)
