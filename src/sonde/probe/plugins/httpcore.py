"""httpcore, and with it httpx: one client span per request on a connection pool, sync and async, from asking the pool
for a connection to the answer's headers. A redirect is a request of its own.

Records method, URL without user, query and fragment, status, the server's address and port. Never records headers or
bodies. `traceparent` is added to httpcore's own list of headers, so httpx's request keeps what the user gave it; one
that the user has set is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.plugins.http import answered, client_span, origins
from sonde.probe.plugins.leaf import around, around_async
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from sonde.probe.core import Span


def _begin(_pool: Any, request: Any) -> Span:
    url = request.url
    host = str(url.host, "ascii", "replace")
    span = client_span(
        str(request.method, "ascii", "replace"),
        str(url.scheme, "ascii", "replace"),
        host,
        url.port,
        str(url.target, "ascii", "replace"),
    )
    span.into_pairs(request.headers, host)
    return span


_start = core.http_request(origins, _begin) if core.NATIVE else _begin


PLUGIN = Plugin(
    library="httpcore",
    supports=">=0.17,<2",
    points={
        "httpcore._sync.connection_pool:ConnectionPool.handle_request": around(_start, answered),
        "httpcore._async.connection_pool:AsyncConnectionPool.handle_async_request": around_async(_start, answered),
    },
)
