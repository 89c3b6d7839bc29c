"""redis against a real server; keys of our own, a database of our own."""

from __future__ import annotations

import asyncio
import gc
import os
import socket

import pytest
import redis
import redis.asyncio

from sonde.probe import core, guard

HOST, PORT, DATABASE = "127.0.0.1", 6379, 9
KEY = f"sonde-plugins-test-{os.getpid()}"
ENTRY = core.operation("entry", core.SERVER)


def _answers() -> bool:
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex((HOST, PORT)) == 0


pytestmark = pytest.mark.skipif(not _answers(), reason="no Redis on 127.0.0.1:6379")


@pytest.fixture
def client(spans):
    with redis.Redis(HOST, PORT, DATABASE) as client:
        client.ping()
        spans.take(1)
        yield client
        client.delete(KEY)


def in_async(work):
    """Run `work(client)` with an asyncio client."""

    async def run():
        client = redis.asyncio.Redis(host=HOST, port=PORT, db=DATABASE)
        try:
            return await work(client)
        finally:
            await client.delete(KEY)
            await (client.aclose if hasattr(client, "aclose") else client.close)()

    return asyncio.run(run())


def test_a_command_is_a_client_span_without_key_and_value(spans, client):
    with core.scope(ENTRY):
        client.set(KEY, "secret")
        assert client.get(KEY) == b"secret"

    _, get, entry = spans.take(3)
    assert (get.kind, get.name, get.parent_id) == ("client", "GET", entry.span_id)
    assert get.attributes == {
        "db.system.name": "redis",
        "db.operation.name": "GET",
        "db.namespace": "9",
        "server.address": HOST,
        "server.port": PORT,
    }


def test_an_asyncio_command_is_the_same(spans):
    async def work(client):
        await client.set(KEY, "secret")
        return await client.get(KEY)

    assert in_async(work) == b"secret"
    assert [span.name for span in spans.take(3)] == ["SET", "GET", "DEL"]


def test_a_pipeline_is_one_span(spans, client):
    with client.pipeline() as pipeline:
        pipeline.set(KEY, 1).incr(KEY).get(KEY)
        assert pipeline.execute() == [True, 2, b"2"]
    with client.pipeline(transaction=False) as pipeline:
        pipeline.get(KEY).get(KEY)
        assert pipeline.execute() == [b"2", b"2"]

    multi, plain = spans.take(2)
    assert (multi.name, multi.attributes["db.operation.batch.size"]) == ("MULTI", 3)
    assert (plain.name, plain.attributes["db.operation.batch.size"]) == ("PIPELINE", 2)


def test_an_asyncio_pipeline_is_one_span(spans):
    async def work(client):
        async with client.pipeline() as pipeline:
            pipeline.set(KEY, 1).incr(KEY)
            return await pipeline.execute()

    assert in_async(work) == [True, 2]
    multi, _ = spans.take(2)
    assert (multi.name, multi.attributes["db.operation.batch.size"]) == ("MULTI", 2)


def test_an_empty_pipeline_asks_the_server_nothing_and_has_no_span(spans, client):
    assert client.pipeline().execute() == []

    spans.take(0)


def test_watched_commands_of_a_pipeline_are_seen(spans, client):
    with client.pipeline() as pipeline:
        pipeline.watch(KEY)
        pipeline.get(KEY)
        pipeline.multi()
        pipeline.set(KEY, 1)
        assert pipeline.execute() == [True]

    assert [span.name for span in spans.take(3)] == ["WATCH", "GET", "MULTI"]


def test_an_error_passes_and_is_recorded(spans, client):
    client.set(KEY, "text")
    with pytest.raises(redis.ResponseError, match="not an integer") as caught:
        client.incr(KEY)

    _, span = spans.take(2)
    assert span.is_error
    assert span.attributes["error.type"] == type(caught.value).__name__
    assert span.events == ["exception"]


def test_a_refused_connection_fails_the_span(spans):
    with socket.socket() as unused:
        unused.bind((HOST, 0))
        with pytest.raises(redis.ConnectionError):
            redis.Redis(HOST, unused.getsockname()[1]).get(KEY)

    assert spans.only().is_error


def test_a_command_of_two_words_and_one_in_lower_case_have_their_usual_names(spans, client):
    client.config_get("maxmemory")
    client.execute_command("echo", "secret")
    client.execute_command(b"ECHO", "secret")

    assert [span.name for span in spans.take(3)] == ["CONFIG GET", "ECHO", "ECHO"]


def test_what_is_no_command_is_not_shown(spans, client):
    with pytest.raises(redis.ResponseError):
        client.execute_command("my secret: 42!", "x")

    assert spans.only().name == "OTHER"


def test_a_subscription_is_not_timed(spans, client):
    with client.pubsub() as subscription:
        subscription.subscribe(KEY)
        assert subscription.get_message(timeout=2)["type"] == "subscribe"

    spans.take(0)


def test_waiting_for_others_is_timed_inside_a_trace_alone(spans, client):
    """A consumer that has nothing to do would be the slowest thing there is."""
    client.blpop(KEY, timeout=0.01)
    with core.scope(ENTRY):
        client.blpop(KEY, timeout=0.01)
    client.blpop(KEY, timeout=0.01)
    in_async(lambda client: client.xread({KEY: "$"}, block=10))

    blpop, entry, _cleaning = spans.take(3)
    assert (blpop.name, blpop.parent_id) == ("BLPOP", entry.span_id)


def test_a_call_without_a_command_fails_as_it_does_without_us(spans, client, monkeypatch):
    monkeypatch.setattr(guard, "raised", False)
    with pytest.raises(IndexError):
        client.execute_command()

    spans.take(0)


def test_a_pool_stays_as_quick_as_it_was(spans):
    """In Python 3.11 and 3.12, an object whose `__dict__` was asked for has its attributes in a dict from then on."""
    with redis.Redis(host=HOST, port=PORT, db=DATABASE) as client:
        pool = client.connection_pool
        if not _has_its_values_in_place(pool):
            pytest.skip("this Python keeps none in place, or the library has asked for them itself")

        client.get(KEY)
        client.get(KEY)

        spans.take(2)
        assert _has_its_values_in_place(pool)


def _has_its_values_in_place(holder):
    """What the garbage collector sees: the values themselves, or the dict that has them."""
    return not any(type(found) is dict and "max_connections" in found for found in gc.get_referents(holder))


def test_tasks_keep_their_own_requests(spans):
    async def request(client, number):
        with core.scope(ENTRY, f"request {number}"):
            for _ in range(5):
                await client.echo(f"{number}")

    async def work(client):
        await asyncio.gather(*(request(client, number) for number in range(10)))

    in_async(work)
    found = spans.take(61)
    entries = {span.span_id for span in found if span.kind == "server"}
    echoes = [span.parent_id for span in found if span.name == "ECHO"]
    assert len(entries) == 10
    assert sorted(echoes) == sorted([entry for entry in entries for _ in range(5)])
