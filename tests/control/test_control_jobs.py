"""The server's end: jobs, their states and their files. A real server; the test plays the agent and the browser."""

import gzip
import json
import random
import sqlite3
import threading

import httpx
import pytest
import websockets.exceptions
from control_harness import NODE, AgentSide, Api, client_of, file_of

from started.waiting import eventually

PID = 4711


@pytest.fixture
def ready(played, api):
    """An agent that has told of one process."""
    played.processes(PID)
    api.process(PID)
    return played


def audit_of(server, job_id):
    """What the audit says of a job, oldest first: (who, what, detail)."""
    with sqlite3.connect(server.data / "metadata.sqlite3") as database:
        rows = database.execute(
            "SELECT who, what, detail FROM audit WHERE subject = ? ORDER BY id", [job_id]
        ).fetchall()
    return [(who, what, json.loads(detail)) for who, what, detail in rows]


def test_a_job_runs_from_the_request_to_its_document_and_is_told_at_each_step(server, ready, api):
    job = api.start(NODE, PID, "cpu", seconds=2.5, mode="wall")
    assert job["state"] == "waiting"
    told = []
    reader = threading.Thread(target=lambda: told.extend(api.stream(job["id"])))
    reader.start()

    body = ready.job()
    assert {name: body[name] for name in ("id", "node", "app", "pid", "instance", "tool", "seconds", "options")} == {
        "id": job["id"],
        "node": NODE,
        "app": api.app,
        "pid": PID,
        "instance": "i-1",
        "tool": "cpu",
        "seconds": 2.5,
        "options": {"mode": "wall"},
    }
    ready.accept(job["id"])
    api.until(job["id"], "running")
    for seconds in (1.0, 2.0):
        event = {"event": "progress", "seconds": seconds, "of": 2.5, "note": f"{seconds} s"}
        ready.say("output", job=job["id"], seq=int(seconds) + 1, event=event)
    eventually(lambda: (api.job(job["id"])["progress"] or {}).get("seconds") == 2.0, "progress is seen")
    ready.done(job["id"], format="sonde.result.v1", summary={"größe": "😀", "name": "\ud800"})
    assert ready.hear("settled")["job"] == job["id"]

    reader.join(20)
    ended = api.job(job["id"])
    assert ended["state"] == "done"
    assert ended["document"]["summary"] == {"größe": "😀", "name": "�"}, "what nobody could write down is replaced"
    assert ended["service"] == "shop"
    assert ended["started_at"] < ended["ended_at"]
    assert [state["state"] for state in told][-1] == "done"
    assert "running" in {state["state"] for state in told}
    assert told[-1] == ended
    who, what, detail = audit_of(server, job["id"])[0]
    assert (who, what) == (job["by"], "job.start")
    assert (detail["node"], detail["pid"], detail["tool"]) == (NODE, PID, "cpu")
    assert audit_of(server, job["id"])[1][:2] == (f"agent:{NODE}", "job.done")


def test_a_job_is_known_by_what_its_process_calls_itself(ready, api):
    job = api.start(NODE, PID, "cpu")
    ready.accept(job["id"])
    ready.done(job["id"], service="orders", instance="vm:4711-abc")

    ended = api.ended(job["id"])

    assert (ended["service"], ended["instance"]) == ("orders", "vm:4711-abc")
    found = api.client.get("/jobs", params={"app": api.app, "instance": "vm:4711-abc"}).json()["items"]
    assert [it["id"] for it in found] == [job["id"]]


def test_a_job_of_a_node_that_is_not_there_has_failed_at_once(server, api):
    job = api.start("nobody", PID, "cpu")

    assert job["state"] == "failed"
    assert job["failure"]["reason"] == "not_connected"
    assert "sonde agent" in job["failure"]["message"]
    assert [entry[1] for entry in audit_of(server, job["id"])] == ["job.start", "job.failed"]


def test_a_refusal_has_the_nodes_word(server, ready, api):
    job = api.start(NODE, PID, "cpu")
    ready.job()

    ready.say("refused", job=job["id"], reason="not_allowed", message="the policy says no")

    assert api.ended(job["id"])["failure"] == {"reason": "not_allowed", "message": "the policy says no"}
    who, what, detail = audit_of(server, job["id"])[-1]
    assert (who, what, detail["reason"]) == (f"agent:{NODE}", "job.refused", "not_allowed")


def test_a_job_that_runs_cannot_be_refused_by_a_second_copy_of_it(ready, api):
    job = api.start(NODE, PID, "cpu")
    ready.accept(job["id"])
    api.until(job["id"], "running")

    ready.say("refused", job=job["id"], reason="replayed", message="again?")
    ready.done(job["id"])

    assert api.ended(job["id"])["state"] == "done"


