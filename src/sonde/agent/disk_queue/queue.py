"""The disk queue between receiving and forwarding: bounded, oldest out first, every loss counted with its reason.

A batch belongs to one token and one signal. It is closed when it has its full size, or when it has its full age *and*
somebody comes to take it: while the server is away batches therefore grow to full size, and hours of silence make a few
large files instead of thousands of small ones.

Order: oldest first. With a backlog (more than `BACKLOG` batches) every second one taken is the newest, so that after
an outage the live pages are right at once while the past fills in behind them.

Durability: a chunk is written to its file before `append` returns, without fsync. It survives the death of the agent
at any moment, not the loss of power.
"""

from __future__ import annotations

import bisect
import errno
import logging
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

from sonde.agent.disk_queue import batch_file, queue_folder
from sonde.agent.disk_queue.batch import OpenBatch
from sonde.agent.disk_queue.batch_file import Header

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from sonde.agent.counters import Counters
    from sonde.agent.disk_queue.batch import Batch
    from sonde.agent.signals import Signal

log = logging.getLogger(__name__)

BACKLOG = 4
MAX_OPEN = 64
"""Batches open at the same time, each a file descriptor. Tokens come from probes: their number is not ours to trust."""
MAX_WAITING = 4096
"""Batches that wait. Only tokens nobody accepts make so many: files of full size fill the quota long before."""
MAX_SPLITS = 5
MAX_SHARE = 8
"""A batch takes at most this part of the queue, so that dropping one is not dropping everything."""


