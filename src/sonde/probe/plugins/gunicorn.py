"""gunicorn: every WSGI request its workers serve. What is recorded and what never is: see `wsgi`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.wsgi import entrance

if TYPE_CHECKING:
    from collections.abc import Callable

_WSGI_WORKERS = frozenset({"gunicorn.workers.sync", "gunicorn.workers.gthread", "gunicorn.workers.base_async"})
"""Modules of the classes that call `self.wsgi` as WSGI. Others (uvicorn's) keep an ASGI application there."""


def load_wsgi(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Runs in the worker, after the fork, whether the application was preloaded or not."""

    def call(self: Any) -> Any:
        answer = wrapped(self)
        try:
            if any(cls.__module__ in _WSGI_WORKERS for cls in type(self).__mro__):
                self.wsgi = entrance(self.wsgi)
        except Exception:
            fault("gunicorn.load_wsgi")
        return answer

    return call


PLUGIN = Plugin(
    library="gunicorn",
    supports=">=20,<28",
    points={"gunicorn.workers.base:Worker.load_wsgi": load_wsgi},
)
