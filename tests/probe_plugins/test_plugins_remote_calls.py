"""JSON-RPC by jsonrpclib-pelix and XML-RPC by the standard library: real servers, in threads."""

from __future__ import annotations

import threading
import xmlrpc.client
import xmlrpc.server

import jsonrpclib
import pytest
from jsonrpclib.SimpleJSONRPCServer import SimpleJSONRPCServer

from sonde.probe import core
from sonde.probe.plugins.engine import Engine

HOST = "127.0.0.1"
ENTRY = core.operation("entry", core.SERVER)
INSIDE = core.operation("inside", core.INTERNAL)
SYSTEMS = pytest.mark.parametrize("system", ["jsonrpc", "xmlrpc"])


def add(x, y):
    core.leaf(INSIDE).finish()
    return x + y


def fail(_secret):
    raise ValueError("no stock")


@pytest.fixture
def serve(spans):
    """A server of a kind; gives its port and how to make a proxy for it."""
    running = []

    def served(system):
        if system == "jsonrpc":
            server = SimpleJSONRPCServer((HOST, 0), logRequests=False)
        else:
            server = xmlrpc.server.SimpleXMLRPCServer((HOST, 0), logRequests=False, allow_none=True)
        server.register_function(add)
        server.register_function(fail)
        server.register_multicall_functions() if system == "xmlrpc" else None
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        running.append((server, thread))
        make = jsonrpclib.ServerProxy if system == "jsonrpc" else xmlrpc.client.ServerProxy
        port = server.server_address[1]
        return port, make(f"http://user:secret@{HOST}:{port}/")

    yield served
    for server, thread in running:
        server.shutdown()
        thread.join(5)
        server.server_close()


def of_both(spans, expected):
    found = {span.kind: span for span in spans.take(expected)}
    return found["client"], found["server"], found.get("internal")


@SYSTEMS
def test_a_call_is_a_client_span_and_a_server_span_below(spans, serve, system):
    port, proxy = serve(system)
    with core.scope(ENTRY) as entry:
        assert proxy.add(40, 2) == 42
        span_id = entry.span_id

    found = [span for span in spans.take(4) if span.name != "entry"]
    client, server, inside = (
        next(span for span in found if span.kind == kind) for kind in ("client", "server", "internal")
    )
    facts = {"rpc.system": system, "rpc.method": "add", "server.address": HOST, "server.port": port}
    assert (client.name, client.parent_id, client.attributes) == ("add", span_id, facts)
    assert (server.name, server.parent_id, server.attributes) == ("add", client.span_id, facts)
    assert inside.parent_id == server.span_id


@SYSTEMS
def test_a_function_that_fails_fails_both(spans, serve, system, caplog):
    _, proxy = serve(system)
    with pytest.raises((jsonrpclib.ProtocolError, xmlrpc.client.Fault)) as caught:
        proxy.fail("secret")

    client, server, _ = of_both(spans, 2)
    assert (client.is_error, client.attributes["error.type"]) == (True, type(caught.value).__name__)
    assert client.events == []
    assert (server.name, server.is_error) == ("fail", True)
    assert server.attributes["error.type"] == ("ValueError" if system == "xmlrpc" else "-32603")
    assert "secret" not in str((client, server))


@SYSTEMS
def test_a_method_that_is_not_there_names_no_server_span(spans, serve, system, caplog):
    _, proxy = serve(system)
    with pytest.raises((jsonrpclib.ProtocolError, xmlrpc.client.Fault)):
        proxy.invented_4711()

    client, server, _ = of_both(spans, 2)
    assert (client.name, server.name, server.is_error) == ("invented_4711", system, True)
    assert "rpc.method" not in server.attributes


def test_a_notification_and_a_batch_are_one_call_each(spans, serve):
    _, proxy = serve("jsonrpc")
    proxy._notify.add(1, 2)
    client, server, _ = of_both(spans, 3)
    assert (client.name, server.parent_id) == ("add", client.span_id)

    batch = jsonrpclib.MultiCall(proxy)
    batch.add(1, 2)
    batch.add(3, 4)
    assert list(batch()) == [3, 7]
    client, server, _ = of_both(spans, 4)
    assert (client.name, server.name, server.parent_id) == ("batch", "add", client.span_id)


def test_a_multicall_is_one_call(spans, serve):
    _, proxy = serve("xmlrpc")
    calls = xmlrpc.client.MultiCall(proxy)
    calls.add(1, 2)
    calls.add(3, 4)
    assert list(calls()) == [3, 7]

    client, server, _ = of_both(spans, 4)
    assert (client.name, server.name) == ("system.multicall", "system.multicall")


@SYSTEMS
def test_a_server_that_is_not_there_fails_the_call(spans, system):
    proxy = (jsonrpclib.ServerProxy if system == "jsonrpc" else xmlrpc.client.ServerProxy)(f"http://{HOST}:1")
    with pytest.raises(OSError, match="refused"):
        proxy.add(1, 2)

    assert spans.only().attributes["error.type"] == "ConnectionRefusedError"


def test_every_function_is_put_back():
    before = (
        jsonrpclib.jsonrpc.ServerProxy._request,
        SimpleJSONRPCServer._dispatch,
        xmlrpc.client.ServerProxy._ServerProxy__request,
    )
    engine = Engine({"jsonrpclib": ("jsonrpclib",), "xmlrpc": ("xmlrpc",)})
    engine.start()
    assert SimpleJSONRPCServer._dispatch is not before[1]
    engine.stop()
    after = (
        jsonrpclib.jsonrpc.ServerProxy._request,
        SimpleJSONRPCServer._dispatch,
        xmlrpc.client.ServerProxy._ServerProxy__request,
    )
    assert after == before
