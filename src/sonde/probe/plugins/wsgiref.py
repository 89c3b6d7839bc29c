"""wsgiref, the standard library's server, Django's `runserver` included. What is recorded: see `wsgi`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.wsgi import entrance

if TYPE_CHECKING:
    from collections.abc import Callable


def run(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The one method through which each handler calls its application, once per request."""

    def call(self: Any, application: Any) -> Any:
        try:
            application = entrance(application)
        except Exception:
            fault("wsgiref.run")
        return wrapped(self, application)

    return call


PLUGIN = Plugin(library="python", supports=">=3.11", points={"wsgiref.handlers:BaseHandler.run": run})
