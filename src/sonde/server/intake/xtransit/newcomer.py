"""A WebSocket whose sender has shown nothing yet: what it may send, and how many of them there may be.

Who has no secret of an app can still connect, and fill a buffer. So a newcomer may send a little, and what goes beyond
it comes out of one purse for all newcomers. A small limit alone would be too small: after an outage an agent may send
what has waited before its heartbeat, a lock file among it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode

if TYPE_CHECKING:
    import asyncio
    from collections import Counter

OWN_BYTES = 64 << 10
"""Of each newcomer."""
PURSE_BYTES = 32 << 20
"""Of all newcomers together, beyond their own."""
MOST_NEWCOMERS = 1024
"""With one more, the one that has been silent for longest is ended."""


class Newcomers:
    """Those of one port. Used from its event loop."""

    def __init__(self, purse_bytes: int = PURSE_BYTES, most: int = MOST_NEWCOMERS) -> None:
        self._purse_bytes = purse_bytes
        self._most = most
        self._connections: dict[Connection, None] = {}
        self._taken = 0

    def __len__(self) -> int:
        return len(self._connections)

    def add(self, connection: Connection) -> Connection | None:
        """One more; and the one that has to make room for it, where there are too many.

        It is the one that came first: an agent says who it is at once.
        """
        self._connections[connection] = None
        return next(iter(self._connections)) if len(self._connections) > self._most else None

    def take(self, size: int) -> bool:
        """Whether there is so much left in the purse; then it is taken."""
        if self._taken + size > self._purse_bytes:
            return False
        self._taken += size
        return True

    def remove(self, connection: Connection, taken: int) -> None:
        """It is none any more, and gives back what it has taken."""
        del self._connections[connection]
        self._taken -= taken


class Connection(ServerConnection):
    """Counts its bytes until `is_known`."""

    def __init__(self, newcomers: Newcomers, refused: Counter[str], *arguments: Any, **more: Any) -> None:
        """`refused`: connections that were ended, by reason."""
        super().__init__(*arguments, **more)
        self._newcomers: Newcomers | None = newcomers
        self._refused = refused
        self._received = self._taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Of asyncio's protocols."""
        super().connection_made(transport)
        if self._newcomers is not None and (first := self._newcomers.add(self)) is not None:
            self._refused["too_many_newcomers"] += 1
            first.is_known()
            first.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Of asyncio's protocols."""
        if self._newcomers is not None:
            self._received += len(data)
            more = max(0, self._received - OWN_BYTES) - self._taken
            if self._newcomers.take(more):
                self._taken += more
            else:
                self._refused["newcomer_too_large"] += 1
                self.is_known()
                self.protocol.fail(CloseCode.TRY_AGAIN_LATER, "say first who you are: send a heartbeat")
                super().data_received(b"")  # which sends that
                self.transport.close()  # whoever does not listen is not waited for
                return
        super().data_received(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Of asyncio's protocols."""
        self.is_known()
        super().connection_lost(exc)

    def is_known(self) -> None:
        """It has shown who it is, or is ended: it is no newcomer any more."""
        if self._newcomers is not None:
            self._newcomers.remove(self, self._taken)
            self._newcomers = None
