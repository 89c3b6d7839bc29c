"""Tornado's server and clients, over real sockets, the one talking to the other in one loop."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

pytest.importorskip("tornado")

import tornado
from tornado import gen, httpclient, httpserver, netutil, routing, web, websocket
from tornado.httputil import HTTPHeaders

from sonde.probe import core
from sonde.probe.plugins import options
from sonde.probe.plugins.engine import Engine

QUERY = core.operation("SELECT", core.CLIENT)
JOB = core.operation("job", core.INTERNAL)


class Order(web.RequestHandler):
    async def get(self, number):
        await asyncio.sleep(0)
        core.leaf(QUERY).finish()
        self.set_header("Seen", self.request.headers.get("traceparent", ""))
        self.write(f"order {number}")

    def post(self, number):
        self.write(f"order {number}")


class Generated(web.RequestHandler):
    @gen.coroutine
    def get(self):
        yield gen.sleep(0)
        core.leaf(QUERY).finish()
        self.write("generated")


class Broken(web.RequestHandler):
    def get(self):
        raise LookupError("no such thing")


class Refused(web.RequestHandler):
    def get(self):
        raise web.HTTPError(403)


class Unavailable(web.RequestHandler):
    def get(self):
        raise web.HTTPError(503)


class Finished(web.RequestHandler):
    def prepare(self):
        raise web.Finish("early")


class Slow(web.RequestHandler):
    async def get(self):
        await asyncio.sleep(0.1)


class Rows(web.RequestHandler):
    async def get(self):
        for number in range(3):
            core.leaf(QUERY, f"row {number}").finish()
            self.write(f"{number},")
            await self.flush()


class Echo(websocket.WebSocketHandler):
    def open(self):
        self.set_nodelay(True)

    async def on_message(self, message):
        await asyncio.sleep(0)
        core.leaf(QUERY).finish()
        if message == "broken":
            raise LookupError("no such thing")
        if message == "bye":
            self.close(4001, "as you wish")
        else:
            await self.write_message(message, binary=isinstance(message, bytes))


class Plain(websocket.WebSocketHandler):
    """Its handler is no coroutine."""

    def on_message(self, message):
        core.leaf(QUERY).finish()
        if message == "broken":
            raise LookupError("no such thing")
        self.write_message(message)


class Shown(Plain):
    """A user's subclass, its method decorated."""

    def on_message(self, message):
        super().on_message(message)


def shop():
    return web.Application(
        [
            (r"/orders/([0-9]+)", Order),
            (r"/old/orders/(?P<number>[0-9]+)/?", Order),
            (r"/generated", Generated),
            (r"/broken", Broken),
            (r"/refused", Refused),
            (r"/unavailable", Unavailable),
            (r"/finished", Finished),
            (r"/slow", Slow),
            (r"/rows", Rows),
            (r"/redirect", web.RedirectHandler, {"url": "/orders/7", "permanent": False}),
            (r"/echo", Echo),
            (r"/plain", Plain),
            (r"/shown", Shown),
        ]
    )


@contextlib.asynccontextmanager
async def served(app=None):
    """Its address, while it is served."""
    server = httpserver.HTTPServer(app or shop())
    sockets = netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets(sockets)
    try:
        yield f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
    finally:
        server.stop()
        await asyncio.wait_for(server.close_all_connections(), 5)
        await asyncio.sleep(0.01)


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


def fetched(target, *headers, app=None, **more):
    async def run():
        async with served(app) as url:
            return await raw(url, target, *headers, **more), int(url.rpartition(":")[2])

    return asyncio.run(run())


def asked(*requests, linger_s=0.0, **more):
    """Fetch paths, or what functions of the address make, one after the other."""

    async def run():
        async with served() as url:
            client = httpclient.AsyncHTTPClient(force_instance=True)
            answers = []
            try:
                for request in requests:
                    made = url + request if isinstance(request, str) else request(url)
                    answers.append(await client.fetch(made, **more))
            finally:
                client.close()
                await asyncio.sleep(linger_s)
            return url, answers

    return asyncio.run(run())


