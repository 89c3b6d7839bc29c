"""ASGI, Starlette and FastAPI, served by uvicorn over real sockets, or called directly for the protocol's details."""

from __future__ import annotations

import asyncio
import contextlib

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Mount, Route, WebSocketRoute

from sonde.probe import core, guard
from sonde.probe.plugins import options
from sonde.probe.plugins.asgi import entrance

QUERY = core.operation("SELECT", core.CLIENT)


async def item(request):
    core.leaf(QUERY).finish()
    return JSONResponse({"id": request.path_params["id"]})


async def broken(request):
    raise LookupError("no such thing")


async def stream(request):
    async def rows():
        for number in range(3):
            await asyncio.sleep(0)
            core.leaf(QUERY, f"row {number}").finish()
            yield f"{number},"

    return StreamingResponse(rows())


async def later(request):
    async def work():
        await asyncio.sleep(0.05)
        core.leaf(QUERY, "in the background").finish()

    return PlainTextResponse("ok", background=BackgroundTask(work))


async def echo(websocket):
    await websocket.accept()
    with contextlib.suppress(Exception):
        while True:
            await websocket.send_text(await websocket.receive_text())


class Passing(BaseHTTPMiddleware):
    async def dispatch(self, request, call_next):
        return await call_next(request)


def shop(**options):
    return Starlette(
        routes=[
            Route("/items/{id:int}", item),
            Route("/broken", broken),
            Route("/stream", stream),
            Route("/later", later),
            Mount("/admin", routes=[Route("/users/{name}", item_of_user)]),
            WebSocketRoute("/echo/{room}", echo),
        ],
        **options,
    )


async def item_of_user(request):
    return PlainTextResponse(request.path_params["name"])


def fetch(url, **headers):
    """Fetch without a client span."""
    import socket
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), 5) as connection:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        lines = [f"GET {target} HTTP/1.1", "Host: x", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        connection.sendall("\r\n".join([*lines, "", ""]).encode())
        data = b""
        while piece := connection.recv(65536):
            data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def http_scope(path="/", **more):
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "scheme": "http",
        "headers": [],
        "http_version": "1.1",
        "server": ("127.0.0.1", 80),
        "query_string": b"",
        "root_path": "",
        **more,
    }


async def no_messages():
    raise AssertionError("nobody asks")


async def no_answer(_message):
    pass


@pytest.mark.parametrize("http", ["h11", "httptools"])
def test_a_request_is_one_server_span_with_its_route(spans, serve_asgi, http):
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    url = serve_asgi(shop(), http=http)
    status, body = fetch(f"{url}/items/7?token=secret", traceparent=trace)

    leaf, server = spans.take(2)
    assert (status, body) == (200, b'{"id":7}')
    assert (server.kind, server.name) == ("server", "GET /items/{id:int}")
    assert (server.trace_id, server.parent_id) == (trace[3:35], trace[36:52])
    assert leaf.parent_id == server.span_id
    assert server.attributes == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "server.address": "127.0.0.1",
        "server.port": int(url.rpartition(":")[2]),
        "network.protocol.version": "1.1",
        "url.path": "/items/7",
        "http.route": "/items/{id:int}",
        "http.response.status_code": 200,
    }


def test_a_route_below_a_mount_carries_the_mounts_path(spans, serve_asgi):
    assert fetch(serve_asgi(shop()) + "/admin/users/ann")[0] == 200

    assert spans.only().attributes["http.route"] == "/admin/users/{name}"


def test_the_prefix_a_proxy_cut_off_is_no_part_of_the_route(spans, serve_asgi):
    assert fetch(serve_asgi(shop(), root_path="/proxied") + "/admin/users/ann")[0] == 200

    span = spans.only()
    assert span.attributes["http.route"] == "/admin/users/{name}"
    assert span.attributes["url.path"].endswith("/admin/users/ann")  # which prefix it has is up to the server


def test_routes_of_fastapi_with_included_routers(spans, serve_asgi):
    from fastapi import APIRouter, FastAPI

    router = APIRouter(prefix="/orders")

    @router.get("/{order}")
    async def order(order: int):
        return {"order": order}

    app = FastAPI()
    app.include_router(router, prefix="/v1")

    @app.get("/plain/{name}")
    def plain(name: str):
        core.leaf(QUERY).finish()
        return {"name": name}

    url = serve_asgi(app)
    assert fetch(f"{url}/v1/orders/7") == (200, b'{"order":7}')
    assert spans.only().attributes["http.route"] == "/v1/orders/{order}"
    assert fetch(f"{url}/plain/x") == (200, b'{"name":"x"}')
    found = spans.by_kind(2)
    assert found["server"].name == "GET /plain/{name}"
    assert found["client"].parent_id == found["server"].span_id  # a plain function runs in a thread of a pool


def test_an_exception_fails_the_span_and_reaches_the_server(spans, serve_asgi):
    assert fetch(serve_asgi(shop()) + "/broken")[0] == 500

    span = spans.only()
    assert span.is_error
    assert span.attributes["error.type"] == "LookupError"
    assert span.attributes["http.response.status_code"] == 500
    assert span.events == ["exception"]


