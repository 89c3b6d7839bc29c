"""What JSON-RPC and XML-RPC over HTTP have in common: one client span a call, one server span a request."""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import beside
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.leaf import is_given_up
from sonde.probe.propagation import incoming
from sonde.probe.service import identity

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation, Span
    from sonde.probe.plugins.plugin import Wrapper

BATCH = "batch"
"""Name of several calls in one request."""


def _client_operation(key: tuple[str, str, str]) -> Operation:
    system, method, place = key
    host, colon, port = place.rpartition(":")
    constants: dict[str, object] = {"rpc.system": system, "rpc.method": method}
    if not colon or not port.isdigit():
        host, port = place, ""
    if host:
        constants["server.address"] = host.strip("[]")
    if port:
        constants["server.port"] = int(port)
    return core.operation(method, core.CLIENT, constants)


def _server_operation(key: tuple[str, str, int]) -> Operation:
    system, host, port = key
    identity.served_at(host, port)
    constants: dict[str, object] = {"rpc.system": system, "server.address": host, "server.port": port}
    return core.operation(system, core.SERVER, constants)


_calling: Learned[tuple[str, str, str], Operation] = Learned(_client_operation, room=1024)
_serving: Learned[tuple[str, str, int], Operation] = Learned(_server_operation, room=64)

request: ContextVar[Span | None] = ContextVar("sonde_remote_calls_request", default=None)
"""The span of the request that is being served, until its first call has given it a name."""


def client(proxy: Any, system: str, method: str) -> Span:
    """Of a call by a `ServerProxy`. Current: the HTTP client below adds the headers, and no span of its own.

    Not by `getattr`: a proxy has every attribute, they are methods of the server.
    """
    user_and_place = beside.kept(proxy, "_ServerProxy__host") or ""
    return core.scope(_calling[system, method, user_and_place.rpartition("@")[2]])


def refused(span: Span, error: BaseException, place: str) -> None:
    """Without the message, which is what the server says."""
    try:
        if is_given_up(error):
            span.set("sonde.cancelled", True)
        else:
            span.set("error.type", type(error).__qualname__)
            span.fail(None)
        span.finish()
    except Exception:
        fault(place)


def calling(start: Callable[..., Span | None]) -> Wrapper:
    """`around` with errors told without their message."""
    return lambda wrapped: core.around(wrapped, start, None, refused, fault)


def serving(system: str, do_post: Callable[..., Any]) -> Callable[..., Any]:
    """`do_POST` of a request handler under a server span."""

    def call(self: Any) -> Any:
        span = token = None
        try:
            address = self.server.server_address
            host, port = address[:2] if isinstance(address, tuple) else (str(address), 0)
            span = core.scope(_serving[system, host, port], None, incoming(self.headers.get))
            token = request.set(span)
        except Exception:
            fault("remote_calls.serving")
        try:
            answer = do_post(self)
        except BaseException as error:
            if span is not None:
                refused(span, error, "remote_calls.serving")
            raise
        finally:
            if token is not None:
                request.reset(token)
        if span is not None:
            span.finish()
        return answer

    return call


def dispatched(span: Span, method: object, *, known: bool, error: BaseException | None, code: object = None) -> None:
    """Tell the request's span of a call. A name that the server does not know is anybody's invention."""
    try:
        if known and isinstance(method, str):
            span.set("rpc.method", method)
            span.rename(method)
        if code is not None:
            span.set("rpc.jsonrpc.error_code", code)
            span.set("error.type", str(code))
            span.fail(None)
        elif error is not None:
            span.set("error.type", type(error).__qualname__)
            span.fail(error)
    except Exception:
        fault("remote_calls.dispatched")
