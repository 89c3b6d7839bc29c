"""websockets' asyncio client and server, over real sockets, the one talking to the other in one loop."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

pytest.importorskip("websockets.asyncio.server")

from websockets.asyncio import client, connection, server
from websockets.exceptions import ConnectionClosed, InvalidStatus

from sonde.probe import core
from sonde.probe.plugins import options
from sonde.probe.plugins.engine import Engine

QUERY = core.operation("SELECT", core.CLIENT)
JOB = core.operation("job", core.INTERNAL)
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def echo(websocket):
    async for message in websocket:
        core.leaf(QUERY).finish()
        if message == "broken":
            raise LookupError("no such thing")
        if message == "bye":
            await websocket.close(4001, "as you wish")
        elif message == "pieces":
            await websocket.send(["one ", "two"])
        else:
            await websocket.send(message)


def talked(say, handler=echo, path="/echo?token=secret", **more):
    async def run():
        async with server.serve(handler, "127.0.0.1", 0) as serving:
            port = next(iter(serving.sockets)).getsockname()[1]
            async with client.connect(f"ws://127.0.0.1:{port}{path}", **more) as websocket:
                await say(websocket)
            await asyncio.sleep(0.02)
        return port

    return asyncio.run(run())


def parted(found):
    """The server's span, the client's, and the messages of each by name."""
    serving = next(span for span in found if span.kind == "server")
    calling = next(span for span in found if span.name == "websocket connection")

    def of(one):
        return [span for span in found if span.attributes.get("websocket.connection.span_id") == one.span_id]

    return serving, calling, of(serving), of(calling)


def test_a_connection_is_a_span_on_both_sides_and_each_message_begins_a_trace(spans):
    async def say(websocket):
        for message in ("grüße", b"\0" * 10):
            await websocket.send(message)
            assert await websocket.recv() == message
        await websocket.close(4000, "enough")

    port = talked(say)
    found = spans.take(12)
    serving, calling, of_server, of_client = parted(found)
    assert serving.attributes == {
        "http.request.method": "GET",
        "url.scheme": "ws",
        "server.address": "127.0.0.1",
        "server.port": port,
        "network.protocol.name": "websocket",
        "url.path": "/echo",
        "url.template": "/echo",
        "http.response.status_code": 101,
        "websocket.close.code": 4000,
        "websocket.close.reason": "enough",
        "websocket.messages.received": 2,
        "websocket.messages.sent": 2,
    }
    assert calling.attributes == {
        "network.protocol.name": "websocket",
        "server.address": "127.0.0.1",
        "server.port": port,
        "url.full": f"ws://127.0.0.1:{port}/echo",
        "websocket.close.code": 4000,
        "websocket.close.reason": "enough",
        "websocket.messages.received": 2,
        "websocket.messages.sent": 2,
    }
    assert (serving.trace_id, serving.parent_id) == (calling.trace_id, calling.span_id)
    text, binary = [span for span in of_server if span.name == "websocket receive"]
    assert text.attributes == {
        "network.protocol.name": "websocket",
        "websocket.message.type": "text",
        "websocket.message.size": 7,
        "websocket.connection.trace_id": serving.trace_id,
        "websocket.connection.span_id": serving.span_id,
    }
    assert binary.attributes["websocket.message.type"] == "binary"
    assert binary.attributes["websocket.message.size"] == 10
    assert (text.parent_id, text.links) == ("", [(serving.trace_id, serving.span_id)])
    assert len({text.trace_id, binary.trace_id, serving.trace_id}) == 3
    assert [span.name for span in found if span.parent_id == text.span_id] == ["SELECT", "websocket send"]
    assert sorted(span.name for span in of_client) == ["websocket receive"] * 2 + ["websocket send"] * 2


def test_a_client_that_asks_in_the_middle_of_its_own_work_goes_on_with_that(spans):
    async def say(websocket):
        with core.scope(JOB):
            await websocket.send("x")
            await websocket.recv()
            core.leaf(QUERY, "client's").finish()

    talked(say)
    found = spans.take(9)
    _, _, _, of_client = parted(found)
    job = next(span for span in found if span.name == "job")
    assert next(span for span in found if span.name == "client's").parent_id == job.span_id
    assert all((job.trace_id, job.span_id) in span.links for span in of_client)


def test_a_handler_that_fails_fails_message_and_connection(spans):
    async def say(websocket):
        await websocket.send("broken")
        with contextlib.suppress(ConnectionClosed):
            await websocket.recv()

    talked(say)
    found = spans.take(5)
    failed = {span.name for span in found if span.attributes.get("error.type") == "LookupError"}
    assert failed == {"GET /echo", "websocket receive"}
    codes = [span.attributes["websocket.close.code"] for span in found if "websocket.close.code" in span.attributes]
    assert codes == [1011, 1011]


def test_the_side_that_closes_first_is_recorded_by_both(spans):
    async def say(websocket):
        await websocket.send("bye")
        with pytest.raises(ConnectionClosed):
            await websocket.recv()

    talked(say)
    serving, calling, _, _ = parted(spans.take(5))
    for span in (serving, calling):
        assert span.attributes["websocket.close.code"] == 4001
        assert span.attributes["websocket.close.reason"] == "as you wish"


def test_fragments_are_counted(spans):
    async def say(websocket):
        await websocket.send("pieces")
        assert await websocket.recv() == "one two"

    talked(say)
    serving, _, of_server, _ = parted(spans.take(6))
    assert [span.name for span in of_server] == ["websocket receive"]
    assert serving.attributes["websocket.messages.sent"] == 1


@pytest.mark.parametrize("kind", [dict, lambda pairs: list(pairs.items())])
def test_a_traceparent_of_the_users_is_left_alone(spans, kind):
    mine = kind({"TraceParent": TRACEPARENT})

    async def say(websocket):
        pass

    talked(say, additional_headers=mine)
    assert mine == kind({"TraceParent": TRACEPARENT})
    serving, _, _, _ = parted(spans.take(2))
    assert (serving.trace_id, serving.parent_id) == (TRACEPARENT[3:35], TRACEPARENT[36:52])


def test_a_handshake_that_is_refused_fails_the_clients_span(spans):
    async def run():
        def refuse(websocket, request):
            return websocket.respond(403, "no")

        async with server.serve(echo, "127.0.0.1", 0, process_request=refuse) as serving:
            port = next(iter(serving.sockets)).getsockname()[1]
            with pytest.raises(InvalidStatus):
                await client.connect(f"ws://127.0.0.1:{port}/")

    asyncio.run(run())
    span = spans.only()
    assert span.attributes["error.type"] == "InvalidStatus"


def test_a_broadcast_links_to_the_message_it_is_sent_for(spans):
    members = []

    async def room(websocket):
        members.append(websocket)
        async for message in websocket:
            for member in members:
                await member.send(message)

    async def say(one):
        uri = f"ws://127.0.0.1:{one.remote_address[1]}/"
        async with client.connect(uri) as other:
            await one.send("hello")
            await one.recv()
            await other.recv()

    talked(say, room)
    found = spans.take(10)
    serving = [span for span in found if span.kind == "server"]
    ids = {span.span_id for span in serving}
    mine = [span for span in found if span.attributes.get("websocket.connection.span_id") in ids]
    received = next(span for span in mine if span.name == "websocket receive")
    to_itself = next(span for span in mine if span.parent_id == received.span_id)
    to_other = next(span for span in mine if span.name == "websocket send" and span is not to_itself)
    assert to_other.parent_id == ""
    assert (received.trace_id, received.span_id) in to_other.links
    other = to_other.attributes["websocket.connection.span_id"]
    assert other != received.attributes["websocket.connection.span_id"]


def test_without_spans_of_messages_they_are_counted(spans, monkeypatch):
    monkeypatch.setattr(options, "websocket_messages", False)

    async def say(websocket):
        await websocket.send("x")
        await websocket.recv()

    talked(say)
    found = {span.kind: span for span in spans.take(3) if span.name != "SELECT"}
    assert found["server"].attributes["websocket.messages.received"] == 1
    assert found["client"].attributes["websocket.messages.sent"] == 1


def test_stopping_puts_every_function_back():
    owners = [
        (client.ClientConnection, ["handshake"]),
        (connection.Connection, ["close", "connection_lost", "recv", "send"]),
        (server.Server, ["__init__"]) if isinstance(server.serve, type) else (server, ["serve"]),
    ]

    def functions():
        return [getattr(owner, name) for owner, names in owners for name in names]

    before = functions()
    engine = Engine()
    engine.start()
    during = functions()
    engine.stop()

    assert all(one is not other for one, other in zip(before, during, strict=True))
    assert functions() == before
