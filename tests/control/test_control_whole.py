"""The whole way: server, agent and process as users start them, and what happens when one of them is killed."""

import hashlib
import random
import signal
import sys
import time

import pytest
from control_harness import Agent, Api, client_of, tool_process

from started.program import Program
from started.server import Server
from started.waiting import eventually


def test_a_job_travels_from_the_api_to_the_process_and_its_file_back(api, process):
    seen = api.process(process.pid)
    assert (seen["service"], seen["command"], seen["probe_version"]) == ("shop", "tool_process.py", "9")

    job = api.start(seen["node"], process.pid, "quick", bytes=3_000_000, say="hello")
    told = api.stream(job["id"])

    ended = told[-1]
    assert ended["state"] == "done", ended
    assert ended["document"]["summary"] == {"said": "hello"}
    assert ended["artifacts"] == [{"name": "data.bin", "media_type": "application/octet-stream", "bytes": 3_000_000}]
    content = api.artifact(job["id"], "data.bin").content
    assert hashlib.sha256(content).digest() == hashlib.sha256(random.Random(7).randbytes(3_000_000)).digest()


def test_progress_is_streamed_while_it_runs(api, process):
    node = api.process(process.pid)["node"]

    job = api.start(node, process.pid, "slow", seconds=1.0)
    told = api.stream(job["id"])

    assert any(state["progress"] and "to go" in state["progress"]["note"] for state in told)
    assert told[-1]["document"]["summary"] == {"stopped": False}


def test_a_process_can_be_asked_and_a_job_stopped(api, process):
    node = api.process(process.pid)["node"]
    asked = api.client.post(f"/processes/{api.app}/{node}/{process.pid}/tools").json()["items"]
    assert {tool["name"] for tool in asked[0]["tools"]} >= {"quick", "slow"}
    job = api.start(node, process.pid, "slow", seconds=100)
    api.until(job["id"], "running")

    api.cancel(job["id"])

    assert api.ended(job["id"])["document"]["summary"] == {"stopped": True}


def test_what_goes_wrong_in_a_process_is_told(api, process):
    node = api.process(process.pid)["node"]
    for tool, reason in (("no_such_tool", "unknown_tool"), ("nonsense", "error"), ("torn", "error"), ("dies", "gone")):
        job = api.start(node, process.pid, tool)
        assert api.ended(job["id"])["failure"]["reason"] == reason, tool
    eventually(lambda: not api.processes(app=api.app), "the process is no more")


def test_an_artifact_without_an_end_ends_at_the_servers_bound(api, agent, process):
    """4 MiB here; the agent's own bound is far away, so the process is stopped only by time."""
    node = api.process(process.pid)["node"]
    job = api.start(node, process.pid, "endless", seconds=100)
    api.until(job["id"], "running")
    time.sleep(0.3)

    api.cancel(job["id"], "abort")

    assert api.ended(job["id"])["state"] == "cancelled"
    large = api.start(node, process.pid, "quick", bytes=5 << 20)
    failure = api.ended(large["id"])["failure"]
    assert failure["reason"] == "too_large"
    assert "artifact_max_bytes" in failure["message"]
    eventually(lambda: not list((agent.queue / "artifacts").iterdir()), "the agent has thrown it away, too")


def test_a_process_of_another_app_is_not_shown(client, tmp_path, agent, api):
    """It sends under a token of its own: what may be done to it is for those of its own app to say."""
    other = client.post("/apps", json={"name": "another-app"}).json()
    stranger = tool_process(tmp_path, agent, "stranger", other["token"])
    mine = tool_process(tmp_path, agent, "mine")
    try:
        node = api.process(mine.pid)["node"]
        assert [it["pid"] for it in api.processes(app=api.app)] == [mine.pid]
        job = api.start(node, stranger.pid, "quick")
        assert api.ended(job["id"])["failure"]["reason"] == "gone"
    finally:
        stranger.stop()
        mine.stop()


@pytest.fixture
def world(tmp_path):
    """A server that may be killed, with an agent and a process."""
    server = Server(tmp_path / "data", control_heartbeat_s=0.5).wait()
    app = server.app("shop")
    agent = Agent(tmp_path, server.url, app["token"])
    process = tool_process(tmp_path, agent)
    running = {"server": server, "agent": agent, "process": process, "app": app}
    yield running
    for name in ("process", "agent", "server"):
        running[name].stop()


