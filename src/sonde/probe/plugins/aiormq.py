"""aiormq, and with it aio-pika: one producer span per message published, the broker's confirmation included; one
consumer span, below the producer's, around each call of a consumer's callback; one client span per `basic_get`, with a
link to the producer's.

Records the exchange, or the queue where there is none, the address and port of the broker, the length of the body,
exceptions of callbacks with their stack. Never records bodies, routing keys of an exchange, headers or properties.

The trace goes through the message's headers. Properties that the user gave are copied; an id that the library gives to
a message without one is set in the user's as well.
"""

from __future__ import annotations

import copy
import inspect
import sys
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import beside
from sonde.probe.plugins.leaf import around_async, failed
from sonde.probe.plugins.messaging import Destination, injected, link, named, processing, publishing, receiving, remote
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation, Span

_ADDRESS = "_sonde_address"

inside: ContextVar[bool] = ContextVar("sonde_aiormq_inside", default=False)
"""A consumer's callback is running, under its span."""


def destination(channel: Any, name: str) -> Destination:
    """Of an aiormq channel; the address is kept with it, since URLs are slow to ask."""
    address = beside.kept(channel, _ADDRESS)
    if address is None:
        url = channel.connection.url
        address = (url.host or "", url.port or (5671 if url.scheme == "amqps" else 5672))
        beside.keep(channel, _ADDRESS, address)
    return Destination("rabbitmq", named(name), *address)


def _publish(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    async def call(self: Any, body: Any, **kwargs: Any) -> Any:
        span = None
        plain = given = kwargs.get("properties")
        try:
            span = core.leaf(publishing[destination(self, kwargs.get("exchange") or kwargs.get("routing_key") or "")])
            span.set("messaging.message.body.size", len(body))
            given = sys.modules["aiormq"].spec.Basic.Properties(delivery_mode=1) if plain is None else copy.copy(plain)
            given.headers = injected(span, given.headers)
        except Exception:
            fault("aiormq.basic_publish")
            given = plain
        if span is None:
            return await wrapped(self, body, **kwargs)
        try:
            answer = await wrapped(self, body, **{**kwargs, "properties": given})
        except BaseException as error:
            failed(span, error, "aiormq.basic_publish")
            raise
        finally:
            _keep_id(plain, given)
        span.finish()
        return answer

    return call


def _keep_id(plain: Any, given: Any) -> None:
    try:
        if plain is not None and not plain.message_id:
            plain.message_id = given.message_id
    except Exception:
        fault("aiormq.basic_publish")


def _started(operation: Operation, message: Any) -> Span | None:
    try:
        span = core.scope(operation, None, remote((message.header.properties.headers or {}).get))
        span.set("messaging.message.body.size", len(message.body))
    except Exception:
        fault("aiormq.on_message")
        return None
    return span


def _processed(callback: Any, operation: Operation) -> Any:
    """The user's callback under a consumer span, a coroutine function where it is one."""

    async def awaited(span: Span | None, result: Any) -> Any:
        token = inside.set(span is not None)
        try:
            answer = await result
        except BaseException as error:
            if span is not None:
                failed(span, error, "aiormq.on_message")
            raise
        finally:
            inside.reset(token)
        if span is not None:
            span.finish()
        return answer

    async def on_message(message: Any) -> Any:
        return await awaited(_started(operation, message), callback(message))

    def on_message_plain(message: Any) -> Any:
        span = _started(operation, message)
        try:
            answer = callback(message)
        except BaseException as error:
            if span is not None:
                failed(span, error, "aiormq.on_message")
            raise
        if hasattr(answer, "__await__"):
            return awaited(span, answer)
        if span is not None:
            span.finish()
        return answer

    return on_message if inspect.iscoroutinefunction(callback) else on_message_plain


def _is_iterator(callback: Any) -> bool:
    """aio-pika's iterator only puts the message aside; who works on it is seen by `message.process()`."""
    inner = getattr(callback, "args", ())
    owner = getattr(inner[0] if inner else None, "__self__", None)
    return owner is not None and any(kind.__name__ == "QueueIterator" for kind in type(owner).__mro__)


def _consume(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    async def call(self: Any, queue: Any, consumer_callback: Any, *args: Any, **kwargs: Any) -> Any:
        callback = consumer_callback
        try:
            if callable(callback) and not _is_iterator(callback):
                callback = _processed(callback, processing[destination(self, queue)])
        except Exception:
            fault("aiormq.basic_consume")
        return await wrapped(self, queue, callback, *args, **kwargs)

    return call


def _get(self: Any, queue: str = "", *_args: Any, **_kwargs: Any) -> Operation:
    return receiving[destination(self, queue)]


def _got(span: Span, message: Any) -> None:
    if message is not None and message.header is not None:
        link(span, (message.header.properties.headers or {}).get)
        span.set("messaging.message.body.size", len(message.body))


PLUGIN = Plugin(
    library="aiormq",
    supports=">=6.7,<8",
    points={
        "aiormq.channel:Channel.basic_publish": _publish,
        "aiormq.channel:Channel.basic_consume": _consume,
        "aiormq.channel:Channel.basic_get": around_async(_get, _got),
    },
)
