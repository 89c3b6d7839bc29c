"""Tokens that see some apps alone: whatever is asked with one, it says nothing of the others."""

import json
import time

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from started.server import command
from started.waiting import eventually

MS = 10**6
OURS, THEIRS = "openshop", "closedbank"
PROTOBUF = {"Content-Type": "application/x-protobuf"}


def facts(resource, name):
    for key, value in {
        "service.name": name,
        "service.instance.id": f"{name}-1",
        "service.version": f"{name}-v1",
        "host.name": f"{name}-host",
    }.items():
        resource.attributes.add(key=key).value.string_value = value


def send(client, name, trace):
    """A request that failed, with a statement inside; its metrics, one of them of the host; a line of its log."""
    begin = (int(time.time()) - 30) * 1000 * MS
    spans = ExportTraceServiceRequest()
    of = spans.resource_spans.add()
    facts(of.resource, name)
    scope = of.scope_spans.add()
    root = scope.spans.add(trace_id=trace, span_id=b"root-id!", name=f"GET /{name}", kind=2)
    root.start_time_unix_nano, root.end_time_unix_nano = begin, begin + 90 * MS
    root.status.code = 2
    root.attributes.add(key=f"{name}.key").value.string_value = f"{name}.value"
    root.attributes.add(key="client.address").value.string_value = f"{name}.client"
    statement = scope.spans.add(trace_id=trace, span_id=b"query-id", parent_span_id=b"root-id!", kind=3, name="SELECT")
    statement.start_time_unix_nano, statement.end_time_unix_nano = begin + MS, begin + 81 * MS
    for key, value in {"db.query.text": f"SELECT {name}", "db.system": "mysql", "server.address": f"{name}-db"}.items():
        statement.attributes.add(key=key).value.string_value = value
    assert client.post("/v1/traces", content=spans.SerializeToString(), headers=PROTOBUF).is_success
    metrics = ExportMetricsServiceRequest()
    told = metrics.resource_metrics.add()
    facts(told.resource, name)
    for metric in (f"{name}.queue", "system.cpu.utilization"):
        point = told.scope_metrics.add().metrics.add(name=metric).gauge.data_points.add(as_double=0.5)
        point.time_unix_nano = begin
        point.attributes.add(key=f"{name}.label").value.string_value = f"{name}.value"
    assert client.post("/v1/metrics", content=metrics.SerializeToString(), headers=PROTOBUF).is_success
    logs = ExportLogsServiceRequest()
    written = logs.resource_logs.add()
    facts(written.resource, name)
    line = written.scope_logs.add().log_records.add(time_unix_nano=begin, trace_id=trace, span_id=b"root-id!")
    line.body.string_value = f"{name} wrote"
    assert client.post("/v1/logs", content=logs.SerializeToString(), headers=PROTOBUF).is_success


@pytest.fixture(scope="module")
def admin(server, tokens):
    with server.client(tokens["admin"]) as client:
        yield client


@pytest.fixture(scope="module")
def places(server, admin):
    """Two apps with the same things in them: what addresses say of each, by its name."""
    found = {}
    for number, name in enumerate((OURS, THEIRS)):
        app, trace = server.app(f"{name}-app"), bytes([0xA0 + number]) * 16
        with server.client(app["token"]) as sender:
            send(sender, name, trace)
        found[name] = {"app": app["id"], "trace": trace.hex(), "service": name, "host": f"{name}-host", "name": name}
        keep(admin, found[name])
    for place in found.values():
        eventually(lambda of=place: admin.get(f"/api/v1/traces/{of['trace']}").is_success, "the trace")
        asked = {"params": {"query": f'{{__name__="{place["name"]}_queue"}}'}}
        eventually(
            lambda said=asked: admin.get("/prometheus/api/v1/query", **said).json()["data"]["result"], "the metric"
        )
        for kind, params in (("errors", {}), ("slow", {"kind": "sql"})):
            rows = admin.get(f"/api/v1/{kind}", params={"service": place["name"], **params}).json()["items"]
            place[kind] = rows[0]["id"]
    return found


