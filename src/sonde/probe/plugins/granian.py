"""Granian: every request and WebSocket connection that it serves through ASGI or WSGI. Its own interface, RSGI, is not
seen. What is recorded and what never is: see `asgi` and `wsgi`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins import asgi, wsgi
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.plugins.plugin import Wrapper


def hands_over(entrance: Callable[[Any], Any]) -> Wrapper:
    """The function that gets the application in a worker, and gives what the Rust side calls for each request."""

    def wrapper(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        def call(callback: Any, *args: Any, **kwargs: Any) -> Any:
            try:
                callback = entrance(callback)
            except Exception:
                fault("granian.hands_over")
            return wrapped(callback, *args, **kwargs)

        return call

    return wrapper


_ASGI = hands_over(asgi.entrance)
_WSGI = hands_over(wsgi.entrance)
_NAMED = {
    f"granian.{module}:_{kind}_call_wrap": wrapper
    for module in ("server", "server.mp", "server.mt", "server.embed")
    for kind, wrapper in (("asgi", _ASGI), ("wsgi", _WSGI))
}
"""Under these names the modules of servers have imported them, before and after version 2.0."""

PLUGIN = Plugin(
    library="granian",
    supports=">=1.6,<3",
    points={"granian.asgi:_callback_wrapper": _ASGI, "granian.wsgi:_callback_wrapper": _WSGI, **_NAMED},
    optional=frozenset(_NAMED),
)