def test_a_request_is_one_server_span_with_its_route(spans):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer, port = fetched("/orders/7?token=secret", f"Traceparent: {trace}")

    leaf, server = spans.take(2)
    assert answer.endswith(b"order 7")
    assert (server.kind, server.name) == ("server", "GET /orders/<var>")
    assert (server.trace_id, server.parent_id) == (trace[3:35], trace[36:52])
    assert leaf.parent_id == server.span_id
    assert server.attributes == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": port,
        "network.protocol.version": "1.1",
        "url.path": "/orders/7",
        "http.route": "/orders/<var>",
        "http.response.status_code": 200,
    }


def test_a_handler_of_several_rules_has_the_route_that_led_to_it(spans):
    fetched("/old/orders/7/")

    assert spans.take(2)[1].attributes["http.route"] == "/old/orders/<number>/"


def test_routes_of_routers_below_and_of_handlers_added_later(spans):
    app = web.Application([(routing.HostMatches(".*"), [(r"/inner/(\w+)", Order)])])
    app.add_handlers(r".*", [(r"/(\w+)/late", Order)])
    fetched("/inner/7", app=app)
    assert spans.take(2)[1].attributes["http.route"] == "/inner/<var>"

    fetched("/7/late", app=app)
    assert spans.take(2)[1].attributes["http.route"] == "/<var>/late"

    app.add_handlers(r".*", [(r"/(\w+)/later", Generated)])
    app.add_handlers(r".*", [(r"/later/still", Generated)])
    fetched("/later/still", app=app)
    assert spans.take(2)[1].attributes["http.route"] == "/later/still"


def test_a_generator_is_below_its_request(spans):
    fetched("/generated")

    leaf, server = spans.take(2)
    assert leaf.parent_id == server.span_id


