"""What is slow, what fails and what was deployed, as the API tells it."""

import time

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from started.waiting import eventually

TRACE = "6c8efff798038103d269b633813fc60d"


def text(attributes, **pairs):
    for key, value in pairs.items():
        attributes.add(key=key.replace("__", ".")).value.string_value = value


@pytest.fixture(scope="module")
def sent(server, reader):
    """A request that failed after six alike statements; when it is stored."""
    app = server.app("shop of slow things")
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    text(resource.resource.attributes, service__name="slow-shop", service__instance__id="one", service__version="1.0")
    spans = resource.scope_spans.add().spans
    now_ns = time.time_ns()

    def span(number, **facts):
        begun = now_ns - (400 - number) * 1_000_000
        identity = {"trace_id": bytes.fromhex(TRACE), "span_id": number.to_bytes(8, "big")}
        return spans.add(**identity, start_time_unix_nano=begun, end_time_unix_nano=begun + 10_000_000, **facts)

    entry = span(1, name="GET /orders", kind=Span.SPAN_KIND_SERVER)
    entry.status.code = Status.STATUS_CODE_ERROR
    error = entry.events.add(name="exception", time_unix_nano=now_ns)
    text(error.attributes, exception__type="KeyError", exception__message="'order 7'")
    for number in range(2, 8):
        query = span(number, name="SELECT orders", kind=Span.SPAN_KIND_CLIENT, parent_span_id=(1).to_bytes(8, "big"))
        text(
            query.attributes,
            db__system__name="mysql",
            db__query__text=f"CALL slow_orders({number}, 'x')",
        )
    headers = {"Authorization": f"Bearer {app['token']}", "Content-Type": "application/x-protobuf"}
    with server.client() as client:
        assert client.post("/v1/traces", content=request.SerializeToString(), headers=headers).status_code == 200
    eventually(lambda: reader.get(f"/api/v1/traces/{TRACE}").status_code == 200, "the trace is stored")
    return app


def test_statements_are_listed_and_each_has_a_page(reader, sent):
    page = reader.get("/api/v1/slow", params={"kind": "sql", "service": "slow-shop"}).json()

    (group,) = page["items"]
    assert (group["text"], group["calls"]) == ("CALL slow_orders(?)", 6)
    assert page["rest"] == {"groups": 0, "calls": 0, "errors": 0, "total_ms": 0}
    report = reader.get(f"/api/v1/slow/{group['id']}", params={"service": "slow-shop"}).json()
    assert [(one["endpoint"], one["calls"]) for one in report["callers"]] == [("GET /orders", 6)]
    assert report["slowest"][0]["trace_id"] == TRACE


def test_a_trace_has_its_findings(reader, sent):
    (finding,) = reader.get(f"/api/v1/traces/{TRACE}/findings").json()["items"]

    assert (finding["parent"], finding["calls"]) == ("GET /orders", 6)
    assert reader.get(f"/api/v1/traces/{TRACE}/findings", params={"at_least": 7}).json()["items"] == []
    assert reader.get(f"/api/v1/traces/{'0' * 31}9/findings").status_code == 404


def test_errors_are_listed_and_each_has_a_page(reader, sent):
    (group,) = reader.get("/api/v1/errors", params={"service": "slow-shop"}).json()["items"]

    assert (group["type"], group["place"], group["times"], group["message"]) == (
        "KeyError",
        "GET /orders",
        1,
        "'{value}'",
    )
    report = reader.get(f"/api/v1/errors/{group['id']}").json()
    assert [(one["trace_id"], one["message"]) for one in report["samples"]] == [(TRACE, "'order 7'")]


def test_deploys_are_a_list(reader, sent):
    assert reader.get("/api/v1/deploys", params={"service": "slow-shop"}).json() == {"items": [], "next": None}


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/slow?kind=dns", 400),
        ("/slow?order=newest", 400),
        ("/slow?limit=501", 400),
        ("/slow/sql", 400),
        ("/slow/sql-0123456789abcdef", 404),
        ("/errors?order=total", 400),
        ("/errors/xyz", 400),
        ("/errors/0123456789abcdef", 404),
        (f"/traces/{TRACE}/findings?at_least=1", 400),
        ("/deploys?from=2030-01-01T00:00:00Z&to=2029-01-01T00:00:00Z", 400),
    ],
)
def test_what_cannot_be_asked_is_said(reader, path, status):
    answer = reader.get(f"/api/v1{path}")

    assert (answer.status_code, set(answer.json())) == (status, {"error"})


def test_a_stranger_is_told_nothing(stranger):
    for path in ("/slow", "/slow/sql-0123456789abcdef", "/errors", "/errors/0123456789abcdef", "/deploys"):
        assert stranger.get(f"/api/v1{path}").status_code == 401