def keep(admin, place):
    """Rules, somebody to tell, a silence, a dashboard with a link, and names."""
    app, name = place["app"], place["name"]

    def made(address, wish):
        answer = admin.post(f"/api/v1{address}", json=wish)
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    notifier = {"name": f"{name} ops", "kind": "webhook", "url": "http://192.0.2.1/"}
    place["notifier"] = made("/alarms/notifiers", {"app": app, "notifier": notifier})
    rule = {
        "name": f"{name} fails",
        "what": {"kind": "statistic", "statistic": "requests"},
        "condition": {"threshold": 0},
    }
    place["rule"] = made("/alarms/rules", {"app": app, "rule": rule})
    silence = {"app": app, "comment": f"{name} sleeps", "ends_at": int(time.time() + 3600) * 1000}
    place["silence"] = made("/alarms/silences", silence)
    document = {"title": f"{name} board", "panels": []}
    place["dashboard"] = made("/dashboards", {"app": app, "document": document})
    made(f"/apps/{app}/names", {"kind": "endpoint", "pattern": f"{name} never", "name": f"{name} shown"})


@pytest.fixture(scope="module")
def token(server, places):
    """One that sees OURS."""
    return command(
        "token", "create", "--data", str(server.data), "--scope", "read", "--app", places[OURS]["app"]
    ).strip()


@pytest.fixture(scope="module")
def limited(server, token):
    with server.client(token) as client:
        yield client


def address_of(path, place):
    """A path of the API, about a place; None: it is about something that no place has."""
    values = {
        "app": place["app"],
        "trace_id": place["trace"],
        "other_id": place["trace"],
        "service": place["service"],
        "name": place["service"],
        "host": place["host"],
        "rule_id": place["rule"],
        "notifier_id": place["notifier"],
        "dashboard_id": place["dashboard"],
        "panel_id": "p1",
        "group": place["slow"] if path.startswith("/api/v1/slow") else place["errors"],
        "agent": place["name"],
        "node": place["host"],
        "pid": "1",
        "job_id": "0" * 12,
        "file_id": "0" * 12,
        "artifact": "x",
        "token": "sonde_share_" + "A" * 43,
    }
    for key, value in values.items():
        path = path.replace(f"{{{key}}}", value)
    return path


WANTED = {
    "/api/v1/statistics": [{"by": by} for by in ("service", "endpoint", "instance", "host", "peer", "client_address")],
    "/api/v1/slow": [{"kind": "sql"}],
    "/api/v1/traces": [{}, {"any_span": "true"}],
    "/api/v1/traces/attributes/values": [{"key": f"{THEIRS}.key"}],
    "/api/v1/connect/arrivals": [{"since": "2026-01-01T00:00:00Z"}],
    "/api/v1/live": [{"window_s": 900}],
}
"""What some addresses are asked with, beside nothing."""
TELLING = {
    "/api/v1/alarms/notifiers",
    "/api/v1/alarms/notifiers/{notifier_id}",
    "/api/v1/alarms/rules",
    "/api/v1/alarms/rules/{rule_id}",
    "/api/v1/alarms/silences",
    "/api/v1/apps",
    "/api/v1/apps/{app}/names",
    "/api/v1/apps/{app}/settings",
    "/api/v1/dashboards",
    "/api/v1/dashboards/{dashboard_id}",
    "/api/v1/errors",
    "/api/v1/errors/{group}",
    "/api/v1/live",
    "/api/v1/map",
    "/api/v1/nodes",
    "/api/v1/nodes/{host}",
    "/api/v1/runtime/{name}",
    "/api/v1/services",
    "/api/v1/services/{name}",
    "/api/v1/slow",
    "/api/v1/slow/{group}",
    "/api/v1/statistics",
    "/api/v1/statistics/day",
    "/api/v1/statistics/top",
    "/api/v1/traces",
    "/api/v1/traces/attributes",
    "/api/v1/traces/attributes/values",
    "/api/v1/traces/{trace_id}",
    "/api/v1/traces/{trace_id}/findings",
    "/api/v1/traces/{trace_id}/moments",
}
"""Addresses that tell of THEIRS whom it belongs to: else nothing would be shown by others saying nothing."""


