"""pika against a real RabbitMQ; queues of our own, taken away."""

from __future__ import annotations

import itertools
import os
import socket

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel

from sonde.probe import core
from sonde.probe.plugins.engine import Engine

HOST, PORT = "127.0.0.1", 5672
numbers = itertools.count()
ENTRY = core.operation("entry", core.SERVER)
INSIDE = core.operation("inside", core.INTERNAL)
PARENT = f"00-{'1' * 32}-{'2' * 16}-01"


def _answers() -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex((HOST, PORT)) == 0


pytestmark = pytest.mark.skipif(not _answers(), reason="no RabbitMQ on 127.0.0.1:5672")


def facts(queue, kind, operation, size=6):
    return {
        "messaging.system": "rabbitmq",
        "messaging.operation.type": kind,
        "messaging.operation.name": operation,
        "messaging.destination.name": queue,
        "messaging.message.body.size": size,
        "server.address": HOST,
        "server.port": PORT,
    }


class OwnChannel(BlockingChannel):
    def basic_publish(self, *args, **kwargs):
        return super().basic_publish(*args, **kwargs)


@pytest.fixture
def channel(spans):
    with pika.BlockingConnection(pika.ConnectionParameters(HOST, PORT)) as connection:
        yield connection.channel()


@pytest.fixture
def queue(channel):
    name = f"sonde-plugins-test-{os.getpid()}-{next(numbers)}"
    channel.queue_declare(name)
    yield name
    with pika.BlockingConnection(pika.ConnectionParameters(HOST, PORT)) as connection:
        connection.channel().queue_delete(name)


def test_a_message_is_worked_on_below_the_request_that_published_it(spans, channel, queue):
    seen = []

    def on_message(channel, method, properties, body):
        with core.leaf(INSIDE):
            seen.append((body, properties.headers["tenant"]))
        channel.basic_ack(method.delivery_tag)
        channel.stop_consuming()

    properties = pika.BasicProperties(headers={"tenant": "a"})
    with core.scope(ENTRY):
        channel.basic_publish("", queue, b"secret", properties)
    channel.basic_consume(queue, on_message)
    channel.start_consuming()

    assert seen == [(b"secret", "a")]
    assert properties.headers == {"tenant": "a"}
    publish, entry, inside, process = spans.take(4)
    assert (publish.name, publish.kind, publish.parent_id) == (f"publish {queue}", "producer", entry.span_id)
    assert publish.attributes == facts(queue, "send", "publish")
    assert (process.name, process.kind, process.parent_id) == (f"process {queue}", "consumer", publish.span_id)
    assert process.attributes == facts(queue, "process", "process")
    assert (inside.parent_id, inside.trace_id) == (process.span_id, entry.trace_id)


def test_getting_a_message_is_linked_to_its_sender(spans, channel, queue):
    channel.basic_publish(exchange="", routing_key=queue, body=b"secret")
    with core.scope(ENTRY):
        assert channel.basic_get(queue, auto_ack=True)[2] == b"secret"
        assert channel.basic_get(queue) == (None, None, None)

    publish, got, empty, entry = spans.take(4)
    assert (got.name, got.kind, got.parent_id) == (f"receive {queue}", "client", entry.span_id)
    assert got.attributes == facts(queue, "receive", "receive")
    assert got.links == [(publish.trace_id, publish.span_id)]
    assert empty.links == []


def test_a_loop_over_messages_has_a_span_for_each(spans, channel, queue):
    for _ in range(2):
        channel.basic_publish("", queue, b"secret", pika.BasicProperties(content_type="text/plain"))
    for method, _, body in channel.consume(queue, inactivity_timeout=5):
        with core.leaf(INSIDE):
            assert body == b"secret"
        channel.basic_ack(method.delivery_tag)
        if method.delivery_tag == 2:
            break
    assert core.current() is None
    channel.cancel()

    first, second, inside, process, inside_2, process_2 = spans.take(6)
    assert [(span.kind, span.parent_id) for span in (process, process_2)] == [
        ("consumer", first.span_id),
        ("consumer", second.span_id),
    ]
    assert [inside.parent_id, inside_2.parent_id] == [process.span_id, process_2.span_id]


