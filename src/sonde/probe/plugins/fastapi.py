"""FastAPI: route templates of included routers. The rest is Starlette's, see `starlette` and `asgi`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.starlette import routed

if TYPE_CHECKING:
    from collections.abc import Callable


_OUTER, _INNER = "fastapi", "effective_route_context"
"""Where that context stands in a scope."""


def handle(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Recent versions include a router by reference: the prefix stands in the request's context, not in the route.

    They call the application of that context themselves and not `Route.handle`, where other routes are told.
    """

    def call(self: Any, scope: Any, receive: Any, send: Any) -> Any:
        try:
            context = scope.get(_OUTER, {}).get(_INNER)
            if context is not None and context.original_route is self:
                routed(scope, context.path)
        except Exception:
            fault("fastapi.handle")
        return wrapped(self, scope, receive, send)

    return core.if_in_scope(wrapped, call, _OUTER, _INNER) if core.NATIVE else call


PLUGIN = Plugin(
    library="fastapi",
    supports=">=0.95,<1",
    points={"fastapi.routing:APIRoute.handle": handle},
    optional=frozenset({"fastapi.routing:APIRoute.handle"}),
)
