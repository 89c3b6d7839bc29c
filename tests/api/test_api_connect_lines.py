"""The lines of the page "Connect an application", taken from the page's own table and run as they stand there."""

import hashlib
import hmac
import json
import os
import re
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import httpx
import pytest
from websockets.sync.client import connect

from sonde.server.intake.skywalking import skywalking_pb2 as pb
from started.server import Server
from started.waiting import eventually

ROOT = Path(__file__).parents[2]
RECIPES = {
    recipe["id"]: recipe for recipe in json.loads((ROOT / "web/src/pages/connect/recipes.json").read_text("utf-8"))
}
XTRANSIT = ROOT / ".build" / "xtransit-client"
"""Where the tests of Node.js install the clients."""

PHP = ROOT / "tests" / "skywalking" / "data" / "capture.jsonl"

FLASK = """
import flask, threading, time, urllib.request
app = flask.Flask("app")
app.route("/")(lambda: "hello")
threading.Thread(target=app.run, kwargs={"port": PORT}, daemon=True).start()
for _ in range(600):
    time.sleep(0.1)
    try:
        urllib.request.urlopen("http://127.0.0.1:PORT/").read()
    except OSError:
        continue
"""
OTEL = """
import time
from opentelemetry import trace
for _ in range(600):
    with trace.get_tracer("app").start_as_current_span("hello"):
        time.sleep(0.1)
"""
OTEL_NODE = """
const http = require('http');
const server = http.createServer((_, answer) => answer.end('hello')).listen(0, () =>
  setInterval(() => http.get({ port: server.address().port }, (answer) => answer.resume()), 200));
"""


@pytest.fixture(scope="module")
def open_server(tmp_path_factory):
    """Every port open, each a free one. It prints what a first start prints."""
    flags = [
        word
        for name in ("otlp", "otlp-grpc", "skywalking-grpc", "skywalking-http", "xtransit")
        for word in (f"--{name}-port", "0")
    ]
    with Server(tmp_path_factory.mktemp("connect"), *flags, first=True) as server:
        yield server


