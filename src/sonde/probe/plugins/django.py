"""Django: the route template as `http.route` and span name, exceptions of views, and the request itself where no known
server opened a span, through WSGI and ASGI. What is recorded and what never is: see `wsgi` and `asgi`.

Patterns of `re_path` are shown as templates, too: `^orders/(?P<pk>[0-9]+)/$` is `/orders/<pk>/`. A view that raises
`Http404`, `PermissionDenied` and the like has answered, not failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins import asgi, beside, wsgi
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.entry import KEY
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.route_pattern import template_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.plugins.entry import Entry


def wsgi_handler(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Outside of all middleware."""

    def call(self: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return wsgi.serve(wrapped.__get__(self), environ, start_response)

    return call


def asgi_handler(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Likewise."""

    async def call(self: Any, scope: Any, receive: Any, send: Any) -> Any:
        return await asgi.serve(wrapped.__get__(self), scope, receive, send)

    return call


def resolve_request(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The one place where both kinds of handlers ask for the view, after the middleware had its way with the path."""

    def call(self: Any, request: Any) -> Any:
        match = wrapped(self, request)
        try:
            entry = _entry(request)
            if entry is not None and match.route is not None:
                entry.routed(_templates[match.route])
        except Exception:
            fault("django.resolve_request")
        return match

    return call


def handle_uncaught_exception(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Django answers 500 itself: at the server's level the exception is never seen."""

    def call(request: Any, resolver: Any, exc_info: Any) -> Any:
        try:
            entry = _entry(request)
            if entry is not None and exc_info[1] is not None:
                entry.fail(exc_info[1])
        except Exception:
            fault("django.handle_uncaught_exception")
        return wrapped(request, resolver, exc_info)

    return call


def _entry(request: Any) -> Entry | None:
    """A request has the environ or the scope it was made of; one that a test made has neither."""
    facts = beside.kept(request, "environ") or beside.kept(request, "scope")
    return facts.get(KEY) if facts is not None else None


def _template(route: str) -> str:
    """Django's own route, with a slash in front; a regular expression becomes what it is meant to say."""
    if "(?P<" in route or route[:1] == "^" or route[-1:] == "$" or route[-2:] == r"\Z":
        route = template_of(route)
    return f"/{route}"


_templates: Learned[str, str] = Learned(_template, room=2048)


PLUGIN = Plugin(
    library="django",
    supports=">=3.2,<7",
    points={
        "django.core.handlers.wsgi:WSGIHandler.__call__": wsgi_handler,
        "django.core.handlers.asgi:ASGIHandler.__call__": asgi_handler,
        "django.core.handlers.base:BaseHandler.resolve_request": resolve_request,
        "django.core.handlers.exception:handle_uncaught_exception": handle_uncaught_exception,
    },
)
