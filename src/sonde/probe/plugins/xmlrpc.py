"""xmlrpc.client and xmlrpc.server: one client span per call, one server span per request to a server of the standard
library. The HTTP request of a call has no span of its own; it carries the headers that continue the trace.

Records the method, of the server only where it has one of that name, the server's address and port, exceptions of
functions served with their stack. Never records arguments, results or the text of a fault.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.remote_calls import calling, client, dispatched, request, serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Span


def _call(proxy: Any, methodname: str, *_args: Any) -> Span:
    return client(proxy, "xmlrpc", methodname)


def _do_post(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    return serving("xmlrpc", wrapped)


def _dispatch(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Its exceptions are answered as faults."""

    def call(self: Any, method: Any, params: Any) -> Any:
        span = request.get()
        if span is None:
            return wrapped(self, method, params)
        request.set(None)  # what `system.multicall` calls in turn is not the request
        try:
            answer = wrapped(self, method, params)
        except BaseException as error:
            dispatched(span, method, known=method in self.funcs, error=error)
            raise
        dispatched(span, method, known=True, error=None)
        return answer

    return call


PLUGIN = Plugin(
    library="python",
    supports=">=3.11",
    points={
        "xmlrpc.client:ServerProxy._ServerProxy__request": calling(_call),
        "xmlrpc.server:SimpleXMLRPCRequestHandler.do_POST": _do_post,
        "xmlrpc.server:SimpleXMLRPCDispatcher._dispatch": _dispatch,
    },
)
