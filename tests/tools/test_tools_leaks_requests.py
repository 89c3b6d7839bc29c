"""leaks, switched on from outside: requests of WSGI and ASGI applications under the probe."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from sonde.probe.plugins import asgi, wsgi
from sonde.probe.plugins.entry import watchers
from sonde.probe.tools import _leaks
from sonde.probe.tools.leaks import Leaks
from sonde.probe.tools.leaks.lines import read
from sonde.probe.tools.leaks.requests import Endpoint
from sonde.probe.tools.tool import ToolError

HERE = __file__
orders, sessions = [], []


def application(environ, start_response):
    if environ["PATH_INFO"].startswith("/orders/"):
        orders.append(environ["PATH_INFO"] * 20)  # orders
    start_response("200 OK", [])
    return [b"ok"]


def streaming(environ, start_response):
    start_response("200 OK", [])

    def body():
        yield b"a"
        sessions.append(environ["PATH_INFO"] * 20)  # streamed
        yield b"b"

    return body()


async def asgi_application(scope, receive, send):
    await asyncio.sleep(0)
    orders.append(scope["path"] * 20)  # asgi
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


def options(**given):
    return {name: option.default for name, option in Leaks.options.items()} | given


def request(app, path, method="GET"):
    environ = {
        "REQUEST_METHOD": method, "wsgi.url_scheme": "http", "SERVER_NAME": "t", "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1", "SCRIPT_NAME": "", "PATH_INFO": path,
    }  # fmt: skip
    body = wsgi.serve(app, environ, lambda *_: None)
    try:
        return b"".join(body)
    finally:
        if hasattr(body, "close"):
            body.close()


@pytest.fixture
def tool():
    made = Leaks()
    yield made
    made.abort()
    orders.clear()
    sessions.clear()
    assert watchers._all == ()
    assert not _leaks.running()


def document_of(result):
    return json.loads(next(each for each in result.artifacts if each.name == "leaks.json").content)


def line_of(marker):
    lines = Path(HERE).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.endswith(f"# {marker}"))


def leaks(document):
    return {(site["file"], site["line"], site["type"]) for site in document["sites"] if site["verdict"] == "leak"}


def test_the_line_that_keeps_memory_of_each_request_is_named_with_who_holds_it(tool):
    tool.start(options(), 60)
    for number in range(40):
        request(application, f"/orders/{number}")
        request(application, "/health")
    progress = tool.progress()
    result = tool.stop()

    document = document_of(result)
    assert (HERE, line_of("orders"), "str") in leaks(document)
    site = next(site for site in document["sites"] if site["line"] == line_of("orders") and site["type"] == "str")
    assert site["held_by"].startswith(f"{__name__}.orders → list[")
    assert "80 of 80 requests" in progress
    assert result.summary["leaks"] == sum(site["verdict"] == "leak" for site in document["sites"])
    assert result.summary["requests_marked"] == 80


def test_routes_are_told_apart(tool):
    tool.start(options(), 60)
    for number in range(30):
        request(application, f"/orders/{number}")
        request(application, "/health")
    routes = {route["route"]: route for route in document_of(tool.stop())["routes"]}

    assert routes["GET /health"]["bytes"] < 500
    assert routes["GET /orders/{id}"]["bytes"] > 28 * 150
    assert sum(routes["GET /orders/{id}"]["window_loops"]) == routes["GET /orders/{id}"]["loops"]


def test_the_log_has_the_known_form_and_its_totals_are_the_sums_of_their_lines(tool):
    tool.start(options(), 60)
    for number in range(20):
        request(application, f"/orders/{number}")
    log = next(each for each in tool.stop().artifacts if each.name == "leaks.log").content.decode()

    assert f"[{os.getpid()} (Loop 5)] {HERE}:{line_of('orders')} => [" in log
    assert f"[{os.getpid()} (Loop 5)] ❌ This Loop TotalLeak: [" in log
    sums, totals = {}, {}
    for line in read(log.splitlines()):
        if line.kind == "line":
            sums[line.loop] = sums.get(line.loop, 0) + line.size
        elif line.kind == "total":
            totals[line.loop] = line.size
    assert totals
    assert totals == sums


def test_only_requests_of_the_endpoint_are_looked_at_and_one_in_so_many(tool):
    tool.start(options(endpoint="GET /orders/<int:number>", one_in=3, max_loops=7), 60)
    for number in range(30):
        request(application, f"/orders/{number}")
        request(application, "/health")
        request(application, f"/orders/{number}", method="POST")
    result = tool.stop()

    assert result.summary["requests_seen"] == 30
    assert result.summary["requests_marked"] == 7
    assert {route["route"] for route in result.summary["routes"]} == {"GET /orders/{id}"}


def test_a_body_that_is_streamed_belongs_to_its_request(tool):
    tool.start(options(), 60)
    for number in range(30):
        request(streaming, f"/stream/{number}")

    assert (HERE, line_of("streamed"), "str") in leaks(document_of(tool.stop()))


def test_asgi_requests_that_run_at_the_same_time_are_loops_too(tool):
    async def one(number):
        scope = {"type": "http", "method": "GET", "path": f"/orders/{number}", "headers": []}

        async def receive():
            return {"type": "http.request"}

        async def send(_message):
            await asyncio.sleep(0)

        await asgi.serve(asgi_application, scope, receive, send)

    async def serve():
        for first in range(0, 40, 4):
            await asyncio.gather(*(asyncio.create_task(one(first + at)) for at in range(4)))

    tool.start(options(), 60)
    asyncio.run(serve())
    result = tool.stop()

    assert result.summary["requests_marked"] == 40
    assert (HERE, line_of("asgi"), "str") in leaks(document_of(result))


def test_nothing_is_left_after_an_abort_and_after_a_run(tool):
    tool.start(options(), 60)
    request(application, "/orders/1")
    tool.abort()
    assert not _leaks.running()
    assert watchers._all == ()

    with pytest.raises(ToolError):
        tool.stop()


def test_a_request_that_runs_while_the_tool_ends_ends_by_itself(tool):
    def app(environ, start_response):
        if environ["PATH_INFO"] == "/last":
            tool.stop()
        return application(environ, start_response)

    tool.start(options(), 60)
    for _ in range(6):
        request(app, "/health")

    assert request(app, "/last") == b"ok"


def test_two_runs_at_a_time_are_refused(tool):
    tool.start(options(), 60)

    with pytest.raises(ToolError) as refused:
        Leaks().start(options(), 60)

    assert refused.value.reason == "busy"


def test_without_requests_the_result_says_so(tool):
    tool.start(options(), 60)

    result = tool.stop()

    assert result.summary["sites"] == []
    assert any("No request came" in note for note in result.notes)


@pytest.mark.parametrize(
    ("endpoint", "method", "path", "has"),
    [
        ("", "GET", "/any", True),
        ("/orders/{id}", "GET", "/orders/7", True),
        ("/orders/{id}", "GET", "/orders/7/lines", False),
        ("POST /orders/<int:id>", "GET", "/orders/7", False),
        ("POST /orders/<int:id>", "POST", "/orders/7", True),
        ("/static/*", "GET", "/static/a/b.css", True),
        ("/files/<path:name>", "GET", "/files/a/b", True),
        ("/files/{name:path}", "GET", "/files/a/b", True),
        ("/a.b", "GET", "/aXb", False),
    ],
)
def test_an_endpoint_is_written_as_frameworks_do(endpoint, method, path, has):
    class Request:
        pass

    request = Request()
    request.method, request.path = method, path

    assert Endpoint(endpoint).has(request) is has