def tells(answer, place):
    return answer.is_success and any(text in answer.text for text in (place["name"], place["app"], place["trace"]))


def test_no_address_that_reads_says_anything_of_another_app(openapi, places, admin, limited):
    theirs = places[THEIRS]
    told = set()
    for path, methods in openapi["paths"].items():
        if "get" not in methods or path in {"/api/v1/live/stream", "/api/v1/tokens"}:
            continue
        filled = address_of(path, theirs)
        assert "{" not in filled, f"{path}: say what its places are"
        takes = {one["name"] for one in methods["get"].get("parameters", []) if one["in"] == "query"}
        of_all = {"from": int(time.time() * 1000) - 600_000} if "from" in takes else {}
        of_theirs = {name: theirs[name] for name in ("app", "service") if name in takes}
        for more in WANTED.get(path, [{}]):
            if tells(admin.get(filled, params={**of_all, **of_theirs, **more}), theirs):
                told.add(path)
            for asked in [of_all, {**of_all, **of_theirs}][: 1 + bool(of_theirs)]:
                answer = limited.get(filled, params={**asked, **more})
                assert answer.status_code < 500, (path, asked)
                assert not tells(answer, theirs) or path == "/api/v1/runtime/{name}", (path, asked, answer.text[:300])

    assert told >= TELLING, TELLING - told
    assert admin.get(f"/api/v1/runtime/{THEIRS}").json()["service"] == THEIRS
    assert limited.get(f"/api/v1/runtime/{THEIRS}").json()["instances"] == 0


def test_what_it_may_see_it_sees(places, limited):
    ours = places[OURS]

    assert [app["id"] for app in limited.get("/api/v1/apps").json()["items"]] == [ours["app"]]
    assert [row["service"] for row in limited.get("/api/v1/services").json()["items"]] == [OURS]
    for path in ("/traces/{trace_id}", "/alarms/rules/{rule_id}", "/dashboards/{dashboard_id}", "/services/{name}"):
        assert tells(limited.get("/api/v1" + address_of(path, ours)), ours), path


def test_programs_that_read_for_others_see_as_little(places, limited):
    theirs = places[THEIRS]
    since = int(time.time()) - 600
    lines = [
        "/jaeger/api/services",
        f"/jaeger/api/services/{THEIRS}/operations",
        f"/jaeger/api/operations?service={THEIRS}",
        f"/jaeger/api/traces?service={THEIRS}",
        f"/jaeger/api/traces/{theirs['trace']}",
        "/jaeger/api/dependencies?endTs=" + str(since * 1000 + 600_000),
        "/prometheus/api/v1/labels",
        "/prometheus/api/v1/label/job/values",
        "/prometheus/api/v1/label/__name__/values",
        "/prometheus/api/v1/series?match[]={job=~'.+'}",
        "/prometheus/api/v1/query?query={job=~'.+'}",
        f"/prometheus/api/v1/query_range?query={{job=~'.+'}}&step=30&start={since}&end={since + 600}",
        "/prometheus/api/v1/metadata",
    ]

    for line in lines:
        answer = limited.get(line)
        assert answer.status_code < 500, line
        assert not tells(answer, theirs), (line, answer.text[:300])
    for line in ("/jaeger/api/services", "/prometheus/api/v1/label/job/values"):
        assert tells(limited.get(line), places[OURS]), line


