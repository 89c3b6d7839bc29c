"""One request of a service, sent as OTLP, is on every page that should show it."""

import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from started.waiting import eventually

TRACE = "5b8efff798038103d269b633813fc60c"


def text(attributes, **pairs):
    for key, value in pairs.items():
        attributes.add(key=key.replace("__", ".")).value.string_value = value


@pytest.fixture(scope="module")
def sent(server):
    """A failed request of 250 ms that asked a database; when it is stored."""
    app = server.app("shop of spans")
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    text(resource.resource.attributes, service__name="shop", service__instance__id="one")
    spans = resource.scope_spans.add().spans
    now_ns = time.time_ns()
    entry = spans.add(
        trace_id=bytes.fromhex(TRACE),
        span_id=b"\x01" * 8,
        name="GET /order/{id}",
        kind=Span.SPAN_KIND_SERVER,
        start_time_unix_nano=now_ns - 300_000_000,
        end_time_unix_nano=now_ns - 50_000_000,
    )
    entry.status.code = Status.STATUS_CODE_ERROR
    text(entry.attributes, customer="ada")
    query = spans.add(
        trace_id=bytes.fromhex(TRACE),
        span_id=b"\x02" * 8,
        parent_span_id=b"\x01" * 8,
        name="SELECT orders",
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=now_ns - 290_000_000,
        end_time_unix_nano=now_ns - 90_000_000,
    )
    text(query.attributes, db__system__name="postgresql", db__query__text="SELECT * FROM orders WHERE id = ?")
    headers = {"Authorization": f"Bearer {app['token']}", "Content-Type": "application/x-protobuf"}
    with server.client() as client:
        answer = client.post("/v1/traces", content=request.SerializeToString(), headers=headers)
        assert answer.status_code == 200
    token = server.token("read")
    with server.client(token) as client:
        eventually(lambda: client.get(f"/api/v1/traces/{TRACE}").status_code == 200, "the trace is stored")
    return app


def test_its_waterfall_has_every_span_with_its_statement(reader, sent):
    trace = reader.get(f"/api/v1/traces/{TRACE.upper()}").json()

    assert trace["trace_id"] == TRACE
    assert [span["name"] for span in trace["spans"]] == ["GET /order/{id}", "SELECT orders"]
    assert trace["spans"][1]["statement"] == "SELECT * FROM orders WHERE id = ?"
    assert {span["app"] for span in trace["spans"]} == {sent["id"]}, "the app is the token's"


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ("", True),
        ("service=shop&endpoint=GET /order/{id}&min_ms=200&error=true&attribute=customer=ada&order=slowest", True),
        ("service=bank", False),
        ("min_ms=251", False),
        ("error=false&service=shop", False),
        ("attribute=customer=eve", False),
        ("to=2026-01-01T00:00:00Z", False),
    ],
)
def test_a_search_finds_it_by_what_is_true_of_it(reader, sent, filters, found):
    rows = reader.get("/api/v1/traces", params=filters).json()["items"]

    assert (TRACE in [row["trace_id"] for row in rows]) is found


def test_its_service_is_in_the_overview_on_its_own_page_and_on_the_map(reader, sent):
    overview = reader.get("/api/v1/services").json()["items"]
    page = reader.get("/api/v1/services/shop").json()
    nodes = reader.get("/api/v1/map").json()["nodes"]

    assert ("shop", 1, 1) in [(row["service"], row["requests"], row["errors"]) for row in overview]
    assert [row["endpoint"] for row in page["endpoints"]] == ["GET /order/{id}"]
    assert {"service", "database"} <= {node["type"] for node in nodes}


def test_it_counts_as_loaded(reader, sent):
    assert 'sonde_loader_files_total{signal="traces"} 0\n' not in reader.get("/metrics").text