@pytest.mark.slow
def test_a_job_outlives_a_server_that_is_killed(world, tmp_path):
    server, process = world["server"], world["process"]
    with client_of(server) as client:
        api = Api(client, world["app"]["id"])
        node = api.process(process.pid)["node"]
        job = api.start(node, process.pid, "slow", seconds=250)
        api.until(job["id"], "running")

    server.stop(signal.SIGKILL)
    world["server"] = server = Server(tmp_path / "data", port=server.port, control_heartbeat_s=0.5).wait()

    with client_of(server) as client:
        api = Api(client, world["app"]["id"])
        assert api.job(job["id"])["state"] == "running"
        api.process(process.pid)
        api.cancel(job["id"])
        ended = api.ended(job["id"])
        assert (ended["state"], ended["document"]["summary"]) == ("done", {"stopped": True})
        assert "key is not the one" not in world["agent"].log.read_text(), "its key is the same"
        next_one = api.start(node, process.pid, "quick", bytes=100_000)
        assert api.ended(next_one["id"])["state"] == "done"


@pytest.mark.slow
def test_an_upload_outlives_a_server_that_is_killed(world, tmp_path):
    server, process = world["server"], world["process"]
    size = 30 << 20
    with client_of(server) as client:
        api = Api(client, world["app"]["id"])
        node = api.process(process.pid)["node"]
        job = api.start(node, process.pid, "quick", bytes=size)
        part = server.data / "artifacts" / job["id"] / ".data.bin"
        eventually(lambda: part.exists() and part.stat().st_size > 1 << 20, "some of it is there")
    server.stop(signal.SIGKILL)
    assert part.exists(), "it was killed in the middle"

    world["server"] = server = Server(tmp_path / "data", port=server.port, control_heartbeat_s=0.5).wait()

    with client_of(server) as client:
        api = Api(client, world["app"]["id"])
        assert api.ended(job["id"])["state"] == "done"
        content = api.artifact(job["id"], "data.bin").content
    assert hashlib.sha256(content).digest() == hashlib.sha256(random.Random(7).randbytes(size)).digest()


def test_a_server_stops_at_once_with_agents_connected_and_jobs_followed(world):
    server = world["server"]
    with client_of(server) as client:
        api = Api(client, world["app"]["id"])
        node = api.process(world["process"].pid)["node"]
        job = api.start(node, world["process"].pid, "slow", seconds=100)
        with client.stream("GET", f"/jobs/{job['id']}/stream") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "event: job"
            began = time.monotonic()
            server.process.terminate()
            for _ in lines:  # to its end, which is not an error
                assert time.monotonic() - began < 6
        server.stop()
        assert time.monotonic() - began < 6
        assert "Traceback" not in server.log.read_text()


def test_an_agent_that_is_stopped_says_so_of_its_jobs(world):
    with client_of(world["server"]) as client:
        api = Api(client, world["app"]["id"])
        job = api.start(api.process(world["process"].pid)["node"], world["process"].pid, "slow", seconds=300)
        api.until(job["id"], "running")

        world["agent"].stop()

        assert api.ended(job["id"], deadline_s=5)["failure"] == {"reason": "gone", "message": "the agent is stopping"}


def test_a_real_process_is_there_again_soon_and_its_job_is_lost_at_once(world):
    """It has nothing to send: it looks for the agent all the same."""
    code = "import sonde, time\nsonde.start()\nwith sonde.span('only'):\n    print('ready', flush=True)\ntime.sleep(99)"
    environ = {"SONDE_SOCKET": str(world["agent"].socket), "SONDE_SERVICE": "idle"}
    idle = Program([sys.executable, "-c", code], world["agent"].folder / "idle.log", environ, "ready")
    try:
        with client_of(world["server"]) as client:
            api = Api(client, world["app"]["id"])
            job = api.start(api.process(idle.pid)["node"], idle.pid, "cpu", seconds=300)
            api.until(job["id"], "running")
            world["agent"].stop(signal.SIGKILL)
            world["agent"].start()

            failure = api.ended(job["id"], deadline_s=15)["failure"]

            assert (failure["reason"], "started anew" in failure["message"]) == ("lost", True)
            again = api.start(api.process(idle.pid)["node"], idle.pid, "cpu", seconds=0.5)
            assert api.ended(again["id"])["state"] == "done"
    finally:
        idle.stop()


@pytest.mark.slow
def test_an_agent_that_is_killed_and_started_anew_takes_new_jobs(world):
    with client_of(world["server"]) as client:
        api = Api(client, world["app"]["id"])
        node = api.process(world["process"].pid)["node"]
        world["agent"].stop(signal.SIGKILL)
        eventually(lambda: not api.processes()[0]["node_connected"], "it is seen to be gone")
        lost = api.start(node, world["process"].pid, "quick")
        assert lost["failure"]["reason"] == "not_connected"
        assert (lost["service"], lost["host"] != "") == ("shop", True), "it is known what it was for"

        world["agent"].start()
        world["process"].stop()
        world["process"] = process = tool_process(world["agent"].folder, world["agent"])
        api.process(process.pid)

        assert api.ended(api.start(node, process.pid, "quick")["id"])["state"] == "done"
