"""Starlette: the route template as `http.route` and span name, and the request itself where no known server opened a
span. A WSGI application below its WSGIMiddleware has the request's one span, with its own route. What is recorded and
what never is: see `asgi`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins.asgi import serve
from sonde.probe.plugins.entry import KEY
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.websocket_messages import CONNECTION, Place
from sonde.probe.plugins.wsgi import in_the_place_of

if TYPE_CHECKING:
    from collections.abc import Callable


def application(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Outside of all middleware."""

    def call(self: Any, scope: Any, receive: Any, send: Any) -> Any:
        return serve(wrapped.__get__(self), scope, receive, send)

    return core.serving_asgi(wrapped, call) if core.NATIVE else call


def handle(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Called for the one route that was chosen, mounted or not."""

    def call(self: Any, scope: Any, receive: Any, send: Any) -> Any:
        routed(scope, self.path)
        return wrapped(self, scope, receive, send)

    return core.routing_scope(wrapped, call, fault) if core.NATIVE else call


def handle_websocket(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Likewise; messages carry the route, too."""

    def call(self: Any, scope: Any, receive: Any, send: Any) -> Any:
        routed(scope, self.path)
        try:
            connection = scope.get(CONNECTION)
            if connection is not None:
                connection.place = Place(_mounted_at(scope) + self.path)
        except Exception:
            fault("starlette.handle_websocket")
        return wrapped(self, scope, receive, send)

    return call


def routed(scope: Any, path: str) -> None:
    """Tell the request's entry its route: what is mounted in front of it, and its own template."""
    try:
        entry = scope.get(KEY)
        if entry is not None:
            entry.routed(_mounted_at(scope) + path)
    except Exception:
        fault("starlette.routed")


def _mounted_at(scope: Any) -> str:
    """The part of the path that mounts took, without the prefix a proxy cut off (the server's own `root_path`)."""
    outer = scope.get("app_root_path")
    root: str = scope.get("root_path", "")
    if outer is None or not root:
        return ""
    return root[len(outer) :]


PLUGIN = Plugin(
    library="starlette",
    supports=">=0.27,<2",
    points={
        "starlette.applications:Starlette.__call__": application,
        "starlette.routing:Route.handle": handle,
        "starlette.routing:WebSocketRoute.handle": handle_websocket,
        "starlette.middleware.wsgi:build_environ": in_the_place_of(0),
    },
)
