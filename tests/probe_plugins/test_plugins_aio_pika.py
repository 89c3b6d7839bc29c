"""aio-pika and the aiormq below it against a real RabbitMQ; queues of our own, taken away."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket

import aio_pika
import aiormq
import pytest

from sonde.probe import core
from sonde.probe.plugins.engine import Engine

HOST, PORT = "127.0.0.1", 5672
URL = f"amqp://guest:guest@{HOST}:{PORT}/"
numbers = itertools.count()
ENTRY = core.operation("entry", core.SERVER)
INSIDE = core.operation("inside", core.INTERNAL)
PARENT = f"00-{'1' * 32}-{'2' * 16}-01"


def _answers() -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex((HOST, PORT)) == 0


pytestmark = pytest.mark.skipif(not _answers(), reason="no RabbitMQ on 127.0.0.1:5672")


def facts(queue, kind, operation):
    return {
        "messaging.system": "rabbitmq",
        "messaging.operation.type": kind,
        "messaging.operation.name": operation,
        "messaging.destination.name": queue,
        "messaging.message.body.size": 6,
        "server.address": HOST,
        "server.port": PORT,
    }


def with_queue(work):
    """Run `work(channel, queue)` of aio-pika."""
    name = f"sonde-plugins-test-{os.getpid()}-{next(numbers)}"

    async def run():
        async with await aio_pika.connect(URL) as connection:
            channel = await connection.channel()
            queue = await channel.declare_queue(name)
            try:
                return await work(channel, queue)
            finally:
                await queue.delete(if_unused=False, if_empty=False)

    return asyncio.run(asyncio.wait_for(run(), 10))


async def send(channel, queue, **more):
    message = aio_pika.Message(b"secret", **more)
    await channel.default_exchange.publish(message, routing_key=queue.name)
    return message


def test_a_message_is_worked_on_below_the_request_that_published_it(spans):
    async def work(channel, queue):
        done = asyncio.get_running_loop().create_future()

        async def on_message(message):
            async with message.process():
                with core.leaf(INSIDE):
                    done.set_result((message.body, message.headers["tenant"]))

        with core.scope(ENTRY):
            message = await send(channel, queue, headers={"tenant": "a"})
        assert message.headers == {"tenant": "a"}
        await queue.consume(on_message)
        assert await done == (b"secret", "a")
        return queue.name

    queue = with_queue(work)
    publish, entry, inside, process = spans.take(4)
    assert (publish.name, publish.kind, publish.parent_id) == (f"publish {queue}", "producer", entry.span_id)
    assert publish.attributes == facts(queue, "send", "publish")
    assert (process.name, process.kind, process.parent_id) == (f"process {queue}", "consumer", publish.span_id)
    assert process.attributes == facts(queue, "process", "process")
    assert (inside.parent_id, inside.trace_id) == (process.span_id, entry.trace_id)


def test_an_exception_of_a_callback_is_recorded(spans, caplog):
    async def work(channel, queue):
        done = asyncio.get_running_loop().create_future()

        async def on_message(message):
            try:
                async with message.process():
                    raise ValueError("no stock")
            finally:
                done.set_result(None)

        await send(channel, queue)
        await queue.consume(on_message)
        await done
        await asyncio.sleep(0)

    with_queue(work)
    _, process = spans.take(2)
    assert (process.is_error, process.attributes["error.type"]) == (True, "ValueError")


def test_what_a_loop_processes_is_below_the_producer(spans):
    async def work(channel, queue):
        await send(channel, queue)
        async with queue.iterator() as messages:
            async for message in messages:
                async with message.process():
                    with core.leaf(INSIDE):
                        assert message.body == b"secret"
                assert core.current() is None
                return

    with_queue(work)
    publish, inside, process = spans.take(3)
    assert (process.kind, process.parent_id, inside.parent_id) == ("consumer", publish.span_id, process.span_id)


def test_a_loop_that_fails_marks_its_span(spans):
    async def work(channel, queue):
        await send(channel, queue)
        async with queue.iterator() as messages:
            async for message in messages:
                async with message.process():
                    raise ValueError("no stock")

    with pytest.raises(ValueError, match="no stock"):
        with_queue(work)
    _, process = spans.take(2)
    assert process.attributes["error.type"] == "ValueError"


def test_getting_a_message_is_linked_to_its_sender(spans):
    async def work(channel, queue):
        await send(channel, queue)
        message = await queue.get(no_ack=True)
        assert message.body == b"secret"
        assert await queue.get(fail=False) is None
        return queue.name

    queue = with_queue(work)
    publish, got, empty = spans.take(3)
    assert (got.name, got.kind) == (f"receive {queue}", "client")
    assert got.attributes == facts(queue, "receive", "receive")
    assert got.links == [(publish.trace_id, publish.span_id)]
    assert empty.links == []


def test_a_traceparent_of_the_users_own_counts(spans):
    async def work(channel, queue):
        await send(channel, queue, headers={"traceparent": PARENT})
        return (await queue.get(no_ack=True)).headers["traceparent"]

    assert with_queue(work) == PARENT
    assert spans.take(2)[1].links == [("1" * 32, "2" * 16)]


def test_aiormq_alone_keeps_the_users_properties(spans):
    async def run():
        connection = await aiormq.connect(URL)
        channel = await connection.channel()
        queue = (await channel.queue_declare(exclusive=True)).queue
        done = asyncio.get_running_loop().create_future()

        async def on_message(message):
            done.set_result(message.body)

        properties = aiormq.spec.Basic.Properties()
        await channel.basic_publish(b"secret", routing_key=queue, properties=properties)
        assert properties.headers is None
        assert properties.message_id
        await channel.basic_publish(b"other", exchange="amq.topic", routing_key="customer.42")
        await channel.basic_consume(queue, on_message, no_ack=True)
        assert await done == b"secret"
        await connection.close()

    asyncio.run(asyncio.wait_for(run(), 10))
    publish, other, process = spans.take(3)
    assert (publish.name, other.name, process.name) == (
        "publish (anonymous)",
        "publish amq.topic",
        "process (anonymous)",
    )
    assert process.parent_id == publish.span_id
    assert "42" not in str(other.attributes)


def test_a_cancelled_publish_is_no_failure(spans, monkeypatch):
    async def work(channel, queue):
        task = asyncio.create_task(send(channel, queue))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with_queue(work)
    span = spans.only()
    assert (span.is_error, span.attributes["sonde.cancelled"]) == (False, True)


def test_every_function_is_put_back():
    from aio_pika.message import ProcessContext
    from aiormq.channel import Channel

    before = (Channel.basic_publish, Channel.basic_get, ProcessContext.__aexit__)
    engine = Engine({"aiormq": ("aiormq",), "aio_pika": ("aio_pika",)})
    engine.start()
    assert ProcessContext.__aexit__ is not before[2]
    engine.stop()
    assert (Channel.basic_publish, Channel.basic_get, ProcessContext.__aexit__) == before
