"""confluent-kafka: one producer span per message produced, until it is in librdkafka's queue; one consumer span, below
the producer's, from a message that `poll` gives to the next call of `poll`, `consume` or `close`; one client span per
topic for what `consume` brings, with a link to the producer of each message. While a request is being served, and in a
thread of an executor, a `poll` has a client span with a link as well.

Records the topic, partition, offset, consumer group, number of messages, the address and port where one bootstrap
server is given. Never records keys, values or headers. A `poll` that brings nothing has no span. Errors of delivery,
which arrive after the call, are not seen, nor is `produce_batch`.

The trace goes through the message's headers; those that the user gave are copied. Tested with the broker that
librdkafka brings for tests, which speaks Kafka's protocol over TCP, not with Kafka itself.

The classes are C types that cannot be wrapped: subclasses take their places, and the library's own derive from those.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins.leaf import failed
from sonde.probe.plugins.messaging import injected, publishing
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.topics import added, received, taken_from, topic

if TYPE_CHECKING:
    from sonde.probe.core import Span

_HEADERS_AT = 6
"""Position of `headers` among produce's arguments behind the topic, where it is not a keyword."""


def _setting(args: tuple[Any, ...], kwargs: dict[str, Any], *names: str) -> str:
    """A setting, from a dict or from keywords."""
    for place in (*args[:1], kwargs):
        for name in names:
            if isinstance(place, dict) and isinstance(place.get(name), str):
                return str(place[name])
    return ""


def _subclass(plain: type, members: dict[str, Any]) -> type:
    facts = {"__module__": plain.__module__, "__qualname__": plain.__qualname__, "__doc__": plain.__doc__}
    return type(plain.__name__, (plain,), {**facts, **members})


@lru_cache  # one for both names of the class
def _producer(plain: Any) -> Any:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - a member of the class below
        plain.__init__(self, *args, **kwargs)
        self._sonde_servers = _setting(args, kwargs, "bootstrap.servers", "metadata.broker.list")

    def produce(self: Any, topic_name: Any, *args: Any, **kwargs: Any) -> Any:
        span = None
        given = (args, kwargs)
        try:
            span = core.leaf(publishing[topic(str(topic_name), self._sonde_servers)])
            if len(args) > _HEADERS_AT:
                args = (*args[:_HEADERS_AT], _with(span, args[_HEADERS_AT]), *args[_HEADERS_AT + 1 :])
            else:
                kwargs = {**kwargs, "headers": _with(span, kwargs.get("headers"))}
        except Exception:
            fault("confluent_kafka.produce")
            args, kwargs = given
        if span is None:
            return plain.produce(self, topic_name, *args, **kwargs)
        try:
            answer = plain.produce(self, topic_name, *args, **kwargs)
        except BaseException as error:
            failed(span, error, "confluent_kafka.produce")
            raise
        span.finish()
        return answer

    return _subclass(plain, {"__init__": __init__, "produce": produce, "_sonde_servers": ""})


def _with(span: Span, headers: Any) -> Any:
    """What is neither a dict nor a list is no headers: librdkafka will say so."""
    if not span.recording or not (headers is None or isinstance(headers, dict | list)):
        return headers
    return injected(span, headers) if isinstance(headers, dict) else added(span, headers)


@lru_cache
def _consumer(plain: Any) -> Any:
    def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - a member of the class below
        plain.__init__(self, *args, **kwargs)
        self._sonde_servers = _setting(args, kwargs, "bootstrap.servers", "metadata.broker.list")
        self._sonde_group = _setting(args, kwargs, "group.id") or None

    def poll(self: Any, *args: Any, **kwargs: Any) -> Any:
        _leave(self)
        message = plain.poll(self, *args, **kwargs)
        if message is not None:
            try:
                _taken(self, message)
            except Exception:
                fault("confluent_kafka.poll")
        return message

    def consume(self: Any, *args: Any, **kwargs: Any) -> Any:
        _leave(self)
        messages = plain.consume(self, *args, **kwargs)
        if messages:
            try:
                _received(self, messages)
            except Exception:
                fault("confluent_kafka.consume")
        return messages

    def close(self: Any, *args: Any, **kwargs: Any) -> Any:
        _leave(self)
        return plain.close(self, *args, **kwargs)

    members = {"__init__": __init__, "poll": poll, "consume": consume, "close": close}
    return _subclass(plain, {**members, "_sonde_servers": "", "_sonde_group": None, "_sonde_span": None})


def _leave(consumer: Any) -> None:
    """The work on the last message is over."""
    span = consumer._sonde_span  # noqa: SLF001 - ours
    if span is not None:
        consumer._sonde_span = None  # noqa: SLF001
        span.finish()


def _taken(consumer: Any, message: Any) -> None:
    if message.error() is None:
        where = topic(message.topic(), consumer._sonde_servers)  # noqa: SLF001
        group = consumer._sonde_group  # noqa: SLF001
        span = taken_from(where, group, message.headers(), message.partition(), message.offset())
        consumer._sonde_span = span  # noqa: SLF001


def _received(consumer: Any, messages: Any) -> None:
    by_topic: dict[str, list[Any]] = {}
    for message in messages:
        if message.error() is None:
            by_topic.setdefault(message.topic(), []).append(message.headers())
    for name, headers in by_topic.items():
        received(topic(name, consumer._sonde_servers), consumer._sonde_group, headers)  # noqa: SLF001


PLUGIN = Plugin(
    library="confluent-kafka",
    supports=">=2.1,<3",
    points={
        "confluent_kafka.cimpl:Producer": _producer,
        "confluent_kafka.cimpl:Consumer": _consumer,
        "confluent_kafka:Producer": _producer,
        "confluent_kafka:Consumer": _consumer,
    },
)
