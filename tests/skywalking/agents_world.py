"""A whole server, and programs under SkyWalking's own agent for Python, unmodified, in an environment of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
from pathlib import Path

import httpx

from started.program import Program
from started.server import Server
from started.waiting import eventually

ROOT = Path(__file__).parents[2]
AGENT = "apache-skywalking==1.2.0"
LIBRARIES = ["flask==3.1.3", "requests==2.34.2", "grpcio==1.85.1", "protobuf==7.36.2", "setuptools<81"]
"""The agent asks pkg_resources for versions, which newer setuptools no longer bring."""
SERVICE = Path(__file__).parent / "apps" / "flask_service.py"


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


def skywalking_server(data, **settings):
    """A whole server with SkyWalking's ports open."""
    return Server(data, "--skywalking-grpc-port", "0", "--skywalking-http-port", "0", **settings)


class Service(Program):
    """The Flask service under the agent."""

    def __init__(self, folder, server, name, token="", other="", protocol="grpc", **more):
        self.name = name
        self.instance = f"{name}-1"
        self.port = free_port()
        home = environment()
        environ = {
            "PATH": f"{home}/bin:{os.environ['PATH']}",
            "SW_AGENT_COLLECTOR_BACKEND_SERVICES": getattr(server, f"skywalking_{protocol}"),
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
