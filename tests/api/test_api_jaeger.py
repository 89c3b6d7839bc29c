"""/jaeger: what Grafana's Jaeger data source asks for, and the fields that it reads."""

import json
import time
from datetime import UTC, datetime

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sonde.server.insight.jaeger import jaeger_dependencies
from sonde.server.reports.service_map import MapEdge, MapNode, ServiceMap
from started.waiting import eventually

START_NS = (int(time.time()) - 120) * 10**9
MS = 10**6
SERVICE = "jaeger/shop"
SPAN_FIELDS = set(
    "traceID spanID flags operationName references startTime duration tags logs processID warnings".split()  # noqa: SIM905
)


@pytest.fixture(scope="module")
def traced(server):
    """Ten traces, a second apart: a request of the shop that calls the stock; the last failed and took a second."""
    app = server.app("jaeger-app")
    request = ExportTraceServiceRequest()
    spans = {}
    for service in (SERVICE, "jaeger-stock"):
        resource = request.resource_spans.add()
        resource.resource.attributes.add(key="service.name").value.string_value = service
        resource.resource.attributes.add(key="service.instance.id").value.string_value = f"{service}-1"
        spans[service] = resource.scope_spans.add().spans
    for number in range(10):
        last, begin = number == 9, START_NS + number * 1000 * MS
        trace_id = bytes.fromhex(f"{0xABC0 + number:032x}")
        root = spans[SERVICE].add(trace_id=trace_id, span_id=b"root-id!", name="GET /orders", kind=2)
        root.start_time_unix_nano, root.end_time_unix_nano = begin, begin + (1000 if last else 50) * MS
        root.attributes.add(key="order.id").value.int_value = number
        root.status.code = 2 if last else 0
        event = root.events.add(name="exception", time_unix_nano=begin + MS)
        event.attributes.add(key="exception.message").value.string_value = "sold out"
        call = spans[SERVICE].add(
            trace_id=trace_id, span_id=b"call-id!", parent_span_id=b"root-id!", name="GET", kind=3
        )
        call.start_time_unix_nano, call.end_time_unix_nano = begin + MS, begin + 40 * MS
        call.attributes.add(key="server.address").value.string_value = "stock.example"
        served = spans["jaeger-stock"].add(
            trace_id=trace_id, span_id=b"servedid", parent_span_id=b"call-id!", name="GET /stock", kind=2
        )
        served.start_time_unix_nano, served.end_time_unix_nano = begin + 5 * MS, begin + 30 * MS
        served.links.add(trace_id=b"L" * 16, span_id=b"linkedid")
    with server.client(app["token"]) as sender:
        body = request.SerializeToString()
        assert sender.post("/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"}).is_success
    return app


@pytest.fixture
def ask(reader, traced):
    def ask(path, **params):
        return reader.get(f"/jaeger/api/{path}", params=params)

    eventually(lambda: len(ask("traces", service=SERVICE).json()["data"]) == 10, "stored traces")
    eventually(lambda: SERVICE in ask("services").json()["data"], "a service, also where its slot was over")
    return ask