def test_no_tool_of_mcp_says_anything_of_another_app(places, admin, limited):
    theirs = places[THEIRS]
    arguments = {
        "service_report": {"service": THEIRS},
        "get_trace": {"trace_id": theirs["trace"]},
        "query_metrics": {"query": "{job=~'.+'}"},
        "debugger_run": {"id": "0" * 12},
    }

    def ask(client, method, **params):
        said = client.post("/mcp", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        return said.json()["result"]

    tools = [tool["name"] for tool in ask(limited, "tools/list")["tools"]]
    told = []
    for name in tools:
        call = {"name": name, "arguments": arguments.get(name, {})}
        answer, full = (json.dumps(ask(client, "tools/call", **call)) for client in (limited, admin))
        assert theirs["app"] not in answer, name
        assert THEIRS not in answer, name
        if THEIRS in full:
            told.append(name)

    assert set(arguments) <= set(tools)
    assert set(told) >= {"list_services", "service_report", "search_traces", "get_trace", "list_errors", "list_hosts"}


def test_the_live_view_streams_what_it_may_see(places, limited):
    with limited.stream("GET", "/api/v1/live/stream") as stream:
        lines = stream.iter_lines()
        whole = next(line for line in lines if line.startswith("data: "))

    assert THEIRS not in whole
    assert sum(point["requests"] for point in json.loads(whole.removeprefix("data: "))["series"]) == 1


@pytest.mark.parametrize(
    ("address", "wish"),
    [
        ("/apps/{app}/names/preview", {"kind": "endpoint", "pattern": ".*", "name": "x"}),
        (
            "/alarms/backtest",
            {
                "rule": {
                    "name": "x",
                    "what": {"kind": "statistic", "statistic": "requests"},
                    "condition": {"threshold": 0},
                }
            },
        ),
        ("/alarms/notifiers/preview", {"notifier": {"name": "x", "kind": "webhook", "url": "http://192.0.2.1/"}}),
    ],
)
def test_nothing_can_be_tried_out_in_another_app(places, limited, address, wish):
    about = places[THEIRS]
    body = wish if "{app}" in address else {"app": about["app"], **wish}

    answer = limited.post("/api/v1" + address_of(address, about), json=body)

    assert answer.status_code in {403, 404}, answer.text


def test_a_token_for_some_apps_changes_nothing_and_sees_no_counters_of_all(places, limited):
    assert limited.post("/api/v1/apps", json={"name": "x"}).status_code == 403
    assert limited.get("/metrics").status_code == 403
    assert limited.get("/api/v1/tokens").status_code == 403


def test_tokens_are_made_listed_and_revoked_over_http(server, places, admin):
    app = places[OURS]["app"]
    answer = admin.post("/api/v1/tokens", json={"name": "grafana", "scope": "read", "apps": [app]})
    assert answer.status_code == 201, answer.text
    made = answer.json()

    (listed,) = [it for it in admin.get("/api/v1/tokens").json()["items"] if it["id"] == made["id"]]
    assert (listed["name"], listed["scope"], listed["apps"]) == ("grafana", "read", [app])
    assert "token" not in listed
    with server.client(made["token"]) as client:
        assert [it["id"] for it in client.get("/api/v1/apps").json()["items"]] == [app]
        assert admin.delete(f"/api/v1/tokens/{made['id']}").status_code == 204
        eventually(lambda: client.get("/api/v1/apps").status_code == 401, "a token that is worth nothing", 10)
    assert admin.delete(f"/api/v1/tokens/{made['id']}").status_code == 404


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"scope": "write", "apps": ["{app}"]}, "apps: a token for some apps reads"),
        ({"scope": "admin", "apps": ["{app}"]}, "apps: a token for some apps reads"),
        ({"scope": "read", "apps": []}, "apps: "),
        ({"scope": "read", "apps": ["0" * 12]}, "apps: there is no app '000000000000'"),
        ({"scope": "everything"}, "scope: "),
        ({"scope": "read", "name": " x"}, "name: "),
    ],
)
def test_a_token_that_cannot_be_is_refused(places, admin, wish, said):
    filled = {"name": "x", **wish}
    if filled.get("apps") == ["{app}"]:
        filled["apps"] = [places[OURS]["app"]]

    answer = admin.post("/api/v1/tokens", json=filled)

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(said)
