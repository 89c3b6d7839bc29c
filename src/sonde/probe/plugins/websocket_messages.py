"""What WebSocket connections of all libraries have in common: a span per message, and counts on the connection's span.

A connection may last for hours, so a message is no part of its trace. A message received begins a trace of its own,
and what its handler does is below it, answers on the same connection included. A message sent otherwise, by a timer,
to another connection, begins one too, and links to what it was sent for. All link to their connection's span, and
carry its ids. A client's message is a moment where it arrives in the middle of something else, a request.

Recorded are direction, type (text or binary), size in bytes, what waits in the connection's send buffer, close code
and reason. Never the content. The setting `websocket_messages` switches the spans of messages off; the counts stay.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import beside, options
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.http import DEFAULT_PORTS, full_url
from sonde.probe.plugins.leaf import failed

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation, Span
    from sonde.probe.plugins.plugin import Wrapper

    Backlog = Callable[[], int]


class Place(NamedTuple):
    """What the messages of a kind of connections have in common. Empty: not known."""

    route: str = ""
    host: str = ""
    port: int = 0


def _operation(key: tuple[Place, bool, bool]) -> Operation:
    place, is_sent, is_text = key
    constants: dict[str, object] = {
        "network.protocol.name": "websocket",
        "websocket.message.type": "text" if is_text else "binary",
    }
    if place.route:
        constants["http.route"] = place.route
    if place.host:
        constants["server.address"] = place.host
    if place.port:
        constants["server.port"] = place.port
    if is_sent:
        return core.operation("websocket send", core.PRODUCER, constants)
    return core.operation("websocket receive", core.CONSUMER, constants)


operations: Learned[tuple[Place, bool, bool], Operation] = Learned(_operation, room=1024)
"""(place, sent, text) → operation."""

_handling: ContextVar[tuple[Connection, Span] | None] = ContextVar("sonde_websocket_message", default=None)
"""The message that is being handled, and its connection. Tasks started meanwhile inherit it."""


KEPT = "_sonde_connection"
"""Where plugins keep a `Connection`: an attribute of the library's own object."""
CONNECTION = "sonde.websocket"
"""Where it stands in an ASGI scope: who finds the route there tells it."""


class Connection:
    """A connection's messages. Its methods are guarded: they may be called outside a `try`."""

    __slots__ = (
        "_backlog",
        "_is_closed",
        "_outer",
        "_span_id",
        "_trace_id",
        "is_server",
        "message",
        "place",
        "received",
        "sent",
        "span",
    )

    def __init__(self, span: Span, place: Place, backlog: Backlog | None = None, *, is_server: bool = True) -> None:
        self.span = span
        self.place = place
        self.message: Span | None = None
        """The message that is being handled."""
        self.received = 0
        self.sent = 0
        self._backlog = backlog
        self._is_closed = False
        self.is_server = is_server
        self._outer: Span | None = None
        self._trace_id = self._span_id = ""

    def arrived(self, data: Any, is_text: bool) -> None:
        """A message was received and is handled from now on, in this context.

        A client may ask and be answered in the middle of a request of its own: what it does then stays where it is,
        and the message is a moment.
        """
        outer = core.current()
        if not self.is_server and outer is not None and not outer.finished:
            self.passed(data, is_text)
            return
        self.received += 1
        if not options.websocket_messages:
            return
        try:
            self._outer = outer
            span = self.message = _root(core.scope, operations[self.place, False, is_text], outer)
            self._describe(span, data)
            _handling.set((self, span))
        except Exception:
            fault("websocket.arrived")

    def passed(self, data: Any, is_text: bool) -> None:
        """A message was received, and who handles it when is not known."""
        self.received += 1
        if not options.websocket_messages:
            return
        try:
            outer = core.current()
            span = _root(core.leaf, operations[self.place, False, is_text], outer)
            self._describe(span, data)
            if outer is not None:
                span.link(outer.trace_id, outer.span_id)
            span.finish()
        except Exception:
            fault("websocket.passed")

    def left(self) -> None:
        """The message that arrived last is handled elsewhere, in a task that inherited it; here, no more."""
        try:
            if self.message is not None and core.current() is self.message:
                _restore(self._outer)
                _handling.set(None)
        except Exception:
            fault("websocket.left")

    def handled(self, error: BaseException | None = None) -> None:
        """The message that arrived last is done with: the next is asked for, or the connection ends."""
        span, self.message = self.message, None
        if span is None:
            return
        try:
            is_here = core.current() is span
            if error is None:
                span.finish()
            else:
                failed(span, error, "websocket.handled")
            if is_here:
                _restore(self._outer)
            self._outer = None
            now = _handling.get()
            if now is not None and now[1] is span:
                _handling.set(None)
        except Exception:
            fault("websocket.handled")

    def sending(self, data: Any, is_text: bool) -> Span | None:
        """A message is about to be sent. To be ended by `was_sent` or `leaf.failed`."""
        if not options.websocket_messages:
            return None
        try:
            operation = operations[self.place, True, is_text]
            handling = _handling.get()
            if handling is not None and handling[0] is self and not handling[1].finished:
                span = core.leaf(operation)
            else:
                outer = core.current()
                span = _root(core.leaf, operation, outer)
                cause = outer if handling is None else handling[1]
                if cause is not None and cause is not self.span:
                    span.link(cause.trace_id, cause.span_id)
            self._describe(span, data)
        except Exception:
            fault("websocket.sending")
            return None
        return span

    def was_sent(self, span: Span | None) -> None:
        """The message went to the transport, or into its buffer."""
        self.sent += 1
        if span is None:
            return
        try:
            if self._backlog is not None:
                waiting = self._backlog()
                if waiting:
                    span.set("websocket.send.backlog_bytes", waiting)
            span.finish()
        except Exception:
            fault("websocket.was_sent")

    def closed(self, code: int | None, reason: str | None = None) -> None:
        """The connection was closed by either side. The first close counts."""
        if self._is_closed:
            return
        self._is_closed = True
        try:
            if code is not None:
                self.span.set("websocket.close.code", int(code))
            if reason:
                self.span.set("websocket.close.reason", reason)
        except Exception:
            fault("websocket.closed")

    def over(self, error: BaseException | None = None) -> None:
        """Nothing more will come or go. Whoever opened the connection's span ends it, after this."""
        self.handled(error)
        try:
            self.span.set("websocket.messages.received", self.received)
            self.span.set("websocket.messages.sent", self.sent)
        except Exception:
            fault("websocket.over")

    def __del__(self) -> None:
        # Nobody has said that it is over: an ASGI application has returned, or failed, while handling a message.
        if self.message is not None:
            self.handled()

    def _describe(self, span: Span, data: Any) -> None:
        if not self._trace_id:
            self._trace_id, self._span_id = self.span.trace_id, self.span.span_id
        span.link(self._trace_id, self._span_id)
        span.set("websocket.connection.trace_id", self._trace_id)
        span.set("websocket.connection.span_id", self._span_id)
        span.set("websocket.message.size", size_of(data))


