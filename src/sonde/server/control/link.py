"""What is said to one agent: in order, without anybody waiting for it; a heartbeat where there is nothing to say."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sonde.wire.control import encoded, moment

if TYPE_CHECKING:
    from starlette.websockets import WebSocket

    from sonde.wire.control import ServerMessage

MOST_WAITING = 512
OVERLOADED, GOING_AWAY = 1013, 1001


class Link:
    """A connection to an agent. Used from one event loop."""

    def __init__(self, socket: WebSocket, heartbeat_s: float) -> None:
        self._socket = socket
        self._heartbeat_s = heartbeat_s
        self._waiting: asyncio.Queue[ServerMessage] = asyncio.Queue(MOST_WAITING)
        self.broken = asyncio.Event()
        """Nothing more can be said; `reason` says why."""
        self.reason = ""

    def say(self, message: ServerMessage) -> None:
        """Send it after what waits. An agent that lets too much wait is given up: it comes back, and is told then."""
        try:
            self._waiting.put_nowait(message)
        except asyncio.QueueFull:
            self.give_up("it does not read what it is told")

    def give_up(self, reason: str) -> None:
        """End the connection."""
        self.reason = self.reason or reason
        self.broken.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            try:
                message = await asyncio.wait_for(self._waiting.get(), self._heartbeat_s)
            except TimeoutError:
                message = {"type": "heartbeat", "time": moment(datetime.now(UTC))}
            await self._socket.send_text(encoded(message))
