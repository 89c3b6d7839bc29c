"""Flask: the route template as `http.route` and span name, exceptions of views, and the request itself where no known
server opened a span. What is recorded and what never is: see `wsgi`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins.entry import KEY, Entry
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.wsgi import serve

if TYPE_CHECKING:
    from collections.abc import Callable


def application(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """`Flask.__call__`, not `wsgi_app`: middleware is put around the latter, and belongs to the request's time."""

    def call(self: Any, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        return serve(wrapped.__get__(self), environ, start_response)

    return core.serving_wsgi(wrapped, call) if core.NATIVE else call


def match_request(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Here the rule stands in the request, and no context-local has to be asked for it."""
    if core.NATIVE:
        return core.routing(wrapped, ("request", "url_rule", "rule"), ("request", "environ"), fault)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        answer = wrapped(self, *args, **kwargs)
        try:
            request = self.request
            rule = request.url_rule
            entry = request.environ.get(KEY)
            if rule is not None and entry is not None:
                entry.routed(rule.rule)
        except Exception:
            fault("flask.match_request")
        return answer

    return call


def handle_exception(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Flask answers 500 itself: at the server's level the exception is never seen."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            error = next((value for value in args if isinstance(value, BaseException)), None)
            entry = _entry()
            if error is not None and entry is not None:
                entry.fail(error)
        except Exception:
            fault("flask.handle_exception")
        return wrapped(self, *args, **kwargs)

    return call


def _entry() -> Entry | None:
    from flask import has_request_context, request

    return request.environ.get(KEY) if has_request_context() else None


PLUGIN = Plugin(
    library="flask",
    supports=">=2.2,<3.2",
    points={
        "flask.app:Flask.__call__": application,
        "flask.app:Flask.handle_exception": handle_exception,
        "flask.ctx:RequestContext.match_request": match_request,
    },
)