def size_of(data: Any) -> int:
    """Bytes on the wire, before compression."""
    if isinstance(data, str):
        return len(data) if data.isascii() else len(data.encode("utf-8", "surrogatepass"))
    return data.nbytes if isinstance(data, memoryview) else len(data)


def buffer_of(transport: Any) -> Backlog | None:
    """Tells what waits in an asyncio transport's write buffer; None for what is no such transport."""
    return getattr(transport, "get_write_buffer_size", None)


def _connection_operation(key: tuple[str, str, int]) -> Operation:
    _scheme, host, port = key
    constants: dict[str, object] = {"network.protocol.name": "websocket", "server.address": host}
    if port:
        constants["server.port"] = port
    return core.operation("websocket connection", core.CLIENT, constants)


_connections: Learned[tuple[str, str, int], Operation] = Learned(_connection_operation, room=1024)


def client_connection(scheme: str, host: str, port: int, path: str) -> tuple[Span, Place]:
    """Start the span of a client's connection; its handshake is over."""
    scheme = _SCHEMES.get(scheme, scheme)
    known_port = port or DEFAULT_PORTS.get(scheme, 0)
    span = core.leaf(_connections[scheme, host, known_port])
    span.set("url.full", full_url(scheme, host, port or None, path))
    return span, Place("", host, known_port)


_SCHEMES = {"http": "ws", "https": "wss"}
"""Libraries do the handshake as a request, and name the connection after it."""


def _root(make: Callable[[Operation], Span], operation: Operation, outer: Span | None) -> Span:
    """A span that begins a trace, although `outer` is current; a leaf leaves that so."""
    if outer is None:
        return make(operation)
    core.CURRENT.set(None)
    try:
        span = make(operation)
    except BaseException:
        core.CURRENT.set(outer)
        raise
    if make is core.leaf:
        core.CURRENT.set(outer)
    return span


def _restore(outer: Span | None) -> None:
    """Make current what was so before a message. Its end has left nothing current: it has no parent."""
    if outer is not None and outer.finished:
        outer = None
    core.CURRENT.set(outer)


def sends(is_text: bool) -> Wrapper:
    """Wrapper for a method that sends its first argument, of an object that keeps its connection."""

    def wrapper(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        place = wrapped.__qualname__

        async def call(self: Any, data: Any, *args: Any, **kwargs: Any) -> Any:
            connection = beside.kept(self, KEPT)
            if connection is None:
                return await wrapped(self, data, *args, **kwargs)
            span = connection.sending(data, is_text)
            try:
                value = await wrapped(self, data, *args, **kwargs)
            except BaseException as error:
                if span is not None:
                    failed(span, error, place)
                raise
            connection.was_sent(span)
            return value

        return call

    return wrapper
