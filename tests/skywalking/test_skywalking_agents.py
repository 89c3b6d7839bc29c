"""Unmodified programs under SkyWalking's own agent for Python, against a whole server: what is seen of them."""

import json

import pytest
from agents_world import Service, skywalking_server

from started.waiting import eventually

SPANS = """
    SELECT service, endpoint, toString(kind), hex(trace_id), hex(span_id), hex(parent_id), is_error
    FROM spans WHERE app = {app:String} AND endpoint IN ('/front', '/leaf', '/boom')
"""
LOGS = """
    SELECT service, severity, body, hex(trace_id), hex(span_id)
    FROM logs WHERE app = {app:String} AND (body LIKE '%front is asked%' OR body LIKE '%something to say%')
"""
PROFILE_SECONDS = 12


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with skywalking_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def start(tmp_path, server):
    """Starts services that are stopped at the end of the test."""
    started = []

    def begin(name, token, **more):
        started.append(Service(tmp_path, server, name, token, **more))
        return started[-1]

    yield begin
    for service in started:
        service.stop()


def spans_of(server, app, count):
    rows = eventually(
        lambda: (found := server.rows(SPANS, app=app)) and len(found) >= count and found, f"{count} spans of {app}"
    )
    return {(service, endpoint, kind): rest for service, endpoint, kind, *rest in rows}


def check_one_trace(server, app, front, back):
    """/front of the one asks /leaf of the other: three spans, a chain."""
    spans = spans_of(server, app, 3)
    asked, asks, leaf = (
        spans[it] for it in ((front, "/front", "server"), (front, "/leaf", "client"), (back, "/leaf", "server"))
    )
    trace, first, root, _ = asked
    assert root == "0" * 16
    assert asks[:3] == [trace, asks[1], first]
    assert leaf[:3] == [trace, leaf[1], asks[1]]
    return asked, leaf


def check_logs_join(server, app, front, back, asked, leaf):
    """Each line knows the span in which it was written."""
    rows = eventually(lambda: (found := server.rows(LOGS, app=app)) and len(found) >= 2 and found, "two log lines")
    lines = {service: rest for service, *rest in rows}
    assert (lines[front][0], *lines[front][2:]) == (13, asked[0], asked[1])
    assert (lines[back][0], *lines[back][2:]) == (17, leaf[0], leaf[1])


def test_two_services_over_grpc_are_one_trace_with_logs_meters_and_properties(server, start):
    app = server.app()
    back = start("grpc-back", app["token"])
    front = start("grpc-front", app["token"], other=back.port)

    assert front.get("/front").text == "leaf"
    assert back.get("/boom").status_code == 500

    asked, leaf = check_one_trace(server, app["id"], front.name, back.name)
    check_logs_join(server, app["id"], front.name, back.name, asked, leaf)
    boom = eventually(lambda: spans_of(server, app["id"], 4).get((back.name, "/boom", "server")), "the failed request")
    assert boom[3]
    names = "SELECT DISTINCT name FROM metrics WHERE app = {app:String} AND service = {service:String}"
    measured = eventually(
        lambda: {name for (name,) in server.rows(names, app=app["id"], service=front.name)}, "meters of the service"
    )
    assert {"instance_pvm_thread_active_count", "process.thread.count", "process.cpu.utilization"} <= measured
    told = "SELECT language, attributes FROM instances FINAL WHERE app = {app:String} AND instance = {instance:String}"
    language, properties = eventually(
        lambda: next(
            (row for row in server.rows(told, app=app["id"], instance=front.instance) if "process.pid" in row[1]), None
        ),
        "properties of the process",
    )
    assert language == "python"
    assert properties["process.pid"] == properties["Process No."]
    assert properties["process.runtime.name"] == "CPython"


def test_an_agent_without_a_token_is_refused_and_hinted_at(server, start):
    """As the agent is over HTTP, where it sends none."""
    app = server.app()
    start("tokenless", app["token"], protocol="http").get("/leaf")

    (hint, *_) = eventually(
        lambda: [it for it in server.get("/connect/hints")["items"] if it["reason"] == "no_token"], "a hint"
    )

    assert "without a token" in hint["text"]
    assert "skywalking_app" in hint["text"]


def test_a_wrong_token_is_seen_as_a_hint_that_names_the_service(server, start):
    service = start("stranger", "sonde_app_nobody_has_this_one")
    service.get("/leaf")

    hints = eventually(
        lambda: [it for it in server.get("/connect/hints")["items"] if "stranger" in it["subject"]], "a hint"
    )

    assert hints[0]["reason"] == "wrong_token"
    assert "a token that no app has" in hints[0]["text"]


def test_a_profile_task_becomes_a_run_with_a_flame_graph(server, start):
    """The run is the same as one of our own probe: state, progress, result page, exports."""
    app = server.app()
    service = start("profiled", app["token"])
    process = eventually(
        lambda: next((it for it in server.get("/processes", app=app["id"])["items"] if it["node_connected"]), None),
        "the process on the tools page",
    )
    where = {key: process[key] for key in ("app", "node", "pid")}
    (asked,) = server.admin.post("/processes/{app}/{node}/{pid}/tools".format(**where)).json()["items"]
    tools = {it["name"]: it for it in asked["tools"]}
    assert tools["cpu"]["available"]
    assert not tools["heap"]["available"]

    refused = server.admin.post("/jobs", json={**where, "tool": "cpu", "seconds": 5}).json()
    ended = eventually(lambda: (it := server.get(f"/jobs/{refused['id']}"))["state"] == "failed" and it, "a refusal")
    assert ended["failure"]["reason"] == "bad_options"

    wish = {**where, "tool": "cpu", "seconds": PROFILE_SECONDS, "options": {"endpoint": "/slow", "period_ms": 20}}
    job = server.admin.post("/jobs", json=wish).json()
    eventually(lambda: server.get(f"/jobs/{job['id']}")["state"] == "running", "the agent has taken the task")
    assert service.get("/slow").text == "True"
    ended = eventually(
        lambda: (it := server.get(f"/jobs/{job['id']}"))["state"] not in {"waiting", "running"} and it, "an end"
    )

    assert ended["state"] == "done", ended
    assert (ended["service"], ended["instance"]) == ("profiled", service.instance)
    assert ended["document"]["summary"]["samples"] > 0
    profile = server.admin.get(f"/jobs/{job['id']}/artifacts/profile.json").json()
    names = {name for name, *_ in profile["frames"]}
    assert {"slow", "price"} <= names
    price = next(file for name, file, _ in profile["frames"] if name == "price")
    assert price.endswith("flask_service.py")
    speedscope = server.admin.get(f"/jobs/{job['id']}/export", params={"format": "speedscope"})
    assert json.loads(speedscope.content)["profiles"]
