"""http.client: one client span per request of a bare connection (urllib.request, xmlrpc, …), and the headers that make
the callee continue the trace for all requests that go through it, urllib3's included.

Records method, URL without user, query and fragment, status, the server's address and port. Never records headers or
bodies. The headers go onto the wire and into no object of the user's; a `traceparent` that the user has set is left
alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import beside
from sonde.probe.plugins.http import client_answered, client_span
from sonde.probe.plugins.leaf import failed, outermost
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Span

_SPAN = "_sonde_span"


def putrequest(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The first step of a request, whether by `request()` or step by step."""

    def call(self: Any, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        span = None
        try:
            _finish(self)  # an earlier request whose answer nobody asked for
            scheme = "https" if self.default_port == 443 else "http"
            span = client_span(method, scheme, self.host, self.port, url)
        except Exception:
            fault("http_client.putrequest")
        try:
            answer = wrapped(self, method, url, *args, **kwargs)
        except BaseException as error:
            _fail(span, error)
            raise
        _keep(self, span)
        return answer

    return call


def endheaders(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Headers are complete: the last chance to add some. Here the connection is made and the body sent, too."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        span = _taken(self)  # out of reach of `close`, which is called in here when connecting fails
        try:
            current = span or core.calling()
            if current is not None:
                # Not by putheader: subclasses (urllib3's, botocore's) have ideas of their own on headers, and the base
                # class's looks with two patterns for what cannot be in it. The list of lines is private, and the same
                # from Python 2 to 3.14.
                current.into_lines(self._buffer, self.host)
        except Exception:
            fault("http_client.endheaders")
        try:
            answer = wrapped(self, *args, **kwargs)
        except BaseException as error:
            _fail(span, error)
            raise
        _keep(self, span)
        return answer

    return call


def getresponse(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Status and headers have arrived. Reading the body is the user's business."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        span = _taken(self)  # likewise: an answer that ends the connection closes it in here
        if span is None:
            return wrapped(self, *args, **kwargs)
        try:
            response = wrapped(self, *args, **kwargs)
        except BaseException as error:
            _fail(span, error)
            raise
        try:
            client_answered(span, response.status)
            span.finish()
        except Exception:
            fault("http_client.getresponse")
        return response

    return call


def close(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Closed before an answer was asked for."""

    def call(self: Any) -> Any:
        try:
            _finish(self)
        except Exception:
            fault("http_client.close")
        return wrapped(self)

    return call


def _keep(connection: Any, span: Span | None) -> None:
    if span is not None:
        beside.keep(connection, _SPAN, span)


def _taken(connection: Any) -> Span | None:
    span: Span | None = beside.taken(connection, _SPAN)
    return span


def _finish(connection: Any) -> None:
    span = _taken(connection)
    if span is not None:
        span.finish()


def _fail(span: Span | None, error: BaseException) -> None:
    if span is not None:
        failed(span, error, "http_client")


def _endheaders(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    instead = endheaders(wrapped)
    return core.injecting(wrapped, instead, "_buffer", "host", fault) if core.NATIVE else instead


PLUGIN = Plugin(
    library="python",
    supports=">=3.11",
    points={
        "http.client:HTTPConnection.putrequest": outermost(putrequest),
        "http.client:HTTPConnection.endheaders": _endheaders,
        "http.client:HTTPConnection.getresponse": outermost(getresponse),
        "http.client:HTTPConnection.close": outermost(close),
    },
)
