"""Engine connections that are kept between requests, for clients that send a `session_id`.

What a request sets in its address is for that request alone, also inside a session; SET, USE and temporary tables stay.
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING

from sonde.server.store.engine import quoted_text
from sonde.server.store.errors import StoreError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sonde.server.store.engine import Link

DEFAULT_TIMEOUT_S = 60
MAX_TIMEOUT_S = 3600
_LOCK_PATIENCE_S = 2.0
"""A client sends its next request before this side has let go of the last one: wait a moment, then call it locked."""


@dataclass(slots=True)
class _Session:
    link: Link
    expires_at: float
    lock: Lock = field(default_factory=Lock)


class Sessions:
    """Kept connections by user and session id. At most `most`, the ones out of time go first. Thread-safe."""

    def __init__(self, *, most: int = 64, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._lock = Lock()
        self._sessions: dict[tuple[str, str], _Session] = {}

    def __len__(self) -> int:
        return len(self._sessions)

    @contextmanager
    def link(
        self, user: str, session_id: str, make: Callable[[], Link], *, timeout_s: int, must_exist: bool
    ) -> Iterator[Link]:
        """The session's connection for one request. `make` gives the connection of a new session.

        Raises StoreError 372 (must exist and does not) or 373 (busy), StoreUnavailable 202 (too many sessions).
        """
        key = (user, session_id)
        with self._lock:
            self._drop_expired()
            session = self._sessions.get(key)
            if session is None:
                if must_exist:
                    raise StoreError(372, "SESSION_NOT_FOUND", f"Session {session_id} not found")
                if len(self._sessions) >= self._most:
                    message = f"Too many sessions: {self._most} are open; let some end, or send no session_id"
                    raise StoreUnavailable(202, "TOO_MANY_SIMULTANEOUS_QUERIES", message, retry_after_s=timeout_s)
                session = self._sessions[key] = _Session(make(), 0)
            session.expires_at = self._clock() + timeout_s
        if not session.lock.acquire(timeout=_LOCK_PATIENCE_S):
            raise StoreError(373, "SESSION_IS_LOCKED", f"Session {session_id} is locked by a concurrent client")
        try:
            yield session.link
        finally:
            session.expires_at = self._clock() + timeout_s
            session.lock.release()

    def close(self) -> None:
        """All connections are closed, but for those that are still in use after a moment."""
        with self._lock:
            for session in self._sessions.values():
                if session.lock.acquire(timeout=_LOCK_PATIENCE_S):
                    session.link.close()
            self._sessions.clear()

    def _drop_expired(self) -> None:
        now = self._clock()
        for key, session in list(self._sessions.items()):
            if session.expires_at < now and session.lock.acquire(blocking=False):
                del self._sessions[key]
                session.link.close()


@contextmanager
def as_before(link: Link, settings: Iterable[str]) -> Iterator[None]:
    """After the block the named settings and the current database of a kept connection are what they were."""
    names = ", ".join(quoted_text(name) for name in settings)
    database = link.values("SELECT currentDatabase()")[0]
    former = f"SELECT name, value FROM system.settings WHERE name IN ({names})"  # noqa: S608 - quoted above
    kept = link.values(former) if names else []
    try:
        yield
    finally:
        link.use(database)
        for row in kept:
            name, _, value = row.partition("\t")
            link.set(f"{name} = {quoted_text(value)}")