def test_an_agent_speaks_of_its_own_jobs_alone(server, client, app, ready, api):
    """Neither of another app's, nor of another agent of the same node."""
    job = api.start(NODE, PID, "cpu")
    ready.job()
    other_app = client.post("/apps", json={"name": "other"}).json()
    for token, instance in ((other_app["token"], "agent-1"), (app["token"], "agent-2")):
        with AgentSide(server.url, token, instance=instance, jobs=[job["id"]]) as stranger:
            assert stranger.hear("settled")["job"] == job["id"], "it is to forget what is not its own"
            stranger.done(job["id"], lie=True)
            stranger.hear("settled")

    assert api.job(job["id"])["state"] == "waiting"
    ready.done(job["id"], lie=False)
    assert api.ended(job["id"])["document"] == {"lie": False}


def test_a_result_with_files_waits_for_them(ready, api):
    data = random.Random(1).randbytes(700_000)
    job = api.start(NODE, PID, "cpu")
    ready.accept(job["id"])

    ready.done(job["id"], [file_of("profile.json", data), file_of("empty", b"")])
    assert ready.hear("received", "settled") == {
        "type": "received",
        "job": job["id"],
        "name": "profile.json",
        "offset": 0,
    }
    assert api.job(job["id"])["state"] == "running"
    ready.upload(job["id"], "profile.json", data)
    ready.piece(job["id"], "empty", 0, b"", 0)
    ready.done(job["id"], [file_of("profile.json", data), file_of("empty", b"")])
    ready.hear("settled")

    assert api.ended(job["id"])["artifacts"] == [
        {"name": "empty", "media_type": "text/html", "bytes": 0},
        {"name": "profile.json", "media_type": "text/html", "bytes": 700_000},
    ]
    answer = api.artifact(job["id"], "profile.json")
    assert answer.content == data
    assert answer.headers["content-type"] == "application/octet-stream", "what a process calls it is not to be trusted"
    assert answer.headers["content-disposition"].startswith("attachment")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert api.artifact(job["id"], "empty").content == b""
    for name in ("nothing", "..%2f..%2fmetadata.sqlite3", ".profile.json"):
        assert api.artifact(job["id"], name).status_code == 404
    ready.done(job["id"], [file_of("profile.json", data), file_of("empty", b"")])
    assert ready.hear("settled", "received")["type"] == "settled", "said again, settled again"


def test_an_upload_goes_on_where_it_was_after_a_break(server, app, ready, api):
    data = random.Random(2).randbytes(600_000)
    job = api.start(NODE, PID, "cpu")
    ready.accept(job["id"])
    assert ready.piece(job["id"], "x", 0, data[:200_000], len(data)) == 200_000
    assert ready.piece(job["id"], "x", 0, data[:200_000], len(data)) == 200_000, "a piece that comes twice"
    assert ready.piece(job["id"], "x", 400_000, data[400_000:], len(data)) == 200_000, "one that comes too early"
    ready.socket.close_socket()

    with AgentSide(server.url, app["token"], jobs=[job["id"]]) as again:
        assert again.piece(job["id"], "x", 0, b"", len(data)) == 200_000
        again.upload(job["id"], "x", data, 200_000)
        again.done(job["id"], [file_of("x", data)])
        again.hear("settled")

    assert api.artifact(job["id"], "x").content == data


def test_a_file_that_is_not_what_it_should_be_is_asked_for_again_and_then_given_up(ready, api):
    job = api.start(NODE, PID, "cpu")
    ready.accept(job["id"])
    for attempt in range(4):
        ready.upload(job["id"], "x", b"wrong")
        ready.done(job["id"], [file_of("x", b"right")])
        answer = ready.hear("received", "settled")
        assert answer["type"] == ("settled" if attempt == 3 else "received")

    assert api.ended(job["id"])["failure"] == {"reason": "error", "message": "the artifact x arrived damaged 3 times"}
    assert api.artifact(job["id"], "x").status_code == 404


def test_artifacts_of_a_job_are_bounded(server, ready, api):
    job = api.start(NODE, PID, "cpu")
    ready.accept(job["id"])

    ready.socket.send(_piece(job["id"], total=(4 << 20) + 1))

    assert ready.hear("settled", "received")["type"] == "settled"
    failure = api.ended(job["id"])["failure"]
    assert failure["reason"] == "too_large"
    assert "artifact_max_bytes" in failure["message"]
    assert not (server.data / "artifacts" / job["id"]).exists()


