"""What the web process does beside answering: bring the store's tables up to date, load the spool, learn which service
stands behind which address, make long slots of short ones, and drop what is too old. Does nothing while nothing comes
in.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from sonde.server.spool.entry import Signal
from sonde.server.store.errors import StoreError, StoreUnavailable
from sonde.server.store.intake_statements import STATEMENTS, settings_for
from sonde.server.store.loader import Loader
from sonde.server.store.migrate import migrate, server_version
from sonde.server.store.queries import long_slots
from sonde.server.store.queries.deploys import learn_runs
from sonde.server.store.queries.learning import learn_addresses, learn_peers
from sonde.server.store.retention import apply_retention

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sonde.server.spool.spool import Sample, Spool
    from sonde.server.store.client import StoreClient
    from sonde.server.store.loader import Loaded
    from sonde.settings import Settings

log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

LEARN_PAUSE_S = 5.0
"""Between two looks at new calls, while there are any."""
LEARN_ADDRESSES_PAUSE_S = 60.0
"""Where a service answers changes more slowly than who calls it, and reading it of spans costs more."""
LEARN_BACK = timedelta(minutes=2)
"""How far back a look goes: further than data is late."""
HEARD_OF_BACK = timedelta(minutes=10)
"""Which processes are noted: further back than a server is away that is being started anew."""
LONG_SLOTS_PAUSE_S = 60.0
"""Between two looks for long slots that are over, or were written to while they were made."""
LATE_PAUSE_S = 5.0
"""Between two looks for data that came late: they cost next to nothing."""
LATE_SHARE = 0.05
"""Of the time may go into long slots, where much comes late."""
RETENTION_PAUSE_S = 24 * 3600.0
_RETRY_S = 0.1
_RETRY_MAX_S = 5.0


class Upkeep:
    """`run` until cancelled, then `stop`. `migrated` is set when the store has its tables."""

    def __init__(self, store: StoreClient, spool: Spool, values: Settings) -> None:
        """`store`: as the user who may write."""
        self._store = store
        self._spool = spool
        self._values = values
        self._calls_loaded = threading.Event()
        self._spans_loaded = threading.Event()
        self._spans_loaded.set()  # before this start, perhaps
        self._loader: Loader | None = None
        self.migrated = asyncio.Event()
        self.on_spans: Callable[[], None] = lambda: None
        """Called from the loader's threads when spans were stored."""
        self.peer_learnings = 0
        self.retention_runs = 0

    async def run(self) -> None:
        """Tables first, for loading needs them; then everything else."""
        await self._insist("bring the store's tables up to date", lambda: migrate(self._store))
        self.migrated.set()
        settings: dict[str, object] = {}
        await self._insist(
            "ask the store's version", lambda: settings.update(settings_for(server_version(self._store)))
        )
        self._loader = Loader(self._spool, self._store, STATEMENTS, settings=settings, on_loaded=self._note_load)
        await asyncio.gather(self._keep_learning(), self._keep_making_long_slots(), self._keep_forgetting())

    def stop(self) -> None:
        """Finish the files that are being loaded. Blocks."""
        if self._loader is not None:
            self._loader.stop()

    def _note_load(self, loaded: Loaded) -> None:
        if loaded.signal in {Signal.TRACES, Signal.SEGMENTS}:  # the others know of no calls
            self._calls_loaded.set()
            self._spans_loaded.set()
            self.on_spans()

    async def _keep_learning(self) -> None:
        addresses_due = time.monotonic()
        while True:
            await asyncio.sleep(LEARN_PAUSE_S)
            if not self._calls_loaded.is_set():
                continue
            self._calls_loaded.clear()
            await self._insist("learn of calls", lambda: learn_peers(self._store, datetime.now(UTC) - LEARN_BACK))
            if time.monotonic() >= addresses_due:
                await self._insist(
                    "learn addresses", lambda: learn_addresses(self._store, datetime.now(UTC) - LEARN_BACK)
                )
                addresses_due = time.monotonic() + LEARN_ADDRESSES_PAUSE_S
            self.peer_learnings += 1
            await self._insist("note processes", lambda: learn_runs(self._store, datetime.now(UTC) - HEARD_OF_BACK))

    async def _keep_making_long_slots(self) -> None:
        due, took_s = 0.0, 0.0
        while True:
            if self._spans_loaded.is_set():
                began = time.monotonic()
                if began >= due:
                    self._spans_loaded.clear()
                    await self._insist("make long slots", lambda: long_slots.make(self._store))
                    took_s, due = time.monotonic() - began, began + LONG_SLOTS_PAUSE_S
                elif await self._insist("look for late data", lambda: long_slots.is_behind(self._store)):
                    due = began
                    continue
            await asyncio.sleep(max(LATE_PAUSE_S, took_s / LATE_SHARE))

    async def _keep_forgetting(self) -> None:
        while True:
            await self._insist("apply retention", lambda: apply_retention(self._store, self._values))
            self.retention_runs += 1
            await asyncio.sleep(RETENTION_PAUSE_S)

    async def _insist(self, what: str, work: Callable[[], _Answer]) -> _Answer:
        """Do it in a thread, again and again until it is done: the store may be starting, restarting or full."""
        pause_s = _RETRY_S
        while True:
            try:
                return await asyncio.to_thread(work)
            except StoreUnavailable as error:
                log.debug("cannot %s yet: %s", what, error)
            except StoreError as error:
                log.warning("cannot %s: %s; again in %.1f s", what, error, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _RETRY_MAX_S)

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        if self._loader is not None:
            yield from self._loader.samples()
        yield "sonde_peer_learnings_total", {}, self.peer_learnings
        yield "sonde_retention_runs_total", {}, self.retention_runs
