"""Requests to the API are small: a body that is not is refused before it takes memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY_BYTES = 64 << 10


class BodyLimit:
    """Raises HTTPException 413 in whoever reads a body over MAX_BODY_BYTES, announced or not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        length = next((value for name, value in scope.get("headers", ()) if name == b"content-length"), b"0")
        announced = int(length) if length.isdigit() else 0
        received = 0

        async def receive_a_little() -> Message:
            nonlocal received
            if announced > MAX_BODY_BYTES:
                raise HTTPException(413)
            message = await receive()
            received += len(message.get("body", b""))
            if received > MAX_BODY_BYTES:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_a_little, send)
