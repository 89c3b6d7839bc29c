"""PHP with SkyAPM 3: what was recorded of it, through an agent of ours and a whole server, to rows."""

import json
import re
import socket
import time

import pytest
from agents_world import skywalking_server
from skywalking_world import RECORDED

from started.program import Program
from started.server import SONDE
from started.waiting import eventually

SPANS = """
    SELECT endpoint, toString(kind), peer, system, attributes['db.operation.name']
    FROM spans WHERE app = {app:String} AND service = 'demo-php' AND instance = {instance:String}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with skywalking_server(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def agent(tmp_path, server):
    """An agent with a socket for PHP; its app is `agent.app`."""
    app = server.app()
    flags = ["--server", server.url, "--token", app["token"], "--queue-dir", str(tmp_path / "queue")]
    sockets = ["--socket", str(tmp_path / "probes.sock"), "--skyapm-socket", str(tmp_path / "sky.sock")]
    agent = Program([*SONDE, "agent", *flags, *sockets, "--no-host-metrics"], tmp_path / "agent.log", {})
    agent.app, agent.skyapm = app["id"], tmp_path / "sky.sock"
    eventually(agent.skyapm.exists, f"a socket, see {agent.log}")
    yield agent
    agent.stop()


def say(agent, line):
    """One line on a connection of its own; what is answered at once, where it is a question."""
    with socket.socket(socket.AF_UNIX) as worker:
        worker.settimeout(20)
        worker.connect(str(agent.skyapm))
        worker.sendall(line.encode())
        return worker.recv(4095).decode() if line.startswith("0") else ""


def lately(line):
    """The recorded line, as if it had been written now."""
    first = json.loads(line[1:])["segment"]["spans"][0]["startTime"]
    moved = int(time.time() * 1000) - first
    return re.sub(r'("(?:start|end)Time":)(\d+)', lambda found: found[1] + str(int(found[2]) + moved), line)


def test_a_request_of_php_is_seen_with_all_that_it_calls(server, agent):
    service, instance, _ = say(agent, RECORDED["php3-register"]["line"]).split(",")
    assert service == "demo-php"
    line = RECORDED["php3-seg-first"]["line"].replace("00000000-0000-4000-8000-000000000001", instance)
    say(agent, lately(line))

    rows = eventually(lambda: server.rows(SPANS, app=agent.app, instance=instance), "spans")
    assert {("/first", "server", "", "http", ""), ("/leaf", "client", "127.0.0.1:18099", "http", "")} <= set(rows)
    assert ("Redis->get", "client", "127.0.0.1:16379", "redis", "GET") in rows
    assert ("PDO->query", "client", "sqlite", "sqlite", "") in rows
    assert len(rows) == 12

    known = "SELECT language, attributes['process.pid'] FROM instances FINAL WHERE app = {app:String}"
    assert eventually(lambda: ("php", "30239") in server.rows(known, app=agent.app), "the process is known")
