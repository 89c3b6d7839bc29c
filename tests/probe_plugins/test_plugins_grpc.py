"""grpc: real clients and servers, by threads and asyncio, with generic handlers."""

from __future__ import annotations

import asyncio
import time
from concurrent import futures

import grpc
import grpc.aio
import pytest

from sonde.probe import core
from sonde.probe.plugins.engine import Engine

ENTRY = core.operation("entry", core.SERVER)
INSIDE = core.operation("inside", core.INTERNAL)
PARENT = f"00-{'1' * 32}-{'2' * 16}-01"
FACTS = {"rpc.system": "grpc", "rpc.service": "shop.Orders"}


def _inside():
    core.leaf(INSIDE).finish()


def answer(request, context):
    _inside()
    return b"answer " + request


def answers(request, context):
    yield request
    _inside()
    yield request


def collect(requests, context):
    return b"".join(requests)


def echo(requests, context):
    yield from requests


def fails(request, context):
    raise ValueError("no stock")


def refuses(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "secret")


def breaks_off(request, context):
    yield request
    raise ValueError("no stock")


def handlers(**given):
    made = {
        "Answer": grpc.unary_unary_rpc_method_handler(given.get("answer", answer)),
        "Answers": grpc.unary_stream_rpc_method_handler(given.get("answers", answers)),
        "Collect": grpc.stream_unary_rpc_method_handler(given.get("collect", collect)),
        "Echo": grpc.stream_stream_rpc_method_handler(given.get("echo", echo)),
        "Fails": grpc.unary_unary_rpc_method_handler(given.get("fails", fails)),
        "Refuses": grpc.unary_unary_rpc_method_handler(given.get("refuses", refuses)),
        "BreaksOff": grpc.unary_stream_rpc_method_handler(given.get("breaks_off", breaks_off)),
    }
    return (grpc.method_handlers_generic_handler("shop.Orders", made),)


@pytest.fixture
def channel(spans):
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(handlers())
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    server.stop(None).wait()


def called(spans, expected=2):
    """The client's span, the server's, and those inside of the server's."""
    found = {span.kind: span for span in spans.take(expected)}
    return found["client"], found["server"], found.get("internal")


def test_a_call_is_a_client_span_and_its_service_a_server_span_below(spans, channel):
    mine = [("tenant", "a")]
    assert channel.unary_unary("/shop.Orders/Answer")(b"secret", metadata=mine) == b"answer secret"
    assert mine == [("tenant", "a")]

    client, server, inside = called(spans, 3)
    assert (client.name, client.parent_id) == ("shop.Orders/Answer", "")
    assert client.attributes == {
        **FACTS,
        "rpc.method": "Answer",
        "rpc.grpc.status_code": 0,
        "server.address": "127.0.0.1",
        "server.port": client.attributes["server.port"],
    }
    assert (server.name, server.parent_id) == ("shop.Orders/Answer", client.span_id)
    assert server.attributes == {**FACTS, "rpc.method": "Answer", "rpc.grpc.status_code": 0}
    assert inside.parent_id == server.span_id
    assert not client.is_error


@pytest.mark.parametrize("way", ["with_call", "future"])
def test_other_ways_to_call_are_the_same(spans, channel, way):
    call = getattr(channel.unary_unary("/shop.Orders/Answer"), way)(b"")
    assert (call[0] if way == "with_call" else call.result()) == b"answer "

    client, server, _ = called(spans, 3)
    assert server.parent_id == client.span_id
    assert client.attributes["rpc.grpc.status_code"] == 0


def test_streams_last_until_their_end(spans, channel):
    assert list(channel.unary_stream("/shop.Orders/Answers")(b"a")) == [b"a", b"a"]
    client, server, inside = called(spans, 3)
    assert (server.parent_id, inside.parent_id) == (client.span_id, server.span_id)

    assert channel.stream_unary("/shop.Orders/Collect")(iter([b"a", b"b"])) == b"ab"
    client, server, _ = called(spans)
    assert server.parent_id == client.span_id

    assert list(channel.stream_stream("/shop.Orders/Echo")(iter([b"a", b"b"]))) == [b"a", b"b"]
    client, server, _ = called(spans)
    assert server.parent_id == client.span_id