@pytest.mark.parametrize("middleware", [(), (Middleware(Passing),)])
def test_a_streamed_answer_is_one_span_with_its_queries_below(spans, serve_asgi, middleware):
    _, body = fetch(serve_asgi(shop(middleware=middleware), http="h11") + "/stream")

    *rows, server = spans.take(4)
    assert b"0," in body
    assert b"2," in body
    assert [row.parent_id for row in rows] == [server.span_id] * 3
    assert server.name == "GET /stream"


def test_a_background_task_belongs_to_the_trace_and_does_not_prolong_the_request(spans, serve_asgi):
    fetch(serve_asgi(shop()) + "/later")

    server, task = spans.take(2)
    assert (server.kind, task.name) == ("server", "in the background")
    assert task.parent_id == server.span_id
    assert task.trace_id == server.trace_id


def test_requests_one_after_the_other_do_not_share_a_trace(spans, serve_asgi):
    url = serve_asgi(shop())
    with httpx.Client(trust_env=False) as client:
        client.get(f"{url}/later")
        client.get(f"{url}/items/1")
        client.get(f"{url}/items/2")

    assert len({span.trace_id for span in spans.take(9)}) == 3


def test_concurrent_requests_do_not_mix(spans, serve_asgi):
    async def rush(url):
        async with httpx.AsyncClient(trust_env=False) as client:
            return await asyncio.gather(*(client.get(f"{url}/items/{number}") for number in range(20)))

    answers = asyncio.run(rush(serve_asgi(shop())))

    assert all(answer.status_code == 200 for answer in answers)
    found = spans.take(60)
    by_id = {span.span_id: span for span in found}
    for span in found:
        if span.name == "SELECT":
            assert by_id[span.parent_id].kind == "server"
        elif span.kind == "server":
            assert by_id[span.parent_id].attributes["url.full"].endswith(span.attributes["url.path"])


def websocket_scope(path):
    scope = http_scope(path, type="websocket", scheme="ws", subprotocols=[])
    del scope["method"]
    return scope


def talked(app, path, *incoming):
    """Let `app` serve a connection on which these messages come; the types of what it sent."""
    messages = [{"type": "websocket.connect"}, *incoming]
    outgoing = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        outgoing.append(message["type"])

    asyncio.run(app(websocket_scope(path), receive, send))
    return outgoing


def test_a_websocket_connection_is_one_span_and_each_message_begins_a_trace(spans):
    sent = talked(
        shop(),
        "/echo/kitchen",
        {"type": "websocket.receive", "text": "grüße"},
        {"type": "websocket.receive", "text": "2"},
        {"type": "websocket.disconnect", "code": 1001, "reason": "gone"},
    )

    assert sent == ["websocket.accept", "websocket.send", "websocket.send"]
    *messages, connection = spans.take(5)
    assert (connection.kind, connection.name) == ("server", "GET /echo/{room}")
    assert connection.attributes == {
        "http.request.method": "GET",
        "url.scheme": "ws",
        "server.address": "127.0.0.1",
        "server.port": 80,
        "network.protocol.name": "websocket",
        "url.path": "/echo/kitchen",
        "http.route": "/echo/{room}",
        "http.response.status_code": 101,
        "websocket.close.code": 1001,
        "websocket.close.reason": "gone",
        "websocket.messages.received": 2,
        "websocket.messages.sent": 2,
    }
    assert not connection.is_error
    assert [message.name for message in messages] == ["websocket send", "websocket receive"] * 2
    answer, received = messages[:2]
    assert (received.kind, received.parent_id) == ("consumer", "")
    assert answer.parent_id == received.span_id
    assert len({received.trace_id, messages[3].trace_id, connection.trace_id}) == 3
    assert received.links == [(connection.trace_id, connection.span_id)]
    assert received.attributes == {
        "network.protocol.name": "websocket",
        "http.route": "/echo/{room}",
        "websocket.message.type": "text",
        "websocket.message.size": 7,
        "websocket.connection.trace_id": connection.trace_id,
        "websocket.connection.span_id": connection.span_id,
    }


def test_without_spans_of_messages_they_are_counted(spans, monkeypatch):
    monkeypatch.setattr(options, "websocket_messages", False)
    talked(shop(), "/echo/kitchen", {"type": "websocket.receive", "bytes": None, "text": "x"})

    connection = spans.only()
    assert connection.attributes["websocket.messages.received"] == 1
    assert connection.attributes["websocket.messages.sent"] == 1


