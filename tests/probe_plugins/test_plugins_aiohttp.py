"""aiohttp's server and client, over real sockets, the one talking to the other in one loop."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

pytest.importorskip("aiohttp")

import aiohttp
from aiohttp import web

from sonde.probe import core
from sonde.probe.plugins import options
from sonde.probe.plugins.engine import Engine

QUERY = core.operation("SELECT", core.CLIENT)
JOB = core.operation("job", core.INTERNAL)
SOON = {"shutdown_timeout": 0.2}
MOVED = not aiohttp.__version__.startswith("3.8.")
"""The timeout is the runner's, no more the site's."""


async def item(request):
    core.leaf(QUERY).finish()
    return web.Response(text=request.match_info["id"], headers={"Seen": request.headers.get("traceparent", "")})


async def broken(request):
    raise LookupError("no such thing")


async def refused(request):
    raise web.HTTPForbidden


async def unavailable(request):
    raise web.HTTPServiceUnavailable


async def late(request):
    raise TimeoutError


async def slow(request):
    await asyncio.sleep(30)


async def redirect(request):
    raise web.HTTPFound("/items/7")


async def stream(request):
    response = web.StreamResponse()
    await response.prepare(request)
    for number in range(3):
        await asyncio.sleep(0)
        core.leaf(QUERY, f"row {number}").finish()
        await response.write(b"%d," % number)
    return response


async def half(request):
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"half")
    raise LookupError("half way")


async def echo(request):
    websocket = web.WebSocketResponse()
    await websocket.prepare(request)
    async for message in websocket:
        core.leaf(QUERY).finish()
        if message.type is aiohttp.WSMsgType.BINARY:
            await websocket.send_bytes(message.data)
        elif message.data == "broken":
            raise LookupError("no such thing")
        elif message.data == "bye":
            await websocket.close(code=4001, message=b"as you wish")
        else:
            await websocket.send_str(message.data)
    return websocket


@web.middleware
async def passing(request, handler):
    return await handler(request)


def shop():
    admin = web.Application()
    admin.router.add_get("/users/{name}", item_of_user)
    app = web.Application(middlewares=[passing])
    app.add_subapp("/admin", admin)
    app.router.add_get(r"/items/{id:\d+}", item)
    app.router.add_post(r"/items/{id:\d+}", item)
    for handler in (broken, refused, unavailable, late, slow, redirect, stream, half, echo):
        app.router.add_get(f"/{handler.__name__}", handler)
    return app


async def item_of_user(request):
    return web.Response(text=request.match_info["name"])


@contextlib.asynccontextmanager
async def served(app=None):
    """Its address, while it is served."""
    runner = web.AppRunner(app or shop(), **(SOON if MOVED else {}))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, **({} if MOVED else SOON))
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def session(app=None, **more):
    async with served(app) as url, aiohttp.ClientSession(**more) as client:
        yield client, url


async def raw(url, target, *headers, method="GET"):
    """A request without a client span."""
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        "\r\n".join([f"{method} {target} HTTP/1.1", "Host: x", "Connection: close", *headers, "", ""]).encode()
    )
    data = await reader.read()
    writer.close()
    await writer.wait_closed()
    return data


def fetched(target, *headers, **more):
    async def run():
        async with served() as url:
            return await raw(url, target, *headers, **more), int(url.rpartition(":")[2])

    return asyncio.run(run())


def test_a_request_is_one_server_span_with_its_route(spans):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer, port = fetched("/items/7?token=secret", f"Traceparent: {trace}")

    leaf, server = spans.take(2)
    assert answer.endswith(b"7")
    assert (server.kind, server.name) == ("server", "GET /items/{id}")
    assert (server.trace_id, server.parent_id) == (trace[3:35], trace[36:52])
    assert leaf.parent_id == server.span_id
    assert server.attributes == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": port,
        "network.protocol.version": "1.1",
        "url.path": "/items/7",
        "http.route": "/items/{id}",
        "http.response.status_code": 200,
    }


def test_a_route_of_an_application_below_carries_its_prefix(spans):
    fetched("/admin/users/ann")

    assert spans.only().attributes["http.route"] == "/admin/users/{name}"


@pytest.mark.parametrize(
    ("target", "status", "error"),
    [
        ("/broken", 500, "LookupError"),
        ("/unavailable", 503, "503"),
        ("/late", 504, "TimeoutError"),
        ("/refused", 403, None),
        ("/nowhere", 404, None),
    ],
)
def test_what_a_handler_raises_fails_the_span_unless_it_is_an_answer(spans, target, status, error):
    answer, _ = fetched(target)

    span = spans.only()
    assert answer.startswith(b"HTTP/1.1 %d" % status)
    assert span.attributes["http.response.status_code"] == status
    assert span.attributes.get("error.type") == error
    assert span.is_error is (error is not None)
    assert span.events == (["exception"] if error and not error.isdigit() else [])
    assert span.name == ("GET" if target == "/nowhere" else f"GET {target}")


def test_a_method_that_a_route_does_not_have_has_no_route(spans):
    assert b" 405 " in fetched("/items/7", method="DELETE")[0]

    assert spans.only().name == "DELETE"


def test_what_is_no_http_has_no_span(spans):
    assert b" 400 " in fetched("/ /", "nonsense")[0]

    spans.take(0)


def test_a_streamed_answer_is_one_span_with_its_queries_below(spans):
    fetched("/stream")

    *rows, server = spans.take(4)
    assert [row.parent_id for row in rows] == [server.span_id] * 3
    assert server.name == "GET /stream"


def test_an_exception_half_way_fails_the_span(spans):
    fetched("/half")

    span = spans.only()
    assert span.attributes["error.type"] == "LookupError"
    assert span.events == ["exception"]


def test_a_server_without_an_application_is_seen(spans):
    async def run():
        async def handler(request):
            return web.Response(text="ok")

        server = await asyncio.get_running_loop().create_server(web.Server(handler), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        await raw(f"http://127.0.0.1:{port}", "/x")
        server.close()

    asyncio.run(run())

    assert spans.only().name == "GET /x"


def test_a_request_cancelled_at_shutdown_is_marked_and_no_error(spans):
    async def run():
        async with served() as url:
            asked = asyncio.create_task(raw(url, "/slow"))
            await asyncio.sleep(0.1)
        with contextlib.suppress(Exception):
            await asked

    asyncio.run(run())

    span = spans.only()
    assert span.attributes["sonde.cancelled"] is True
    assert not span.is_error


def test_a_clients_request_is_one_span_and_the_server_continues_its_trace(spans):
    async def run():
        async with session() as (client, url), client.get(f"{url}/items/7?token=secret#part") as answer:
            assert await answer.text() == "7"
            return url, answer.headers["Seen"]

    url, seen = asyncio.run(run())

    found = {span.name: span for span in spans.take(3)}
    client, server = found["GET"], found["GET /items/{id}"]
    assert client.kind == "client"
    assert seen == f"00-{client.trace_id}-{client.span_id}-01"
    assert (server.trace_id, server.parent_id) == (client.trace_id, client.span_id)
    assert client.attributes == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": int(url.rpartition(":")[2]),
        "url.full": f"{url}/items/7",
        "http.response.status_code": 200,
    }


def test_a_client_span_is_below_what_asked_for_it(spans):
    async def run():
        async with session() as (client, url):
            with core.scope(JOB):
                async with client.post(f"{url}/items/7", data=b"secret"):
                    pass

    asyncio.run(run())

    found = {span.name: span for span in spans.take(4)}
    assert found["POST"].parent_id == found["job"].span_id


def test_a_traceparent_of_the_users_is_left_alone(spans):
    mine = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    async def run():
        headers = {"TraceParent": mine}
        async with session() as (client, url), client.get(f"{url}/items/7", headers=headers) as answer:
            assert headers == {"TraceParent": mine}
            return answer.headers["Seen"]

    assert asyncio.run(run()) == mine
    spans.take(3)


def test_a_redirect_is_a_request_of_its_own(spans):
    async def run():
        async with session() as (client, url), client.get(f"{url}/redirect") as answer:
            assert await answer.text() == "7"

    asyncio.run(run())

    found = [span for span in spans.take(5) if span.kind == "client" and span.name == "GET"]
    assert [span.attributes["http.response.status_code"] for span in found] == [302, 200]
    assert [span.attributes["url.full"].rpartition("/")[2] for span in found] == ["redirect", "7"]


def test_a_client_that_reaches_nobody_fails(spans):
    async def run():
        async with aiohttp.ClientSession() as client:
            with pytest.raises(aiohttp.ClientConnectorError) as caught:
                await client.get("http://user:secret@127.0.0.1:1/")
            assert caught.traceback[-1].path != __file__

    asyncio.run(run())

    span = spans.only()
    assert span.attributes["error.type"] == "ClientConnectorError"
    assert span.attributes["url.full"] == "http://127.0.0.1:1/"
    assert span.is_error


def test_a_timeout_is_an_error_and_a_cancelled_request_is_none(spans):
    async def run():
        async with session(timeout=aiohttp.ClientTimeout(total=0.05)) as (client, url):
            with pytest.raises(asyncio.TimeoutError):
                await client.get(f"{url}/slow")
            asked = asyncio.create_task(client.get(f"{url}/slow", timeout=30))
            await asyncio.sleep(0.1)
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked

    asyncio.run(run())

    late, given_up = [span for span in spans.take(4) if span.kind == "client"]
    assert (late.is_error, late.attributes["error.type"]) == (True, "TimeoutError")
    assert (given_up.is_error, given_up.attributes["sonde.cancelled"]) == (False, True)


@pytest.mark.parametrize(("target", "status"), [("/broken", 500), ("/refused", 403)])
def test_an_answer_that_is_an_error_fails_the_clients_span(spans, target, status):
    async def run():
        async with session() as (client, url), client.get(url + target):
            pass

    asyncio.run(run())

    client = spans.by_kind(2)["client"]
    assert client.is_error
    assert client.attributes["error.type"] == str(status)


def talked(say, count, **more):
    async def run():
        async with session(**more) as (client, url), client.ws_connect(f"{url}/echo") as websocket:
            await say(websocket)
        return url

    return asyncio.run(run())


def test_a_connection_is_a_span_and_each_message_begins_a_trace(spans):
    async def say(websocket):
        await websocket.send_str("grüße")
        assert await websocket.receive_str() == "grüße"
        await websocket.send_bytes(b"\0" * 10)
        assert await websocket.receive_bytes() == b"\0" * 10
        await websocket.close(code=4000, message=b"enough")

    url = talked(say, 0)
    found = spans.take(13)
    connection = next(span for span in found if span.kind == "server")
    assert connection.name == "GET /echo"
    assert connection.attributes == {
        "http.request.method": "GET",
        "url.scheme": "ws",
        "server.address": "127.0.0.1",
        "server.port": int(url.rpartition(":")[2]),
        "network.protocol.name": "websocket",
        "network.protocol.version": "1.1",
        "url.path": "/echo",
        "http.route": "/echo",
        "http.response.status_code": 101,
        "websocket.close.code": 4000,
        "websocket.close.reason": "enough",
        "websocket.messages.received": 2,
        "websocket.messages.sent": 2,
    }
    of_server = [span for span in found if span.attributes.get("websocket.connection.span_id") == connection.span_id]
    text, binary = [span for span in of_server if span.name == "websocket receive"]
    assert (text.kind, text.parent_id) == ("consumer", "")
    assert len({text.trace_id, binary.trace_id, connection.trace_id}) == 3
    assert text.links == [(connection.trace_id, connection.span_id)]
    assert text.attributes == {
        "network.protocol.name": "websocket",
        "http.route": "/echo",
        "websocket.message.type": "text",
        "websocket.message.size": 7,
        "websocket.connection.trace_id": connection.trace_id,
        "websocket.connection.span_id": connection.span_id,
    }
    assert binary.attributes["websocket.message.type"] == "binary"
    assert binary.attributes["websocket.message.size"] == 10
    below = [span for span in found if span.parent_id == text.span_id]
    assert [span.name for span in below] == ["SELECT", "websocket send"]
    assert below[1].kind == "producer"


def test_a_clients_connection_is_a_span_and_its_messages_are_its_own(spans):
    async def say(websocket):
        for number in range(2):
            await websocket.send_str(str(number))
            await websocket.receive()
            core.leaf(QUERY, "client's").finish()

    url = talked(say, 0)
    found = spans.take(15)
    connection = next(span for span in found if span.name == "websocket connection")
    assert connection.kind == "client"
    assert connection.attributes == {
        "network.protocol.name": "websocket",
        "server.address": "127.0.0.1",
        "server.port": int(url.rpartition(":")[2]),
        "url.full": f"ws{url[4:]}/echo",
        "websocket.close.code": 1000,
        "websocket.messages.received": 2,
        "websocket.messages.sent": 2,
    }
    mine = [span for span in found if span.attributes.get("websocket.connection.span_id") == connection.span_id]
    received = [span for span in mine if span.name == "websocket receive"]
    work = [span for span in found if span.name == "client's"]
    assert [span.parent_id for span in work] == [span.span_id for span in received]


def test_a_client_that_asks_in_the_middle_of_its_own_work_goes_on_with_that(spans):
    async def say(websocket):
        with core.scope(JOB):
            await websocket.send_str("1")
            await websocket.receive()
            core.leaf(QUERY, "client's").finish()

    talked(say, 0)
    found = {span.name: span for span in spans.take(10)}
    job = found["job"]
    assert found["client's"].parent_id == job.span_id


def test_a_handler_that_fails_fails_message_and_connection(spans):
    async def say(websocket):
        await websocket.send_str("broken")
        await websocket.receive()

    talked(say, 0)
    found = spans.take(6)
    failed = {(span.kind, span.name) for span in found if span.attributes.get("error.type") == "LookupError"}
    assert failed == {("server", "GET /echo"), ("consumer", "websocket receive")}


def test_the_side_that_closes_first_is_recorded_by_both(spans):
    async def say(websocket):
        await websocket.send_str("bye")
        message = await websocket.receive()
        assert message.data == 4001

    talked(say, 0)
    found = [span for span in spans.take(6) if "websocket.close.code" in span.attributes]
    assert [span.attributes["websocket.close.code"] for span in found] == [4001, 4001]
    assert [span.attributes["websocket.close.reason"] for span in found] == ["as you wish"] * 2


def test_a_message_sent_to_another_connection_links_to_the_one_it_is_sent_for(spans):
    members = []

    async def room(request):
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        members.append(websocket)
        async for message in websocket:
            for member in members:
                await member.send_str(message.data)
        return websocket

    async def run():
        app = web.Application()
        app.router.add_get("/room", room)
        async with (
            session(app) as (client, url),
            client.ws_connect(f"{url}/room") as one,
            client.ws_connect(f"{url}/room") as other,
        ):
            await one.send_str("hello")
            await one.receive()
            await other.receive()

    asyncio.run(run())
    found = spans.take(12)
    received = next(span for span in found if span.name == "websocket receive" and "http.route" in span.attributes)
    sent = [span for span in found if span.name == "websocket send" and "http.route" in span.attributes]
    to_itself, to_other = sent
    assert to_itself.parent_id == received.span_id
    assert to_other.parent_id == ""
    assert (received.trace_id, received.span_id) in to_other.links
    other = (
        to_other.attributes["websocket.connection.trace_id"],
        to_other.attributes["websocket.connection.span_id"],
    )
    assert other in to_other.links
    assert other[1] != received.attributes["websocket.connection.span_id"]


def test_without_spans_of_messages_they_are_counted_and_their_work_is_the_connections(spans, monkeypatch):
    monkeypatch.setattr(options, "websocket_messages", False)

    async def say(websocket):
        await websocket.send_str("1")
        await websocket.receive()

    talked(say, 0)
    found = {span.name: span for span in spans.take(4)}
    assert set(found) == {"GET", "GET /echo", "SELECT", "websocket connection"}
    assert found["SELECT"].parent_id == found["GET /echo"].span_id
    assert found["GET /echo"].attributes["websocket.messages.received"] == 1


def test_what_waits_to_be_sent_is_told(spans):
    async def flood(request):
        websocket = web.WebSocketResponse()
        await websocket.prepare(request)
        websocket._writer._limit = 1 << 40  # nobody waits for the other side
        request.transport.set_write_buffer_limits(1 << 40)
        await websocket.send_bytes(bytes(16 << 20))
        await websocket.receive()
        return websocket

    async def run():
        app = web.Application()
        app.router.add_get("/flood", flood)
        async with session(app) as (client, url), client.ws_connect(f"{url}/flood", max_msg_size=0) as websocket:
            await websocket.receive()

    asyncio.run(run())
    sent = next(span for span in spans.take(5) if span.name == "websocket send")
    assert 0 < sent.attributes["websocket.send.backlog_bytes"] <= (16 << 20) + 10


def test_stopping_puts_every_function_back():
    from aiohttp import client_reqrep, client_ws, connector, web_protocol, web_ws

    owners = [
        (web_protocol.RequestHandler, ["_handle_request", "handle_error"]),
        (web_ws.WebSocketResponse, ["prepare", "receive", "send_str", "send_bytes", "close"]),
        (connector.BaseConnector, ["connect"]),
        (client_reqrep.ClientRequest, ["send"]),
        (client_reqrep.ClientResponse, ["start"]),
        (client_ws.ClientWebSocketResponse, ["__init__", "receive", "send_str", "send_bytes", "close"]),
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
