"""/mcp: what programs ask that read for people."""

import json
import os
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sonde.server.mcp.links import Links
from sonde.server.mcp.protocol import VERSIONS, ProtocolError, read
from sonde.server.mcp.tool import MOST_BYTES, NotAnswered, shortened
from started.waiting import eventually

ROOT = Path(__file__).parents[2]
CLIENT = "mcp==2.3.0"
SERVICE = "mcp/shop"
TRACE = f"{0xBEEF:032x}"
MS = 10**6


@pytest.fixture(scope="module")
def recorded(server, reader):
    """A request that failed, with a call of a database below it."""
    app = server.app("mcp-app")
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = SERVICE
    spans = resource.scope_spans.add().spans
    begin = (int(time.time()) - 60) * 1000 * MS
    root = spans.add(trace_id=bytes.fromhex(TRACE), span_id=b"root-id!", name="GET /orders", kind=2)
    root.start_time_unix_nano, root.end_time_unix_nano = begin, begin + 90 * MS
    root.attributes.add(key="order.id").value.int_value = 7
    root.status.code = 2
    query = spans.add(trace_id=root.trace_id, span_id=b"query-id", parent_span_id=b"root-id!", name="SELECT", kind=3)
    query.start_time_unix_nano, query.end_time_unix_nano = begin + MS, begin + 81 * MS
    query.attributes.add(key="db.query.text").value.string_value = "SELECT " + "a, " * 1000
    with server.client(app["token"]) as sender:
        body = request.SerializeToString()
        assert sender.post("/v1/traces", content=body, headers={"Content-Type": "application/x-protobuf"}).is_success
    eventually(lambda: reader.get(f"/api/v1/traces/{TRACE}").status_code == 200, "the stored trace")
    return app


def environment():
    """The Python of an environment with the client, made once and kept in .build/."""
    folder = ROOT / ".build" / "mcp-client"
    if not (folder / "made").exists():
        uv = str(ROOT / ".venv" / "bin" / "uv")
        subprocess.run([uv, "venv", "-q", "--clear", "--python", "3.11", str(folder)], check=True, timeout=120)
        install = [uv, "pip", "install", "--system-certs", "-q", CLIENT]
        subprocess.run(install, check=True, timeout=300, env={**os.environ, "VIRTUAL_ENV": str(folder)})
        (folder / "made").touch()
    return folder / "bin" / "python"


def say(client, method, params=None, **headers):
    return client.post(
        "/mcp", json={"jsonrpc": "2.0", "id": 1, "method": method, "params": params or {}}, headers=headers
    )


