"""A program full of OpenTelemetry's instrumentation libraries, unmodified, with our plugins and without them."""

from __future__ import annotations

import json
import socket
import sys
from collections import Counter

import pytest

from conftest import fetch

pytest.importorskip("opentelemetry.instrumentation.flask")

PLUGINS = "aiohttp_client,asyncpg,flask,http_client,pymysql,redis,sqlite3,urllib3,werkzeug"
INTERNAL, SERVER, CLIENT = 1, 2, 3


def answers(port):
    with socket.socket() as knock:
        knock.settimeout(1)
        return knock.connect_ex(("127.0.0.1", port)) == 0


pytestmark = pytest.mark.skipif(
    not all(map(answers, (3306, 5432, 6379))), reason="no MariaDB, no PostgreSQL or no Redis on 127.0.0.1"
)


def spans_of_a_request(start, receiver, port, **environment):
    """Of `/all` the second time, when every library has connected once, and the headers that its calls have sent."""
    program = start(sys.executable, "otel_app.py", str(port), **environment)
    fetch(port)
    fetch(port, "/all")
    headers = json.loads(fetch(port, "/all"))
    receiver.entries(7)
    code, error = program.end()
    assert "Traceback" not in error, (code, error)
    spans = [span for span in receiver.spans if span.trace_id == headers[0][3:35]]
    (request,) = (span for span in spans if not span.parent_id)
    return request, spans, headers


@pytest.mark.parametrize("core", ["native", "python"])
def test_where_plugins_cover_the_libraries_each_call_has_one_span_the_plugins(start, receiver, port, core):
    request, spans, headers = spans_of_a_request(start, receiver, port, SONDE_CORE=core)

    assert request.attributes["shop.basket"] == 3
    assert Counter((span.kind, span.name) for span in spans) == {
        (SERVER, "GET /all"): 1,
        (INTERNAL, "by hand"): 1,
        (CLIENT, "CONNECT"): 2,
        (CLIENT, "SELECT"): 3,
        (CLIENT, "GET"): 3,
        (INTERNAL, "jinja2.render"): 1,
        (SERVER, "GET /leaf"): 2,
    }
    assert not any("secret" in str(span.attributes) for span in spans)
    by_hand = next(span for span in spans if span.name == "by hand")
    assert [span.attributes["db.system.name"] for span in spans if span.parent_id == by_hand.span_id] == ["sqlite"]
    calls = [span for span in spans if span.attributes.get("http.request.method") and span.kind == CLIENT]
    leaves = [span for span in spans if span.name == "GET /leaf"]
    assert {span.parent_id for span in leaves} == {span.span_id for span in calls}
    assert sorted(header[36:52] for header in headers) == sorted(span.span_id for span in calls)
    above = {span.span_id for span in spans}
    assert all(span.parent_id in above for span in spans if span is not request)


@pytest.mark.parametrize("core", ["native", "python"])
def test_without_plugins_the_instrumentation_libraries_have_them(start, receiver, port, core):
    environment = {"SONDE_CORE": core, "SONDE_PLUGINS_OFF": PLUGINS}
    request, spans, headers = spans_of_a_request(start, receiver, port, **environment)

    assert request.attributes["shop.basket"] == 3
    assert Counter((span.kind, span.name.partition(" '")[0]) for span in spans) == {
        (SERVER, "GET /all"): 1,
        (INTERNAL, "by hand"): 1,
        (CLIENT, "select"): 3,
        (CLIENT, "GET"): 3,
        (INTERNAL, "jinja2.render"): 1,
        (SERVER, "GET /leaf"): 2,
    }
    calls = {span.span_id for span in spans if span.kind == CLIENT and "http.method" in span.attributes}
    assert {span.parent_id for span in spans if span.name == "GET /leaf"} == calls
    assert {header[36:52] for header in headers} == calls
    systems = [span.attributes["db.system"] for span in spans if "db.system" in span.attributes]
    assert sorted(systems) == ["mysql", "postgresql", "redis", "sqlite"]
    above = {span.span_id for span in spans}
    assert all(span.parent_id in above for span in spans if span is not request)


def test_a_provider_of_the_programs_own_wins(start, receiver, port):
    program = start(sys.executable, "otel_sdk.py")
    output, error = program.process.communicate(timeout=30)

    assert error == ""
    assert json.loads(output) == {"exported": ["by hand", "later"], "roots": [False, True]}
    (request,) = receiver.wait(lambda spans: spans)
    assert request.name == "ours"
