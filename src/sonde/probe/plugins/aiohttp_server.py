"""aiohttp's server: one server span per request, until the answer is written, and one per WebSocket connection, until
it ends; a span per message of it.

Records method, path, route, status, scheme, the server's address and port, exceptions with their stack; what is
recorded of messages: see `websocket_messages`. Never records the query string, headers, cookies, bodies, the content
of messages, the client's address. What is no HTTP, and was answered 400, has no span.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from sonde.probe import propagation
from sonde.probe.guard import fault
from sonde.probe.plugins import beside
from sonde.probe.plugins.entry import KEY, Entry
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.websocket_messages import KEPT, Connection, Place, buffer_of, sends

if TYPE_CHECKING:
    from collections.abc import Callable

_VERSIONS = {(1, 1): "1.1", (1, 0): "1.0"}
_NOT_HTTP = "UNKNOWN"
"""The method of what could not be parsed."""
_WEBSOCKET = "sonde.websocket"
"""Where a request keeps the response object that is its WebSocket."""


def handle_request(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """A task of its own per request: the handler with all middleware, and the writing of what it answers."""

    async def call(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        entry = _opened(request)
        if entry is None:
            return await wrapped(self, request, *args, **kwargs)
        failure: BaseException | None = None
        try:
            answer = await wrapped(self, request, *args, **kwargs)
        except BaseException as error:
            failure = error
            entry.fail(error)
            raise
        else:
            _answered(entry, answer)
        finally:
            _routed(entry, request)
            _over(request, failure)
            entry.finish()
        return answer

    return call


def handle_error(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The library answers 500 itself, or 504 without naming the exception; it is called where that is being handled."""

    def call(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            error = sys.exception()
            entry = request._state.get(KEY)  # noqa: SLF001 - the request warns of keys that are strings
            if error is not None and entry is not None:
                entry.fail(error)
                websocket = request._state.get(_WEBSOCKET)  # noqa: SLF001 - as above
                if websocket is not None:
                    beside.kept(websocket, KEPT).handled(error)
        except Exception:
            fault("aiohttp_server.handle_error")
        return wrapped(self, request, *args, **kwargs)

    return call


def _opened(request: Any) -> Entry | None:
    try:
        message = request._message  # noqa: SLF001 - its public properties make URLs first
        method = message.method
        if method == _NOT_HTTP:
            return None
        transport = request.transport
        name = transport.get_extra_info("sockname") if transport is not None else None
        host, port = (name[0], name[1]) if isinstance(name, tuple) else ("", 0)
        served = (method, request.scheme, host, port, _VERSIONS.get(message.version, ""))
        remote: Any = propagation.incoming(request.headers.get)
        entry = Entry(served, request.path, remote)
        request._state[KEY] = entry  # noqa: SLF001 - the request warns of keys that are strings
    except Exception:
        fault("aiohttp_server.handle_request")
        return None
    return entry


def _answered(entry: Entry, answer: Any) -> None:
    try:
        entry.status = answer[0].status
    except Exception:
        fault("aiohttp_server.handle_request")


def _route(request: Any) -> str:
    match = getattr(request, "_match_info", None)  # a plain `web.Server` has no routes
    resource = match.route.resource if match is not None else None
    return resource.canonical if resource is not None else ""


def _routed(entry: Entry, request: Any) -> None:
    try:
        route = _route(request)
        if route:
            entry.routed(route)
    except Exception:
        fault("aiohttp_server.routed")


def _over(request: Any, failure: BaseException | None) -> None:
    websocket = request._state.get(_WEBSOCKET)  # noqa: SLF001 - as above
    if websocket is None:
        return
    connection = beside.taken(websocket, KEPT)
    if connection is not None:
        connection.closed(websocket.close_code)
        connection.over(failure)


def prepare(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The answer to the handshake. Called again at the end of the request, for nothing."""

    async def call(self: Any, request: Any) -> Any:
        writer = await wrapped(self, request)
        try:
            kept = request._state  # noqa: SLF001 - as above
            entry = kept.get(KEY)
            if entry is not None and _WEBSOCKET not in kept and entry.span is not None:
                kept[_WEBSOCKET] = self
                entry.span.set("url.scheme", "wss" if request.scheme == "https" else "ws")
                entry.span.set("network.protocol.name", "websocket")
                place = Place(_route(request))
                beside.keep(self, KEPT, Connection(entry.span, place, buffer_of(request.transport)))
        except Exception:
            fault("aiohttp_server.prepare")
        return writer

    return call


def receive(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """`receive_str`, `receive_json` and `async for` come through here."""

    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        connection = beside.kept(self, KEPT)
        if connection is None:
            return await wrapped(self, *args, **kwargs)
        connection.handled()
        message = await wrapped(self, *args, **kwargs)
        try:
            received(self, connection, message)
        except Exception:
            fault("aiohttp.receive")
        return message

    return call


def received(websocket: Any, connection: Connection, message: Any) -> None:
    """Tell `connection` what came. The numbers of message types are the protocol's, and aiohttp's own above 255."""
    kind = message.type
    if kind == 1 or kind == 2:  # noqa: PLR1714 - by far the most frequent, and a tuple costs more
        connection.arrived(message.data, kind == 1)
    elif kind == 8:
        connection.closed(message.data, message.extra)
    elif kind >= 256:
        connection.closed(websocket.close_code)


def close(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Called by the library, too, when the other side has closed: then that side's code is known."""

    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        connection = beside.kept(self, KEPT)
        if connection is not None:
            closing(self, connection, kwargs)
        return await wrapped(self, *args, **kwargs)

    return call


def closing(websocket: Any, connection: Connection, said: dict[str, Any]) -> None:
    """`close` is called with what is `said`: by this side, unless the other side's code is known."""
    try:
        if websocket.close_code is None and not websocket.closed:
            reason = said.get("message", b"")
            connection.closed(
                said.get("code", 1000), reason.decode("utf-8", "replace") if isinstance(reason, bytes) else reason
            )
    except Exception:
        fault("aiohttp.close")


PLUGIN = Plugin(
    library="aiohttp",
    supports=">=3.8,<4",
    points={
        "aiohttp.web_protocol:RequestHandler._handle_request": handle_request,
        "aiohttp.web_protocol:RequestHandler.handle_error": handle_error,
        "aiohttp.web_ws:WebSocketResponse.prepare": prepare,
        "aiohttp.web_ws:WebSocketResponse.receive": receive,
        "aiohttp.web_ws:WebSocketResponse.send_str": sends(is_text=True),
        "aiohttp.web_ws:WebSocketResponse.send_bytes": sends(is_text=False),
        "aiohttp.web_ws:WebSocketResponse.close": close,
    },
)
