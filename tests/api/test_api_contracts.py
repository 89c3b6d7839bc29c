"""What scripts rely on: `sonde up`, `sonde token`, `sonde app`, /readyz."""

import contextlib
import json
import re
import signal
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import httpx
import psutil
import pytest

from started.server import PATIENCE_S, SONDE, Server, command
from started.waiting import eventually

STORE, WEB = "sonde.server.store.process", "sonde.server.web"


@pytest.fixture(scope="module")
def sturdy(tmp_path_factory):
    """A server that tests may hurt, if they wait until it has recovered. With a port for OTLP, in a deep folder."""
    deep = tmp_path_factory.mktemp("long" * 30) / "data"
    with Server(deep, "--otlp-port", "0", "--otlp-grpc-port", "0") as server:
        yield server


@pytest.mark.slow
def test_tokens_and_apps_can_be_made_before_the_first_start(start, tmp_path):
    data = str(tmp_path / "data")

    printed = command("token", "create", "--data", data, "--scope", "read")
    app = json.loads(command("app", "create", "shop", "--data", data))

    assert re.fullmatch(r"sonde_api_[\w-]{43}\n", printed)
    assert set(app) == {"id", "secret", "token"}
    with start().wait().client(printed.strip()) as client:
        assert [known["id"] for known in client.get("/api/v1/apps").json()["items"]] == [app["id"]]


@pytest.mark.slow
def test_the_first_start_makes_an_app_and_only_the_first(start):
    first = start(first=True).wait()
    with first.client(first.token("write")) as client:
        (app,) = client.get("/api/v1/apps").json()["items"]
        secret = client.get(f"/api/v1/apps/{app['id']}/secret").json()["secret"]
    assert app["name"] == "default"
    assert secret.startswith("sonde_secret_")
    renewed = json.loads(command("app", "secret", "default", "--data", str(first.data)))
    assert renewed["id"] == app["id"]
    assert renewed["secret"] != secret
    assert first.stop() == 0

    second = start().wait()

    with second.client(second.token("read")) as client:
        assert client.get("/api/v1/apps").json()["items"] == [app]


def test_the_first_start_prints_a_password_and_the_second_does_not(start):
    first = start(first=True).wait()
    login = json.loads((first.data / "first-login.json").read_text())
    assert login == {"user": "admin", "password": first.printed_password}
    assert first.stop() == 0

    second = start().wait()

    assert second.printed_password is None
    with second.client() as client:
        assert client.post("/api/v1/session", json=login).status_code == 200


def test_a_second_server_on_the_same_folder_says_where_the_first_is(sturdy):
    done = subprocess.run(
        [*SONDE, "up", "--data", str(sturdy.data), "--port", "0"],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert done.returncode == 1
    assert f"already: pid {sturdy.process.pid}, {sturdy.url}" in done.stderr


def test_a_taken_port_is_said_and_nothing_is_left_behind(start):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        server = start(port=port)

        assert server.process.wait(60) == 1

    eventually(lambda: f"port {port} is taken on 127.0.0.1" in server.output, "a message that helps")


def test_otlp_has_a_port_of_its_own_that_speaks_nothing_else(sturdy):
    token = sturdy.app("shop")["token"]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-protobuf"}

    for base in (sturdy.url, sturdy.otlp_url):
        assert httpx.post(f"{base}/v1/traces", content=b"", headers=headers).status_code == 200
        assert httpx.post(f"{base}/v1/traces", content=b"").status_code == 401
    for path in ("/", "/healthz", "/metrics", "/api/v1/session", "/api/v1/services"):
        assert httpx.get(f"{sturdy.otlp_url}{path}").status_code == 404


def test_a_folder_with_a_very_long_name_will_do(sturdy):
    assert len(str(sturdy.data)) > 108, "more than a socket's path may have"
    assert sturdy.readyz().status_code == 200


def answers(client):
    try:
        return client.get("/api/v1/services").status_code == 200
    except httpx.TransportError:  # the web process is not there yet
        return False


def test_killed_processes_come_back_and_the_server_says_so_meanwhile(sturdy):
    token = sturdy.token("read")
    for module in (STORE, WEB, STORE):
        killed = sturdy.child(module)
        killed.kill()

        eventually(lambda module=module, killed=killed: sturdy.child(module) not in (None, killed), f"a new {module}")
        with sturdy.client(token) as client:
            eventually(lambda client=client: answers(client), "services again")
        eventually(lambda: sturdy.readyz().status_code == 200, "ready again")


PAGES_WAITING = 20
"""More than there are threads for the store."""
NO_STORE = ("apps", "alarms", "alarms/rules", "dashboards", "jobs", "processes", "connect/hints", "tools")


def gives_up(server, token):
    """Somebody who looks at a page and leaves it."""
    with server.client(token) as client, contextlib.suppress(httpx.ReadTimeout):
        return client.get("/api/v1/services", timeout=1).status_code
    return "no answer"


def test_a_server_without_its_store_is_not_ready_and_says_why(sturdy):
    store = sturdy.child(STORE)
    token = sturdy.token("read")
    # Stopped, not killed: the supervisor sees a living child and starts no other.
    store.send_signal(signal.SIGSTOP)
    try:
        answer = eventually(lambda: (r := sturdy.readyz()).status_code == 503 and r, "not ready")
        assert answer.json()["ready"] is False
        assert "store" in answer.json()["reasons"]
        assert httpx.get(f"{sturdy.url}/healthz").status_code == 200
        with sturdy.client(token) as client, ThreadPoolExecutor(PAGES_WAITING) as visitors:
            gone = [visitors.submit(gives_up, sturdy, token) for _ in range(PAGES_WAITING)]
            assert [one.result() for one in gone] == ["no answer"] * PAGES_WAITING
            for address in (
                "apps",
                "alarms",
                "alarms/rules",
                "dashboards",
                "jobs",
                "processes",
                "connect/hints",
                "tools",
            ):
                assert client.get(f"/api/v1/{address}").status_code == 200, f"{address} needs no store"
            assert "sonde_http_requests_total" in client.get("/metrics").text
    finally:
        store.send_signal(signal.SIGCONT)
    eventually(lambda: sturdy.readyz().status_code == 200, "ready again")


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.slow), signal.SIGKILL])
def test_nothing_is_left_behind_by_a_stop_or_a_kill(start, number):
    server = start().wait()
    family = psutil.Process(server.pid).children(recursive=True)
    assert len(family) == 2

    server.stop(number)

    eventually(lambda: not any(child.is_running() for child in family), "no process is left")


def test_a_mistake_in_a_setting_is_one_line(tmp_path):
    done = subprocess.run(
        [*SONDE, "up", "--data", str(tmp_path), "--port", "many"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 2
    assert done.stderr == "sonde: port: the caller says 'many', which is no int\n"
    assert list(tmp_path.iterdir()) == []
