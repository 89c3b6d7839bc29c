"""The list of all processes: what they reported, without asking their agents."""

import secrets
import time

import httpx
import pytest
from nodejs_harness import Api

from started.waiting import eventually


@pytest.fixture
def others(client):
    """An app of somebody else's."""
    return Api(client, client.post("/api/v1/apps", json={"name": secrets.token_hex(8)}).json())


def report(agent, pid, **figures):
    logs = [{"pid": pid, "tid": 0, "key": key, "value": value} for key, value in figures.items()]
    agent.log("xprofiler_log", {"logs": logs, "xprofiler_version": "3.1.0", "log_timestamp": int(time.time() * 1000)})


def listed(api, **query):
    items = api.client.get("/api/v1/nodejs/processes", params=query).json()["items"]
    return {(it["agent"], it["pid"]): it for it in items if it["app"] == api.id}


def test_processes_of_all_agents_are_in_one_list_and_looking_at_it_asks_nobody(play, api):
    for name, pid in (("web-1", 7), ("web-1", 8), ("172.17.0.2:web", 7)):
        agent = play(name).there()
        agent.serve({})
        report(agent, pid, cpu_15=pid * 10, heap_used=1000, heap_limit=4000, uptime=60)

    found = eventually(lambda: len(it := listed(api, app=api.id)) == 3 and it, "three processes")
    assert set(found) == {("web-1", 7), ("web-1", 8), ("172.17.0.2:web", 7)}
    assert found["web-1", 8]["cpu_percent"] == 80
    assert found["web-1", 8]["heap_limit_bytes"] == 4000
    assert all(it["alive"] and it["reports"] for it in found.values())
    for _ in range(20):
        listed(api)
    assert len(agent.commands) <= 1  # the server asks once for the command lines of new processes


def test_each_sees_the_processes_of_the_apps_that_are_theirs(server, play, api, others):
    report(play("mine").there(), 1, cpu_15=1)
    stranger = play("theirs", app=others.id, secret=others.secret)
    stranger.api = others
    report(stranger.there(), 2, cpu_15=1)
    eventually(lambda: ("mine", 1) in listed(api) and ("theirs", 2) in listed(others), "both processes")

    assert listed(others, app=api.id) == {}
    assert ("theirs", 2) not in listed(api, app=api.id)
    address = f"{server.url}/api/v1/nodejs/processes"
    assert httpx.get(address).status_code == 401
