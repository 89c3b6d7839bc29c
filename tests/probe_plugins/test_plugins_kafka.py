"""kafka-python and confluent-kafka against the broker that librdkafka brings for tests: real sockets, Kafka's protocol,
one process. Debian has clients of Kafka and no Kafka.
"""

from __future__ import annotations

import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import confluent_kafka
import pytest

from sonde.probe import core
from sonde.probe.plugins.engine import Engine

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # it reads its own files in an old way
    import kafka

ENTRY = core.operation("entry", core.SERVER)
INSIDE = core.operation("inside", core.INTERNAL)
TOPIC = "orders"
OLD = {"api_version": (2, 0, 0)}  # what librdkafka's broker speaks
PARENT = f"00-{'1' * 32}-{'2' * 16}-01"


@pytest.fixture(scope="module")
def broker():
    """Address of a broker of one node, and of one partition a topic."""
    cluster = confluent_kafka.Producer(
        {"bootstrap.servers": "", "test.mock.num.brokers": 1, "log_level": 0, "allow.auto.create.topics": True}
    )
    [node] = cluster.list_topics(timeout=10).brokers.values()
    yield f"{node.host}:{node.port}"
    cluster.flush(1)


@pytest.fixture
def topic(request):
    return f"{TOPIC}-{request.node.name.replace('[', '-').replace(']', '')}"[:80]


def facts(broker, topic, kind, operation, **more):
    host, _, port = broker.rpartition(":")
    return {
        "messaging.system": "kafka",
        "messaging.operation.type": kind,
        "messaging.operation.name": operation,
        "messaging.destination.name": topic,
        "server.address": host,
        "server.port": int(port),
        **more,
    }


def python_producer(broker):
    new = {"enable_idempotence": False} if kafka.__version__ >= "2.1" else {}
    return kafka.KafkaProducer(bootstrap_servers=broker, linger_ms=50, **OLD, **new)


def python_consumer(broker, topic):
    consumer = kafka.KafkaConsumer(
        bootstrap_servers=[broker],
        group_id=topic,
        auto_offset_reset="earliest",
        consumer_timeout_ms=8000,
        fetch_max_wait_ms=50,
        **OLD,
    )
    consumer.assign([kafka.TopicPartition(topic, 0)])  # a subscription would wait for other members of the group
    return consumer


