"""OpenTelemetry's own instrumentation libraries, unmodified, beside our plugins and where no plugin covers them."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import socket
import sqlite3

import pytest

pytest.importorskip("opentelemetry.instrumentation.flask")

from opentelemetry import trace

from sonde.probe import core
from sonde.probe.plugins.engine import ACTIVE

ENTRY = core.operation("entry", core.SERVER)
INSTRUMENTORS = {
    "aiohttp_client": "AioHttpClientInstrumentor",
    "jinja2": "Jinja2Instrumentor",
    "redis": "RedisInstrumentor",
    "requests": "RequestsInstrumentor",
    "sqlite3": "SQLite3Instrumentor",
}


@contextlib.contextmanager
def instrumented(*names, **options):
    """Libraries with OpenTelemetry's instrumentation."""
    instrumentors = []
    for name in names:
        module = importlib.import_module(f"opentelemetry.instrumentation.{name}")
        instrumentors.append(getattr(module, INSTRUMENTORS[name])())
    for instrumentor in instrumentors:
        instrumentor.instrument(**options)
    try:
        yield
    finally:
        for instrumentor in reversed(instrumentors):
            instrumentor.uninstrument()


@pytest.fixture
def uncovered(spans, monkeypatch):
    """As if no plugin did anything, though they do: both have their span."""
    import redis  # noqa: F401
    import requests  # noqa: F401

    known = set(ACTIVE)
    ACTIVE.clear()
    yield
    ACTIVE.update(known)


def answers(port):
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex(("127.0.0.1", port)) == 0


def query():
    connection = sqlite3.connect(":memory:")
    connection.cursor().execute("select 'secret'")
    connection.close()


def test_a_statement_has_one_span_the_plugins(spans):
    with instrumented("sqlite3"), core.scope(ENTRY):
        query()

    statement, _ = spans.take(2)
    assert statement.attributes["db.query.text"] == "select ?"


def test_where_no_plugin_covers_a_library_its_spans_are_above_what_is_called(spans, uncovered):
    with instrumented("sqlite3"), core.scope(ENTRY):
        query()

    ours, theirs, entry = spans.take(3)
    assert (theirs.name, theirs.kind, theirs.attributes["db.system"]) == ("select", "client", "sqlite")
    assert (ours.parent_id, theirs.parent_id) == (theirs.span_id, entry.span_id)


@pytest.mark.skipif(not answers(6379), reason="no Redis on 127.0.0.1:6379")
def test_commands_of_redis_with_and_without_cover(spans):
    import redis

    with instrumented("redis"), redis.Redis("127.0.0.1", 6379, 9) as client:
        client.ping()
        spans.now()
        client.get("secret")
        assert "secret" not in str(spans.only().attributes)
        ACTIVE.discard("redis")
        try:
            client.get("secret")
        finally:
            ACTIVE.add("redis")
        ours, theirs = spans.take(2)
        assert ours.parent_id == theirs.span_id
        assert theirs.attributes["db.statement"] == "GET ?"


def test_templates_that_no_plugin_knows(spans):
    import jinja2

    with instrumented("jinja2"), core.scope(ENTRY):
        assert jinja2.Template("Hello {{ name }}").render(name="you") == "Hello you"

    compiled, rendered, entry = spans.take(3)
    assert [compiled.name, rendered.name] == ["jinja2.compile", "jinja2.render"]
    assert compiled.parent_id == rendered.parent_id == entry.span_id
    assert rendered.attributes == {"jinja2.template_name": "<memory>"}


def test_an_http_call_sends_the_plugins_span_and_hooks_see_one_that_does_not_record(spans, serve_wsgi):
    import requests

    seen = []

    def hook(span, request):
        seen.append(span.is_recording())
        span.set_attribute("secret", "value")

    url = serve_wsgi(echo)
    with instrumented("requests", request_hook=hook):
        header = requests.get(url, timeout=5).text

    called = spans.by_kind(2)
    assert seen == [False]
    assert header[36:52] == called["client"].span_id == called["server"].parent_id
    assert "secret" not in called["client"].attributes


def test_an_http_call_of_asyncio_likewise(spans, serve_wsgi):
    import aiohttp

    url = serve_wsgi(echo)

    async def ask():
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return await answer.text()

    with instrumented("aiohttp_client"):
        header = asyncio.run(ask())

    called = spans.by_kind(2)
    assert header[36:52] == called["client"].span_id == called["server"].parent_id


def test_what_an_instrumentation_without_cover_sends_is_its_own_span(spans, serve_wsgi, uncovered):
    import aiohttp

    url = serve_wsgi(echo)

    async def ask():
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return await answer.text()

    with instrumented("aiohttp_client"):
        header = asyncio.run(ask())

    recorded = {span.span_id: span for span in spans.take(3)}
    assert recorded[header[36:52]].attributes["http.method"] == "GET"


@pytest.mark.parametrize("by_plugin", [True, False])
def test_a_request_of_flask(spans, serve_wsgi, by_plugin, monkeypatch):
    import flask
    from opentelemetry.instrumentation.flask import FlaskInstrumentor

    app = flask.Flask(__name__)

    @app.get("/orders/<int:number>")
    def order(number):
        trace.get_current_span().set_attribute("order", number)
        core.leaf(core.operation("SELECT", core.CLIENT)).finish()
        return "ok"

    FlaskInstrumentor().instrument_app(app)
    if not by_plugin:
        ACTIVE.discard("flask")
    try:
        with app.test_client() as client:
            assert client.get("/orders/7?secret", headers={"traceparent": TRACE}).text == "ok"
    finally:
        ACTIVE.add("flask")

    if by_plugin:
        query, request = spans.take(2)
        assert request.attributes["order"] == 7
    else:
        query, theirs, request = spans.take(3)
        assert (theirs.parent_id, query.parent_id) == (request.span_id, theirs.span_id)
        assert theirs.attributes["order"] == 7
    assert (request.name, request.kind, request.parent_id) == ("GET /orders/<int:number>", "server", TRACE[36:52])
    assert query.trace_id == TRACE[3:35]
    assert core.current() is None
    assert trace.get_current_span() is trace.INVALID_SPAN


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def echo(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [environ.get("HTTP_TRACEPARENT", "").encode()]


@pytest.mark.parametrize("by_hand", [False, True])
def test_fastapi_takes_times_of_its_own_only_with_a_provider_by_hand(spans, serve_asgi, by_hand, monkeypatch):
    pytest.importorskip("fastapi.telemetry")
    import fastapi
    import requests

    from sonde.probe.otel import TracerProvider
    from sonde.probe.plugins.opentelemetry import bridge

    monkeypatch.setattr(bridge, "_by_hand", False)

    app = fastapi.FastAPI(telemetry={"tracer_provider": TracerProvider()} if by_hand else None)

    @app.get("/")
    def index():
        return trace.get_current_span().name

    url = serve_asgi(app)
    assert requests.get(url, timeout=5).status_code == 200

    called = spans.take(5 if by_hand else 2)
    request = next(span for span in called if span.kind == "server")
    assert request.name == "GET /"
    below = {span.name for span in called if span.parent_id == request.span_id}
    assert below == ({"fastapi.dependencies", "fastapi.endpoint", "fastapi.serialization"} if by_hand else set())