class Newcomer:
    """Somebody who pastes lines into a shell, in a folder of their own."""

    def __init__(self, server, folder):
        self.server = server
        self.folder = folder
        self.app = server.app(f"newcomer-{folder.name}")
        self.token = server.token("read")
        with server.client(self.token) as client:
            self.ports = client.get("/api/v1/connect/ports").json()
        self.since = datetime.now(UTC) - timedelta(seconds=1)
        self.environ = {
            **os.environ,
            "HOME": str(folder),
            "PATH": f"{sysconfig.get_path('scripts')}:{os.environ['PATH']}",
        }
        self.environ.pop("VIRTUAL_ENV", None)
        self._started = []

    def lines(self, recipe, say):
        """A step as the page shows it."""
        (text,) = [step["text"] for step in RECIPES[recipe]["steps"] if step["say"] == say]
        values = {
            "server": self.server.url,
            "host": self.ports["host"],
            "app": self.app["id"],
            "token": self.app["token"],
            "secret": self.app["secret"],
            **self.ports,
        }
        return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), text)

    def fresh_python(self):
        """An environment with nothing in it."""
        venv = self.folder / "venv"
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        self.environ["PATH"] = f"{venv}/bin:{os.environ['PATH']}"
        self.environ["VIRTUAL_ENV"] = str(venv)

    def run(self, lines):
        """Paste, and wait for the end."""
        done = subprocess.run(
            ["bash", "-ec", lines], cwd=self.folder, env=self.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def start(self, lines):
        """Paste, and let it run."""
        log = (self.folder / "log").open("w")
        process = subprocess.Popen(
            ["bash", "-ec", lines], cwd=self.folder, env=self.environ, stdout=log, stderr=log, start_new_session=True
        )
        self._started.append((process, log))

    def arrived(self, service):
        """When anything of that service has come."""

        def seen():
            with self.server.client(self.token) as client:
                answer = client.get(
                    "/api/v1/connect/arrivals", params={"app": self.app["id"], "since": self.since.isoformat()}
                )
            return service in [arrival["service"] for arrival in answer.json()["items"]]

        try:
            return eventually(seen, f"data of {service}", 90)
        except AssertionError:
            raise AssertionError(
                (self.folder / "log").read_text()[-3000:] or "nothing came, and nothing was said"
            ) from None

    def stop(self):
        for process, log in self._started:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            log.close()


@pytest.fixture
def newcomer(open_server, tmp_path):
    newcomer = Newcomer(open_server, tmp_path)
    yield newcomer
    newcomer.stop()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


PLAYED = {
    "sw-java": ("start", r"BACKEND_SERVICES=(\S+)", r"AUTHENTICATION=(\S+)"),
    "skyapm-4": ("ini", r"skywalking.grpc = (\S+)", r"skywalking.authentication = (\S+)"),
    "skyapm-5": ("ini", r"grpc_address = (\S+)", r"oap_authentication = (\S+)"),
    "apache-php": ("ini", r"server_addr = (\S+)", r"skywalking_agent.authentication = (\S+)"),
}
"""Clients that could not be had: a JVM's and PHP's. The step, and where address and token stand in it."""


def test_every_recipe_is_run_or_played_by_a_test():
    run = {
        "python",
        "agent",
        "logs-curl",
        "otel-grpc",
        "otel-http",
        "otel-python",
        "otel-node",
        "sw-python",
        "xtransit",
        "xtransit-image",
    }
    played = {*PLAYED, "skyapm-3", "logs-collector"}

    assert run | played == set(RECIPES)


def test_the_lines_of_the_probe_bring_a_service(newcomer):
    (newcomer.folder / "app.py").write_text(FLASK.replace("PORT", str(free_port())))
    newcomer.start(newcomer.lines("python", "start"))
    newcomer.arrived("my-service")


def test_the_lines_of_the_agent_bring_a_host(newcomer):
    newcomer.start(newcomer.lines("agent", "start"))
    newcomer.arrived("sonde-agent")


def test_the_line_of_a_log_brings_it(newcomer):
    newcomer.run(newcomer.lines("logs-curl", "logLine"))
    newcomer.arrived("my-service")


@pytest.mark.parametrize("recipe", ["otel-grpc", "otel-http"])
def test_the_environment_of_any_sdk_brings_a_service(newcomer, recipe):
    """Python's SDK, set up by the variables alone."""
    kind = "grpc" if recipe == "otel-grpc" else "http"
    program = OTEL.replace(
        "for _",
        f"from opentelemetry.exporter.otlp.proto.{kind}.trace_exporter import OTLPSpanExporter\n"
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
        "trace.set_tracer_provider(TracerProvider())\n"
        "trace.get_tracer_provider().add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))\n"
        "for _",
    )
    (newcomer.folder / "app.py").write_text(program)
    newcomer.start(newcomer.lines(recipe, "environment") + "\npython app.py")
    newcomer.arrived("my-service")


@pytest.mark.slow
def test_the_lines_of_opentelemetry_for_python_bring_a_service_from_a_fresh_environment(newcomer):
    newcomer.fresh_python()
    newcomer.run(newcomer.lines("otel-python", "install"))
    (newcomer.folder / "app.py").write_text(OTEL)
    newcomer.start(newcomer.lines("otel-python", "start"))
    newcomer.arrived("my-service")


@pytest.mark.slow
def test_the_lines_of_opentelemetry_for_node_bring_a_service_from_a_fresh_folder(newcomer):
    (newcomer.folder / "package.json").write_text("{}")
    newcomer.run(newcomer.lines("otel-node", "install"))
    (newcomer.folder / "app.js").write_text(OTEL_NODE)
    newcomer.start(newcomer.lines("otel-node", "start"))
    newcomer.arrived("my-service")


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="SkyWalking's agent is made for Python 3.11")
def test_the_lines_of_skywalking_for_python_bring_a_service_from_a_fresh_environment(newcomer):
    """1.2.0, for the wheel of 1.3.0 lacks its own protocol; it asks pkg_resources, gone with setuptools 81."""
    newcomer.fresh_python()
    newcomer.run(newcomer.lines("sw-python", "install") + " flask")
    (newcomer.folder / "app.py").write_text(FLASK.replace("PORT", str(free_port())))
    newcomer.start(newcomer.lines("sw-python", "start"))
    newcomer.arrived("my-service")


@pytest.mark.slow
@pytest.mark.skipif(not (XTRANSIT / "node_modules").exists(), reason="xtransit's clients are not installed")
def test_the_lines_of_xtransit_bring_a_process(newcomer):
    (newcomer.folder / "node_modules").symlink_to(XTRANSIT / "node_modules")
    (newcomer.folder / "app.js").write_text(
        f"{newcomer.lines('xtransit', 'firstLine')}\nsetInterval(() => {{}}, 1000);\n"
    )
    (newcomer.folder / "xtransit.json").write_text(newcomer.lines("xtransit", "configFile"))
    newcomer.start("node app.js")
    newcomer.start(newcomer.lines("xtransit", "start"))

    def connected():
        with newcomer.server.client(newcomer.token) as client:
            return client.get("/api/v1/nodejs/instances", params={"app": newcomer.app["id"]}).json()["items"]

    eventually(connected, "the agent among the instances", 60)
    newcomer.run("npx xtransit stop all")