def _piece(job_id, name="x", total=10):
    from sonde.wire.control import Piece

    return Piece(job_id, name, 0, total, b"0123456789").encoded()


def finished(ready, api, content):
    """A job with that profile."""
    job = api.start(NODE, PID, "cpu")
    ready.accept(job["id"])
    ready.upload(job["id"], "profile.json", content)
    ready.done(job["id"], [file_of("profile.json", content)])
    assert api.ended(job["id"])["state"] == "done"
    return job["id"]


PROFILE = {
    "format": "sonde.profile.v1",
    "tool": "cpu",
    "unit": "nanoseconds",
    "frames": [["main", "/app/shop.py", 1], ["price", "/app/shop.py", 12]],
    "nodes": [[-1, 0, 3], [0, 1, 17]],
    "samples": [[1, 20_000_000, 2]],
    "period_ns": 10_000_000,
    "duration_ns": 1_000_000_000,
}


def test_a_profile_comes_in_the_forms_of_other_programs(ready, api):
    job_id = finished(ready, api, json.dumps(PROFILE).encode())

    def export(form):
        answer = api.client.get(f"/jobs/{job_id}/export", params={"format": form})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-disposition"].startswith(f'attachment; filename="{job_id}.profile')
        return answer

    assert export("json").json() == PROFILE
    assert export("collapsed").text == "main (shop.py:3);price (shop.py:17) 20000000\n"
    assert b"price" in gzip.decompress(export("pprof").content)
    assert export("speedscope").json()["profiles"][0]["weights"] == [20_000_000]
    assert api.client.get(f"/jobs/{job_id}/export", params={"format": "xml"}).status_code == 400
    other = api.start("nobody", PID, "cpu")
    assert api.client.get(f"/jobs/{other['id']}/export").status_code == 404


DEEP = 10_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"samples": [[1, -5, 2]]},
        {"samples": [[1, 1 << 70, 2]]},
        {"nodes": [[-1, 0, -1]], "samples": []},
        {"nodes": [[at - 1, 0, 1] for at in range(DEEP)], "samples": [[at, 1, 1] for at in range(DEEP)]},
        {"format": "other"},
    ],
)
def test_a_profile_that_would_hurt_is_not_exported(ready, api, wrong):
    job_id = finished(ready, api, json.dumps(PROFILE | wrong).encode())

    assert api.client.get(f"/jobs/{job_id}/export", params={"format": "pprof"}).status_code == 409
    assert api.client.get(f"/jobs/{job_id}/export", params={"format": "json"}).status_code == 200


def test_a_job_is_cancelled_by_those_who_may_write(server, ready, api):
    job = api.start(NODE, PID, "stalls", seconds=100)
    ready.accept(job["id"])

    api.cancel(job["id"])
    assert ready.hear("cancel") == {"type": "cancel", "job": job["id"], "how": "stop"}
    ready.done(job["id"], early=True)
    assert api.ended(job["id"])["document"] == {"early": True}
    assert api.cancel(job["id"], "abort")["state"] == "done", "what has ended stays as it is"

    job = api.start(NODE, PID, "stalls", seconds=100)
    ready.accept(job["id"])
    api.cancel(job["id"], "abort")
    assert ready.hear("cancel")["how"] == "abort"
    ready.failed(job["id"], "aborted")
    ended = api.ended(job["id"])
    assert (ended["state"], ended["failure"]["reason"]) == ("cancelled", "aborted")
    assert [(what, detail.get("how")) for _, what, detail in audit_of(server, job["id"])] == [
        ("job.start", None),
        ("job.cancel", "abort"),
        ("job.cancelled", None),
    ]


def test_a_job_can_be_aborted_while_its_agent_is_away(server, app, ready, api):
    job = api.start(NODE, PID, "stalls", seconds=100)
    ready.accept(job["id"])
    api.until(job["id"], "running")
    ready.socket.close_socket()
    eventually(lambda: not api.processes(app=api.app)[0]["node_connected"], "the agent is seen to be gone")

    assert api.cancel(job["id"], "abort")["state"] == "cancelled"

    with AgentSide(server.url, app["token"], jobs=[job["id"]]) as again:
        assert again.hear("settled")["job"] == job["id"], "the agent ends it when it is back"


def test_an_agent_that_is_back_gets_the_job_it_never_heard_of(server, app, ready, api):
    job = api.start(NODE, PID, "cpu")
    ready.hear("job")
    ready.socket.close_socket()

    with AgentSide(server.url, app["token"]) as again:
        assert again.job()["id"] == job["id"]
        again.accept(job["id"])
        api.until(job["id"], "running")

    with AgentSide(server.url, app["token"]):
        failure = api.ended(job["id"])["failure"]
    assert failure == {"reason": "gone", "message": "the agent has lost the job"}


