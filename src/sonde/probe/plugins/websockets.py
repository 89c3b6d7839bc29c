"""websockets: of its asyncio implementation, one server span per connection that a handler serves, one client span per
connection made, until it ends, and a span per message.

Records path, scheme, the server's address and port, exceptions of handlers with their stack; of clients the URL
without user, query and fragment; what is recorded of messages: see `websocket_messages`. Never records the query
string, headers, the content of messages, the client's address. A message that is sent in fragments is counted and has
no span, nor has one that is received so. The legacy, threading and trio implementations are not seen.
"""

from __future__ import annotations

from inspect import signature
from typing import TYPE_CHECKING, Any

from sonde.probe import propagation
from sonde.probe.guard import fault
from sonde.probe.plugins import beside
from sonde.probe.plugins.entry import Entry
from sonde.probe.plugins.leaf import failed
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.points import PointError
from sonde.probe.plugins.websocket_messages import KEPT, Connection, Place, buffer_of, client_connection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sonde.probe.core import Span

_WENT_WRONG = 1011


def serve(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """From version 17 on, the function through which all ways to serve go. The first argument is the handler."""
    if isinstance(wrapped, type):
        raise PointError("a class; its handler is the server's")
    return _takes_handler(wrapped, 0)


def server(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Before version 17, the server has the handler itself."""
    if "create_server" in signature(wrapped).parameters:
        raise PointError("its handler is the library's, and does the handshake")
    return _takes_handler(wrapped, 1)


def _takes_handler(wrapped: Callable[..., Any], position: int) -> Callable[..., Any]:
    def call(*args: Any, **kwargs: Any) -> Any:
        plain = (args, kwargs)
        try:
            if len(args) > position:
                args = (*args[:position], _watched(args[position]), *args[position + 1 :])
            elif "handler" in kwargs:
                kwargs = {**kwargs, "handler": _watched(kwargs["handler"])}
        except Exception:
            fault("websockets.serve")
            args, kwargs = plain
        return wrapped(*args, **kwargs)

    return call


def _watched(handler: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    async def call(websocket: Any) -> None:
        entry = _opened(websocket)
        if entry is None:
            await handler(websocket)
            return
        failure: BaseException | None = None
        try:
            await handler(websocket)
        except BaseException as error:
            if not _is_closed(error):
                failure = error
                entry.fail(error)
            raise
        finally:
            _over(websocket, failure)
            entry.finish()

    call.__wrapped__ = handler  # type: ignore[attr-defined]
    return call


def _is_closed(error: BaseException) -> bool:
    """The other side went away; the code it gave says why. That is no failure of the handler."""
    from websockets.exceptions import ConnectionClosed

    return isinstance(error, ConnectionClosed)


def _opened(websocket: Any) -> Entry | None:
    try:
        request, transport = websocket.request, websocket.transport
        name = transport.get_extra_info("sockname")
        host, port = (name[0], name[1]) if isinstance(name, tuple) else ("", 0)
        scheme = "wss" if transport.get_extra_info("ssl_object") is not None else "ws"
        remote: Any = propagation.incoming(lambda name: _header(request.headers, name))
        entry = Entry(("GET", scheme, host, port, "websocket"), request.path.partition("?")[0], remote)
        entry.status = 101
        if entry.span is not None:
            beside.keep(websocket, KEPT, Connection(entry.span, Place(), buffer_of(transport)))
    except Exception:
        fault("websockets.handler")
        return None
    return entry


def _header(headers: Any, name: str) -> str | None:
    values = headers.get_all(name)
    return values[0] if values else None


def _over(websocket: Any, failure: BaseException | None) -> None:
    """The library closes the connection after its handler: with 1000, or 1011 where that has failed."""
    connection = beside.taken(websocket, KEPT)
    if connection is None:
        return
    try:
        code, reason = websocket.protocol.close_code, websocket.protocol.close_reason
        if code is None:
            code, reason = (1000 if failure is None else _WENT_WRONG), ""
        connection.closed(code, reason)
        connection.over(failure)
    except Exception:
        fault("websockets.over")


def handshake(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Of a client. The span of its connection begins here, and the request carries the trace."""

    async def call(self: Any, additional_headers: Any = None, *args: Any, **kwargs: Any) -> Any:
        span = None
        try:
            protocol = self.protocol
            uri = protocol.uri if hasattr(protocol, "uri") else protocol.wsuri  # before version 14
            path = uri.path.partition("?")[0] or "/"
            span, place = client_connection("wss" if uri.secure else "ws", uri.host, uri.port, path)
            additional_headers = _with_trace(additional_headers, span)
            backlog = buffer_of(self.transport)
            beside.keep(self, KEPT, Connection(span, place, backlog, is_server=False))
        except Exception:
            fault("websockets.handshake")
        try:
            return await wrapped(self, additional_headers, *args, **kwargs)
        except BaseException as error:
            if beside.taken(self, KEPT) is not None and span is not None:
                failed(span, error, "websockets.handshake")
            raise

    return call


def _with_trace(headers: Any, span: Span) -> Any:
    """The user's headers and ours, in an object that is not the user's."""
    from websockets.datastructures import Headers

    merged = Headers()
    if headers is not None:
        merged.update(headers)
    if "traceparent" not in merged:
        for name, value in propagation.outgoing(span):
            if name not in merged:
                merged[name] = value
    return merged


def connection_lost(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The end of a client's connection. A server's ends with its handler."""

    def call(self: Any, error: Any) -> None:
        wrapped(self, error)
        connection = beside.kept(self, KEPT)
        if connection is None or connection.is_server:
            return
        try:
            beside.keep(self, KEPT, None)
            refusal = self.protocol.handshake_exc
            if refusal is not None:  # lost before the handshake says so
                failed(connection.span, refusal, "websockets.handshake")
                return
            connection.closed(self.protocol.close_code, self.protocol.close_reason)
            connection.over()
            connection.span.finish()
        except Exception:
            fault("websockets.connection_lost")

    return call


def recv(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """`async for` comes through here."""

    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        connection = beside.kept(self, KEPT)
        if connection is None:
            return await wrapped(self, *args, **kwargs)
        connection.handled()
        message = await wrapped(self, *args, **kwargs)
        connection.arrived(message, isinstance(message, str))
        return message

    return call


def send(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """What is an iterator of fragments passes as it is: nobody knows how long it is."""

    async def call(self: Any, message: Any, *args: Any, **kwargs: Any) -> Any:
        connection = beside.kept(self, KEPT)
        if connection is None:
            return await wrapped(self, message, *args, **kwargs)
        whole = isinstance(message, str | bytes | bytearray | memoryview)
        span = connection.sending(message, isinstance(message, str)) if whole else None
        try:
            value = await wrapped(self, message, *args, **kwargs)
        except BaseException as error:
            if span is not None:
                failed(span, error, "websockets.send")
            raise
        connection.was_sent(span)
        return value

    return call


def close(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """By this side, unless the other one has closed already."""

    async def call(self: Any, code: int = 1000, reason: str = "") -> Any:
        try:
            connection = beside.kept(self, KEPT)
            if connection is not None and self.protocol.close_rcvd is None:
                connection.closed(code, reason)
        except Exception:
            fault("websockets.close")
        return await wrapped(self, code, reason)

    return call


PLUGIN = Plugin(
    library="websockets",
    supports=">=13,<18",
    points={
        "websockets.asyncio.client:ClientConnection.handshake": handshake,
        "websockets.asyncio.connection:Connection.close": close,
        "websockets.asyncio.connection:Connection.connection_lost": connection_lost,
        "websockets.asyncio.connection:Connection.recv": recv,
        "websockets.asyncio.connection:Connection.send": send,
        "websockets.asyncio.server:Server.__init__": server,
        "websockets.asyncio.server:serve": serve,
    },
    optional=frozenset({"websockets.asyncio.server:Server.__init__", "websockets.asyncio.server:serve"}),
)
