"""kafka-python: one producer span per message sent, until it is in the producer's buffer; one consumer span, below the
producer's, around what a loop over a consumer does with a message; one client span per topic for what `poll` brings,
with a link to the producer of each message. While a request is being served, and in a thread of an executor, a loop has
a client span with a link for each message as well. The last message of a loop is over when the consumer is closed.

Records the topic, partition, offset, consumer group, number of messages, the address and port where one bootstrap
server is given. Never records keys, values or headers. An empty `poll` has no span.

The trace goes through the message's headers; a list that the user gave is copied. Tested with the broker that
librdkafka brings for tests, which speaks Kafka's protocol over TCP, not with Kafka itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import beside
from sonde.probe.plugins.leaf import failed
from sonde.probe.plugins.messaging import publishing
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.topics import added, received, taken_from, topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Span

_HEADERS_AT = 2
"""Position of `headers` among send's arguments behind the topic, where it is not a keyword."""
_SPAN = "_sonde_span"
_ITERATING = "_sonde_iterating"


def _send(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, topic_name: Any, *args: Any, **kwargs: Any) -> Any:
        span = None
        plain = (args, kwargs)
        try:
            span = core.leaf(publishing[topic(str(topic_name), self.config["bootstrap_servers"])])
            given = args[_HEADERS_AT] if len(args) > _HEADERS_AT else kwargs.get("headers")
            if given is None or isinstance(given, list):
                headers = added(span, given)
                if len(args) > _HEADERS_AT:
                    args = (*args[:_HEADERS_AT], headers, *args[_HEADERS_AT + 1 :])
                else:
                    kwargs = {**kwargs, "headers": headers}
        except Exception:
            fault("kafka.send")
            args, kwargs = plain
        if span is None:
            return wrapped(self, topic_name, *args, **kwargs)
        try:
            future = wrapped(self, topic_name, *args, **kwargs)
        except BaseException as error:
            failed(span, error, "kafka.send")
            raise
        _sent(span, future)
        return future

    return call


def _sent(span: Span, future: Any) -> None:
    """Without the topic's metadata the future has failed already."""
    try:
        refused = future.exception if future.is_done else None
        if refused is not None:
            failed(span, refused, "kafka.send")
        else:
            span.finish()
    except Exception:
        fault("kafka.send")


def _poll(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        batches = wrapped(self, *args, **kwargs)
        try:
            if batches and not beside.kept(self, _ITERATING):
                by_topic: dict[str, list[Any]] = {}
                for partition, records in batches.items():
                    by_topic.setdefault(partition.topic, []).extend(record.headers for record in records)
                config = self.config
                for name, headers in by_topic.items():
                    received(topic(name, config["bootstrap_servers"]), config["group_id"], headers)
        except Exception:
            fault("kafka.poll")
        return batches

    return call


def _next(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Asking for a message ends the work on the one before; in here `poll` is called."""

    def call(self: Any) -> Any:
        _leave(self)
        beside.keep(self, _ITERATING, True)
        try:
            record = wrapped(self)
        finally:
            beside.keep(self, _ITERATING, False)
        try:
            config = self.config
            where = topic(record.topic, config["bootstrap_servers"])
            span = taken_from(where, config["group_id"], record.headers, record.partition, record.offset)
            beside.keep(self, _SPAN, span)
        except Exception:
            fault("kafka.next")
        return record

    return call


def _close(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        _leave(self)
        return wrapped(self, *args, **kwargs)

    return call


def _leave(consumer: Any) -> None:
    try:
        span = beside.taken(consumer, _SPAN)
        if span is not None:
            span.finish()
    except Exception:
        fault("kafka.next")


PLUGIN = Plugin(
    library="kafka-python",
    supports=">=2.0.2,<4",
    points={
        "kafka.producer.kafka:KafkaProducer.send": _send,
        "kafka.consumer.group:KafkaConsumer.poll": _poll,
        "kafka.consumer.group:KafkaConsumer.__next__": _next,
        "kafka.consumer.group:KafkaConsumer.close": _close,
    },
)