def test_an_agent_that_connects_twice_has_one_connection(server, app, ready, api):
    with AgentSide(server.url, app["token"]) as second:
        second.processes(PID)
        assert ready.is_closed()[0] == 1013
        api.start(NODE, PID, "cpu")
        assert second.job()["pid"] == PID


def test_two_agents_of_one_host_each_have_their_own_processes(server, app, ready, api):
    with AgentSide(server.url, app["token"], instance="agent-2") as second:
        second.processes(PID + 1)
        api.process(PID + 1)
        api.start(NODE, PID + 1, "cpu")
        assert second.job()["pid"] == PID + 1
        api.start(NODE, PID, "cpu")
        assert ready.job()["pid"] == PID


def test_jobs_of_a_node_are_bounded(ready, api):
    for _ in range(32):
        assert api.start(NODE, PID, "cpu")["state"] == "waiting"

    answer = api.client.post("/jobs", json={"app": api.app, "node": NODE, "pid": PID, "tool": "cpu"})

    assert answer.status_code == 429
    assert answer.json()["error"]["code"] == "too_many_jobs"
    assert int(answer.headers["retry-after"]) > 0


def test_two_who_press_at_once_get_two_jobs_and_one_hears_busy(ready, api):
    first, second = api.start(NODE, PID, "cpu"), api.start(NODE, PID, "cpu")
    assert {ready.job()["id"], ready.job()["id"]} == {first["id"], second["id"]}

    ready.accept(first["id"])
    ready.accept(second["id"])
    ready.failed(second["id"], "busy", "cpu runs already")
    ready.done(first["id"])

    assert api.ended(first["id"])["state"] == "done"
    assert api.ended(second["id"])["failure"]["reason"] == "busy"


def test_jobs_are_listed_newest_first_page_by_page_and_by_each_filter(ready, api):
    jobs = [api.start(NODE, PID + number % 2, tool) for number, tool in enumerate(("cpu", "heap", "cpu", "stacks"))]
    newest_first = [job["id"] for job in reversed(jobs)]

    def listed(**filters):
        return [job["id"] for job in api.client.get("/jobs", params={"app": api.app, **filters}).json()["items"]]

    assert listed() == newest_first
    assert listed(tool="cpu") == [jobs[2]["id"], jobs[0]["id"]]
    assert listed(pid=PID) == [jobs[2]["id"], jobs[0]["id"]]
    assert listed(service="shop", instance="i-1", state="waiting", node=NODE) == [jobs[2]["id"], jobs[0]["id"]]
    assert listed(state="done") == []
    assert listed(**{"from": jobs[1]["created_at"], "to": jobs[3]["created_at"]}) == [jobs[2]["id"], jobs[1]["id"]]
    first = api.client.get("/jobs", params={"app": api.app, "limit": 3}).json()
    rest = api.client.get("/jobs", params={"app": api.app, "limit": 3, "cursor": first["next"]}).json()
    assert [job["id"] for job in first["items"] + rest["items"]] == newest_first
    assert rest["next"] is None
    assert api.client.get("/jobs", params={"cursor": "no"}).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"seconds": 1e9},
        {"seconds": -1},
        {"seconds": "long"},
        {"tool": "../x"},
        {"tool": "tools"},
        {"pid": 0},
        {"node": "a b"},
        {"options": {"x": [1]}},
        {"options": {"x": "y" * 2000}},
        {"more": 1},
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_by_its_name(api, wrong):
    answer = api.client.post("/jobs", json={"app": api.app, "node": NODE, "pid": PID, "tool": "cpu", **wrong})

    assert answer.status_code == 400
    assert answer.json()["error"]["message"].startswith(next(iter(wrong)))


def test_those_who_may_read_may_look_and_nothing_else(server, ready, api):
    job = api.start(NODE, PID, "cpu")
    with client_of(server, "read") as reader:
        looking = Api(reader, api.app)
        assert looking.job(job["id"])["id"] == job["id"]
        assert looking.process(PID)["service"] == "shop"
        wish = {"app": api.app, "node": NODE, "pid": PID, "tool": "cpu"}
        assert reader.post("/jobs", json=wish).status_code == 403
        assert reader.post(f"/jobs/{job['id']}/cancel").status_code == 403
    for method, path in (("GET", "/jobs"), ("POST", "/jobs"), ("GET", f"/jobs/{job['id']}/stream")):
        assert httpx.request(method, f"{server.url}/api/v1{path}").status_code == 401


