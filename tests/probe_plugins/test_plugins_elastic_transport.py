"""elasticsearch and elastic-transport against an HTTP server of the tests' own, which says what Elasticsearch says."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import elastic_transport
import pytest
from elasticsearch import AsyncElasticsearch, ConflictError, Elasticsearch, NotFoundError
from elasticsearch import ConnectionError as NotConnectedError

from sonde.probe import core
from sonde.probe.plugins.engine import Engine

ENTRY = core.operation("entry", core.SERVER)
STATUS = {"DELETE": 404, "HEAD": 404}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.seen.append((self.command, self.path, self.headers.get("traceparent")))
        body = b"" if self.command == "HEAD" else json.dumps({"hits": {"hits": []}}).encode()
        self.send_response(409 if "/_create/" in self.path else STATUS.get(self.command, 200))
        self.send_header("X-Elastic-Product", "Elasticsearch")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer  # noqa: N815 - the names that http.server looks for

    def log_message(self, *_args):
        pass


@pytest.fixture
def server():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.seen = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def client(spans, server):
    with Elasticsearch(f"http://user:secret@127.0.0.1:{server.server_port}", max_retries=0) as client:
        yield client


def facts(server, method, operation, **more):
    return {
        "db.system.name": "elasticsearch",
        "db.operation.name": operation,
        "db.collection.name": "orders",
        "http.request.method": method,
        "server.address": "127.0.0.1",
        "server.port": server.server_port,
        **more,
    }


def test_a_search_is_one_client_span_without_its_query(spans, server, client):
    with core.scope(ENTRY):
        client.search(index="orders", query={"match": {"name": "secret"}}, routing="secret")

    search, entry = spans.take(2)
    assert (search.name, search.kind, search.parent_id) == ("search orders", "client", entry.span_id)
    assert search.attributes == facts(server, "POST", "search")
    assert server.seen[0][2] == f"00-{search.trace_id}-{search.span_id}-{server.seen[0][2][-2:]}"


def test_operations_have_names_and_documents_no_ids(spans, server, client):
    client.get(index="orders", id="secret")
    client.index(index="orders", document={"a": "secret"})
    client.bulk(operations=[{"delete": {"_index": "orders", "_id": "secret"}}])
    client.cluster.health()
    client.info()
    client.indices.refresh(index="orders")

    found = spans.take(6)
    assert [span.name for span in found] == [
        "get orders",
        "index orders",
        "bulk",
        "cluster.health",
        "info",
        "refresh orders",
    ]
    assert "secret" not in str(found)


def test_an_error_answered_is_recorded_and_a_no_to_a_question_is_none(spans, server, client):
    with pytest.raises(NotFoundError):
        client.delete(index="orders", id="1")
    with pytest.raises(ConflictError):
        client.create(index="orders", id="1", document={})
    assert not client.exists(index="orders", id="1")
    assert not client.indices.exists(index="orders")

    delete, create, exists, exists_index = spans.take(4)
    more = {"db.response.status_code": "404", "error.type": "404"}
    assert delete.attributes == facts(server, "DELETE", "delete", **more)
    assert create.attributes["error.type"] == "409"
    assert [span.is_error for span in (delete, create, exists, exists_index)] == [True, True, False, False]
    assert (exists.name, exists_index.name) == ("exists orders", "indices.exists orders")


def test_a_node_that_is_not_there_fails_the_span(spans):
    with Elasticsearch("http://127.0.0.1:1", max_retries=1) as client, pytest.raises(NotConnectedError):
        client.search(index="orders")

    assert spans.only().attributes["error.type"] == "ConnectionError"


def test_the_asynchronous_client_is_the_same(spans, server):
    async def work():
        async with AsyncElasticsearch(f"http://127.0.0.1:{server.server_port}") as client:
            with core.scope(ENTRY):
                await client.search(index="orders")
            assert core.current() is None

    asyncio.run(work())
    http, search, entry = spans.take(3)
    assert (search.name, search.parent_id, http.parent_id) == ("search orders", entry.span_id, search.span_id)
    assert search.attributes == facts(server, "POST", "search")


def test_every_function_is_put_back():
    before = (elastic_transport.Transport.perform_request, elastic_transport.AsyncTransport.perform_request)
    engine = Engine({"elastic_transport": ("elastic_transport",)})
    engine.start()
    assert elastic_transport.Transport.perform_request is not before[0]
    engine.stop()
    after = (elastic_transport.Transport.perform_request, elastic_transport.AsyncTransport.perform_request)
    assert after == before