def test_a_loop_inside_of_a_request_links_its_messages(spans, channel, queue):
    channel.basic_publish("", queue, b"secret")
    with core.scope(ENTRY) as entry:
        for _ in channel.consume(queue, auto_ack=True):
            assert core.current() is entry
            break
    channel.cancel()

    publish, received, entry = spans.take(3)
    assert (received.kind, received.parent_id) == ("client", entry.span_id)
    assert received.links == [(publish.trace_id, publish.span_id)]


def test_an_exception_of_a_callback_passes_and_is_recorded(spans, channel, queue):
    def on_message(_channel, _method, _properties, _body):
        raise ValueError("no stock")

    channel.basic_publish("", queue, b"secret")
    channel.basic_consume(queue, on_message, auto_ack=True)
    with pytest.raises(ValueError, match="no stock") as caught:
        channel.start_consuming()

    _, process = spans.take(2)
    assert caught.traceback[-1].name == "on_message"
    assert (process.is_error, process.attributes["error.type"]) == (True, "ValueError")


def test_a_message_that_nobody_takes_fails_where_the_channel_waits(spans, channel):
    channel.confirm_delivery()
    with pytest.raises(pika.exceptions.UnroutableError):
        channel.basic_publish("", "sonde-no-such-queue", b"secret", mandatory=True)

    span = spans.only()
    assert span.attributes["error.type"] == "UnroutableError"


def test_what_is_published_to_an_exchange_has_its_name_and_not_the_key(spans, channel):
    channel.basic_publish("amq.topic", "customer.42", b"secret")

    span = spans.only()
    assert span.name == "publish amq.topic"
    assert "42" not in str(span.attributes)


def test_a_queue_that_the_broker_named_has_no_name(spans, channel):
    name = channel.queue_declare("", exclusive=True).method.queue
    channel.basic_publish("", name, b"secret")

    span = spans.only()
    assert span.name == "publish (anonymous)"
    assert span.attributes["messaging.destination.anonymous"] is True
    assert "messaging.destination.name" not in span.attributes


def test_a_traceparent_of_the_users_own_counts(spans, channel, queue):
    channel.basic_publish("", queue, b"secret", pika.BasicProperties(headers={"traceparent": PARENT}))
    assert channel.basic_get(queue, auto_ack=True)[1].headers == {"traceparent": PARENT}

    _, got = spans.take(2)
    assert got.links == [("1" * 32, "2" * 16)]


def test_an_asynchronous_adapter_is_the_same(spans, queue):
    seen = []

    def on_message(channel, method, _properties, body):
        seen.append(body)
        channel.basic_ack(method.delivery_tag)
        channel.connection.close()

    def on_channel(channel):
        channel.basic_consume(queue, on_message)
        channel.basic_publish("", queue, b"secret")

    connection = pika.SelectConnection(
        pika.ConnectionParameters(HOST, PORT),
        on_open_callback=lambda connection: connection.channel(on_open_callback=on_channel),
        on_close_callback=lambda connection, _reason: connection.ioloop.stop(),
    )
    connection.ioloop.start()
    connection.ioloop.close()

    assert seen == [b"secret"]
    publish, process = spans.take(2)
    assert process.parent_id == publish.span_id
    assert process.attributes == facts(queue, "process", "process")


def test_every_function_is_put_back():
    before = (BlockingChannel.basic_publish, BlockingChannel.consume, pika.channel.Channel.basic_get)
    engine = Engine({"pika": ("pika",)})
    engine.start()
    assert BlockingChannel.basic_publish is not before[0]
    engine.stop()
    assert (BlockingChannel.basic_publish, BlockingChannel.consume, pika.channel.Channel.basic_get) == before
