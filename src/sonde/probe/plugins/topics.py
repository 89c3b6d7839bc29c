"""What the plugins of Kafka's two clients have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.messaging import MOST_LINKS, Destination, link, receiving, taken
from sonde.probe.propagation import outgoing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sonde.probe.core import Span


def _split(servers: str) -> tuple[str, int]:
    """Host and port where there is one server; which of several will be talked to is not known here."""
    if "," in servers:
        return "", 0
    host, _, port = servers.rpartition("://")[2].rpartition(":")
    return (host.strip("[]"), int(port)) if host and port.isdigit() else (servers, 9092)


addresses: Learned[str, tuple[str, int]] = Learned(_split, room=256)


def topic(name: str, servers: Any) -> Destination:
    """`servers`: one or several as a text with commas, or a list of texts."""
    if not isinstance(servers, str):
        servers = ",".join(servers) if isinstance(servers, list | tuple) else ""
    return Destination("kafka", name, *(addresses[servers] if servers else ("", 0)))


def getter(headers: Iterable[tuple[str, Any]] | None) -> Callable[[str], object]:
    """Of a message's headers, pairs in which a name may stand more than once: the first counts."""

    def get(name: str) -> object:
        for key, value in headers or ():
            if key == name:
                return value
        return None

    return get


def added(span: Span, headers: list[tuple[str, Any]] | None) -> list[tuple[str, Any]]:
    """A copy of `headers` with what makes the receiver continue the trace."""
    present = {name for name, _ in headers or ()}
    return [*(headers or ()), *((name, value.encode()) for name, value in outgoing(span) if name not in present)]


def received(destination: Destination, group: str | None, headers: Iterable[Any]) -> None:
    """Record that a batch has arrived: `headers` of each of its messages."""
    span = core.leaf(receiving[destination])
    number = 0
    for pairs in headers:
        if number < MOST_LINKS:
            link(span, getter(pairs))
        number += 1
    span.set("messaging.batch.message_count", number)
    span.set("messaging.consumer.group.name", group)
    span.finish()


def taken_from(destination: Destination, group: str | None, headers: Any, partition: int, offset: int) -> Span | None:
    """The span of a message that a loop has taken, if it lasts until the next one."""
    span, lasts = taken(destination, getter(headers))
    span.set("messaging.consumer.group.name", group)
    span.set("messaging.destination.partition.id", str(partition))
    span.set("messaging.kafka.offset", offset)
    if lasts:
        return span
    span.finish()
    return None
