"""waitress: every request it serves. What is recorded and what never is: see `wsgi`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.guard import fault
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.wsgi import entrance

if TYPE_CHECKING:
    from collections.abc import Callable


def server(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The server keeps its application, and what it puts around that for a proxy's headers, as `application`."""

    def call(self: Any, *args: Any, **kwargs: Any) -> None:
        wrapped(self, *args, **kwargs)
        try:
            # Environs carry a made-up name, and the path of a unix socket for a port.
            host, port = self.effective_host, self.effective_port
            self.application = entrance(self.application, (host, port) if port.isdigit() else ("", 0))
        except Exception:
            fault("waitress.server")

    return call


PLUGIN = Plugin(
    library="waitress",
    supports=">=2.1,<4",
    points={"waitress.server:BaseWSGIServer.__init__": server},
)