def confluent_consumer(broker, topic):
    """As the user gets it: by the name, while the probe is on."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": broker, "group.id": topic, "auto.offset.reset": "earliest", "log_level": 0}
    )
    consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
    return consumer


def confluent_producer(broker):
    return confluent_kafka.Producer({"bootstrap.servers": broker, "log_level": 0})


def polled_batches(consumer):
    for _ in range(10):
        batches = consumer.poll(1000)
        if batches:
            return list(batches.values())
    raise AssertionError("no message")


def polled(consumer):
    for _ in range(100):
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            return message
    raise AssertionError("no message")


def test_what_a_loop_does_with_a_message_is_below_the_request_that_sent_it(spans, broker, topic):
    mine = [("tenant", b"a")]
    producer = python_producer(broker)
    with core.scope(ENTRY):
        producer.send(topic, b"secret", key=b"secret-key", headers=mine, partition=0).get(10)
    producer.close()
    assert mine == [("tenant", b"a")]
    consumer = python_consumer(broker, topic)
    for message in consumer:
        with core.leaf(INSIDE):
            assert (message.value, message.headers[0]) == (b"secret", ("tenant", b"a"))
        break
    consumer.close()
    assert core.current() is None

    publish, entry, inside, process = spans.take(4)
    assert (publish.name, publish.kind, publish.parent_id) == (f"publish {topic}", "producer", entry.span_id)
    assert publish.attributes == facts(broker, topic, "send", "publish")
    assert (process.name, process.kind, process.parent_id) == (f"process {topic}", "consumer", publish.span_id)
    more = {
        "messaging.consumer.group.name": topic,
        "messaging.destination.partition.id": "0",
        "messaging.kafka.offset": 0,
    }
    assert process.attributes == facts(broker, topic, "process", "process", **more)
    assert inside.parent_id == process.span_id


def test_a_poll_links_the_producer_of_each_message(spans, broker, topic):
    producer = python_producer(broker)
    for _ in range(2):
        producer.send(topic, b"secret", partition=0)
    producer.flush(10)
    producer.close()
    consumer = python_consumer(broker, topic)
    assert [len(records) for records in polled_batches(consumer)] == [2]
    consumer.close()

    first, second, received = spans.take(3)
    assert (received.name, received.kind) == (f"receive {topic}", "client")
    assert received.links == [(sent.trace_id, sent.span_id) for sent in (first, second)]
    more = {"messaging.consumer.group.name": topic, "messaging.batch.message_count": 2}
    assert received.attributes == facts(broker, topic, "receive", "receive", **more)


def test_what_cannot_be_sent_fails_the_span(spans, broker, topic):
    producer = python_producer(broker)
    with pytest.raises((TypeError, AssertionError)):
        producer.send(topic, 42)
    producer.close()

    assert spans.only().is_error


def test_confluents_loop_is_the_same(spans, broker, topic):
    mine = {"tenant": "a"}
    producer = confluent_producer(broker)
    with core.scope(ENTRY):
        producer.produce(topic, b"secret", b"secret-key", 0, headers=mine)
    assert producer.flush(10) == 0
    assert mine == {"tenant": "a"}
    consumer = confluent_consumer(broker, topic)
    message = polled(consumer)
    with core.leaf(INSIDE):
        assert ("tenant", b"a") in message.headers()
    assert consumer.poll(0.01) is None
    consumer.close()

    publish, entry, inside, process = spans.take(4)
    assert (publish.name, publish.kind, publish.parent_id) == (f"publish {topic}", "producer", entry.span_id)
    assert publish.attributes == facts(broker, topic, "send", "publish")
    assert (process.name, process.kind, process.parent_id) == (f"process {topic}", "consumer", publish.span_id)
    more = {
        "messaging.consumer.group.name": topic,
        "messaging.destination.partition.id": "0",
        "messaging.kafka.offset": 0,
    }
    assert process.attributes == facts(broker, topic, "process", "process", **more)
    assert inside.parent_id == process.span_id


def test_confluents_batch_links_the_producer_of_each_message(spans, broker, topic):
    producer = confluent_producer(broker)
    producer.produce(topic, b"secret", partition=0)
    producer.produce(topic, b"secret", partition=0, headers=[("tenant", b"a")])
    producer.flush(10)
    consumer = confluent_consumer(broker, topic)
    messages = consumer.consume(2, 10)
    assert len(messages) == 2
    consumer.close()

    first, second, received = spans.take(3)
    assert received.links == [(sent.trace_id, sent.span_id) for sent in (first, second)]
    assert received.attributes["messaging.batch.message_count"] == 2


def test_in_a_thread_of_an_executor_a_poll_only_links(spans, broker, topic):
    producer = confluent_producer(broker)
    producer.produce(topic, b"secret", partition=0, headers={"traceparent": PARENT})
    producer.flush(10)
    consumer = confluent_consumer(broker, topic)
    with ThreadPoolExecutor(1) as executor:
        executor.submit(polled, consumer).result()
        assert executor.submit(core.current).result() is None
    consumer.close()

    received = next(span for span in spans.take(2) if span.kind == "client")
    assert received.links == [("1" * 32, "2" * 16)]


def test_confluents_errors_and_classes_stay_what_they_are(spans, broker, topic):
    producer = confluent_producer(broker)
    with pytest.raises(TypeError):
        producer.produce(topic, 42)
    with pytest.raises(TypeError):
        producer.produce(topic, b"", headers="no headers")
    assert isinstance(producer, confluent_kafka.cimpl.Producer)
    assert type(producer).__name__ == "Producer"
    assert [span.is_error for span in spans.take(2)] == [True, True]

    class Own(confluent_kafka.Producer):
        def produce(self, *args, **kwargs):
            return super().produce(*args, **kwargs)

    own = Own({"bootstrap.servers": broker, "log_level": 0})
    own.produce(topic, b"secret")
    assert own.flush(10) == 0
    spans.only()


def test_classes_that_the_library_derives_are_seen_where_the_probe_was_first():
    code = """
from sonde.probe import core
from sonde.probe.plugins.engine import Engine
core.start({}, "", hello={})
engine = Engine({"confluent_kafka": ("confluent_kafka",)})
engine.start()
import confluent_kafka
assert issubclass(confluent_kafka.DeserializingConsumer, confluent_kafka.Consumer)
assert confluent_kafka.Consumer is confluent_kafka.cimpl.Consumer
producer = confluent_kafka.SerializingProducer({"bootstrap.servers": "127.0.0.1:1", "log_level": 0})
producer.produce("orders", value=b"secret")
assert len(core.drain()) == 1
engine.stop()
assert confluent_kafka.Consumer.__mro__[1] is object
core.stop(0)
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, timeout=30)


def test_every_function_is_put_back():
    names = [(confluent_kafka, "Producer"), (confluent_kafka.cimpl, "Consumer"), (kafka.KafkaProducer, "send")]
    before = [getattr(owner, name) for owner, name in names]
    engine = Engine({"kafka": ("kafka",), "confluent_kafka": ("confluent_kafka",)})
    engine.start()
    assert all(getattr(owner, name) is not plain for (owner, name), plain in zip(names, before, strict=True))
    engine.stop()
    assert [getattr(owner, name) for owner, name in names] == before
    assert "confluent_kafka" in sys.modules