def test_of_what_is_not_there_nobody_hears_more(api):
    for path in ("/jobs/abc", "/jobs/abc/stream", "/jobs/abc/artifacts/x"):
        assert api.client.get(path).status_code == 404
    assert api.client.post("/jobs/abc/cancel").status_code == 404
    wish = {"app": "abc", "node": NODE, "pid": PID, "tool": "cpu"}
    assert api.client.post("/jobs", json=wish).status_code == 404


def test_a_process_says_what_it_can_do_when_it_is_asked(ready, api):
    state = {
        "name": "cpu",
        "available": False,
        "why_not": "no",
        "unlock": "x",
        "exact": "",
        "approximate": "",
        "options": {},
    }
    assert api.processes(app=api.app)[0]["tools"] is None
    answers = []
    asking = threading.Thread(
        target=lambda: answers.append(api.client.post(f"/processes/{api.app}/{NODE}/{PID}/tools"))
    )
    asking.start()
    body = ready.job()
    assert (body["tool"], body["pid"]) == ("tools", PID)
    ready.say("accepted", job=body["id"])
    ready.say("done", job=body["id"], seq=1, event={"event": "tools", "tools": [state]})
    assert ready.hear("settled")["job"] == body["id"]

    asking.join(20)
    assert answers[0].json()["items"][0]["tools"] == [{**state, "running": False}]
    assert api.processes(app=api.app)[0]["tools"] == [{**state, "running": False}]
    assert api.client.get(f"/jobs/{body['id']}").status_code == 404, "a question is no job"


def test_a_process_that_cannot_be_asked_is_an_error_with_words(ready, api):
    def ask(node, refusal=None):
        answers = []
        asking = threading.Thread(
            target=lambda: answers.append(api.client.post(f"/processes/{api.app}/{node}/{PID}/tools"))
        )
        asking.start()
        if refusal:
            ready.say("refused", job=ready.job()["id"], reason=refusal, message="the policy says no")
        asking.join(30)
        return answers[0].status_code, answers[0].json()["error"]["code"]

    assert ask("nobody") == (409, "not_connected")
    assert ask(NODE, "not_allowed") == (409, "not_allowed")
    assert ask(NODE) == (504, "no_answer")


@pytest.mark.parametrize(("path", "token", "status"), [(None, "wrong", 401), ("/api/v1/other", None, 404)])
def test_a_stranger_gets_no_channel(server, app, monkeypatch, path, token, status):
    if path:
        monkeypatch.setattr("control_harness.PATH", path)
    with pytest.raises(websockets.exceptions.InvalidStatus) as raised:
        AgentSide(server.url, token or app["token"])

    assert raised.value.response.status_code == status


@pytest.mark.parametrize(
    "first",
    [
        b"\x00\x01{}",
        "no json",
        '{"type": "heartbeat", "time": "2026-11-21T10:00:00Z"}',
        '{"type": "hello"}',
        json.dumps({"type": "hello", "protocol": 99, "node": "n", "host": "h", "agent_version": "1", "instance": "i"})[
            :-1
        ]
        + ', "capabilities": [], "jobs": []}',
    ],
)
def test_a_conversation_begins_with_hello(server, app, first):
    with AgentSide(server.url, app["token"], hello=False) as side:
        side.socket.send(first)

        assert side.is_closed()[0] == 1002


def test_what_cannot_be_understood_is_left_aside_until_it_is_too_much(ready, api):
    for bad in ("{}", '{"type": "new"}', '{"type": "processes", "items": [{"pid": "x"}]}', "[" * 100_000, b"\xff\xff{"):
        ready.socket.send(bad)
    job = api.start(NODE, PID, "cpu")
    assert ready.job()["id"] == job["id"], "the connection has survived"

    for _ in range(60):
        ready.socket.send("{}")

    assert ready.is_closed()[0] == 1002


def test_silence_for_six_heartbeats_ends_a_connection(server, app):
    beats = []

    def listen(side):
        while True:
            beats.append(json.loads(side.socket.recv(timeout=20))["type"])

    closed = pytest.raises(websockets.exceptions.ConnectionClosed)
    with AgentSide(server.url, app["token"], silent=True) as side, closed as raised:
        listen(side)

    assert raised.value.rcvd.code == 1002
    assert set(beats) == {"heartbeat"}
    assert 4 <= len(beats) <= 6


def test_the_catalogue_names_the_tools(api):
    tools = {tool["name"]: tool for tool in api.client.get("/tools").json()["items"]}

    assert {"cpu", "stacks", "heap"} <= set(tools)
    assert tools["stacks"]["at_once"]
    assert tools["cpu"]["heavy"]
    assert tools["cpu"]["options"]["hz"]["at_most"] == 1000
