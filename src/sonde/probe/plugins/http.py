"""What HTTP spans of servers and clients have in common. Names: OpenTelemetry's stable HTTP conventions.

Source: https://opentelemetry.io/docs/specs/semconv/http/http-spans/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.plugins.bounded import Learned

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation, Span

METHODS = frozenset({"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"})
DEFAULT_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


def method_name(method: str) -> tuple[str, str]:
    """Span name and `http.request.method`: what a stranger sends as a method is no name."""
    return (method, method) if method in METHODS else ("HTTP", "_OTHER")


def _client_operation(key: tuple[str, str, str, int]) -> Operation:
    method, _scheme, host, port = key
    name, method = method_name(method)
    constants: dict[str, object] = {"http.request.method": method, "server.address": host}
    if port:
        constants["server.port"] = port
    return core.operation(name, core.CLIENT, constants)


client_operations: Learned[tuple[str, str, str, int], Operation] = Learned(_client_operation, room=1024)
"""(method, scheme, host, port) → operation of an outgoing request. The port is the real one, never 0 for "default"."""


def _origin(key: tuple[Any, Any, Any, int | None]) -> tuple[Operation, str, str]:
    method, scheme, host = (str(part, "ascii", "replace") if isinstance(part, bytes) else part for part in key[:3])
    port = key[3]
    known_port = port or DEFAULT_PORTS.get(scheme, 0)
    return client_operations[method, scheme, host, known_port], full_url(scheme, host, port, ""), host


origins: Learned[tuple[Any, Any, Any, int | None], tuple[Operation, str, str]] = Learned(_origin, room=1024)
"""Method, scheme, host and port, as texts or bytes → operation, beginning of the URL, host: for the native core."""


def client_span(
    method: str,
    scheme: str,
    host: str,
    port: int | None,
    target: str,
    begin: Callable[[Operation], Span] = core.leaf,
) -> Span:
    """Begin the span of an outgoing request. `target` is a path or a full URL; query, fragment and user are cut off.

    A library that makes its requests by another one begins with `core.scope`, so that the other makes no span, too.
    """
    known_port = port or DEFAULT_PORTS.get(scheme, 0)
    span = begin(client_operations[method, scheme, host, known_port])
    span.set("url.full", full_url(scheme, host, port, target))
    return span


def full_url(scheme: str, host: str, port: int | None, target: str) -> str:
    """The address without what may be secret: user and password, query, fragment."""
    path = target
    if "?" in path or "#" in path:
        path = path.partition("?")[0].partition("#")[0]
    if path[:1] != "/" and "://" in path[:8]:  # a request to a proxy names the whole address
        path = "/" + path.partition("://")[2].partition("/")[2]
    if port is None or port == DEFAULT_PORTS.get(scheme):
        return f"{scheme}://{host}{path}"
    return f"{scheme}://{host}:{port}{path}"


def client_answered(span: Span, status: int) -> None:
    """Record the status of an answer. For a client, 4xx is an error too."""
    span.set("http.response.status_code", status)
    if status >= 400:
        span.set("error.type", str(status))
        span.fail(None)


def _answered(span: Span, response: Any) -> None:
    client_answered(span, response.status)


answered = core.http_answered if core.NATIVE else _answered
"""The `result` of a call that returns a response with a `status`."""
