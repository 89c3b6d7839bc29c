"""What is running now, and who ends it: a client that has gone, a KILL, the end of the process.

A reader whose client has gone is killed; a writer is not, as on a server: a killed INSERT … SELECT leaves the blocks
it has finished, and whoever sent it may never know.
"""

from __future__ import annotations

import os
import secrets
import select
from contextlib import contextmanager
from dataclasses import dataclass, field
from logging import getLogger
from threading import Condition, Thread
from typing import TYPE_CHECKING

from sonde.server.store.engine import MARK_BYTES
from sonde.server.store.errors import StoreError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

log = getLogger(__name__)

_ASK_AGAIN_S = 0.05
_GONE = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR


@dataclass(slots=True, eq=False)
class Live:
    """A statement from the moment it is understood until its last byte is sent."""

    query_id: str
    """As the client knows it; the engine makes ids of its own."""
    user: str
    reads: bool
    mark: str = field(default_factory=lambda: secrets.token_hex(MARK_BYTES))
    """What the engine's copy of the statement begins with: how it is found to be killed."""
    doomed: bool = False
    over: bool = False
    """All that is left is to send what there is: a client that hangs up now has got its answer."""

    def check(self) -> None:
        """Raises StoreError if it is to end before it has begun."""
        if self.doomed:
            raise StoreError(394, "QUERY_WAS_CANCELLED", "Query was cancelled")


class Running:
    """All live statements. Its thread sleeps until a client hangs up or a reader has to go. Thread-safe."""

    def __init__(self, kill: Callable[[str], None], on_hang_up: Callable[[], None]) -> None:
        """`kill` asks the engine to end what runs under a mark."""
        self._kill = kill
        self._on_hang_up = on_hang_up
        self._changed = Condition()
        self._live: dict[Live, int] = {}
        self._by_descriptor: dict[int, Live] = {}
        self._poll = select.epoll()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._poll.register(self._wake, select.EPOLLIN)
        self._closed = False
        self._stopping = False
        self._thread = Thread(target=self._watch, name="hang-ups", daemon=True)
        self._thread.start()

    @contextmanager
    def watched(self, live: Live, peer: socket.socket) -> Iterator[None]:
        """`live` is known, and killed if it reads and `peer` hangs up, while the block runs."""
        descriptor = peer.fileno()
        with self._changed:
            self._live[live] = descriptor
            if live.reads:
                self._by_descriptor[descriptor] = live
                self._poll.register(descriptor, _GONE | select.EPOLLONESHOT)
                if self._stopping:
                    self._doom(live)
        try:
            yield
        finally:
            with self._changed:
                del self._live[live]
                if live.reads:
                    del self._by_descriptor[descriptor]
                    self._poll.unregister(descriptor)
                self._changed.notify_all()

    def marks(self) -> dict[str, str]:
        """Marks of what runs, by the client's query id."""
        with self._changed:
            return {live.query_id: live.mark for live in self._live}

    def counts(self) -> tuple[int, int]:
        """How many readers and writers run."""
        with self._changed:
            readers = sum(live.reads for live in self._live)
            return readers, len(self._live) - readers

    def end_readers(self) -> None:
        """Kill those that run and those still to come."""
        with self._changed:
            self._stopping = True
            for live in self._live:
                if live.reads:
                    self._doom(live)

    def wait_until_idle(self, timeout_s: float) -> bool:
        """Nothing runs any more."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._live, timeout_s)

    def close(self) -> None:
        """The thread ends."""
        with self._changed:
            self._closed = True
        os.eventfd_write(self._wake, 1)
        self._thread.join()
        self._poll.close()
        os.close(self._wake)

    def _doom(self, live: Live) -> None:
        live.doomed = True
        os.eventfd_write(self._wake, 1)

    def _watch(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                doomed = [live.mark for live in self._live if live.doomed]
            # asked again and again: between being doomed and being known to the engine, KILL finds nothing
            for mark in doomed:
                try:
                    self._kill(mark)
                except StoreError as error:
                    log.warning("a statement could not be killed, will try again: %s", error)
            for descriptor, _ in self._poll.poll(_ASK_AGAIN_S if doomed else None):
                if descriptor == self._wake:
                    os.eventfd_read(self._wake)
                else:
                    self._hung_up(descriptor)

    def _hung_up(self, descriptor: int) -> None:
        with self._changed:
            live = self._by_descriptor.get(descriptor)
            if live is not None and not live.over and not live.doomed:
                live.doomed = True
                self._on_hang_up()
