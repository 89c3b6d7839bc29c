"""Werkzeug's development server: every request it serves. What is recorded and what never is: see `wsgi`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.wsgi import entrance

if TYPE_CHECKING:
    from collections.abc import Callable


def server(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The server keeps its application as `app` and calls that for each request."""

    def call(self: Any, *args: Any, **kwargs: Any) -> None:
        wrapped(self, *args, **kwargs)
        try:
            self.app = entrance(self.app)
        except Exception:
            fault("werkzeug.server")

    return call


PLUGIN = Plugin(
    library="werkzeug",
    supports=">=2.2,<4",
    points={"werkzeug.serving:BaseWSGIServer.__init__": server},
)
