"""uvicorn: every request and WebSocket connection it serves, whatever the application; a last flush when it shuts
down. What is recorded and what never is: see `asgi`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins.asgi import entrance
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.wsgi import in_the_place_of

if TYPE_CHECKING:
    from collections.abc import Callable

_FLUSH_S = 0.5


def load(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The protocols take the application from `loaded_app`, which is ASGI 3 by then whatever it was before."""

    def call(self: Any) -> Any:
        answer = wrapped(self)
        try:
            self.loaded_app = entrance(self.loaded_app)
        except Exception:
            fault("uvicorn.load")
        return answer

    return call


def shutdown(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Afterwards uvicorn dies by the signal that ended it: Python's own exit, and our flush in it, never come."""

    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return await wrapped(self, *args, **kwargs)
        finally:
            try:
                core.flush(_FLUSH_S)
            except Exception:
                fault("uvicorn.shutdown")

    return call


PLUGIN = Plugin(
    library="uvicorn",
    supports=">=0.20,<1",
    points={
        "uvicorn.config:Config.load": load,
        "uvicorn.server:Server.shutdown": shutdown,
        "uvicorn.middleware.wsgi:build_environ": in_the_place_of(0),
    },
)