def window():
    return {"start": START_NS // 1000 - 1, "end": START_NS // 1000 + 60_000_000}


def ids(answer):
    assert answer.status_code == 200, answer.text
    return [int(trace["traceID"], 16) - 0xABC0 for trace in answer.json()["data"]]


def test_services_and_operations_are_lists_of_names(ask):
    services = ask("services").json()
    operations = ask(f"services/{SERVICE}/operations").json()
    kinds = ask("operations", service=SERVICE, spanKind="server").json()

    assert {SERVICE, "jaeger-stock"} <= set(services["data"])
    assert services | {"data": []} == {
        "data": [],
        "total": len(services["data"]),
        "limit": 0,
        "offset": 0,
        "errors": None,
    }
    assert operations["data"] == ["GET", "GET /orders"]
    assert kinds["data"] == [{"name": "GET /orders", "spanKind": "server"}]


def test_a_trace_has_every_field_that_jaeger_gives_it(ask):
    (trace,) = ask("traces/abc9").json()["data"]

    assert set(trace) == {"traceID", "spans", "processes", "warnings"}
    assert trace["traceID"] == f"{0xABC9:032x}"
    by_id = {span["spanID"]: span for span in trace["spans"]}
    root, call, served = (by_id[name.hex()] for name in (b"root-id!", b"call-id!", b"servedid"))
    assert set(root) == SPAN_FIELDS
    assert (root["startTime"], root["duration"]) == (START_NS // 1000 + 9_000_000, 1_000_000)
    assert root["references"] == []
    assert call["references"] == [{"refType": "CHILD_OF", "traceID": trace["traceID"], "spanID": b"root-id!".hex()}]
    assert served["references"][1] == {
        "refType": "FOLLOWS_FROM",
        "traceID": (b"L" * 16).hex(),
        "spanID": b"linkedid".hex(),
    }
    tags = {tag["key"]: (tag["type"], tag["value"]) for tag in root["tags"]}
    assert tags["order.id"] == ("string", "9")
    assert tags["span.kind"] == ("string", "server")
    assert tags["error"] == ("bool", True)
    (log,) = root["logs"]
    assert log["timestamp"] == root["startTime"] + 1000
    assert {field["key"]: field["value"] for field in log["fields"]} == {
        "event": "exception", "exception.message": "sold out",
    }  # fmt: skip
    services = {key: process["serviceName"] for key, process in trace["processes"].items()}
    assert (services[root["processID"]], services[served["processID"]]) == (SERVICE, "jaeger-stock")


def test_a_search_gives_whole_traces_newest_first(ask):
    answer = ask("traces", service=SERVICE, operation="GET /orders", limit=3, **window())

    assert ids(answer) == [9, 8, 7]
    assert [len(trace["spans"]) for trace in answer.json()["data"]] == [3, 3, 3]


def test_every_filter_of_a_search_holds(ask):
    def search(**params):
        return ids(ask("traces", **{"service": SERVICE, **window(), **params}))

    assert len(search()) == 10
    assert search(tags=json.dumps({"order.id": "4"})) == [4]
    assert search(tags=json.dumps({"order.id": 4, "span.kind": "client"})) == []
    assert search(tags='{"error":"true"}') == search(tags='{"error":true}') == [9]
    assert search(minDuration="900ms") == [9]
    assert len(search(minDuration="10ms", maxDuration="45ms")) == 10, "the calls took 39 ms"
    assert search(operation="GET /orders", maxDuration="45ms") == []
    assert search(service="nobody") == []
    assert search(operation="GET /stock") == []
    assert search(end=START_NS // 1000 + 1_500_000) == [1, 0]
    assert search(traceID="abc3") == [3]
    assert len(ids(ask("traces", service=SERVICE, lookback="1h"))) == 10


def test_dependencies_are_calls_between_services():
    def node(id_, kind):
        return MapNode(id=id_, name=id_[2:], type=kind, system="", requests=1, errors=0, average_ms=None, p95_ms=None)

    def edge(source, target):
        return MapEdge(source=source, target=target, requests=7, errors=0, average_ms=None, p95_ms=None)

    now = datetime.now(UTC)
    nodes = [node("s:shop", "service"), node("s:stock", "service"), node("d:mysql", "database"), node("c:", "client")]
    edges = [edge("c:", "s:shop"), edge("s:shop", "s:stock"), edge("s:stock", "d:mysql")]

    assert jaeger_dependencies(ServiceMap(from_=now, to=now, nodes=nodes, edges=edges)) == [
        {"parent": "shop", "child": "stock", "callCount": 7}
    ]


def test_dependencies_are_asked_for_with_the_end_and_how_far_back(ask):
    answer = ask("dependencies", endTs=START_NS // 10**6 + 60_000, lookback=3_600_000).json()

    assert answer["errors"] is None
    assert [row for row in answer["data"] if set(row) != {"parent", "child", "callCount"}] == []


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("traces", {"service": "x", "end": "40000000000000", "lookback": "999999999d"}),
        ("dependencies", {"lookback": "900000000000000000"}),
    ],
)
def test_looking_back_ends_where_time_does(ask, path, params):
    answer = ask(path, **params)

    assert answer.status_code == 200, answer.text
    assert answer.json()["errors"] is None


@pytest.mark.parametrize(
    ("path", "params", "code"),
    [
        ("traces", {}, 400),
        ("traces", {"service": "x", "tags": "error=true"}, 400),
        ("traces", {"service": "x", "minDuration": "5"}, 400),
        ("traces", {"service": "x", "start": "now"}, 400),
        ("traces", {"service": "x", "end": "1e17"}, 400),
        ("traces", {"service": "x", "limit": "-5"}, 400),
        ("traces", {"traceID": "xyz"}, 400),
        ("traces/xyz", {}, 400),
        ("traces/" + "0" * 33, {}, 400),
        ("traces/123456", {}, 404),
        ("dependencies", {"endTs": "x"}, 400),
    ],
)
def test_errors_come_in_the_envelope(ask, path, params, code):
    answer = ask(path, **params)

    assert answer.status_code == code
    said = answer.json()
    assert said["data"] is None
    assert said["errors"][0]["code"] == code
    assert said["errors"][0]["msg"]


@pytest.mark.parametrize(
    "path", ["services", "services/x/operations", "operations", "traces", "traces/1", "dependencies"]
)
def test_nobody_asks_without_a_token(stranger, tokens, path):
    assert stranger.get(f"/jaeger/api/{path}").status_code == 401
    assert stranger.get(f"/jaeger/api/{path}", auth=("grafana", "wrong")).status_code == 401
    assert stranger.get(f"/jaeger/api/{path}", auth=("grafana", tokens["read"])).status_code != 401
