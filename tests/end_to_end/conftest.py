"""The real programs, started as a user would start them, on free ports and folders of their own."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest

from started.server import NO_SECOND_PORTS, SONDE

ROOT = Path(__file__).parents[2]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, seconds=30, what="the condition"):
    """The first true answer of `condition`, asked again and again; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        if answer := condition():
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds} s; last answer: {answer!r}")
        time.sleep(0.05)


class Program:
    """A started program with its log."""

    def __init__(self, command, log, environ=None):
        self.command = command
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **(environ or {})}, cwd=ROOT
            )

    @property
    def alive(self):
        return self.process.poll() is None

    def family(self):
        """The process and everything under it."""
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(self.process.pid)
            return [parent, *parent.children(recursive=True)]
        return []

    def child(self, word):
        """The descendant whose command line holds `word`; None when there is none just now."""
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                if word in " ".join(process.cmdline()):
                    return process
        return None

    def kill9(self):
        self.process.kill()
        self.process.wait(10)

    def stop(self, seconds=20):
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(seconds)


class Stack:
    """A server, and on demand an agent and applications."""

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "data"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.socket = folder / "agent.sock"
        self.programs = []
        self.app = json.loads(self.sonde("app", "create", "shop", "--data", str(self.data)))
        self.token = self.sonde("token", "create", "--data", str(self.data), "--scope", "read").strip()

    def sonde(self, *arguments):
        return subprocess.run(
            [*SONDE, *arguments], check=True, capture_output=True, text=True, timeout=60, cwd=ROOT
        ).stdout

    def start(self, name, command, environ=None):
        program = Program(command, self.folder / f"{name}.log", environ)
        self.programs.append(program)
        return program

    def start_server(self, *ports):
        """With the second ports that `ports`, flags of `sonde up`, name; others than those are off."""
        server = self.start(
            "server",
            [*SONDE, "up", "--data", str(self.data), "--port", str(self.port), *NO_SECOND_PORTS, *ports],
        )
        until(self.ready, 60, "readiness of the server")
        return server

    def start_agent(self):
        agent = self.start(
            "agent",
            [
                *(*SONDE, "agent", "--server", self.url, "--token", self.app["token"]),
                *("--socket", str(self.socket), "--queue-dir", str(self.folder / "queue")),
            ],
        )
        until(self.socket.exists, 20, "the agent's socket")
        return agent

    def run_app(self, name, *command, environ=None):
        """A program with the probe inside, by `sonde run`."""
        return self.start(
            name,
            [*SONDE, "run", "--socket", str(self.socket), "--no-agent", "--service", name, "--", *command],
            environ,
        )

    def ready(self):
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/readyz", timeout=2) as answer:
            return answer.status == 200
        return False

    def get(self, path, token=None):
        request = urllib.request.Request(
            f"{self.url}{path}", headers={"Authorization": f"Bearer {token or self.token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def post_spans(self, body, token=None):
        """Status code of an OTLP request; None where nobody answered."""
        request = urllib.request.Request(
            f"{self.url}/v1/traces",
            data=body,
            headers={
                "Authorization": f"Bearer {token or self.app['token']}",
                "Content-Type": "application/x-protobuf",
            },
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return None

    def store(self):
        """A reader on the embedded store."""
        from sonde.server.store.client import StoreClient

        return StoreClient.embedded(self.store_socket(), "web")

    def store_socket(self):
        found = sorted(self.data.rglob("store.sock"))
        return found[0] if found else self.data / "run" / "store.sock"

    def stop(self):
        for program in reversed(self.programs):
            if program.alive:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    program.stop()
            if program.alive:
                program.kill9()


@pytest.fixture
def stack(tmp_path):
    made = Stack(tmp_path)
    yield made
    made.stop()
