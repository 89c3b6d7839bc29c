"""What spans of message queues have in common. Names: OpenTelemetry's messaging conventions.

A message that is sent makes a producer span, one that is worked on a consumer span below it, through the message's own
headers. What takes several messages at once has one span with a link to each sender.

Source: https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from sonde.probe import core
from sonde.probe.plugins.bounded import Learned
from sonde.probe.propagation import incoming, outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, MutableMapping

    from sonde.probe.core import Operation, Span

MOST_LINKS = 128
"""Senders that a span of several messages points at."""

ANONYMOUS = "(anonymous)"
"""Instead of a name that the broker made up: there is one for each client, and it says nothing."""


class Destination(NamedTuple):
    """A queue or topic and the broker it is at; an address that is not known is empty, a port 0."""

    system: str
    name: str
    host: str
    port: int


def named(queue: str) -> str:
    """A queue's or exchange's name; for those that RabbitMQ makes up, that they are such."""
    return ANONYMOUS if queue.startswith(("amq.gen-", "amq.rabbitmq.reply-to", "amq_")) else queue


def constants(destination: Destination, kind: str, operation: str) -> dict[str, object]:
    """What all spans of one operation (`publish`, of the kind `send`) on a destination say."""
    system, name, host, port = destination
    said: dict[str, object] = {
        "messaging.system": system,
        "messaging.operation.type": kind,
        "messaging.operation.name": operation,
    }
    if name == ANONYMOUS:
        said["messaging.destination.anonymous"] = True
    elif name:
        said["messaging.destination.name"] = name
    if host:
        said["server.address"] = host
    if port:
        said["server.port"] = port
    return said


def _table(operation: str, kind: str, span_kind: int) -> Learned[Destination, Operation]:
    def make(destination: Destination) -> Operation:
        name = f"{operation} {destination[1]}" if destination[1] else operation
        return core.operation(name, span_kind, constants(destination, kind, operation))

    return Learned(make, room=1024)


publishing = _table("publish", "send", core.PRODUCER)
processing = _table("process", "process", core.CONSUMER)
receiving = _table("receive", "receive", core.CLIENT)
"""Asked for by the program: what it does with the message is not seen from there."""


def inject(span: Span, headers: MutableMapping[str, object]) -> None:
    """Add what makes the receiver continue the trace. What the user has put there stays."""
    for name, value in outgoing(span):
        headers.setdefault(name, value)


def injected(span: Span, headers: Mapping[str, object] | None) -> dict[str, object]:
    """A copy of `headers` with what makes the receiver continue the trace."""
    return {**dict(outgoing(span)), **headers} if headers else dict(outgoing(span))


def remote(get: Callable[[str], object]) -> Any:
    """What `core.scope` takes, from a getter of headers by name whose values may be of any type."""

    def text(name: str) -> str | None:
        value = get(name)
        if isinstance(value, bytes):
            return value.decode("latin-1")
        return value if isinstance(value, str) else None

    return incoming(text)


def link(span: Span, get: Callable[[str], object]) -> None:
    """Point at the sender of one of several messages, where it says who it is."""
    sender = remote(get)
    if isinstance(sender, tuple):
        trace, parent = sender[0].hex(), sender[1].hex()
    else:
        parts = (sender or "").split("-")
        trace, parent = (parts[1], parts[2]) if len(parts) >= 4 else ("", "")
    if len(trace) == 32 and len(parent) == 16:
        span.link(trace, parent)


def taken(destination: Destination, get: Callable[[str], object]) -> tuple[Span, bool]:
    """A span for one message that a loop has taken, and whether it lasts: until the loop takes the next one.

    It does in a loop that is the thread's own business, where nothing else is going on. Where a request is being
    served, and in threads of an executor, which have other things to do before the next message, it must not be the
    current span: there, that the message was received is all that can be said.
    """
    if core.current() is None and not threading.current_thread().name.startswith(("ThreadPoolExecutor", "asyncio_")):
        return core.scope(processing[destination], None, remote(get)), True
    span = core.leaf(receiving[destination])
    link(span, get)
    return span, False