@pytest.mark.parametrize(
    ("target", "status", "error"),
    [
        ("/broken", 500, "LookupError"),
        ("/unavailable", 503, "503"),
        ("/refused", 403, None),
        ("/finished", 200, None),
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
    assert span.events == (["exception"] if error == "LookupError" else [])
    assert span.name == ("GET" if target == "/nowhere" else f"GET {target}")


def test_a_streamed_answer_is_one_span_with_its_queries_below(spans):
    fetched("/rows")

    *rows, server = spans.take(4)
    assert [row.parent_id for row in rows] == [server.span_id] * 3


def test_requests_of_one_connection_do_not_share_a_trace(spans):
    async def run():
        async with served() as url:
            host, port = url.removeprefix("http://").split(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            for _ in range(3):
                writer.write(b"GET /orders/7 HTTP/1.1\r\nHost: x\r\n\r\n")
                await reader.readuntil(b"order 7")
            writer.close()
            await writer.wait_closed()

    asyncio.run(run())

    assert len({span.trace_id for span in spans.take(6)}) == 3


def test_a_clients_request_is_one_span_and_the_server_continues_its_trace(spans):
    url, (answer,) = asked("/orders/7?token=secret")

    found = {span.kind + span.name: span for span in spans.take(3)}
    client, server = found["clientGET"], found["serverGET /orders/<var>"]
    assert answer.headers["Seen"] == f"00-{client.trace_id}-{client.span_id}-01"
    assert (server.trace_id, server.parent_id) == (client.trace_id, client.span_id)
    assert client.attributes == {
        "http.request.method": "GET",
        "server.address": "127.0.0.1",
        "server.port": int(url.rpartition(":")[2]),
        "url.full": f"{url}/orders/7",
        "http.response.status_code": 200,
    }


def test_a_client_span_is_below_what_asked_for_it(spans):
    async def run():
        async with served() as url:
            with core.scope(JOB):
                await httpclient.AsyncHTTPClient().fetch(f"{url}/orders/7", method="POST", body=b"secret")

    asyncio.run(run())

    found = {span.kind + span.name: span for span in spans.take(3)}
    assert found["clientPOST"].parent_id == found["internaljob"].span_id


def test_a_request_object_that_is_used_again_carries_the_trace_of_each(spans):
    kept = []

    def request(url):
        if not kept:
            kept.append(httpclient.HTTPRequest(f"{url}/orders/7", headers={"Mine": "yes"}))
        return kept[0]

    _, answers = asked(request, request)

    clients = [span for span in spans.take(6) if span.name == "GET"]
    assert [answer.headers["Seen"] for answer in answers] == [
        f"00-{span.trace_id}-{span.span_id}-01" for span in clients
    ]
    assert answers[0].request is kept[0]
    assert kept[0].headers["Mine"] == "yes"


@pytest.mark.parametrize("kind", [dict, HTTPHeaders])
def test_a_traceparent_of_the_users_is_left_alone(spans, kind):
    mine = kind({"Traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"})
    _, (answer,) = asked("/orders/7", headers=mine)

    assert answer.headers["Seen"] == mine["Traceparent"]
    assert len(mine) == 1
    spans.take(3)


def test_headers_of_the_users_are_not_changed(spans):
    mine = {}
    asked("/orders/7", headers=mine)

    assert mine == {}
    spans.take(3)


def test_redirects_belong_to_the_request(spans):
    _, (answer,) = asked("/redirect")

    assert answer.body == b"order 7"
    client, first, second = (
        next(span for span in found if span.name == name)
        for found in [spans.take(4)]
        for name in ("GET", "GET /redirect", "GET /orders/<var>")
    )
    assert {first.parent_id, second.parent_id} == {client.span_id}
    assert client.attributes["http.response.status_code"] == 200


def test_a_client_that_reaches_nobody_fails(spans):
    with pytest.raises(ConnectionRefusedError):
        asked(lambda _: "http://127.0.0.1:1/?token=secret")

    span = spans.only()
    assert span.attributes["error.type"] == "ConnectionRefusedError"
    assert span.attributes["url.full"] == "http://127.0.0.1:1/"
    assert span.is_error


@pytest.mark.parametrize("arguments", [{"raise_error": False}, {}])
def test_an_answer_that_is_an_error_fails_the_clients_span(spans, arguments):
    with contextlib.suppress(httpclient.HTTPError):
        asked("/refused", **arguments)

    client = spans.by_kind(2)["client"]
    assert client.is_error
    assert client.attributes["error.type"] == "403"
    assert client.events == []


def test_a_timeout_is_an_error(spans):
    with pytest.raises(httpclient.HTTPError) as caught:
        asked("/slow", request_timeout=0.02, linger_s=0.15)

    assert caught.value.code == 599
    client = spans.by_kind(2)["client"]
    assert client.attributes["error.type"] == "HTTPTimeoutError"


def test_a_mistake_of_the_users_is_still_theirs(spans):
    async def run():
        with pytest.raises(TypeError):
            await httpclient.AsyncHTTPClient().fetch("http://127.0.0.1:1/", no_such_option=1)

    asyncio.run(run())
    spans.take(0)


def test_an_error_that_nobody_asked_for_is_still_reported(spans):
    """A future says so when it goes, unless somebody looked at its exception."""
    reported = []

    async def run():
        asyncio.get_running_loop().set_exception_handler(lambda _loop, context: reported.append(context["message"]))
        future = httpclient.AsyncHTTPClient().fetch("http://127.0.0.1:1/")
        await asyncio.wait([future])
        del future

    asyncio.run(run())
    assert reported == ["Future exception was never retrieved"]
    spans.only()


def talked(path, say, **more):
    async def run():
        async with served() as url:
            connection = await websocket.websocket_connect(f"ws{url[4:]}{path}", **more)
            await say(connection)
            connection.close()
            await asyncio.sleep(0.02)
        return url

    return asyncio.run(run())


@pytest.mark.parametrize("path", ["/echo", "/plain", "/shown"])
def test_a_connection_is_a_span_and_each_message_begins_a_trace(spans, path):
    async def say(connection):
        for _ in range(2):
            await connection.write_message("grüße")
            assert await connection.read_message() == "grüße"
        connection.close(4000, "enough")
        assert await connection.read_message() is None

    url = talked(path, say)
    found = spans.take(12)
    connection = next(span for span in found if span.kind == "server")
    client = next(span for span in found if span.name == "websocket connection")
    assert connection.name == f"GET {path}"
    assert connection.attributes == {
        "http.request.method": "GET",
        "url.scheme": "ws",
        "server.address": "127.0.0.1",
        "server.port": int(url.rpartition(":")[2]),
        "network.protocol.name": "websocket",
        "network.protocol.version": "1.1",
        "url.path": path,
        "http.route": path,
        "http.response.status_code": 101,
        "websocket.close.code": 4000,
        "websocket.close.reason": "enough",
        "websocket.messages.received": 2,
        "websocket.messages.sent": 2,
    }
    assert (connection.trace_id, connection.parent_id) == (client.trace_id, client.span_id)
    of_server = [span for span in found if span.attributes.get("websocket.connection.span_id") == connection.span_id]
    first, second = [span for span in of_server if span.name == "websocket receive"]
    assert (first.kind, first.parent_id) == ("consumer", "")
    assert len({first.trace_id, second.trace_id, connection.trace_id}) == 3
    assert first.links == [(connection.trace_id, connection.span_id)]
    assert first.attributes == {
        "network.protocol.name": "websocket",
        "http.route": path,
        "websocket.message.type": "text",
        "websocket.message.size": 7,
        "websocket.connection.trace_id": connection.trace_id,
        "websocket.connection.span_id": connection.span_id,
    }
    for received in (first, second):
        below = sorted(span.name for span in found if span.parent_id == received.span_id)
        assert below == ["SELECT", "websocket send"]
    assert client.attributes == {
        "network.protocol.name": "websocket",
        "server.address": "127.0.0.1",
        "server.port": int(url.rpartition(":")[2]),
        "url.full": f"ws{url[4:]}{path}",
        "websocket.close.code": 4000,
        "websocket.close.reason": "enough",
        "websocket.messages.received": 2,
        "websocket.messages.sent": 2,
    }


def test_binary_messages(spans):
    async def say(connection):
        await connection.write_message(b"\0" * 10, binary=True)
        assert await connection.read_message() == b"\0" * 10

    talked("/echo", say)
    messages = [span for span in spans.take(7) if span.name.startswith("websocket ") and span.kind != "client"]
    assert {span.attributes["websocket.message.type"] for span in messages} == {"binary"}
    assert {span.attributes["websocket.message.size"] for span in messages} == {10}


def test_a_client_with_a_callback_handles_each_message_in_a_trace_of_its_own(spans):
    got = asyncio.Event()

    def on_message(message):
        core.leaf(QUERY, "client's").finish()
        got.set()

    async def say(connection):
        await connection.write_message("hello")
        await got.wait()

    talked("/plain", say, on_message_callback=on_message)
    found = spans.take(9)
    work = [span for span in found if span.name == "client's"]
    received = [span for span in found if span.name == "websocket receive" and "http.route" not in span.attributes]
    assert work[0].parent_id == received[0].span_id
    assert work[1].parent_id == ""  # of None, which tells of the end


@pytest.mark.parametrize("path", ["/echo", "/plain"])
def test_a_handler_that_fails_fails_its_message(spans, path):
    async def say(connection):
        await connection.write_message("broken")
        with contextlib.suppress(asyncio.TimeoutError):
            assert await asyncio.wait_for(connection.read_message(), 0.2) is None

    talked(path, say)
    left_open = tornado.version_info < (6, 2) and path == "/echo"  # 6.1, if a coroutine has failed
    failed = [span for span in spans.take(4 if left_open else 5) if span.name == "websocket receive"]
    assert [span.attributes.get("error.type") for span in failed] == ["LookupError"]


def test_the_side_that_closes_first_is_recorded_by_both(spans):
    async def say(connection):
        await connection.write_message("bye")
        assert await connection.read_message() is None
        assert connection.close_code == 4001

    talked("/echo", say)
    found = [span for span in spans.take(5) if "websocket.close.code" in span.attributes]
    assert [span.attributes["websocket.close.code"] for span in found] == [4001, 4001]
    assert [span.attributes["websocket.close.reason"] for span in found] == ["as you wish"] * 2


def test_a_client_that_is_refused_fails(spans):
    async def run():
        async with served() as url:
            with pytest.raises(httpclient.HTTPError):
                await websocket.websocket_connect(f"ws{url[4:]}/refused")
            await asyncio.sleep(0.01)

    asyncio.run(run())
    client = spans.by_kind(2)["client"]
    assert client.is_error


def test_without_spans_of_messages_they_are_counted_and_their_work_is_the_connections(spans, monkeypatch):
    monkeypatch.setattr(options, "websocket_messages", False)

    async def say(connection):
        await connection.write_message("1")
        await connection.read_message()

    talked("/plain", say)
    found = {span.name: span for span in spans.take(3)}
    assert found["SELECT"].parent_id == found["GET /plain"].span_id
    assert found["GET /plain"].attributes["websocket.messages.received"] == 1


def test_a_broadcast_links_to_the_message_it_is_sent_for(spans):
    members = []

    class Room(websocket.WebSocketHandler):
        def open(self):
            members.append(self)

        def on_message(self, message):
            for member in members:
                member.write_message(message)

    async def run():
        async with served(web.Application([("/room", Room)])) as url:
            one = await websocket.websocket_connect(f"ws{url[4:]}/room")
            other = await websocket.websocket_connect(f"ws{url[4:]}/room")
            await one.write_message("hello")
            await one.read_message()
            await other.read_message()
            one.close()
            other.close()
            await asyncio.sleep(0.02)

    asyncio.run(run())
    found = [span for span in spans.take(10) if "http.route" in span.attributes]
    received = next(span for span in found if span.name == "websocket receive")
    to_itself, to_other = [span for span in found if span.name == "websocket send"]
    assert to_itself.parent_id == received.span_id
    assert to_other.parent_id == ""
    assert (received.trace_id, received.span_id) in to_other.links
    assert to_other.attributes["websocket.connection.span_id"] != received.attributes["websocket.connection.span_id"]


def test_what_waits_to_be_sent_is_told(spans):
    class Flood(websocket.WebSocketHandler):
        def open(self):
            self.write_message(bytes(16 << 20), binary=True)

    async def run():
        async with served(web.Application([("/flood", Flood)])) as url:
            connection = await websocket.websocket_connect(f"ws{url[4:]}/flood", max_message_size=32 << 20)
            await connection.read_message()
            connection.close()
            await asyncio.sleep(0.02)

    asyncio.run(run())
    sent = next(span for span in spans.take(4) if span.name == "websocket send")
    assert 0 < sent.attributes["websocket.send.backlog_bytes"] <= (16 << 20) + 10


def test_stopping_puts_every_function_back():
    owners = [
        (httpclient.AsyncHTTPClient, ["fetch"]),
        (web.Application, ["add_handlers"]),
        (web.RequestHandler, ["_execute", "_handle_request_exception"]),
        (websocket.WebSocketClientConnection, ["__init__", "on_connection_close"]),
        (websocket.WebSocketProtocol, ["_run_callback"]),
        (websocket.WebSocketProtocol13, ["_accept_connection", "close", "write_message"]),
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
