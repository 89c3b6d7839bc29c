"""What a host is asked for and shall not do, the whole way: a real server, a real agent, a real process. Each time
whoever asked hears a clear word, the audit has an entry, and the process goes on.
"""

import base64
import contextlib
import json
import time

import pytest
from control_harness import ALL, NODE, Agent, AgentSide, Api, client_of, tool_process
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from small_disk import fill, small_disk
from tapped_wire import TappedWire
from test_control_jobs import audit_of

from started.server import Server
from started.waiting import eventually

POLICY = ALL + "max_seconds = 300\n"


@pytest.fixture
def wire(server):
    with TappedWire(server.url) as wire:
        yield wire


@pytest.fixture
def host(tmp_path, wire, app):
    """An agent that reaches the server by that wire, with little room for artifacts."""
    agent = Agent(tmp_path, wire.url, app["token"], POLICY, agent_artifacts_max_bytes=2 << 20)
    yield agent
    agent.stop()


@pytest.fixture
def tools(tmp_path, host, api):
    """A process of its, as the server knows it."""
    running = tool_process(tmp_path, host)
    yield api.process(running.pid)
    running.stop()


def works_on(api, tools):
    """The process does what it is asked for."""
    job = api.ended(api.start(tools["node"], tools["pid"], "quick")["id"])
    assert (job["state"], job["failure"]) == ("done", None)


def heard(server, job, who):
    """What whoever asked is told, once the audit says the same."""
    assert job["failure"]["message"].strip()
    entries = audit_of(server, job["id"])
    assert entries[0][1] == "job.start"
    assert (entries[-1][0], entries[-1][2]["reason"]) == (who, job["failure"]["reason"])
    assert entries[-1][2]["pid"] == job["pid"]
    return entries[-1][1], job["failure"]


def altered(**members):
    return lambda job: {**job, "body": json.dumps(json.loads(job["body"]) | members)}


def signed_by_another(job):
    return {**job, "signature": base64.b64encode(Ed25519PrivateKey.generate().sign(job["body"].encode())).decode()}


TAMPERED = {
    "without a signature": lambda job: {"type": "job", "body": job["body"]},
    "with an empty one": lambda job: {**job, "signature": ""},
    "signed by another": signed_by_another,
    "for another process": altered(pid=1),
    "of another tool": altered(tool="slow"),
    "for a longer time": altered(seconds=300),
    "with other options": altered(options={"bytes": 1 << 20}),
    "that never expires": altered(expires_at="2199-01-01T00:00:00Z"),
}


def test_a_job_that_was_tampered_with_is_not_begun(server, api, wire, tools):
    for how, tamper in TAMPERED.items():
        wire.tamper = lambda job, tamper=tamper: [tamper(job)]
        job = api.ended(api.start(tools["node"], tools["pid"], "quick")["id"])

        assert (job["state"], job["started_at"]) == ("failed", None), how
        what, failure = heard(server, job, f"agent:{tools['node']}")
        assert (what, failure["reason"]) == ("job.refused", "bad_signature"), how
        assert "not signed by the server that this host knows" in failure["message"], how
    wire.tamper = lambda job: [job]
    works_on(api, tools)


def test_a_job_that_comes_twice_is_done_once(server, api, wire, tools):
    """While it runs, and when it is over; who asked has the result, and the audit says that a copy came."""
    job = api.start(tools["node"], tools["pid"], "slow", seconds=300)
    api.until(job["id"], "running")
    wire.say(wire.jobs[0])
    copies = lambda job_id: [it for it in audit_of(server, job_id) if it[1] == "job.copy_refused"]  # noqa: E731
    ((who, _, detail),) = eventually(lambda: copies(job["id"]), "the audit has it")
    assert (who, detail["reason"], detail["pid"]) == (f"agent:{tools['node']}", "replayed", tools["pid"])
    assert api.job(job["id"])["state"] == "running"
    api.cancel(job["id"])
    assert api.ended(job["id"])["state"] == "done"

    over = api.ended(api.start(tools["node"], tools["pid"], "quick")["id"])
    wire.say(wire.jobs[1])
    wire.say(wire.jobs[1])
    eventually(lambda: copies(over["id"]), "the audit has that, too")
    works_on(api, tools)
    assert len(copies(over["id"])) == 1, "once is enough to say it"
    assert api.job(over["id"]) == over


def test_a_job_of_another_node_is_not_begun_here(server, api, app, wire, tools):
    """The server has signed it, and somebody brings it to the wrong door."""
    with AgentSide(server.url, app["token"]) as other:
        other.processes(tools["pid"])
        eventually(lambda: [it for it in api.processes(app=api.app) if it["node"] == NODE], "the other node")
        job = api.start(NODE, tools["pid"], "quick")
        wire.say(other.hear("job"))

        noted = lambda: [it for it in audit_of(server, job["id"]) if it[1] == "job.copy_refused"]  # noqa: E731
        ((who, _, detail),) = eventually(noted, "the audit has it")
        assert (who, detail["reason"]) == (f"agent:{tools['node']}", "wrong_node")
        other.accept(job["id"])
        other.done(job["id"])
        assert api.ended(job["id"])["state"] == "done", "its own node does it all the same"
    works_on(api, tools)


