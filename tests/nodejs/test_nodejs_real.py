"""xtransit and xprofiler from npm, unmodified: what they report is kept, what they are asked for comes."""

import gzip
import json
import os
import subprocess
from pathlib import Path

import pytest
from nodejs_harness import Api, RealAgent, nodejs_server

from started.server import PATIENCE_S
from started.waiting import eventually

AGENT = os.uname().nodename
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]  # the first run may have to compile the addon


def node_version():
    return subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()


def stored(api, file):
    def ended():
        found = api.file(file["id"])
        assert found["state"] != "failed", found
        return found if found["state"] == "stored" or found["message"] else None

    found = eventually(ended, f"the {file['kind']}")
    assert found["state"] == "stored", found
    return found


def content(api, file, part=0, encoding="gzip"):
    answer = api.client.get(
        f"/api/v1/nodejs/files/{file['id']}/content", params={"part": part}, headers={"Accept-Encoding": encoding}
    )
    assert answer.status_code == 200
    return answer


def test_an_agent_reports_is_asked_and_sends_files(real, api):
    """One journey, for the agent takes its time."""
    process = eventually(
        lambda: (
            next(
                (
                    it
                    for it in api.get(AGENT, "processes")["items"]
                    if it["pid"] == real.pid and it["cpu_percent"] is not None
                ),
                None,
            )
            if api.instance(AGENT)
            else None
        ),
        "figures of the process",
    )
    assert process["alive"]
    assert process["reports"]
    assert process["threads"] == [0, 1]
    assert process["command"] == "node nodejs_application.js"
    assert process["heap_used_bytes"] < process["heap_limit_bytes"]
    assert api.instance(AGENT)["agent_version"] == "3.1.0"

    trend = eventually(
        lambda: api.get(
            AGENT, f"processes/{real.pid}/trend", metric=["heap_used", "res__*", "old_space_used", "cpu_15"]
        )["series"],
        "series",
    )
    lines = {(it["metric"], it["thread"]) for it in trend}
    assert {("heap_used", 0), ("heap_used", 1), ("old_space_used", 0), ("cpu_15", 0), ("res__200", 0)} <= lines
    assert ("cpu_15", 1) not in lines

    system = api.get(AGENT, "system")["latest"]
    assert 0 <= system["cpu_utilization"] <= 1
    assert 0 < system["memory_used_bytes"] < system["memory_total_bytes"]
    hosts = {it["host"]: it for it in api.client.get("/api/v1/nodes").json()["items"]}
    assert hosts[AGENT]["agent_version"] == "3.1.0"

    (package,) = api.get(AGENT, "packages")["items"]
    assert package["dependencies"] == [
        {"name": "left-pad", "wanted": "^1.3.0", "locked": "1.3.0", "kind": "dependency"}
    ]
    error = eventually(lambda: api.get(AGENT, "errors/logs", limit=1)["items"], "an error")[0]
    assert (error["type"], error["message"]) == ("TypeError", "TypeError: demo failure")
    assert api.get(AGENT, "errors")["items"][0]["file"] == str(real.errors)

    assert f"v{api.get(AGENT, 'os')['node_version']}" == node_version()
    status = api.get(AGENT, f"processes/{real.pid}/status")
    assert status["xprofiler_enabled"]
    assert status["xprofiler_log_dir"] == status["agent_log_dir"] == str(real.logs)
    changed = api.post(AGENT, f"processes/{real.pid}/config", config={"enable_log_uv_handles": False})
    assert changed.json()["config"]["enable_log_uv_handles"] is False
    refused = api.post(AGENT, f"processes/{os.getpid()}/actions", action="diag")
    assert refused.status_code == 409
    assert "not enable xprofiler" in refused.json()["error"]["message"]

    wanted = {}
    for kind in ("cpuprofile", "heapprofile", "gcprofile", "heapsnapshot", "diag"):
        answer = api.post(AGENT, f"processes/{real.pid}/actions", action=kind, duration_s=2)
        assert answer.status_code == 201, answer.text
        wanted[kind] = answer.json()
    twice = api.post(AGENT, f"processes/{real.pid}/actions", action="gcprofile", duration_s=2)
    assert twice.status_code in {201, 409}
    made = {kind: stored(api, file) for kind, file in wanted.items()}
    documents = {kind: json.loads(content(api, file).content) for kind, file in made.items()}
    assert documents["cpuprofile"]["typeId"] == "xprofiler-cpu-profile"
    assert "head" in documents["heapprofile"]
    assert "gc" in documents["gcprofile"]
    assert "nodes" in documents["heapsnapshot"]
    assert documents["diag"]["pid"] == real.pid

    plain = content(api, made["gcprofile"], encoding="identity")
    assert json.loads(plain.content) == documents["gcprofile"]
    assert len(plain.content) == made["gcprofile"]["parts"][0]["plain_bytes"]

    # A second transfer sends what the file has become meanwhile, and not what the agent has kept of the first.
    with Path(made["gcprofile"]["path"]).open("a") as file:
        file.write("\n\n")
    again = api.client.post(f"/api/v1/nodejs/files/{made['gcprofile']['id']}/transfer").json()
    assert again["state"] == "transferring"
    assert len(content(api, stored(api, again), encoding="identity").content) == len(plain.content) + 2

    begun = api.post(AGENT, f"processes/{real.pid}/actions", action="cpuprofile", duration_s=600).json()
    assert begun["running"]
    ended = api.post(AGENT, f"processes/{real.pid}/actions", action="cpuprofile", stop=True)
    assert ended.status_code == 201, ended.text
    assert ended.json()["id"] == begun["id"]
    assert not ended.json()["running"]
    assert json.loads(content(api, stored(api, begun)).content)["nodes"]

    executable = os.path.realpath(f"/proc/{real.pid}/exe")
    core = api.post(AGENT, f"processes/{real.pid}/actions", action="core").json()
    assert core["executable_path"] == executable