def test_a_handler_that_raises_fails_both(spans, channel, caplog):
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/shop.Orders/Fails")(b"")
    assert caught.value.code() == grpc.StatusCode.UNKNOWN

    client, server, _ = called(spans)
    assert (client.is_error, client.attributes["error.type"], client.events) == (True, "2", [])
    assert (server.is_error, server.attributes["error.type"], server.events) == (True, "ValueError", ["exception"])
    assert server.attributes["rpc.grpc.status_code"] == 2


def test_a_stream_that_breaks_off_fails_both(spans, channel, caplog):
    with pytest.raises(grpc.RpcError):
        list(channel.unary_stream("/shop.Orders/BreaksOff")(b""))

    client, server, _ = called(spans)
    assert client.attributes["error.type"] == "2"
    assert server.attributes["error.type"] == "ValueError"


def test_what_the_caller_did_wrong_is_no_fault_of_the_server(spans, channel):
    with pytest.raises(grpc.RpcError):
        channel.unary_unary("/shop.Orders/Refuses")(b"")

    client, server, _ = called(spans)
    assert (client.is_error, client.attributes["error.type"]) == (True, "5")
    assert (server.is_error, server.attributes["rpc.grpc.status_code"]) == (False, 5)
    assert "secret" not in str((client, server))


def test_a_cancelled_stream_is_no_failure(spans, channel):
    call = channel.unary_stream("/shop.Orders/Answers")(b"")
    next(call)
    call.cancel()

    found = {}
    deadline = time.monotonic() + 5
    while {"client", "server"} - set(
        found
    ) and time.monotonic() < deadline:  # how far the server came is left to chance
        found |= {span.kind: span for span in spans.now() if "Answers" in span.name}
    assert (found["client"].is_error, found["client"].attributes["sonde.cancelled"]) == (False, True)
    assert not found["server"].is_error


def test_a_server_that_is_not_there_fails_the_call(spans):
    with grpc.insecure_channel("dns:///localhost:1") as channel, pytest.raises(grpc.RpcError):
        channel.unary_unary("/shop.Orders/Answer")(b"", timeout=0.2)

    span = spans.only()
    assert (span.is_error, span.attributes["server.address"], span.attributes["server.port"]) == (True, "localhost", 1)


def test_a_traceparent_of_the_users_own_counts(spans, channel):
    channel.unary_unary("/shop.Orders/Answer")(b"", metadata=(("traceparent", PARENT),))

    _, server, _ = called(spans, 3)
    assert (server.trace_id, server.parent_id) == ("1" * 32, "2" * 16)


def in_async(work, **given):
    async def run():
        server = grpc.aio.server(futures.ThreadPoolExecutor(2))
        server.add_generic_rpc_handlers(handlers(**given))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        try:
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                await work(channel)
        finally:
            await server.stop(None)

    asyncio.run(asyncio.wait_for(run(), 20))


async def async_answer(request, context):
    _inside()
    return b"answer " + request


async def async_answers(request, context):
    yield request
    _inside()
    yield request


async def async_writes(request, context):
    await context.write(request)
    _inside()
    await context.write(request)


async def async_collect(requests, context):
    return b"".join([request async for request in requests])


async def async_fails(request, context):
    raise ValueError("no stock")


async def async_refuses(request, context):
    await context.abort(grpc.StatusCode.NOT_FOUND, "secret")


@pytest.mark.parametrize("given", [{"answer": async_answer}, {}], ids=["coroutine", "thread"])
def test_an_asyncio_call_is_the_same(spans, given):
    async def work(channel):
        metadata = grpc.aio.Metadata(("tenant", "a"))
        assert await channel.unary_unary("/shop.Orders/Answer")(b"secret", metadata=metadata) == b"answer secret"
        assert list(metadata) == [("tenant", "a")]

    in_async(work, **given)
    client, server, inside = called(spans, 3)
    assert client.attributes == {
        **FACTS,
        "rpc.method": "Answer",
        "rpc.grpc.status_code": 0,
        "server.address": "127.0.0.1",
        "server.port": client.attributes["server.port"],
    }
    assert (server.name, server.parent_id) == ("shop.Orders/Answer", client.span_id)
    assert server.attributes == {**FACTS, "rpc.method": "Answer", "rpc.grpc.status_code": 0}
    assert inside.parent_id == server.span_id