@pytest.mark.slow
def test_a_job_that_comes_late_is_not_begun(server, api, wire, tools):
    """Who asked has heard long before that nobody took it."""
    wire.tamper = lambda _: []
    job = api.ended(api.start(tools["node"], tools["pid"], "quick")["id"])
    _, failure = heard(server, job, "server")
    assert (failure["reason"], "has not taken the job" in failure["message"]) == ("no_answer", True)

    time.sleep(61)  # for which the signature holds
    wire.say(wire.jobs[0])

    copies = lambda: [it for it in audit_of(server, job["id"]) if it[1] == "job.copy_refused"]  # noqa: E731
    assert eventually(copies, "the audit has it")[0][2]["reason"] == "expired"
    wire.tamper = lambda job: [job]
    works_on(api, tools)


IMPOSSIBLE = [
    ({"tool": "no_such_tool"}, "job.failed", "unknown_tool", "no_such_tool"),
    ({"tool": "quick", "seconds": 301.0}, "job.refused", "not_allowed", "allows 300 s, not 301"),
    ({"tool": "nonsense"}, "job.failed", "error", "cannot be understood"),
    ({"tool": "torn"}, "job.failed", "error", "not sent the whole of torn.bin"),
    ({"tool": "endless", "seconds": 300.0}, "job.failed", "too_large", "agent_artifacts_max_bytes"),
]


def test_what_cannot_be_done_is_said(server, api, tools):
    for wish, what, reason, said in IMPOSSIBLE:
        job = api.ended(api.start(tools["node"], tools["pid"], **wish)["id"])

        assert job["state"] == "failed", wish
        noted, failure = heard(server, job, f"agent:{tools['node']}")
        assert (noted, failure["reason"]) == (what, reason), wish
        assert said in failure["message"], wish
        works_on(api, tools)


def test_a_time_that_nobody_can_mean_is_no_job(api, tools):
    wish = {"app": api.app, "node": tools["node"], "pid": tools["pid"], "tool": "quick"}
    for seconds in (3601.0, 1e300, -1.0):
        answer = api.client.post("/jobs", json=wish | {"seconds": seconds})
        assert answer.status_code == 400
        assert "seconds" in answer.text

    assert api.client.get("/jobs", params={"app": api.app}).json()["items"] == []
    works_on(api, tools)


def test_a_process_that_dies_in_the_midst_takes_nobody_along(server, api, host, tools, tmp_path):
    job = api.ended(api.start(tools["node"], tools["pid"], "dies")["id"])

    what, failure = heard(server, job, f"agent:{tools['node']}")
    assert (what, failure["reason"]) == ("job.failed", "gone")
    assert str(tools["pid"]) in failure["message"]
    assert not list((host.queue / "artifacts").iterdir()), "half a file is no file"
    another = tool_process(tmp_path, host)
    works_on(api, api.process(another.pid))
    another.stop()


@pytest.fixture
def small_queue(tmp_path):
    """The agent's queue folder, as a disk of 3 MiB."""
    with small_disk(tmp_path / "queue", 3) as folder:
        yield folder


def test_a_host_whose_disk_is_full_says_so_to_whoever_asked(server, api, small_queue, host, tools):
    fill(small_queue / "other", but=500_000)
    job = api.ended(api.start(tools["node"], tools["pid"], "quick", bytes=1_000_000)["id"])

    what, failure = heard(server, job, f"agent:{tools['node']}")
    assert (what, failure["reason"]) == ("job.failed", "disk_full")
    assert "the host's disk cannot keep the artifact" in failure["message"]
    works_on(api, tools)


@pytest.mark.slow
def test_a_server_whose_disk_is_full_says_so_to_whoever_asked(tmp_path):
    """What leaves no file is done all the same."""
    with small_disk(tmp_path / "data" / "artifacts", 1), contextlib.ExitStack() as running:
        server = Server(tmp_path / "data").wait()
        running.callback(server.stop)
        app = server.app("shop")
        agent = Agent(tmp_path, server.url, app["token"])
        running.callback(agent.stop)
        process = tool_process(tmp_path, agent)
        running.callback(process.stop)
        api = Api(running.enter_context(client_of(server)), app["id"])
        node = api.process(process.pid)["node"]

        job = api.ended(api.start(node, process.pid, "quick", bytes=1_000_000)["id"])

        what, failure = heard(server, job, "server")
        assert (what, failure["reason"]) == ("job.failed", "disk_full")
        assert "the server's disk has no room" in failure["message"]
        assert api.ended(api.start(node, process.pid, "slow", seconds=0.1)["id"])["state"] == "done"
