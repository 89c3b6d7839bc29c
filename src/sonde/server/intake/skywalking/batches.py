"""Gathers what many streams bring into few requests to the spool: a stream that never ends is stored all the same.

Whatever is kept here is a repeated field 1 of what the spool takes: SegmentCollection.segments, and
Export…ServiceRequest.resource_… of metrics and logs, whose messages have the same field numbers down to the record
(resource 1, scopes 2, records 2). So joining messages is joining bytes, and a resource is written once a batch.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sonde.server.spool.spool import SpoolRefusedError
from sonde.wire import protobuf

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from sonde.server.intake.hints import Hints
    from sonde.server.intake.skywalking.counters import SkywalkingCounters
    from sonde.server.spool.entry import Signal
    from sonde.server.spool.spool import Spool, Submission

FLUSH_AFTER_S = 0.3
BATCH_BYTES = 1 << 20
BATCH_ITEMS = 10_000
HELD_BYTES = 64 << 20
"""Of all batches that are not on the disk yet; whoever brings more waits, and so does its sender."""
SCOPE = protobuf.message(1, protobuf.text(1, "sonde.skywalking"))
"""The scope of every record: who translated it."""


@dataclass(eq=False, slots=True)
class _Batch:
    done: asyncio.Future[str]
    """The reason why it was dropped; empty: it is on the disk."""
    pieces: list[bytes] = field(default_factory=list)
    records: dict[bytes, list[bytes]] = field(default_factory=dict)
    """By resource."""
    size: int = 0
    items: int = 0
    timer: asyncio.TimerHandle | None = None

    def body(self) -> bytes:
        """What the spool takes."""
        for resource, records in self.records.items():
            scopes = protobuf.message(2, SCOPE + b"".join(records)) if any(records) else b""
            self.pieces.append(protobuf.message(1, protobuf.message(1, resource) + scopes))
        return self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)


class Batches:
    """Used from one event loop; `threads` do what takes long."""

    def __init__(self, spool: Spool, threads: Executor, counters: SkywalkingCounters, hints: Hints) -> None:
        self._spool = spool
        self._threads = threads
        self._counters = counters
        self._hints = hints
        self._open: dict[tuple[Signal, str], _Batch] = {}
        self._under_way: set[asyncio.Task[None]] = set()
        self._held = 0
        self._let_go = asyncio.Event()

    async def add(self, signal: Signal, app: str, fields: bytes, items: int) -> asyncio.Future[str]:
        """Fields 1 more. The future is done when they are stored or dropped: why, or an empty text.

        Waits while too much is held.
        """
        await self._room()
        batch = self._batch(signal, app)
        batch.pieces.append(fields)
        return self._added(signal, app, batch, len(fields), items)

    async def add_records(
        self, signal: Signal, app: str, resource: bytes, records: bytes, items: int
    ) -> asyncio.Future[str]:
        """The same for records of one resource, fields 2 of a scope. None of them: the resource alone is stored."""
        await self._room()
        batch = self._batch(signal, app)
        of_resource = batch.records.get(resource)
        size = len(records)
        if of_resource is None:
            of_resource = batch.records[resource] = []
            size += len(resource)
        of_resource.append(records)
        return self._added(signal, app, batch, size, items)

    async def _room(self) -> None:
        while self._held >= HELD_BYTES:
            self._let_go.clear()
            await self._let_go.wait()

    def _batch(self, signal: Signal, app: str) -> _Batch:
        batch = self._open.get((signal, app))
        if batch is None:
            loop = asyncio.get_running_loop()
            batch = self._open[signal, app] = _Batch(loop.create_future())
            batch.timer = loop.call_later(FLUSH_AFTER_S, self._flush, signal, app)
        return batch

    def _added(self, signal: Signal, app: str, batch: _Batch, size: int, items: int) -> asyncio.Future[str]:
        self._held += size
        batch.size += size
        batch.items += items
        if batch.size >= BATCH_BYTES or batch.items >= BATCH_ITEMS:
            self._flush(signal, app)
        return batch.done

    async def close(self) -> None:
        """Store what is held."""
        for signal, app in list(self._open):
            self._flush(signal, app)
        while self._under_way:
            await asyncio.wait(self._under_way)

    def _flush(self, signal: Signal, app: str) -> None:
        batch = self._open.pop((signal, app))
        if batch.timer is not None:
            batch.timer.cancel()
        storing = asyncio.ensure_future(self._store(signal, app, batch))
        self._under_way.add(storing)
        storing.add_done_callback(self._under_way.discard)

    async def _store(self, signal: Signal, app: str, batch: _Batch) -> None:
        loop = asyncio.get_running_loop()
        reason = "error"
        try:
            submission = await loop.run_in_executor(self._threads, self._submit, signal, app, batch)
            await asyncio.wrap_future(submission.synced)
            self._counters.items[signal] += 0 if submission.duplicate else batch.items
            reason = ""
        except SpoolRefusedError as refusal:
            # Theirs would throw away more than this if they heard of it, and none of them sends anything twice.
            reason = refusal.reason
            self._counters.dropped[signal, reason] += batch.items
            text = f"{batch.items} {signal} of SkyWalking's agents were dropped: {refusal}"
            self._hints.note(
                "skywalking",
                reason,
                "this server",
                text,
                app,
                code="dropped",
                items=batch.items,
                signal=signal,
                said=refusal,
            )
        finally:
            # Whatever happened: nobody may wait for this for ever.
            self._held -= batch.size
            self._let_go.set()
            if not batch.done.done():
                batch.done.set_result(reason)

    def _submit(self, signal: Signal, app: str, batch: _Batch) -> Submission:
        return self._spool.store(signal, app, batch.body(), max(batch.items, 1))
