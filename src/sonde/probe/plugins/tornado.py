"""Tornado: one server span per request of a `RequestHandler`, until the handler has finished, and one per WebSocket
connection, until it ends; one client span per request of an `AsyncHTTPClient`, redirects included, and per client's
WebSocket connection; a span per message.

Records method, path, route, status, scheme, the server's address and port, exceptions with their stack; of clients the
URL without user, query and fragment; what is recorded of messages: see `websocket_messages`. Never records the query
string, headers, cookies, bodies, the content of messages, the client's address.

A route is the pattern of the handler's rule: `/orders/([0-9]+)` is shown as `/orders/<var>`. `traceparent` is added to
a request's headers, which Tornado copies for each fetch; one that the user has set is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sonde.probe import propagation
from sonde.probe.guard import fault
from sonde.probe.plugins import beside
from sonde.probe.plugins.entry import Entry
from sonde.probe.plugins.http import client_answered, client_span
from sonde.probe.plugins.leaf import failed
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.route_pattern import template_of
from sonde.probe.plugins.websocket_messages import KEPT, Connection, Place, client_connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sonde.probe.core import Span
    from sonde.probe.plugins.websocket_messages import Backlog

_ENTRY = "_sonde_entry"
_SERVED = "_sonde_served"
_ROUTES = "_sonde_routes"
_HEADERS = "_sonde_headers"


# -- server -----------------------------------------------------------------------------------------------------------
def execute(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """A task of its own per request, from `prepare` to `finish`; for a WebSocket, to its end."""

    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        entry = _opened(self)
        if entry is None:
            return await wrapped(self, *args, **kwargs)
        try:
            return await wrapped(self, *args, **kwargs)
        except BaseException as error:
            entry.fail(error)
            raise
        finally:
            _over(self, entry)
            entry.finish()

    return call


def _opened(handler: Any) -> Entry | None:
    try:
        request = handler.request
        host, port = _served_at(request.connection)
        served = (request.method, request.protocol, host, port, request.version)
        remote: Any = propagation.incoming(request.headers.get)
        entry = Entry(served, request.path, remote)
        beside.keep(handler, _ENTRY, entry)
        route = _route(handler)
        if route:
            entry.routed(route)
    except Exception:
        fault("tornado.execute")
        return None
    return entry


def _served_at(connection: Any) -> tuple[str, int]:
    """Asked once per connection: its requests have the context in common."""
    context = connection.context
    known = beside.kept(context, _SERVED)
    if known is None:
        name = connection.stream.socket.getsockname()
        known = (name[0], name[1]) if isinstance(name, tuple) else ("", 0)
        beside.keep(context, _SERVED, known)
    address: tuple[str, int] = known
    return address


def _over(handler: Any, entry: Entry) -> None:
    try:
        entry.status = handler._status_code  # noqa: SLF001 - `get_status` may be the user's own
        is_websocket = hasattr(type(handler), "on_message")  # not asked of the others: it would raise within
        connection = beside.taken(handler, KEPT) if is_websocket else None
        if connection is not None:
            connection.closed(handler.close_code, handler.close_reason)
            connection.over()
    except Exception:
        fault("tornado.execute")


def _route(handler: Any) -> str:
    """The template of the rule that led here. Which rule that was Tornado does not tell."""
    application = handler.application
    routes = beside.kept(application, _ROUTES)
    if routes is None:
        routes = _routes(application)
        beside.keep(application, _ROUTES, routes)
    found = routes.get(type(handler), ())
    if len(found) == 1:
        template: str = found[0][1]
        return template
    return next((template for matcher, template in found if matcher.match(handler.request) is not None), "")


def _routes(application: Any) -> dict[type, list[tuple[Any, str]]]:
    """By class of handler: the rules that lead to it, and their templates."""
    routes: dict[type, list[tuple[Any, str]]] = {}
    for rule in _rules(application.default_router, set()):
        pattern = getattr(getattr(rule.matcher, "regex", None), "pattern", None)
        if isinstance(rule.target, type) and isinstance(pattern, str):
            routes.setdefault(rule.target, []).append((rule.matcher, template_of(pattern)))
    return routes


def _rules(router: Any, seen: set[int]) -> Iterator[Any]:
    if id(router) in seen:
        return
    seen.add(id(router))
    for rule in router.rules:
        if hasattr(rule.target, "rules"):
            yield from _rules(rule.target, seen)
        else:
            yield rule


def add_handlers(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """What was learned of the routes is true no more."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        beside.taken(self, _ROUTES)
        return wrapped(self, *args, **kwargs)

    return call


