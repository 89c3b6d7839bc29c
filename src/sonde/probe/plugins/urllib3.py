"""urllib3, and with it requests, botocore and everything else above it: one client span per request on a pool, waiting
for a connection and retries included, a redirect being a request of its own.

Records method, URL without user, query and fragment, status, the server's address and port. Never records headers or
bodies. The headers that continue the trace are added by `http_client`, on the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.plugins.http import METHODS, answered, client_span, origins
from sonde.probe.plugins.leaf import around
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from sonde.probe.core import Span


def _begin(
    pool: Any,
    method: str,
    url: str,
    _body: Any = None,
    _headers: Any = None,
    retries: Any = None,
    *_: Any,
    **_more: Any,
) -> Span | None:
    above = core.calling()
    # A retry is `urlopen` calling itself; it belongs to the request it retries. A body that makes requests of its own
    # while it is sent looks alike, but for the history.
    if above is not None and (above.operation.name not in METHODS or getattr(retries, "history", None)):
        return None
    return client_span(method, pool.scheme, pool.host, pool.port, url, core.scope)


_start = core.http_pool(origins, _begin) if core.NATIVE else _begin


PLUGIN = Plugin(
    library="urllib3",
    supports=">=1.26,<3",
    points={"urllib3.connectionpool:HTTPConnectionPool.urlopen": around(_start, answered)},
)
