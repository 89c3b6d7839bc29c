"""The live view for everybody at once: one reading a second for all viewers of the same apps, none while nobody looks.

A viewer asks for what is new when it has taken what was before. So nothing is queued for anybody: who is slow skips to
the newest state, and who does not read at all costs a connection and no memory that grows.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING

from sonde.server.insight.live_feed import Feed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
    from datetime import datetime

    from sonde.server.insight.live_filter import LiveFilter
    from sonde.server.insight.live_reading import Question, Reading
    from sonde.server.spool.spool import Sample

MOST_VIEWERS = 500
MOST_WATCHED = 50
"""Services of one set of apps that have charts of their own at the same time."""
LONGEST_PAUSE_S = 1.0
"""Between the starts of two readings,"""
SHORTEST_PAUSE_S = 0.5
"""or less, down to this, where something was stored in between: charts need not wait for the second to be over."""


class TooManyViewersError(Exception):
    """The message says of what."""


class CannotReadError(Exception):
    """A reading failed; it is tried again. `code` is for programs."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class _Shared:
    """A feed and its viewers."""

    def __init__(self, apps: tuple[str, ...] | None) -> None:
        self.feed = Feed(apps)
        self.viewers = 0
        self.stepped = asyncio.Event()
        """Set at the next step; then another takes its place."""
        self.wanted = asyncio.Event()
        """Something was stored, or somebody waits for a service that was not read."""
        self.task: asyncio.Task[None] | None = None

    def step(self) -> None:
        self.stepped.set()
        self.stepped = asyncio.Event()


class LiveHub:
    """Used from one event loop, but for `stored`, which may be called from any thread.

    `read` answers a question, and raises CannotReadError where that is not possible now.
    """

    def __init__(
        self,
        read: Callable[[Question], Awaitable[Reading]],
        now: Callable[[], datetime],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._now = now
        self._seconds = seconds
        self._shared: dict[tuple[str, ...] | None, _Shared] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self.viewers = 0
        self._readings: Counter[str] = Counter()
        self._reading_s = 0.0
        self._events = 0
        self._event_bytes = 0
        self._ended: Counter[str] = Counter()
        self._skipped = 0

    async def view(self, apps: tuple[str, ...] | None, wish: LiveFilter) -> AsyncGenerator[bytes]:
        """Server-sent events, from now until the hub closes. `apps`: as in every query; viewers of the same ones share.

        `check_room` says beforehand whether there is room.
        """
        shared = self._join(apps, wish)
        number: int | None = None
        try:
            while not self._closed:
                stepped = shared.stepped
                news = shared.feed.since(number, wish)
                number = news.number
                self._skipped += news.skipped
                for event in news.events:
                    self._events += 1
                    self._event_bytes += len(event)
                    yield event
                if number is None or number == shared.feed.number:
                    await stepped.wait()
        finally:
            self._leave(shared, wish)

    def check_room(self, apps: tuple[str, ...] | None, wish: LiveFilter) -> None:
        """Raises TooManyViewersError where one more would be too many."""
        if self._closed or self.viewers >= MOST_VIEWERS:
            raise TooManyViewersError(f"{MOST_VIEWERS} viewers look at the live view already")
        shared = self._shared.get(apps)
        watched = shared.feed.watched if shared else {}
        if wish.service is not None and wish.service not in watched and len(watched) >= MOST_WATCHED:
            raise TooManyViewersError(f"{MOST_WATCHED} services are being watched already")

    def ended(self, reason: str) -> None:
        """A stream has ended, and why: for the counter."""
        self._ended[reason] += 1

    def stored(self) -> None:
        """The store has new spans: worth a look before the second is over."""
        if self._loop is not None and not self._closed:
            self._loop.call_soon_threadsafe(self._want)

    def close(self) -> None:
        """End every view."""
        self._closed = True
        for shared in self._shared.values():
            shared.wanted.set()
            shared.step()

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        yield "sonde_live_viewers", {}, self.viewers
        yield "sonde_live_feeds", {}, len(self._shared)
        yield "sonde_live_events_total", {}, self._events
        yield "sonde_live_event_bytes_total", {}, self._event_bytes
        yield "sonde_live_skips_total", {}, self._skipped
        yield "sonde_live_reading_seconds_total", {}, self._reading_s
        for how, count in self._readings.items():
            yield "sonde_live_readings_total", {"result": how}, count
        for reason, count in self._ended.items():
            yield "sonde_live_streams_ended_total", {"reason": reason}, count

    # -- inside -------------------------------------------------------------------------------------------------------
    def _join(self, apps: tuple[str, ...] | None, wish: LiveFilter) -> _Shared:
        self._loop = asyncio.get_running_loop()
        shared = self._shared.setdefault(apps, _Shared(apps))
        shared.viewers += 1
        self.viewers += 1
        if wish.service is not None:
            watched = shared.feed.watched
            watched[wish.service] = watched.get(wish.service, 0) + 1
            shared.wanted.set()
        if shared.task is None:
            shared.task = asyncio.create_task(self._keep_reading(shared))
        return shared

    def _leave(self, shared: _Shared, wish: LiveFilter) -> None:
        shared.viewers -= 1
        self.viewers -= 1
        if wish.service is not None:
            watched = shared.feed.watched
            watched[wish.service] -= 1
            if not watched[wish.service]:
                del watched[wish.service]
        if not shared.viewers:
            self._shared.pop(shared.feed.apps, None)
            if shared.task is not None:
                shared.task.cancel()

    def _want(self) -> None:
        for shared in self._shared.values():
            shared.wanted.set()

    async def _keep_reading(self, shared: _Shared) -> None:
        while not self._closed:
            began = self._seconds()
            shared.wanted.clear()
            await self._read_once(shared)
            shared.step()
            await asyncio.sleep(max(SHORTEST_PAUSE_S - (self._seconds() - began), 0))
            with suppress(TimeoutError):
                async with asyncio.timeout(max(LONGEST_PAUSE_S - (self._seconds() - began), 0)):
                    await shared.wanted.wait()

    async def _read_once(self, shared: _Shared) -> None:
        began = self._seconds()
        question = shared.feed.question(self._now())
        try:
            reading = await self._read(question)
        except CannotReadError as error:
            self._readings[error.code] += 1
            shared.feed.fail(self._now(), error.code, str(error))
        else:
            self._readings["ok"] += 1
            shared.feed.take(question, reading)
        self._reading_s += self._seconds() - began
