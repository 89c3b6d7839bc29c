"""Hypercorn: every request and WebSocket connection it serves, under asyncio, uvloop and trio, ASGI and WSGI; a last
flush when a worker shuts down. What is recorded and what never is: see `asgi` and `wsgi`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import asgi, wsgi
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.plugins.plugin import Wrapper

_FLUSH_S = 0.5


def wraps_application(entrance: Callable[[Any], Any]) -> Wrapper:
    """Hypercorn puts each application into a wrapper of its own, which calls it as `self.app`."""

    def wrapper(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> None:
            wrapped(self, *args, **kwargs)
            try:
                self.app = entrance(self.app)
            except Exception:
                fault("hypercorn.application")

        return call

    return wrapper


def worker_serve(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """When the first of several workers has ended, the others are killed, and Python's own exit never comes."""

    async def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return await wrapped(*args, **kwargs)
        finally:
            try:
                core.flush(_FLUSH_S)
            except Exception:
                fault("hypercorn.worker_serve")

    return call


PLUGIN = Plugin(
    library="hypercorn",
    supports=">=0.14,<1",
    points={
        "hypercorn.app_wrappers:ASGIWrapper.__init__": wraps_application(asgi.entrance),
        "hypercorn.app_wrappers:WSGIWrapper.__init__": wraps_application(wsgi.entrance),
        "hypercorn.asyncio.run:worker_serve": worker_serve,
        "hypercorn.trio.run:worker_serve": worker_serve,
    },
)