def test_what_a_message_sets_off_is_below_it_and_ends_with_an_application_that_fails(spans):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        core.leaf(QUERY, "before").finish()
        await receive()
        core.leaf(QUERY, "handling").finish()
        raise LookupError("no such thing")

    with pytest.raises(LookupError):
        talked(entrance(app), "/", {"type": "websocket.receive", "bytes": b"123"})

    found = {span.name: span for span in spans.take(4)}
    received = found["websocket receive"]
    assert found["handling"].parent_id == received.span_id
    assert found["before"].parent_id == found["GET /"].span_id
    assert received.attributes["websocket.message.type"] == "binary"
    assert received.attributes["error.type"] == "LookupError"
    assert found["GET /"].attributes["error.type"] == "LookupError"


def test_what_is_sent_outside_of_any_message_begins_a_trace_and_links_to_its_cause(spans):
    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await send({"type": "websocket.send", "text": "welcome"})
        with core.scope(core.operation("timer", core.INTERNAL)):
            await send({"type": "websocket.send", "text": "tick"})
        await send({"type": "websocket.close", "code": 4000})

    talked(entrance(app), "/")

    welcome, tick, timer, connection = spans.take(4)
    assert (welcome.parent_id, tick.parent_id) == ("", "")
    assert welcome.links == [(connection.trace_id, connection.span_id)]
    assert sorted(tick.links) == sorted([(timer.trace_id, timer.span_id), (connection.trace_id, connection.span_id)])
    assert timer.parent_id == connection.span_id  # what is current stays so
    assert connection.attributes["websocket.close.code"] == 4000


@pytest.mark.parametrize("ws", ["websockets-sansio", "wsproto"])
def test_messages_over_uvicorn_and_what_waits_to_be_sent(spans, serve_asgi, ws):
    websockets = pytest.importorskip("websockets.asyncio.client")
    if ws == "websockets-sansio" and uvicorn.__version__ < "0.35":
        pytest.skip("uvicorn has it from 0.35 on")

    async def app(scope, receive, send):
        await receive()
        await send({"type": "websocket.accept"})
        await receive()
        await send({"type": "websocket.send", "bytes": bytes(16 << 20)})
        await receive()

    async def talk(url):
        async with websockets.connect(f"ws{url[4:]}/x", max_size=None) as websocket:
            await websocket.send("more")
            await websocket.recv()

    url = serve_asgi(app, lifespan="off", ws=ws)
    asyncio.run(talk(url))

    found = [
        span for span in spans.take(6) if span.attributes.get("server.address") != "127.0.0.1" or span.kind == "server"
    ]
    connection = next(span for span in found if span.kind == "server")
    sent = next(span for span in found if span.name == "websocket send")
    received = next(span for span in found if span.name == "websocket receive")
    assert sent.parent_id == received.span_id
    assert sent.attributes["websocket.message.size"] == 16 << 20
    assert connection.attributes["websocket.messages.sent"] == 1
    assert connection.attributes["websocket.close.code"] == 1000


def test_lifespan_and_unknown_scopes_pass_untouched(spans):
    seen = []

    async def app(scope, receive, send):
        seen.append((scope, receive, send))

    scope = {"type": "lifespan"}
    asyncio.run(entrance(app)(scope, no_messages, no_answer))

    assert seen == [(scope, no_messages, no_answer)]
    assert scope == {"type": "lifespan"}
    spans.take(0)


def test_a_plain_asgi_application_is_seen_by_its_server(spans, serve_asgi):
    async def app(scope, receive, send):
        assert scope["type"] in {"http", "lifespan"}
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 418, "headers": []})
            await send({"type": "http.response.body", "body": b"short and stout"})

    assert fetch(serve_asgi(app, lifespan="off"))[0] == 418

    assert spans.only().attributes["http.response.status_code"] == 418


def test_an_exception_keeps_its_identity_and_traceback(spans):
    error = LookupError("theirs")

    async def app(scope, receive, send):
        raise error

    with pytest.raises(LookupError) as caught:
        asyncio.run(entrance(app)(http_scope(), no_messages, no_answer))

    assert caught.value is error
    assert caught.traceback[-1].name == "app"
    assert error.__context__ is None
    spans.only()


def test_a_request_that_is_given_up_is_marked_and_no_error(spans):
    async def app(scope, receive, send):
        await asyncio.sleep(10)

    async def give_up():
        task = asyncio.create_task(entrance(app)(http_scope(), no_messages, no_answer))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(give_up())

    span = spans.only()
    assert span.attributes["sonde.cancelled"] is True
    assert not span.is_error


def test_a_fault_of_ours_leaves_the_request_alone(spans, monkeypatch):
    monkeypatch.setattr(guard, "raised", False)
    sent = []

    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": 200})
        await send({"type": "http.response.body"})
        return "theirs"

    async def answer(message):
        sent.append(message["type"])

    scope = http_scope(headers=None)
    assert asyncio.run(entrance(app)(scope, no_messages, answer)) == "theirs"
    assert sent == ["http.response.start", "http.response.body"]
    assert set(guard.faults()) == {"asgi.serve"}
    guard.forget()


def test_uvicorn_still_answers_what_config_was_asked(spans):
    config = uvicorn.Config(shop(), log_level="critical")
    config.load()

    assert config.loaded
    assert asyncio.iscoroutinefunction(config.loaded_app)
