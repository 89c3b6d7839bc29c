"""The first look at a request: OTLP goes to the intake, on every port; on the main one agents' WebSockets go to the
control channel, and the rest to the API. On the ports of other protocols the rest goes to theirs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.websockets import WebSocket

from sonde.server.api.failures import RETRY_AFTER_S, error_response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import ASGIApp, Receive, Scope, Send

    from sonde.server.app_tokens import AppTokens

OTLP_PREFIX = "/v1/"


class Front:
    """An ASGI app over others. `otlp_port` is the port that speaks OTLP alone, None without one; `protocols` are the
    ports that speak another protocol beside it.
    """

    def __init__(
        self,
        application: ASGIApp,
        intake: ASGIApp,
        channel: ASGIApp,
        tokens: AppTokens,
        otlp_port: int | None,
        protocols: Mapping[int, ASGIApp],
    ) -> None:
        self._application = application
        self._intake = intake
        self._channel = channel
        self._tokens = tokens
        self._otlp_port = otlp_port
        self._protocols = protocols

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] not in {"http", "websocket"}:
            raise RuntimeError(f"only HTTP is spoken here, not {scope['type']}")
        port = scope["server"][1]
        only_otlp = self._otlp_port is not None and port == self._otlp_port
        if scope["type"] == "websocket":
            await self._open_channel(scope, receive, send, known=not only_otlp and port not in self._protocols)
        elif not only_otlp and not scope["path"].startswith(OTLP_PREFIX):
            await self._protocols.get(port, self._application)(scope, receive, send)
        elif await self._know_the_sender(scope):
            await self._intake(scope, receive, send)
        else:
            away = error_response(503, "unavailable", "tokens cannot be checked", {"Retry-After": str(RETRY_AFTER_S)})
            await away(scope, receive, send)

    async def _open_channel(self, scope: Scope, receive: Receive, send: Send, *, known: bool) -> None:
        socket = WebSocket(scope, receive, send)
        if not known:
            await socket.send_denial_response(error_response(404, "not_found", "there is nothing at this address"))
        elif await self._know_the_sender(scope):
            await self._channel(scope, receive, send)
        else:
            await socket.send_denial_response(error_response(503, "unavailable", "tokens cannot be checked"))

    async def _know_the_sender(self, scope: Scope) -> bool:
        authorization = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        return await self._tokens.look_up(authorization.decode("latin-1"))