@pytest.mark.parametrize("handler", [async_answers, async_writes, answers], ids=["generator", "writes", "thread"])
def test_asyncio_streams_last_until_their_end(spans, handler):
    async def work(channel):
        assert [value async for value in channel.unary_stream("/shop.Orders/Answers")(b"a")] == [b"a", b"a"]

    in_async(work, answers=handler)
    client, server, inside = called(spans, 3)
    assert server.parent_id == client.span_id
    # A plain generator's steps may be made in several threads.
    assert handler is answers or inside.parent_id == server.span_id


def test_streams_of_asyncio_requests(spans):
    async def work(channel):
        assert await channel.stream_unary("/shop.Orders/Collect")(iter([b"a", b"b"])) == b"ab"

    in_async(work, collect=async_collect)
    client, server, _ = called(spans)
    assert server.parent_id == client.span_id


def test_asyncio_failures_are_told_apart(spans, caplog):
    async def work(channel):
        for method in ("Fails", "Refuses"):
            with pytest.raises(grpc.RpcError):
                await channel.unary_unary(f"/shop.Orders/{method}")(b"")

    in_async(work, fails=async_fails, refuses=async_refuses)
    found = {(span.kind, span.attributes["rpc.method"]): span for span in spans.take(4)}
    assert found["client", "Fails"].attributes["error.type"] == "2"
    assert found["server", "Fails"].attributes["error.type"] == "ValueError"
    assert found["client", "Refuses"].attributes["error.type"] == "5"
    assert not found["server", "Refuses"].is_error
    assert found["server", "Refuses"].attributes["rpc.grpc.status_code"] == 5


def test_a_cancelled_asyncio_call_is_no_failure(spans):
    async def slow(request, context):
        await asyncio.sleep(10)

    async def work(channel):
        call = channel.unary_unary("/shop.Orders/Answer")(b"")
        await asyncio.sleep(0.1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    in_async(work, answer=slow)
    client, server, _ = called(spans)
    assert (client.is_error, client.attributes["sonde.cancelled"]) == (False, True)
    assert (server.is_error, server.attributes["sonde.cancelled"]) == (False, True)


def test_interceptors_of_the_user_are_called_as_ever(spans):
    seen = []

    class Client(grpc.aio.UnaryUnaryClientInterceptor):
        async def intercept_unary_unary(self, continuation, details, request):
            seen.append("client")
            return await continuation(details, request)

    class Server(grpc.aio.ServerInterceptor):
        async def intercept_service(self, continuation, details):
            seen.append("server")
            return await continuation(details)

    async def run():
        server = grpc.aio.server(interceptors=(Server(),))
        server.add_generic_rpc_handlers(handlers(answer=async_answer))
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", interceptors=[Client()]) as channel:
            assert await channel.unary_unary("/shop.Orders/Answer")(b"") == b"answer "
        await server.stop(None)

    asyncio.run(asyncio.wait_for(run(), 20))
    assert seen == ["client", "server"]
    client, server, _ = called(spans, 3)
    assert (server.parent_id, client.attributes["rpc.grpc.status_code"]) == (client.span_id, 0)


def test_every_function_is_put_back():
    from grpc import _channel, _server

    before = (_channel._UnaryUnaryMultiCallable.__call__, _server._unary_response_in_pool, grpc.aio.Server.__init__)
    engine = Engine({"grpc": ("grpc",)})
    engine.start()
    assert _server._unary_response_in_pool is not before[1]
    engine.stop()
    after = (_channel._UnaryUnaryMultiCallable.__call__, _server._unary_response_in_pool, grpc.aio.Server.__init__)
    assert after == before
