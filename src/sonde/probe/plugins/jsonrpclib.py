"""jsonrpclib-pelix: one client span per call, notification or batch, one server span per request. The HTTP request of a
call has no span of its own; it carries the headers that continue the trace.

Records the method, of the server only where it has one of that name, the code of an error, the server's address and
port. A batch has the name of its first call on the server, and `batch` on the client. Never records arguments, results
or the text of an error. What the server does in its pool of notifications is not seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.plugins import beside
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.remote_calls import BATCH, calling, client, dispatched, request, serving

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Span

_UNKNOWN_METHOD = -32601


def _call(proxy: Any, methodname: str, *_args: Any, **_kwargs: Any) -> Span:
    return client(proxy, "jsonrpc", methodname)


def _batch(calls: Any) -> Span | None:
    if not beside.kept(calls, "_job_list"):
        return None
    return client(beside.kept(calls, "_server"), "jsonrpc", BATCH)


def _do_post(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    return serving("jsonrpc", wrapped)


def _dispatch(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Gives errors as Fault objects; exceptions, where a dispatcher of the user's own raises."""

    def call(self: Any, method: Any, params: Any, *more: Any, **kwargs: Any) -> Any:
        span = request.get()
        if span is None:
            return wrapped(self, method, params, *more, **kwargs)
        request.set(None)
        try:
            answer = wrapped(self, method, params, *more, **kwargs)
        except BaseException as error:
            dispatched(span, method, known=False, error=error)
            raise
        code = answer.faultCode if type(answer).__name__ == "Fault" else None
        dispatched(span, method, known=code != _UNKNOWN_METHOD, error=None, code=code)
        return answer

    return call


PLUGIN = Plugin(
    library="jsonrpclib-pelix",
    supports=">=0.4.3,<2",
    points={
        "jsonrpclib.jsonrpc:ServerProxy._request": calling(_call),
        "jsonrpclib.jsonrpc:ServerProxy._request_notify": calling(_call),
        "jsonrpclib.jsonrpc:MultiCall._request": calling(_batch),
        "jsonrpclib.jsonrpc:MultiCall.__call__": calling(_batch),
        "jsonrpclib.SimpleJSONRPCServer:SimpleJSONRPCRequestHandler.do_POST": _do_post,
        "jsonrpclib.SimpleJSONRPCServer:SimpleJSONRPCDispatcher._dispatch": _dispatch,
    },
)