class BatchQueue:
    """Thread-safe. `folder` has to be `queue_folder.claimed`."""

    def __init__(
        self,
        folder: Path,
        *,
        max_bytes: int,
        batch_max_bytes: int,
        batch_max_age_s: float,
        counters: Counters,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self._batch_max_bytes = min(batch_max_bytes, max_bytes // MAX_SHARE)
        self._batch_max_age_s = batch_max_age_s
        self._counters = counters
        self._clock = clock
        self._changed = threading.Condition()
        self._open: dict[tuple[str, Signal], OpenBatch] = {}
        self._waiting: list[Batch] = []  # in order of arrival
        self._bytes = 0  # on disk: open, waiting and taken
        self._sequence = 0
        self._newest_next = True
        self._woken = False

    # -- life ---------------------------------------------------------------------------------------------------------
    def __enter__(self) -> Self:
        self._waiting = list(queue_folder.left_batches(self._folder, self._counters))
        self._bytes = sum(batch.size_bytes for batch in self._waiting)
        self._sequence = max((batch.sequence for batch in self._waiting), default=0)
        self._make_room(0)
        return self

    def __exit__(self, *_: object) -> None:
        self.seal()

    def seal(self) -> None:
        """Close every open batch, whatever its age."""
        with self._changed:
            for key in list(self._open):
                self._close(key)

    @property
    def size_bytes(self) -> int:
        """Bytes on disk."""
        return self._bytes

    @property
    def batch_count(self) -> int:
        """Batches that are open or wait."""
        with self._changed:
            return len(self._open) + len(self._waiting)

    # -- in -----------------------------------------------------------------------------------------------------------
    def append(self, token: str, signal: Signal, payload: bytes) -> None:
        """Add a payload to the open batch of (token, signal). An empty token is the agent's own.

        What finds no room, be it in the quota or on the disk, is counted; so are the batches that made way for it.
        """
        header = Header(signal, token)
        need = len(payload) + batch_file.CHUNK_OVERHEAD_BYTES
        with self._changed:
            if not self._make_room(need + len(header.encoded())):
                self._count_drop(signal, 1, len(payload), "queue_full")
                return
            while True:
                try:
                    self._append(header, payload, need)
                except OSError as error:
                    full = error.errno in (errno.ENOSPC, errno.EDQUOT)
                    if full and self._drop_oldest("disk_full"):
                        continue
                    self._count_drop(signal, 1, len(payload), "disk_full" if full else "disk_error")
                    log.warning("the queue folder %s cannot be written: %s", self._folder, error.strerror)
                return

    def _append(self, header: Header, payload: bytes, need: int) -> None:
        key = header.token, header.signal
        grown = self._open.get(key)
        if grown and grown.batch.size_bytes + need > self._batch_max_bytes:
            self._close(key)
            grown = None
        if grown is None:
            if len(self._open) >= MAX_OPEN:
                self._close_oldest()
            grown = self._create(header)
            self._open[key] = grown
        self._grow(grown, payload)
        if grown.batch.size_bytes >= self._batch_max_bytes:
            self._close(key)

    def _create(self, header: Header) -> OpenBatch:
        self._sequence += 1
        made = OpenBatch(self._folder, self._sequence, header, self._clock())
        self._bytes += made.batch.size_bytes
        self._changed.notify_all()  # whoever waits now has a time to wait until
        return made

    def _grow(self, grown: OpenBatch, payload: bytes) -> None:
        before = grown.batch.size_bytes
        grown.append(payload)
        self._bytes += grown.batch.size_bytes - before

    def _discard(self, grown: OpenBatch) -> None:
        grown.discard()
        self._bytes -= grown.batch.size_bytes

    def _close(self, key: tuple[str, Signal]) -> None:
        grown = self._open.pop(key)
        if grown.batch.chunk_count:
            self._wait_in_order(grown.close())
        else:  # made, and then the disk was full
            self._discard(grown)

    def _close_oldest(self) -> None:
        if self._open:
            self._close(min(self._open, key=lambda key: self._open[key].batch.sequence))

    def _wait_in_order(self, batch: Batch) -> None:
        bisect.insort(self._waiting, batch, key=lambda waiting: waiting.sequence)
        self._changed.notify_all()

    # -- out ----------------------------------------------------------------------------------------------------------
    def take(self, timeout_s: float | None, held: Collection[str] = ()) -> Batch | None:
        """The next batch to send, of no token in `held`. None: nothing came in `timeout_s`, or `wake` was called.

        The batch stays on disk until it is given back by `remove`, `drop`, `split` or `put_back`.
        """
        with self._changed:
            deadline = None if timeout_s is None else self._clock() + timeout_s
            while (batch := self._pick(held)) is None:
                times = [
                    grown.opened_at + self._batch_max_age_s
                    for (token, _), grown in self._open.items()
                    if token not in held
                ]
                if deadline is not None:
                    times.append(deadline)
                pause_s = min(times) - self._clock() if times else None
                if self._woken or (deadline is not None and self._clock() >= deadline):
                    self._woken = False
                    return None
                self._changed.wait(pause_s)
            return batch

    def wake(self) -> None:
        """Let the `take` that waits, or the next one, return without a batch."""
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def _pick(self, held: Collection[str]) -> Batch | None:
        ready = [batch for batch in self._waiting if batch.header.token not in held]
        newest = len(ready) > BACKLOG and self._newest_next
        if (newest or not ready) and self._close_due(held):
            ready = [batch for batch in self._waiting if batch.header.token not in held]
        if not ready:
            return None
        self._newest_next = not newest
        batch = ready[-1 if newest else 0]
        self._waiting.remove(batch)
        return batch

    def _close_due(self, held: Collection[str]) -> bool:
        opened_before = self._clock() - self._batch_max_age_s
        due = [key for key, grown in self._open.items() if grown.opened_at <= opened_before and key[0] not in held]
        for key in due:
            self._close(key)
        return bool(due)

    # -- what became of a taken batch -------------------------------------------------------------------------------
    def remove(self, batch: Batch) -> None:
        """It was delivered."""
        with self._changed:
            self._unlink(batch)

    def drop(self, batch: Batch, reason: str) -> None:
        """It will never be delivered."""
        with self._changed:
            self._unlink(batch)
            self._count_drop(batch.header.signal, batch.chunk_count, batch.size_bytes, reason)

    def put_back(self, batch: Batch) -> None:
        """It may be delivered later."""
        with self._changed:
            self._wait_in_order(batch)

    def split(self, batch: Batch, reason: str) -> None:
        """It was refused as a whole: try its halves, so that one bad payload does not cost the others.

        A batch of one payload, or one split too often, is dropped for `reason`. Raises OSError or BatchFileError where
        the halves cannot be made; the batch is then still taken.
        """
        header = batch.header._replace(splits=batch.header.splits + 1)
        if batch.chunk_count <= 1 or header.splits > MAX_SPLITS:
            self.drop(batch, reason)
            return
        payloads = list(batch.chunks())
        middle = len(payloads) // 2
        with self._changed:
            for half in (payloads[:middle], payloads[middle:]):
                self._wait_in_order(self._written(header, half))
            self._unlink(batch)

    def _written(self, header: Header, payloads: list[bytes]) -> Batch:
        made = self._create(header)
        try:
            for payload in payloads:
                self._grow(made, payload)
        except OSError:
            self._discard(made)
            raise
        return made.close()

    # -- losses -------------------------------------------------------------------------------------------------------
    def _make_room(self, need: int) -> bool:
        if need > self._max_bytes:
            return False
        while self._bytes + need > self._max_bytes or len(self._waiting) >= MAX_WAITING:
            if not self._drop_oldest("queue_full"):
                return False
        return True

    def _drop_oldest(self, reason: str) -> bool:
        """False where there is none but the one that is being sent."""
        if not self._waiting:
            self._close_oldest()
        if not self._waiting:
            return False
        self.drop(self._waiting.pop(0), reason)
        return True

    def _unlink(self, batch: Batch) -> None:
        with suppress(FileNotFoundError):  # somebody cleared the folder: the aim is reached
            batch.path.unlink()
        self._bytes -= batch.size_bytes

    def _count_drop(self, signal: Signal, chunk_count: int, size_bytes: int, reason: str) -> None:
        self._counters.add("sonde.agent.frames.dropped", chunk_count, reason=reason, signal=signal.word)
        self._counters.add("sonde.agent.bytes.dropped", size_bytes, reason=reason, signal=signal.word)
        log.warning("%s dropped: %s", signal.word, reason)
