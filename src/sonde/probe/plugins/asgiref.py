"""asgiref: a WSGI application below its WsgiToAsgi has the request's one span, with its own route. Makes no spans of
its own. What is recorded and what never is: see `asgi`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.wsgi import in_the_place_of

if TYPE_CHECKING:
    from collections.abc import Callable


def convert(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """It warns of a `send` that is no coroutine function; the one that tells us of the answer is none."""

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> Any:
        async def sending(message: Any) -> None:
            await send(message)

        return await wrapped(self, scope, receive, sending)

    return call


PLUGIN = Plugin(
    library="asgiref",
    supports=">=3.4,<4",
    points={
        "asgiref.wsgi:WsgiToAsgiInstance.__call__": convert,
        "asgiref.wsgi:WsgiToAsgiInstance.build_environ": in_the_place_of(1),
    },
)