def heard_of(server, token, lines, name):
    """An agent that is set up by three lines, as the container image is, stands among the instances."""
    said = dict(line.strip().split("=", 1) for line in lines)
    app, secret = said["EZM_APP_ID"], said["EZM_APP_SECRET"]
    now = int(time.time() * 1000)
    heartbeat = {"appId": app, "agentId": name, "traceId": "t", "clientId": "c" * 32, "timestamp": now}
    text = json.dumps({**heartbeat, "type": "heartbeat", "data": {}}, separators=(",", ":"))
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha1).hexdigest()

    def agents():
        with server.client(token) as client:
            items = client.get("/api/v1/nodejs/instances", params={"app": app}).json()["items"]
            return name in [item["agent"] for item in items]

    with connect(said["XTRANSIT_SERVER"]) as socket:
        socket.send(f'{text[:-1]},"signature":"{signature}"}}')
        return eventually(agents, f"{name} among the instances", 60)


def test_the_three_lines_of_the_container_image_bring_an_instance(newcomer):
    lines = newcomer.lines("xtransit-image", "container").splitlines()
    assert heard_of(newcomer.server, newcomer.token, lines, "of-the-page")


def test_the_three_lines_that_the_first_start_prints_bring_an_instance(open_server):
    lines = [line for line in open_server.output.splitlines() if line.startswith(("  XTRANSIT_", "  EZM_"))]
    assert len(lines) == 3
    assert heard_of(open_server, open_server.token("read"), lines, "of-the-first-start")


def test_segments_with_the_addresses_and_tokens_of_the_lines_bring_a_service(newcomer):
    """Who has a wrong one is refused, which the call says."""
    for recipe, (step, address, token) in PLAYED.items():
        lines = newcomer.lines(recipe, step)
        assert "my-service" in lines
        now = int(time.time() * 1000)
        span = pb.SpanObject(parentSpanId=-1, startTime=now, endTime=now + 5, operationName="/hello")
        ids = {"traceId": recipe, "traceSegmentId": recipe, "service": "my-service", "serviceInstance": "1"}
        segment = pb.SegmentObject(**ids, spans=[span]).SerializeToString()
        with grpc.insecure_channel(re.search(address, lines)[1]) as channel:
            collect = channel.stream_unary("/skywalking.v3.TraceSegmentReportService/collect")
            collect(iter([segment]), metadata=(("authentication", re.search(token, lines)[1]),), timeout=60)
    newcomer.arrived("my-service")


def test_the_lines_of_the_sidecar_for_skyapm_3_bring_a_service(newcomer):
    """The extension is played by what one of them was recorded to write."""
    path = newcomer.folder / "sky.sock"
    newcomer.start(newcomer.lines("skyapm-3", "sidecar").replace("/tmp/sky-agent.sock", str(path)))
    assert "skywalking.sock_path = /tmp/sky-agent.sock" in newcomer.lines("skyapm-3", "ini")
    eventually(path.exists, "a socket", 60)
    recorded = {line["id"]: line.get("line") for line in map(json.loads, PHP.read_text().splitlines())}

    def say(line):
        with socket.socket(socket.AF_UNIX) as php:
            php.settimeout(60)
            php.connect(str(path))
            php.sendall(line.replace("demo-php", "my-service").encode())
            return php.recv(4095).decode() if line.startswith("0") else ""

    _, instance, _ = say(recorded["php3-register"]).split(",")
    line = recorded["php3-seg-first"].replace("00000000-0000-4000-8000-000000000001", instance)
    moved = int(time.time() * 1000) - json.loads(line[1:])["segment"]["spans"][0]["startTime"]
    say(re.sub(r'("(?:start|end)Time":)(\d+)', lambda found: found[1] + str(int(found[2]) + moved), line))
    newcomer.arrived("my-service")


def test_a_log_sent_as_the_lines_tell_a_collector_is_stored(newcomer):
    lines = newcomer.lines("logs-collector", "collector")
    endpoint, said = re.search(r"endpoint: (\S+)", lines)[1], re.search(r"Authorization: (.+)", lines)[1]
    service = {"attributes": [{"key": "service.name", "value": {"stringValue": "my-service"}}]}
    record = {"scopeLogs": [{"logRecords": [{"body": {"stringValue": "hello"}}]}]}
    body = {"resourceLogs": [{"resource": service, **record}]}
    answer = httpx.post(f"{endpoint}/v1/logs", json=body, headers={"Authorization": said}, timeout=60)
    assert answer.status_code == 200
    newcomer.arrived("my-service")
