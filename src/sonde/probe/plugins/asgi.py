"""ASGI: one server span per HTTP request, until the last byte of the answer is handed over, and one per WebSocket
connection, until it ends; a span per message of it.

Records method, path, route, status, scheme, the server's address and port, exceptions with their stack; what is
recorded of messages: see `websocket_messages`. A message is handled from `receive` until `receive` is called again.
Never records the query string, headers, cookies, bodies, the content of messages, the client's address. Lifespan calls
and other scopes pass untouched.

The plugins of servers and frameworks call `serve`. Whoever is outermost opens the span: a server we know, else the
framework.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from sonde.probe import core, propagation
from sonde.probe.guard import fault
from sonde.probe.plugins.entry import KEY, Entry
from sonde.probe.plugins.leaf import failed
from sonde.probe.plugins.points import stay_coroutine_function
from sonde.probe.plugins.websocket_messages import CONNECTION, Connection, Place, buffer_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from sonde.probe.propagation import Remote

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Any]]
    Send = Callable[[Any], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[Any]]


def entrance(application: Application) -> Application:
    """`application` with a server span around each request."""
    call = partial(serve, application)
    call.__wrapped__ = application  # type: ignore[attr-defined]
    stay_coroutine_function(serve_in_python, call)
    return call


async def serve_in_python(application: Application, scope: Scope, receive: Receive, send: Send) -> Any:
    """Await `application` under a server span, unless the request has one already."""
    entry = _opened(scope)
    if entry is None:
        return await application(scope, receive, send)
    if scope["type"] == "websocket":
        receive, send = watched(entry, scope, receive, send)
    else:
        send = _watch_http(entry, send)
    try:
        return await application(scope, receive, send)
    except BaseException as error:
        entry.fail(error)
        raise
    finally:
        entry.finish()


def _opened(scope: Scope) -> Entry | None:
    """A new entry; None if there is one, for other scopes, or where ours fails."""
    try:
        kind = scope["type"]
        if kind not in {"http", "websocket"}:
            return None
        known = scope.get(KEY)
        if known is not None and known.span is not None:
            return None
        host, port = scope.get("server") or ("", None)
        served = (
            scope.get("method", "GET"),
            scope.get("scheme", "http"),
            host,
            port or 0,  # None for a unix socket
            kind if kind == "websocket" else scope.get("http_version", ""),
        )
        entry = scope[KEY] = Entry(served, scope["path"], remote(scope))
    except Exception:
        fault("asgi.serve")
        return None
    return entry


def remote(scope: Scope) -> str | Remote | None:
    """What came with the request of its caller's trace. Names are lower case, by the specification."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        found.setdefault(str(name, "latin-1"), str(value, "latin-1"))
    return propagation.incoming(found.get)


def _watch_http(entry: Entry, send: Send) -> Send:
    """`send` that tells `entry` what the server gets. Only the last message needs a coroutine of ours around it."""

    def sending(message: Any) -> Awaitable[None]:
        last = False
        try:
            kind = message["type"]
            if kind == "http.response.start":
                entry.status = message["status"]
            else:
                last = kind == "http.response.pathsend" or (
                    kind == "http.response.body" and not message.get("more_body", False)
                )
        except Exception:
            fault("asgi.send")
        return sending_last(message) if last else send(message)

    async def sending_last(message: Any) -> None:
        await send(message)
        _finish_soon(entry)

    return sending


def watched(entry: Entry, scope: Scope, receive: Receive, send: Send) -> tuple[Receive, Send]:
    """`receive` and `send` of a WebSocket connection that tell `entry` what passes, and make spans of messages."""
    span = entry.span
    if span is None:
        return receive, send
    # uvicorn's `send` is a method of its protocol, which has the transport.
    backlog = buffer_of(getattr(getattr(send, "__self__", None), "transport", None))
    connection = scope[CONNECTION] = Connection(span, Place(), backlog)
    _tell_of_the_end(connection)

    async def receiving() -> Any:
        connection.handled()
        message = await receive()
        try:
            kind = message["type"]
            if kind == "websocket.receive":
                text = message.get("text")
                connection.arrived(text if text is not None else message.get("bytes") or b"", text is not None)
                span.set("websocket.messages.received", connection.received)
            elif kind == "websocket.disconnect":
                connection.closed(message.get("code"), message.get("reason"))
        except Exception:
            fault("asgi.receive")
        return message

    async def sending(message: Any) -> None:
        if isinstance(message, dict) and message.get("type") == "websocket.send":
            await _send(connection, send, message)
            return
        await send(message)
        try:
            kind = message["type"]
            if kind == "websocket.accept":
                entry.status = 101
            elif kind == "websocket.close":
                if entry.status != 101:
                    entry.status = 403  # closed before it was accepted: what the server answers then
                else:
                    connection.closed(message.get("code", 1000), message.get("reason"))
            elif kind == "websocket.http.response.start":
                entry.status = message["status"]
        except Exception:
            fault("asgi.send")

    return receiving, sending


def _tell_of_the_end(connection: Connection) -> None:
    """An application that returns or fails while it handles a message: with its task, that is over.

    Where a server hides the failure from its task, the connection's span alone has it.
    """
    try:
        task = asyncio.current_task()
        if task is not None:
            task.add_done_callback(lambda done: connection.handled(getattr(done, "_exception", None)))
    except RuntimeError:  # a loop that is not asyncio's, or a task that is none: Granian's
        pass


async def _send(connection: Connection, send: Send, message: Any) -> None:
    text = message.get("text")
    span = connection.sending(text if text is not None else message.get("bytes") or b"", text is not None)
    try:
        await send(message)
    except BaseException as error:
        if span is not None:
            failed(span, error, "asgi.send")
        raise
    connection.was_sent(span)
    try:
        connection.span.set("websocket.messages.sent", connection.sent)
    except Exception:
        fault("asgi.send")


def _finish_soon(entry: Entry) -> None:
    """The answer is out; end the span when the application returns or goes on to something else, a background task.

    In that second case the loop ends it in a copy of the context: what the background task does still belongs to the
    trace, while the span does not last as long as the task.
    """
    try:
        asyncio.get_running_loop().call_soon(entry.finish)
    except RuntimeError:  # a loop that is not asyncio's
        entry.finish()


serve: Callable[..., Awaitable[Any]] = core.serve_asgi if core.NATIVE else serve_in_python
if core.NATIVE:
    core.entries({"scope_remote": remote, "watched": watched})
