"""pika: one producer span per message published, its confirmation included where the channel waits for one; one
consumer span, below the producer's, around each call of a consumer's callback, and around what a loop over `consume`
does with a message; one client span per `basic_get`, with a link to the producer's. All adapters. While a request is
being served, and in a thread of an executor, such a loop has client spans with links as well.

Records the exchange, or the queue where there is none, the address and port of the broker, the length of the body,
exceptions of callbacks with their stack. Never records bodies, routing keys of an exchange, headers or properties.

The trace goes through the message's headers. Properties that the user gave are copied, never changed.
"""

from __future__ import annotations

import copy
import sys
from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import beside
from sonde.probe.plugins.leaf import around, failed
from sonde.probe.plugins.messaging import (
    Destination,
    injected,
    link,
    named,
    processing,
    publishing,
    receiving,
    remote,
    taken,
)
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sonde.probe.core import Operation, Span

_BUSY = "_sonde_publishing"
_OWN = frozenset({"_on_consumer_message_delivery", "set_value_once"})
"""Callbacks of the blocking adapter itself, which is wrapped where it calls the user's."""


def _destination(channel: Any, name: Any) -> Destination:
    parameters = channel.connection.params
    return Destination("rabbitmq", named(str(name)), parameters.host, parameters.port)


def _with_headers(span: Span, properties: Any) -> Any:
    if properties is None:
        return sys.modules["pika.spec"].BasicProperties(headers=injected(span, None))
    properties = copy.copy(properties)
    properties.headers = injected(span, properties.headers)
    return properties


def _publish(wrapped: Callable[..., Any], *, blocking: bool) -> Callable[..., Any]:
    def call(
        self: Any, exchange: Any, routing_key: Any, body: Any, properties: Any = None, mandatory: Any = False
    ) -> Any:
        channel = span = None
        plain = properties
        try:
            channel = self._impl if blocking else self
            if not beside.kept(channel, _BUSY):
                span = core.leaf(publishing[_destination(channel, exchange or routing_key)])
                if type(body) is bytes:
                    span.set("messaging.message.body.size", len(body))
                properties = _with_headers(span, properties)
                beside.keep(channel, _BUSY, blocking)
        except Exception:
            fault("pika.basic_publish")
            properties = plain
        if span is None:
            return wrapped(self, exchange, routing_key, body, properties, mandatory)
        try:
            answer = wrapped(self, exchange, routing_key, body, properties, mandatory)
        except BaseException as error:
            failed(span, error, "pika.basic_publish")
            raise
        finally:
            if channel is not None:
                beside.keep(channel, _BUSY, False)
        span.finish()
        return answer

    return call


def _publish_blocking(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    return _publish(wrapped, blocking=True)


def _publish_plain(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The channel below: the blocking adapter's call has a span already."""
    return _publish(wrapped, blocking=False)


def _processed(callback: Any, operation: Operation) -> Any:
    """The user's callback, under a consumer span."""

    def on_message(channel: Any, method: Any, properties: Any, body: Any) -> Any:
        span = None
        try:
            span = core.scope(operation, None, remote((properties.headers or {}).get))
            span.set("messaging.message.body.size", len(body))
        except Exception:
            fault("pika.on_message")
        if span is None:
            return callback(channel, method, properties, body)
        try:
            answer = callback(channel, method, properties, body)
        except BaseException as error:
            failed(span, error, "pika.on_message")
            raise
        span.finish()
        return answer

    on_message.__wrapped__ = callback  # type: ignore[attr-defined]
    return on_message


def _consume(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """`queue` and the callback come first in all of these, by position or by name; what follows differs."""

    def call(self: Any, queue: Any, *args: Any, **kwargs: Any) -> Any:
        plain = (args, kwargs)
        try:
            name = "on_message_callback" if "on_message_callback" in kwargs else "callback"
            callback = args[0] if args else kwargs.get(name)
            if callable(callback) and getattr(callback, "__name__", "") not in _OWN:
                operation = processing[_destination(getattr(self, "_impl", self), queue)]
                callback = _processed(callback, operation)
                if args:
                    args = (callback, *args[1:])
                else:
                    kwargs = {**kwargs, name: callback}
        except Exception:
            fault("pika.basic_consume")
            args, kwargs = plain
        return wrapped(self, queue, *args, **kwargs)

    return call


def _get(self: Any, queue: Any, *_args: Any, **_kwargs: Any) -> Operation:
    return receiving[_destination(self._impl, queue)]


def _got(span: Span, message: Any) -> None:
    _, properties, body = message
    if properties is not None:
        link(span, (properties.headers or {}).get)
        span.set("messaging.message.body.size", len(body or b""))


def _iterate(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, queue: Any, *args: Any, **kwargs: Any) -> Iterator[Any]:
        for message in wrapped(self, queue, *args, **kwargs):
            span = None
            try:
                _, properties, body = message
                if properties is not None:
                    span, lasts = taken(_destination(self._impl, queue), (properties.headers or {}).get)
                    span.set("messaging.message.body.size", len(body or b""))
                    if not lasts:
                        span.finish()
            except Exception:
                fault("pika.consume")
            try:
                yield message
            finally:
                if span is not None:
                    span.finish()

    return call


PLUGIN = Plugin(
    library="pika",
    supports=">=1.2,<2",
    points={
        "pika.adapters.blocking_connection:BlockingChannel.basic_publish": _publish_blocking,
        "pika.adapters.blocking_connection:BlockingChannel.basic_consume": _consume,
        "pika.adapters.blocking_connection:BlockingChannel.basic_get": around(_get, _got),
        "pika.adapters.blocking_connection:BlockingChannel.consume": _iterate,
        "pika.channel:Channel.basic_publish": _publish_plain,
        "pika.channel:Channel.basic_consume": _consume,
        "pika.channel:Channel.basic_get": _consume,
    },
)