def handle_request_exception(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Tornado answers 500 itself. What is raised to answer otherwise has not failed."""

    def call(self: Any, error: BaseException) -> Any:
        try:
            entry = beside.kept(self, _ENTRY)
            if entry is not None:
                from tornado.web import Finish, HTTPError

                if not isinstance(error, Finish | HTTPError):
                    entry.fail(error)
        except Exception:
            fault("tornado.handle_request_exception")
        return wrapped(self, error)

    return call


# -- WebSocket --------------------------------------------------------------------------------------------------------
def accept_connection(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The handshake is in order; what follows is `open`, and all messages."""

    async def call(self: Any, handler: Any) -> Any:
        try:
            entry = beside.kept(handler, _ENTRY)
            if entry is not None and entry.span is not None:
                span = entry.span
                span.set("url.scheme", "wss" if handler.request.protocol == "https" else "ws")
                span.set("network.protocol.name", "websocket")
                beside.keep(handler, KEPT, Connection(span, Place(_route(handler)), _backlog(self)))
        except Exception:
            fault("tornado.accept_connection")
        return await wrapped(self, handler)

    return call


def _backlog(protocol: Any) -> Backlog:
    def waiting() -> int:
        stream = protocol.stream
        return len(stream._write_buffer) if stream is not None else 0  # noqa: SLF001 - told nowhere else

    return waiting


def run_callback(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Calls the handler's `on_message`, among others. What that raises ends in here, as far as Tornado goes."""

    def call(self: Any, callback: Any, *args: Any, **kwargs: Any) -> Any:
        handler = self.handler
        connection = beside.kept(handler, KEPT)
        if connection is None or callback != handler.on_message:
            return wrapped(self, callback, *args, **kwargs)
        message = args[0]
        if getattr(handler, "_on_message_callback", _SERVER) is None:  # a client that puts it into a queue
            connection.passed(message, isinstance(message, str))
        else:
            connection.arrived(message, isinstance(message, str))
        if connection.message is None:
            return wrapped(self, callback, *args, **kwargs)

        def handling(*args: Any, **kwargs: Any) -> Any:
            try:
                result = callback(*args, **kwargs)
            except BaseException as error:
                connection.handled(error)
                raise
            if result is None:
                connection.handled()
                return None
            return _awaited(connection, result)

        return wrapped(self, handling, *args, **kwargs)

    return call


_SERVER = object()


def _awaited(connection: Connection, result: Any) -> Any:
    """`result` of a handler that is a coroutine, or another thing that Tornado can wait for, as a future."""
    from tornado.gen import BadYieldError, convert_yielded

    try:
        future = convert_yielded(result)
        future.add_done_callback(lambda done: connection.handled(_error_of(done)))
    except BadYieldError:  # Tornado will say so
        connection.handled()
        return result
    except Exception:
        fault("tornado.on_message")
        return result
    connection.left()
    return future


def _error_of(future: Any) -> BaseException | None:
    """What it failed with. Asking the future itself would count as having seen to it."""
    if future.cancelled():
        from asyncio import CancelledError

        return CancelledError()
    error: BaseException | None = getattr(future, "_exception", None)
    return error


def write_message(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Of server and client. Puts the message into the stream's buffer; waiting for that is the user's choice."""

    def call(self: Any, message: Any, binary: bool = False) -> Any:
        connection = beside.kept(self.handler, KEPT)
        if connection is None or isinstance(message, dict):
            return wrapped(self, message, binary)
        span = connection.sending(message, not binary)
        try:
            future = wrapped(self, message, binary)
        except BaseException as error:
            if span is not None:
                failed(span, error, "tornado.write_message")
            raise
        connection.was_sent(span)
        return future

    return call


def close(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Called by Tornado, too, to answer the other side's close."""

    def call(self: Any, code: int | None = None, reason: str | None = None) -> Any:
        try:
            connection = beside.kept(self.handler, KEPT)
            is_first = not self.client_terminated and not self.server_terminated
            if connection is not None and is_first and not (code is None and reason is None):
                connection.closed(1000 if code is None else code, reason)
        except Exception:
            fault("tornado.close")
        return wrapped(self, code, reason)

    return call


def client_websocket(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The span of a client's connection begins with its handshake, whose headers carry the trace."""

    def call(self: Any, request: Any, *args: Any, **kwargs: Any) -> None:
        connection = None
        try:
            url = urlsplit(request.url)
            span, place = client_connection(url.scheme, url.hostname or "", url.port or 0, url.path or "/")
            _add_headers(request.headers, span)
            connection = Connection(span, place, lambda: _client_backlog(self), is_server=False)
            beside.keep(self, KEPT, connection)
        except Exception:
            fault("tornado.websocket_connect")
        wrapped(self, request, *args, **kwargs)
        try:
            if connection is not None:
                self.connect_future.add_done_callback(lambda future: _connected(self, future))
        except Exception:
            fault("tornado.websocket_connect")

    return call


def _client_backlog(client: Any) -> int:
    protocol = client.protocol
    return len(protocol.stream._write_buffer) if protocol is not None else 0  # noqa: SLF001 - told nowhere else


def _connected(client: Any, future: Any) -> None:
    error = _error_of(future)
    if error is not None:
        connection = beside.taken(client, KEPT)
        if connection is not None:
            failed(connection.span, error, "tornado.websocket_connect")


def client_connection_close(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The connection is over, whoever closed it."""

    def call(self: Any) -> Any:
        answer = wrapped(self)
        try:
            connection = beside.kept(self, KEPT)
            if connection is not None and _error_of(self.connect_future) is None:
                beside.keep(self, KEPT, None)
                connection.closed(self.close_code, self.close_reason)
                connection.over()
                connection.span.finish()
        except Exception:
            fault("tornado.on_connection_close")
        return answer

    return call


# -- client -----------------------------------------------------------------------------------------------------------
def fetch(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Of both implementations. The simple one fetches what a redirect names through here again."""

    def call(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        span = None
        try:
            if beside.kept(request, "original_request") is None:
                span, request, kwargs = _asked(request, kwargs)
        except Exception:
            fault("tornado.fetch")
        if span is None:
            return wrapped(self, request, *args, **kwargs)
        try:
            future = wrapped(self, request, *args, **kwargs)
        except BaseException as error:
            failed(span, error, "tornado.fetch")
            raise
        try:
            future.add_done_callback(lambda done: _fetched(span, done))
        except Exception:
            fault("tornado.fetch")
        return future

    return call


def _asked(request: Any, kwargs: dict[str, Any]) -> tuple[Span | None, Any, dict[str, Any]]:
    """The span, and the call's arguments: of an address Tornado would make a request, so that may be ours."""
    from tornado.httpclient import HTTPRequest
    from tornado.httputil import HTTPHeaders

    raise_error = {name: kwargs[name] for name in kwargs.keys() & {"raise_error"}}
    if not isinstance(request, HTTPRequest):
        try:
            request = HTTPRequest(
                url=request, **{name: value for name, value in kwargs.items() if name != "raise_error"}
            )
        except Exception:  # the user's mistake, and Tornado will make the same
            return None, request, kwargs
        kwargs = raise_error
    url = urlsplit(request.url)
    span = client_span(request.method, url.scheme, url.hostname or "", url.port, url.path or "/")
    headers = HTTPHeaders(request.headers)
    ours = beside.kept(request, _HEADERS)  # of an earlier fetch of the same request
    if ours is not None:
        for name, value in ours:
            if headers.get(name) == value:
                del headers[name]
    beside.keep(request, _HEADERS, _add_headers(headers, span))
    request.headers = headers
    return span, request, kwargs


def _add_headers(headers: Any, span: Span) -> tuple[tuple[str, str], ...]:
    if "traceparent" in headers:
        return ()
    ours = tuple((name, value) for name, value in propagation.outgoing(span) if name not in headers)
    for name, value in ours:
        headers[name] = value
    return ours


def _fetched(span: Span, future: Any) -> None:
    """Also where the answer's status became an exception. 599 is Tornado's own, for what got no answer."""
    try:
        error = _error_of(future)
        if error is None:
            client_answered(span, future.result().code)
        elif (status := getattr(error, "code", 599)) != 599:
            client_answered(span, status)
        else:
            failed(span, error, "tornado.fetch")
            return
        span.finish()
    except Exception:
        fault("tornado.fetch")


PLUGIN = Plugin(
    library="tornado",
    supports=">=6.1,<7",
    points={
        "tornado.httpclient:AsyncHTTPClient.fetch": fetch,
        "tornado.web:Application.add_handlers": add_handlers,
        "tornado.web:RequestHandler._execute": execute,
        "tornado.web:RequestHandler._handle_request_exception": handle_request_exception,
        "tornado.websocket:WebSocketClientConnection.__init__": client_websocket,
        "tornado.websocket:WebSocketClientConnection.on_connection_close": client_connection_close,
        "tornado.websocket:WebSocketProtocol._run_callback": run_callback,
        "tornado.websocket:WebSocketProtocol13._accept_connection": accept_connection,
        "tornado.websocket:WebSocketProtocol13.close": close,
        "tornado.websocket:WebSocketProtocol13.write_message": write_message,
    },
)