def test_an_agent_comes_back_to_a_server_that_was_started_anew(packages, tmp_path):
    server = nodejs_server(tmp_path / "data").wait()
    with server.client(server.token("write")) as client:
        api = Api(client, client.post("/api/v1/apps", json={"name": "again"}).json())
        ports = {
            "port": server.port,
            "xtransit_port": int(server.xtransit_url.rpartition(":")[2]),
        }
        folder = tmp_path / "real"
        folder.mkdir()
        real = RealAgent(server, api, folder, packages)
        try:
            eventually(lambda: (api.instance(AGENT) or {}).get("connected"), "the agent")
            server.stop()
            server = nodejs_server(tmp_path / "data", **ports).wait()
            eventually(lambda: (api.instance(AGENT) or {}).get("connected"), "the agent again")
            assert api.get(AGENT, "os")["agent_version"] == "3.1.0"
        finally:
            real.stop()
            server.stop()


def test_an_agent_with_a_wrong_secret_stops_and_a_person_is_told(server, api, packages, tmp_path):
    real = RealAgent(server, api, tmp_path, packages, appSecret="not the one")
    try:
        assert AGENT in eventually(lambda: api.hints().get("wrong_signature"), "a hint")
        assert real.agent.process.wait(PATIENCE_S) == 0, "it was told to stop"
    finally:
        real.stop()


def test_what_is_stored_is_gzip_as_it_came(real, api):
    eventually(lambda: (api.instance(AGENT) or {}).get("connected"), "the agent")
    file = stored(api, api.post(AGENT, f"processes/{real.pid}/actions", action="gcprofile", duration_s=1).json())
    headers = {"Authorization": api.client.headers["Authorization"], "Accept-Encoding": "gzip"}
    with api.client.stream("GET", f"/api/v1/nodejs/files/{file['id']}/content", headers=headers) as answer:
        raw = b"".join(answer.iter_raw())
        assert answer.headers["Content-Encoding"] == "gzip"
    assert len(raw) == file["parts"][0]["bytes"]
    assert "gc" in json.loads(gzip.decompress(raw))
