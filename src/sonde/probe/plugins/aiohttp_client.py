"""aiohttp's client: one client span per request, from asking for a connection to the answer's headers, a redirect or a
repeated request being one of its own; one per WebSocket connection, until it is closed, and a span per message of it.

Records method, URL without user, query and fragment, status, the server's address and port; what is recorded of
messages: see `websocket_messages`. Never records headers, bodies or the content of messages. `traceparent` is added to
the headers of aiohttp's own request object; one that the user has set is left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import propagation
from sonde.probe.guard import fault
from sonde.probe.plugins import beside
from sonde.probe.plugins.aiohttp_server import closing, received
from sonde.probe.plugins.http import client_answered, client_span
from sonde.probe.plugins.leaf import failed
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.websocket_messages import (
    KEPT,
    Connection,
    Place,
    buffer_of,
    client_connection,
    sends,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Span

_SPAN = "_sonde_span"


def connect(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The first step of each request, redirects included, and none of what the connector itself asks a proxy."""

    async def call(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        span = None
        try:
            url = request.url
            span = client_span(request.method, url.scheme, url.host or "", url.port, url.raw_path)
        except Exception:
            fault("aiohttp_client.connect")
        if span is None:
            return await wrapped(self, request, *args, **kwargs)
        try:
            connection = await wrapped(self, request, *args, **kwargs)
        except BaseException as error:
            _failed(span, error, request)
            raise
        beside.keep(request, _SPAN, span)
        return connection

    return call


def send(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Writes the request."""

    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        span = beside.taken(self, _SPAN)
        if span is None:
            return await wrapped(self, *args, **kwargs)
        try:
            headers = self.headers
            if "traceparent" not in headers:
                for name, value in propagation.outgoing(span):
                    headers.setdefault(name, value)
        except Exception:
            fault("aiohttp_client.send")
        try:
            response = await wrapped(self, *args, **kwargs)
        except BaseException as error:
            _failed(span, error, self)
            raise
        beside.keep(response, _SPAN, span)
        return response

    return call


def start(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Reads the answer's head. Its body is the user's business."""

    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        span = beside.taken(self, _SPAN)
        if span is None:
            return await wrapped(self, *args, **kwargs)
        try:
            response = await wrapped(self, *args, **kwargs)
        except BaseException as error:
            _failed(span, error, self)
            raise
        try:
            client_answered(span, self.status)
            span.finish()
        except Exception:
            fault("aiohttp_client.start")
        return response

    return call


def _failed(span: Span, error: BaseException, owner: Any) -> None:
    """`failed`, and a timeout of the whole request is a failure: inside, it looks like any other cancellation."""
    try:
        if type(error).__name__ == "CancelledError" and getattr(owner._timer, "_cancelled", False):  # noqa: SLF001
            span.set("error.type", "TimeoutError")
            span.fail(None, "TimeoutError")
            span.finish()
            return
    except Exception:
        fault("aiohttp_client.failed")
    failed(span, error, "aiohttp_client")


class _Connection(Connection):
    __slots__ = ("is_receiving",)

    def __init__(self, span: Span, place: Place, backlog: Any) -> None:
        super().__init__(span, place, backlog, is_server=False)
        self.is_receiving = False


def websocket(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Made when the handshake, a request with a span of its own, has succeeded."""

    def call(self: Any, reader: Any, writer: Any, protocol: Any, response: Any, *args: Any, **kwargs: Any) -> None:
        wrapped(self, reader, writer, protocol, response, *args, **kwargs)
        try:
            url = response.url
            span, place = client_connection(url.scheme, url.host or "", url.port or 0, url.raw_path)
            transport = response.connection.transport if response.connection is not None else None
            beside.keep(self, KEPT, _Connection(span, place, buffer_of(transport)))
        except Exception:
            fault("aiohttp_client.websocket")

    return call


def receive(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """`receive_str`, `receive_json` and `async for` come through here."""

    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        connection = beside.kept(self, KEPT)
        if connection is None:
            return await wrapped(self, *args, **kwargs)
        connection.handled()
        connection.is_receiving = True
        try:
            message = await wrapped(self, *args, **kwargs)
        finally:
            connection.is_receiving = False
        try:
            received(self, connection, message)
            if message.type == _CLOSE or message.type >= _CLOSING:
                _over(self)
        except Exception:
            fault("aiohttp_client.receive")
        return message

    return call


def close(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Called by `receive`, too, when the other side has closed."""

    async def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        connection = beside.kept(self, KEPT)
        if connection is None or connection.is_receiving:
            return await wrapped(self, *args, **kwargs)
        closing(self, connection, kwargs)
        try:
            return await wrapped(self, *args, **kwargs)
        finally:
            _over(self)

    return call


def _over(websocket: Any) -> None:
    connection = beside.taken(websocket, KEPT)
    if connection is None:
        return
    connection.over()
    try:
        connection.span.finish()
    except Exception:
        fault("aiohttp_client.over")


_CLOSE = 8
_CLOSING = 256

PLUGIN = Plugin(
    library="aiohttp",
    supports=">=3.8,<4",
    points={
        "aiohttp.connector:BaseConnector.connect": connect,
        "aiohttp.client_reqrep:ClientRequest.send": send,
        "aiohttp.client_reqrep:ClientResponse.start": start,
        "aiohttp.client_ws:ClientWebSocketResponse.__init__": websocket,
        "aiohttp.client_ws:ClientWebSocketResponse.receive": receive,
        "aiohttp.client_ws:ClientWebSocketResponse.send_str": sends(is_text=True),
        "aiohttp.client_ws:ClientWebSocketResponse.send_bytes": sends(is_text=False),
        "aiohttp.client_ws:ClientWebSocketResponse.close": close,
    },
)
