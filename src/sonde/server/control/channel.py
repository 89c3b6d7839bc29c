"""`GET /api/v1/control`: one agent's WebSocket, from the handshake to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, cast

from sqlalchemy.exc import DBAPIError
from starlette.responses import JSONResponse
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from sonde.server.api.failures import RefusedError
from sonde.server.control.link import GOING_AWAY, OVERLOADED, Link
from sonde.wire.control import (
    LOST_AFTER,
    PATH,
    PROTOCOL,
    MessageError,
    Piece,
    agent_message,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Receive, Scope, Send

    from sonde.server.control.control import Control
    from sonde.server.control.nodes import Agent
    from sonde.wire.control import Hello

log = logging.getLogger(__name__)

HELLO_WITHIN_S = 10.0
MOST_BAD = 50
"""Messages of one connection that cannot be understood."""
UNSUPPORTED, BROKEN = 1003, 1002
_REASON_CHARS = 100  # a close frame has room for 123 bytes


def channel(control: Control, app_of: Callable[[str], str | None]) -> ASGIApp:
    """The endpoint. `app_of` says at once which app a token belongs to."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        if scope["path"] != PATH:
            await _refuse(socket, 404, "not_found", "there is nothing at this address")
            return
        token = socket.headers.get("authorization", "").partition(" ")[2].strip()
        app = app_of(token)
        if app is None:
            await _refuse(socket, 401, "unauthenticated", "this needs an app's token in Authorization")
        elif not control.has_room():
            await _refuse(socket, 503, "unavailable", "too many agents are connected")
        else:
            await socket.accept()
            await _Conversation(control, app, socket).run()

    return serve


async def _refuse(socket: WebSocket, status: int, code: str, message: str) -> None:
    response = JSONResponse({"error": {"code": code, "message": message}}, status)
    await socket.send_denial_response(response)


class _Conversation:
    """With one agent."""

    def __init__(self, control: Control, app: str, socket: WebSocket) -> None:
        self._control = control
        self._app = app
        self._socket = socket
        self._link = Link(socket, control.heartbeat_s)
        self._bad = 0

    async def run(self) -> None:
        """Until one of both has enough."""
        writer = asyncio.create_task(self._link.run())
        reader = asyncio.create_task(self._read())
        broken = asyncio.create_task(self._link.broken.wait())
        code, reason = GOING_AWAY, ""
        try:
            await asyncio.wait({writer, reader, broken}, return_when=asyncio.FIRST_COMPLETED)
            code, reason = _verdict(reader, writer, self._link)
        finally:
            for task in (writer, reader, broken):
                task.cancel()
            await asyncio.gather(writer, reader, broken, return_exceptions=True)
            with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # it has gone already
                if self._socket.application_state is not WebSocketState.DISCONNECTED:
                    await self._socket.close(code, reason[:_REASON_CHARS])

    async def _read(self) -> None:
        first = await asyncio.wait_for(self._next(), HELLO_WITHIN_S)
        hello = cast("Hello", agent_message(first if isinstance(first, str) else ""))
        if hello["type"] != "hello":
            raise MessageError("the first message is not hello")
        if hello["protocol"] != PROTOCOL:
            raise MessageError(f"protocol {hello['protocol']}; this server speaks {PROTOCOL}")
        agent = await self._control.joined(self._app, hello, self._link)
        try:
            while True:
                await self._hear(agent)
        finally:
            self._control.left(agent, self._link)

    async def _hear(self, agent: Agent) -> None:
        data = await asyncio.wait_for(self._next(), self._control.heartbeat_s * LOST_AFTER)
        try:
            if isinstance(data, bytes):
                await self._control.piece(agent, Piece.parse(data))
            else:
                await self._control.heard(agent, agent_message(data))
        except MessageError as error:
            # Not the end of it: what an agent repeats until it is settled would end one connection after the other.
            self._control.bad_messages += 1
            self._bad += 1
            log.warning("an agent says what cannot be understood: %s", error)
            if self._bad > MOST_BAD:
                raise

    async def _next(self) -> str | bytes:
        """Raises WebSocketDisconnect."""
        message = await self._socket.receive()
        if message["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(message.get("code") or 1005)
        data: str | bytes | None = message.get("bytes")
        return message["text"] if data is None else data


def _verdict(reader: asyncio.Task[None], writer: asyncio.Task[None], link: Link) -> tuple[int, str]:
    """Code and words of the close; what was nobody's intention is logged."""
    if link.broken.is_set():
        log.info("an agent's connection is ended: %s", link.reason)
        return OVERLOADED, link.reason
    error = next((task.exception() for task in (reader, writer) if task.done() and not task.cancelled()), None)
    if isinstance(error, MessageError):
        log.warning("an agent says what cannot be understood: %s", error)
        return BROKEN, str(error)
    if isinstance(error, TimeoutError):
        return BROKEN, "nothing was heard for too long"
    if isinstance(error, DBAPIError | RefusedError):
        log.warning("an agent is sent away for now: %s", error)
        return OVERLOADED, "the server is busy; come again"
    if error is not None and not isinstance(error, WebSocketDisconnect | OSError):
        log.error("a conversation with an agent failed", exc_info=error)
    return GOING_AWAY, ""