def call(client, tool, **arguments):
    answer = say(client, "tools/call", {"name": tool, "arguments": arguments})
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def test_the_protocols_own_client_finds_its_way_from_services_to_a_trace(server, tokens, recorded):
    calls = [
        ("list_services", {}),
        ("service_report", {"service": SERVICE}),
        ("search_traces", {"service": SERVICE, "error": True, "attributes": ["order.id=7"]}),
        ("get_trace", {"trace_id": TRACE}),
        ("service_map", {}),
        ("list_errors", {"service": SERVICE}),
        ("slow_calls", {"service": SERVICE}),
        ("list_alarms", {}),
        ("list_hosts", {}),
        ("query_metrics", {"query": "1 + 1"}),
        ("debugger_runs", {}),
    ]
    done = subprocess.run(
        [str(environment()), str(Path(__file__).with_name("mcp_client.py"))],
        input=json.dumps([f"{server.url}/mcp", tokens["read"], calls]),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr + server.output
    said = json.loads(done.stdout)

    assert said["server"] == "sonde"
    assert said["version"] in VERSIONS
    assert {name for name, _ in calls} <= set(said["tools"])
    texts = [answer["content"][0]["text"] for answer in said["answers"]]
    assert not any(answer.get("is_error") or answer.get("isError") for answer in said["answers"]), texts
    services, report, requests, trace, shown, errors, slow, alarms, hosts, metrics, runs = map(json.loads, texts)
    assert SERVICE in [service["service"] for service in services["services"]]
    assert report["figures"]["errors"] == 1
    assert [row["trace_id"] for row in requests["requests"]] == [TRACE]
    assert [span["name"] for span in trace["spans"]] == ["GET /orders", "SELECT"]
    assert len(trace["spans"][1]["statement"]) == 500
    assert SERVICE in [node["name"] for node in shown["nodes"]]
    assert {value for _, value in metrics["series"][0]["values"]} == {"2"}
    assert [error["times"] for error in errors["items"]] == [1]
    assert [group["calls"] for group in slow["items"]] == [1]
    assert alarms["alarms"] == []
    assert hosts["hosts"] == []
    assert runs["runs"] == []
    assert all(json.loads(text)["link"].startswith(server.url) for text in texts)


def test_the_link_of_an_answer_is_a_page_of_the_console(reader, recorded):
    answer = call(reader, "get_trace", trace_id=TRACE)["structuredContent"]

    assert answer["link"].endswith(f"/traces/{TRACE}")
    page = httpx.get(answer["link"])
    assert page.headers["content-type"].startswith("text/html")


def test_names_in_links_are_quoted():
    assert Links("http://a/").page("services", "a/b c", app="x&y", none=None) == "http://a/services/a%2Fb%20c?app=x%26y"


def test_without_a_token_nothing_is_said(stranger):
    answer = say(stranger, "tools/list")

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_pages_of_other_sites_are_refused(reader, server):
    assert say(reader, "ping", Origin="http://evil.example").status_code == 403
    assert say(reader, "ping", Origin=server.url).json()["result"] == {}


def test_there_is_no_stream_and_no_session(reader):
    assert reader.get("/mcp").status_code == 405
    assert reader.delete("/mcp").headers["allow"] == "POST"


def test_a_notification_is_taken_without_an_answer(reader):
    said = reader.post("/mcp", json={"jsonrpc": "2.0", "method": "notifications/initialized"})

    assert (said.status_code, said.content) == (202, b"")


def test_every_mistake_has_the_protocols_own_error(reader):
    def code(answer):
        return answer.json()["error"]["code"]

    assert code(reader.post("/mcp", content=b"{")) == -32700
    assert code(reader.post("/mcp", content=b"[" * 5_000)) == -32700
    assert code(reader.post("/mcp", json=[])) == -32600
    assert code(reader.post("/mcp", json={"jsonrpc": "2.0", "id": True, "method": "ping"})) == -32600
    assert code(say(reader, "resources/list")) == -32601
    assert code(say(reader, "tools/call", {"name": "drop_tables"})) == -32602
    assert code(say(reader, "tools/call", {"name": "list_hosts", "arguments": []})) == -32602
    assert say(reader, "ping", **{"MCP-Protocol-Version": "1999-01-01"}).status_code == 400


@pytest.mark.parametrize(
    ("tool", "arguments", "problem"),
    [
        ("service_report", {}, "service: Field required"),
        ("service_report", {"service": "nobody"}, "no service of that name"),
        ("search_traces", {"srevice": "shop"}, "srevice: Extra inputs are not permitted"),
        ("search_traces", {"attributes": ["x"]}, "comes as key=value"),
        ("list_services", {"from": "yesterday"}, "a time is RFC 3339"),
        ("list_services", {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "must be before"),
        ("list_services", {"from": "2199-01-01T00:00:00Z"}, "must be before"),
        ("get_trace", {"trace_id": "f" * 32}, "no trace with that id"),
        ("query_metrics", {"query": "rate("}, "unclosed left parenthesis"),
        ("debugger_run", {"id": "abc"}, "no run with that id"),
    ],
)
def test_a_question_that_cannot_be_answered_is_told_why(reader, tool, arguments, problem):
    answer = call(reader, tool, **arguments)

    assert answer["isError"]
    assert problem in answer["content"][0]["text"]


def test_every_tool_says_what_it_takes_and_that_it_only_reads(reader):
    for tool in say(reader, "tools/list").json()["result"]["tools"]:
        assert tool["annotations"]["readOnlyHint"]
        assert tool["inputSchema"]["type"] == "object"
        assert tool["inputSchema"]["additionalProperties"] is False
        assert tool["description"]


def test_of_a_long_answer_the_ends_of_its_lists_are_left_out_and_counted():
    answer = {"few": ["a"] * 3, "many": ["x" * 100] * 5000, "link": "http://"}

    text = shortened(answer, ("few", "many"))

    said = json.loads(text)
    assert len(text.encode()) <= MOST_BYTES
    assert len(said["few"]) == 3
    assert len(said["many"]) + said["left_out"]["many"] == 5000
    assert len(said["many"]) > 400
    with pytest.raises(NotAnswered):
        shortened({"text": "x" * (MOST_BYTES + 1)}, ())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
KEYS = st.sampled_from(["jsonrpc", "id", "method", "params", "result", "error"])


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(KEYS, JSON) | JSON)
def test_whatever_is_sent_is_a_message_or_refused(document):
    try:
        message = read(json.dumps(document).encode())
    except ProtocolError:
        return
    assert message is None or isinstance(message.method, str)
