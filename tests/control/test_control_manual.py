"""Runs that a program begins itself (`sonde.profile`), and that stand in the list of jobs beside the others."""

import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
from control_harness import DEADLINE_S, NODE, Agent, AgentSide, Api, client_of, file_of

from sonde.agent.control.channel import MAX_PAUSE_S
from started.server import Server
from started.waiting import eventually

PROGRAM = Path(__file__).with_name("manual_process.py")


class Code:
    """A process whose program uses `sonde.profile` when it is told to."""

    def __init__(self, socket):
        command = [sys.executable, str(PROGRAM), str(socket)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate(timeout=30)

    def do(self, line):
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


def jobs_of(api, **filters):
    return api.client.get("/jobs", params={"app": api.app, **filters}).json()["items"]


def done(api, count=1, deadline_s=DEADLINE_S):
    return eventually(
        lambda: len(found := jobs_of(api, state="done")) >= count and found, f"{count} are done", deadline_s
    )


def test_a_run_from_code_stands_in_the_list_with_its_files(api, agent, server):
    with Code(agent.socket) as code:
        there, failure, document = code.do("profile import of the catalogue")
        assert (there, failure) == (True, "")

        (listed,) = done(api)
        job = api.job(listed["id"])

        assert (job["by"], job["tool"], job["pid"]) == ("code: import of the catalogue", "cpu", code.process.pid)
        assert (job["service"], job["options"], job["document"]) == ("shop", {"hz": 200}, document)
        assert 0.1 < job["seconds"] == document["seconds"] < 5
        profile = api.artifact(job["id"], "profile.json").json()
        assert any(name == "spin" for name, _, _ in profile["frames"])
        with closing(sqlite3.connect(server.data / "metadata.sqlite3")) as database:
            noted = database.execute("SELECT what FROM audit WHERE subject = ?", [job["id"]]).fetchall()
        assert noted == [("job.done",)], "nobody has started it"


def test_a_process_that_has_recorded_nothing_is_told_of_as_well(api, agent):
    with Code(agent.socket) as code:
        assert code.do("silent first of all")[:2] == [True, ""]

        (listed,) = done(api)
        assert (listed["by"], listed["service"]) == ("code: first of all", "shop")
        assert listed["pid"] == code.process.pid
        assert listed["instance"] == api.job(listed["id"])["document"]["instance"] != ""


def test_what_the_policy_does_not_allow_does_not_leave_the_host(api, agent):
    agent.write_policy('[tools]\nallow = ["stacks"]\n')
    with Code(agent.socket) as code:
        assert code.do("profile denied")[:2] == [True, ""], "the program has it all the same"
        time.sleep(1.5)
        agent.write_policy('[tools]\nallow = ["cpu"]\n')
        code.do("profile allowed")

        assert [job["by"] for job in done(api)] == ["code: allowed"]
        eventually(lambda: not list((agent.queue / "artifacts").iterdir()), "what was denied is on no disk")


def test_a_process_of_another_app_is_not_told_of(api, client, tmp_path, agent, monkeypatch):
    other = client.post("/apps", json={"name": "other-app-of-code"}).json()
    monkeypatch.setenv("SONDE_TOKEN", other["token"])
    with Code(agent.socket) as stranger:
        stranger.do("profile a stranger's")
        stranger.do("silent a silent stranger's")
        monkeypatch.delenv("SONDE_TOKEN")
        with Code(agent.socket) as code:
            code.do("profile mine")
            done(api)
            time.sleep(2.5)
            assert [job["by"] for job in jobs_of(api)] == ["code: mine"]


def test_without_an_agent_nothing_is_different(tmp_path):
    with Code(tmp_path / "nobody") as code:
        there, failure, document = code.do("profile alone")
        assert (there, failure, document["tool"]) == (True, "", "cpu")
        began = time.monotonic()
    assert time.monotonic() - began < 5, "its end waits for nobody"


def test_a_loop_in_the_program_fills_nothing(api, agent):
    with Code(agent.socket) as code:
        made, _ = code.do("loop 1000")
        kept_back = code.do("kept")

        assert made == 1000, "the program has each of its results"
        assert kept_back >= 900
        done(api)
        time.sleep(1)
        listed = jobs_of(api, limit=1000)
        assert 1 <= len(listed) <= 60
        assert {job["state"] for job in listed} == {"done"}


def test_an_agent_that_goes_and_comes_back(api, agent):
    with Code(agent.socket) as code:
        code.do("profile before")
        done(api)
        agent.stop()
        assert code.do("profile while it was away")[:2] == [True, ""]
        agent.start()
        eventually(lambda: code.do("profile after")[0] and len(jobs_of(api, state="done")) >= 2, "it goes on", 20)

        assert {job["by"] for job in jobs_of(api)} == {"code: before", "code: after"}, "nobody keeps it for the agent"


@pytest.fixture
def mortal(tmp_path):
    """A server that may be killed, and an agent."""
    server = Server(tmp_path / "data", control_heartbeat_s=0.5).wait()
    app = server.app("shop")
    agent = Agent(tmp_path, server.url, app["token"])
    running = {"server": server, "agent": agent, "app": app}
    yield running
    agent.stop()
    running["server"].stop()


@pytest.mark.slow
def test_what_is_made_while_the_server_is_away_waits_for_it(mortal, tmp_path):
    with Code(mortal["agent"].socket) as code:
        mortal["server"].stop(signal.SIGKILL)
        code.do("profile in the night")
        spooled = lambda: list((mortal["agent"].queue / "artifacts").iterdir())  # noqa: E731
        eventually(spooled, "its file is on the host's disk")
        mortal["server"] = server = Server(
            tmp_path / "data", port=mortal["server"].port, control_heartbeat_s=0.5
        ).wait()
        with client_of(server) as client:
            (job,) = done(Api(client, mortal["app"]["id"]), deadline_s=4 * MAX_PAUSE_S)
            assert job["by"] == "code: in the night"
        eventually(lambda: not spooled(), "it is settled")


def said(job_id, **other):
    return {
        "job": job_id,
        "name": "played",
        "pid": 7,
        "service": "shop",
        "instance": "i-1",
        "tool": "cpu",
        "options": {},
        "seconds": 1.0,
        "started_at": "2026-01-01T00:00:00.000Z",
        **other,
    }


def test_the_server_takes_so_many_a_minute_and_no_more(api, played, server):
    for number in range(65):
        job_id = f"{number:032x}"
        played.say("manual", **said(job_id))
        played.done(job_id)
        while played.hear("settled")["job"] != job_id:
            continue

    assert len(jobs_of(api, limit=1000)) == 60


def test_nobody_speaks_of_anothers_run(api, played, server, client):
    job_id = "f" * 32
    played.say("manual", **said(job_id))
    played.upload(job_id, "profile.json", b"{}")
    other = client.post("/apps", json={"name": "another-app-of-code"}).json()

    with AgentSide(server.url, other["token"], instance="agent-2", node=NODE) as stranger:
        stranger.say("manual", **said(job_id, name="mine now"))
        assert stranger.hear("settled")["job"] == job_id
        stranger.done(job_id)
        assert stranger.hear("settled")["job"] == job_id

    assert api.job(job_id)["state"] == "running"
    played.done(job_id, [file_of("profile.json", b"{}")])
    assert played.hear("settled")["job"] == job_id
    assert (api.job(job_id)["state"], api.job(job_id)["by"]) == ("done", "code: played")


def test_an_agent_that_says_it_again_goes_on_where_it_was(api, server, app):
    job_id = "e" * 32
    with AgentSide(server.url, app["token"]) as before:
        before.say("manual", **said(job_id))
        before.piece(job_id, "data.bin", 0, b"half", 8)
    with AgentSide(server.url, app["token"]) as after:
        after.say("manual", **said(job_id))
        assert after.piece(job_id, "data.bin", 0, b"", 8) == 4
        after.upload(job_id, "data.bin", b"halfhalf", 4)
        after.done(job_id, [file_of("data.bin", b"halfhalf")])
        assert after.hear("settled")["job"] == job_id

    assert api.job(job_id)["state"] == "done"
