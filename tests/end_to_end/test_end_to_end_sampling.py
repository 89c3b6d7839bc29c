"""Somebody changes how much of a service is recorded, and its processes follow: no restart, no figure lost."""

import json
import sys
import urllib.request
from urllib.parse import quote

import pytest

from .conftest import ROOT, SONDE, free_port, until

A_ROUND = 20


@pytest.mark.slow
def test_a_running_service_is_sampled_otherwise_and_back_again(stack, monkeypatch):
    """One that is named by its address: its processes learn their name long after they said hello to the agent."""
    monkeypatch.setenv("SONDE_SETTINGS_INTERVAL_S", "0.2")
    monkeypatch.setenv("SONDE_RUNTIME_METRICS_INTERVAL_S", "0.5")
    stack.start_server()
    stack.start_agent()
    port = free_port()
    name, sent = f"127.0.0.1:{port}", 0
    stack.start(
        "app",
        [
            *(*SONDE, "run", "--socket", str(stack.socket), "--no-agent", "--"),
            *(sys.executable, "-m", "gunicorn", "-w", "2", "--chdir", str(ROOT), "-b", name, "bench.apps.hello:app"),
        ],
    )
    writer = stack.sonde("token", "create", "--data", str(stack.data), "--scope", "write").strip()
    address = f"{stack.url}/api/v1/apps/{stack.app['id']}/services/{quote(name, safe='')}/sampling"

    def say(method, wish=None):
        headers = {"Authorization": f"Bearer {writer}", "Content-Type": "application/json"}
        body = json.dumps(wish).encode() if wish else None
        request = urllib.request.Request(address, body, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status

    def visit():
        nonlocal sent
        try:
            with urllib.request.urlopen(f"http://{name}/", timeout=10) as answer:
                sent += 1
                return answer.status == 200
        except OSError:
            return False

    def counted():
        return sum(one["requests"] for one in stack.get("/api/v1/services")["items"] if one["service"] == name)

    def recorded():
        query = "SELECT count() FROM sonde.spans WHERE service = {service:String} AND is_entry"
        return stack.store().rows(query, {"service": name})[0][0]

    def recorded_in_a_round():
        before = recorded()
        for _ in range(A_ROUND):
            assert visit()
        until(lambda: counted() == sent, 30, "every request is counted, recorded or not")
        return recorded() - before

    until(visit, 30, "the application")
    until(lambda: counted() == sent and recorded() == sent, 30, "the first request")
    assert recorded_in_a_round() == A_ROUND

    assert say("PUT", {"sampling_rate": 0}) == 200
    until(lambda: recorded_in_a_round() == 0, 60, "nothing is recorded any more")
    assert recorded_in_a_round() == 0

    assert say("DELETE") == 204
    until(lambda: recorded_in_a_round() == A_ROUND, 60, "everything is recorded again")
    assert counted() == sent
