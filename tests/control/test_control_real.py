"""The debugger as users have it: the real probe in a real server process, its tools, asked for over the API."""

import json
import sys
import time

import httpx
import pytest

from started.program import Program
from started.server import SONDE
from started.waiting import eventually

APP = """
import asyncio, time

def busy(seconds):
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        sum(range(500))

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    busy(0.02)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})
"""


@pytest.fixture
def shop(tmp_path, agent):
    """An ASGI application under `sonde run`, and a function that sends it a request."""
    (tmp_path / "shop_app.py").write_text(APP)
    port_file = tmp_path / "port"
    start = (
        "import socket, sys, uvicorn; sys.path.insert(0, sys.argv[1]);"
        "s = socket.create_server(('127.0.0.1', 0)); open(sys.argv[2], 'w').write(str(s.getsockname()[1]) + '\\n');"
        "from shop_app import app;"
        "uvicorn.Server(uvicorn.Config(app, lifespan='off', log_level='warning')).run(sockets=[s])"
    )
    command = [*SONDE, "run", "--socket", str(agent.socket), "--no-agent", "--service", "shop", "--"]
    program = Program([*command, sys.executable, "-c", start, str(tmp_path), str(port_file)], tmp_path / "shop.log")
    port = eventually(lambda: port_file.exists() and port_file.read_text().strip(), "the shop listens")
    yield lambda: httpx.get(f"http://127.0.0.1:{port}/orders").raise_for_status()
    program.stop()


def found(api):
    return eventually(lambda: api.processes(app=api.app), "the process is seen")[0]


def test_stacks_and_a_profile_of_a_real_process(api, shop):
    shop()
    process = found(api)
    assert (process["service"], process["language"]) == ("shop", "python")
    asked = api.client.post(f"/processes/{api.app}/{process['node']}/{process['pid']}/tools").json()["items"][0]
    available = {tool["name"] for tool in asked["tools"] if tool["available"]}
    assert {"stacks", "cpu"} <= available, asked["tools"]

    stacks = api.start(process["node"], process["pid"], "stacks", seconds=0)
    ended = api.stream(stacks["id"])[-1]
    assert ended["state"] == "done", ended
    assert ended["document"]["pid"] == process["pid"]
    assert "MainThread" in json.dumps(ended["document"]["summary"])

    cpu = api.start(process["node"], process["pid"], "cpu", seconds=1.5)
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        shop()
    ended = api.stream(cpu["id"])[-1]
    assert ended["state"] == "done", ended
    assert "busy" in api.artifact(cpu["id"], "profile.json").text
    collapsed = api.client.get(f"/jobs/{cpu['id']}/export", params={"format": "collapsed"}).text
    assert "busy (shop_app.py" in collapsed


def test_a_run_that_is_stopped_early_has_a_result_and_one_that_is_aborted_has_none(api, shop):
    shop()
    process = found(api)
    for how, state in (("stop", "done"), ("abort", "cancelled")):
        job = api.start(process["node"], process["pid"], "cpu", seconds=100)
        api.until(job["id"], "running")
        api.cancel(job["id"], how)
        assert api.ended(job["id"])["state"] == state
    shop()


def test_of_two_heavy_runs_at_once_one_hears_busy(api, shop):
    shop()
    process = found(api)
    jobs = [api.start(process["node"], process["pid"], "cpu", seconds=3) for _ in range(2)]

    ended = [api.ended(job["id"]) for job in jobs]

    assert sorted(job["state"] for job in ended) == ["done", "failed"]
    assert [job["failure"]["reason"] for job in ended if job["failure"]] == ["busy"]


def test_an_option_that_a_tool_does_not_have_is_said(api, shop):
    shop()
    process = found(api)

    job = api.start(process["node"], process["pid"], "cpu", seconds=1, no_such_option=1)

    failure = api.ended(job["id"])["failure"]
    assert failure["reason"] == "bad_options"
    assert "no_such_option" in failure["message"]
