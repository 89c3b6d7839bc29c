"""A whole server, and programs under SkyWalking's own agent for Python, unmodified, in an environment of its own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from sonde.server.supervision.second_ports import SECOND_PORTS

ROOT = Path(__file__).parents[2]
SONDE = [sys.executable, "-m", "sonde"]
DEADLINE_S = 90
AGENT = "apache-skywalking==1.2.0"
LIBRARIES = ["flask==3.1.3", "requests==2.34.2", "grpcio==1.85.1", "protobuf==7.36.2", "setuptools<81"]
"""The agent asks pkg_resources for versions, which newer setuptools no longer bring."""
SERVICE = Path(__file__).parent / "apps" / "flask_service.py"


def eventually(condition, what, deadline_s=DEADLINE_S):
    """Poll until `condition` gives something true; that."""
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {deadline_s} s: {what}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def environment():
    """The folder of a Python 3.11 with the agent, made once and kept in .build/."""
    folder = ROOT / ".build" / "skywalking-agent"
    made = folder / "made"
    if not made.exists():
        uv = [str(ROOT / ".venv" / "bin" / "uv")]
        subprocess.run([*uv, "venv", "-q", "--clear", "--python", "3.11", str(folder)], check=True, timeout=120)
        install = [*uv, "pip", "install", "--system-certs", "-q", AGENT, *LIBRARIES]
        subprocess.run(install, check=True, timeout=300, env={**os.environ, "VIRTUAL_ENV": str(folder)})
        made.touch()
    return folder


class Program:
    """A started program with its log."""

    def __init__(self, command, log, environ):
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=output, env={**os.environ, **environ}, start_new_session=True
            )

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(20)


class Server(Program):
    """`sonde up` with SkyWalking's ports open."""

    def __init__(self, folder, **settings):
        self.data = folder / "data"
        environ = {f"SONDE_{name.upper()}": str(value) for name, value in settings.items()}
        ports = {port.option: -1 for port in SECOND_PORTS} | {"skywalking-grpc-port": 0, "skywalking-http-port": 0}
        flags = [word for option, port in ports.items() for word in (f"--{option}", str(port))]
        command = [*SONDE, "up", "--data", str(self.data), "--port", "0", *flags]
        super().__init__(command, folder / "server.log", environ)
        ready = eventually(self._ready, f"a ready server, see {self.log}", 150)
        self.url = re.search(r"ready: (http://\S+)", ready)[1]
        self.grpc = re.search(r"SkyWalking/gRPC at (\S+)", ready)[1]
        self.http = re.search(r"SkyWalking/HTTP at http://(\S+)", ready)[1]
        token = self._command("token", "create", "--scope", "admin").strip()
        self.client = httpx.Client(
            base_url=f"{self.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )

    def _ready(self):
        output = self.log.read_text()
        assert self.process.poll() is None, output
        return "Sonde is ready" in output and output

    def _command(self, *words):
        done = subprocess.run(
            [*SONDE, *words, "--data", str(self.data)], check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout

    def app(self):
        return json.loads(self._command("app", "create", secrets.token_hex(6)))

    def get(self, path, **query):
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def rows(self, sql, **parameters):
        """Straight from the store."""
        from sonde.server.store.client import StoreClient

        with contextlib.closing(StoreClient.embedded(next(self.data.rglob("store.sock")), "web")) as store:
            return list(store.rows(sql, parameters))


class Service(Program):
    """The Flask service under the agent."""

    def __init__(self, folder, server, name, token="", other="", protocol="grpc", **more):
        self.name = name
        self.instance = f"{name}-1"
        self.port = free_port()
        home = environment()
        environ = {
            "PATH": f"{home}/bin:{os.environ['PATH']}",
            "SW_AGENT_COLLECTOR_BACKEND_SERVICES": server.grpc if protocol == "grpc" else server.http,
            "SW_AGENT_PROTOCOL": protocol,
            "SW_AGENT_NAME": name,
            "SW_AGENT_INSTANCE_NAME": self.instance,
            "SW_AGENT_AUTHENTICATION": token,
            "SW_AGENT_COLLECTOR_HEARTBEAT_PERIOD": "2",
            "SW_AGENT_METER_REPORTER_PERIOD": "2",
            "SW_AGENT_COLLECTOR_GET_PROFILE_TASK_INTERVAL": "1",
            "SW_AGENT_LOG_REPORTER_ACTIVE": "true",
            "SW_AGENT_LOG_REPORTER_LEVEL": "INFO",
            **more,
        }
        words = [str(home / "bin" / "sw-python"), "run", "-p", "python", str(SERVICE), str(self.port), str(other)]
        super().__init__(words, folder / f"{name}.log", environ)
        eventually(self._ready, f"a ready service, see {self.log}")

    def _ready(self):
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(httpx.HTTPError):
            return httpx.get(f"http://127.0.0.1:{self.port}/ready", timeout=5).status_code == 200
        return False

    def get(self, path):
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=30)
