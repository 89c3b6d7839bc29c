"""A server for xtransit agents, agents that the test plays, and the real ones from npm."""

import contextlib
import fcntl
import hashlib
import hmac
import json
import os
import secrets
import shutil
import subprocess
import threading
import time
import uuid
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from started.server import PATIENCE_S, Server
from started.waiting import eventually

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CLIENT = ROOT / ".build" / "xtransit-client"
VERSIONS = {"xprofiler": "3.1.0", "xtransit": "3.1.0"}
FILE_MAX_BYTES = 16 << 20
FRAME_MAX_BYTES = 1 << 20


def capture():
    """The recorded exchanges: what they are, and one record a line."""
    with (HERE / "data" / "xtransit-capture.jsonl").open(encoding="utf-8") as file:
        meta, *records = (json.loads(line) for line in file)
    return meta, records


def frame(app, secret, kind="heartbeat", data=None, *, agent="host-1", client="c" * 32, at_ms=None, trace=None):
    """A message as an agent writes it."""
    envelope = {
        "appId": app,
        "agentId": agent,
        "traceId": trace or str(uuid.uuid4()),
        "clientId": client,
        "timestamp": int(time.time() * 1000) if at_ms is None else at_ms,
        "type": kind,
        "data": data or {},
    }
    text = json.dumps(
        {key: it for key, it in envelope.items() if it is not None}, separators=(",", ":"), ensure_ascii=False
    )
    signature = hmac.new(secret.encode(), text.encode(), hashlib.sha1).hexdigest()
    return f'{text[:-1]},"signature":"{signature}"}}'


def nodejs_server(data, port=0, xtransit_port=0):
    """A server with the port for xtransit."""
    limits = {"nodejs_file_max_bytes": FILE_MAX_BYTES, "xtransit_max_frame_bytes": FRAME_MAX_BYTES}
    return Server(data, "--xtransit-port", str(xtransit_port), port=port, **limits)


class Api:
    """What the tests ask of one app's agents."""

    def __init__(self, client, app):
        self.client = client
        self.app = app
        self.id, self.secret = app["id"], app["secret"]

    def of(self, agent, rest):
        return f"/api/v1/nodejs/instances/{self.id}/{agent}/{rest}"

    def get(self, agent, rest, **parameters):
        answer = self.client.get(self.of(agent, rest), params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post(self, agent, rest, **body):
        return self.client.post(self.of(agent, rest), json=body)

    def file(self, file_id):
        return self.client.get(f"/api/v1/nodejs/files/{file_id}").json()

    def instance(self, agent):
        items = self.client.get("/api/v1/nodejs/instances", params={"app": self.id}).json()["items"]
        return next((it for it in items if it["agent"] == agent), None)

    def hints(self):
        items = self.client.get("/api/v1/connect/hints").json()["items"]
        found = {}
        for it in items:
            if it["protocol"] == "xtransit" and it["app"] in {"", self.id}:
                found[it["reason"]] = f"{found.get(it['reason'], '')}{it['text']}\n"
        return found


class Played:
    """An agent that the test plays."""

    def __init__(self, server, api, agent="host-1", app=None, secret=None):
        self.api = api
        self.agent = agent
        self.app = app or api.id
        self.secret = secret or api.secret
        self.client = secrets.token_hex(16)
        self._open = contextlib.ExitStack()
        self.socket = self._open.enter_context(connect(f"{server.xtransit_url}/any/path?x=1", max_size=None))

    def say(self, kind="heartbeat", data=None, **more):
        more = {"agent": self.agent, "client": self.client} | more
        self.socket.send(frame(self.app, self.secret, kind, data, **more))

    def log(self, kind, data, **more):
        self.say("log", {"type": kind, "data": data}, **more)

    def there(self):
        """Heard by the server."""
        self.say()
        eventually(lambda: (self.api.instance(self.agent) or {}).get("connected"), "a connected agent")
        return self

    def hear(self, timeout=PATIENCE_S):
        return json.loads(self.socket.recv(timeout))

    def answer(self, asked, stdout="", stderr=""):
        self.say("response", {"ok": True, "data": {"stdout": stdout, "stderr": stderr}}, trace=asked["traceId"])

    def serve(self, answers):
        """Answer commands in a thread: `answers` is what they print, by how they begin. May be said anew."""
        self.commands = []
        serving, self.answers = hasattr(self, "answers"), answers
        if not serving:
            threading.Thread(target=self._serve, daemon=True).start()
        return self

    def _serve(self):
        with contextlib.suppress(ConnectionClosed):
            while True:
                asked = self.hear(None)
                command = asked["data"]["command"]
                self.commands.append(command)
                found = next((text for start, text in self.answers.items() if command.startswith(start)), None)
                if found is not None:
                    self.answer(asked, found)

    def close(self):
        self._open.close()


def upload_query(file_id, kind, agent, token, nonce=None, at_ms=None):
    """Signed as an agent does."""
    nonce = nonce or str(secrets.randbelow(10**10))
    at = str(int(time.time() * 1000) if at_ms is None else at_ms)
    signed = json.dumps(
        {"agentId": agent, "fileId": str(file_id), "fileType": kind, "nonce": nonce, "timestamp": at},
        separators=(",", ":"),
    )
    signature = hmac.new(token.encode(), signed.encode(), hashlib.sha1).hexdigest()
    return {"fileId": file_id, "fileType": kind, "nonce": nonce, "timestamp": at, "signature": signature}


def client_packages():
    """The real agent and addon, installed once for all runs. A reason instead where that cannot be."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return None, "there is no Node.js here"
    CLIENT.mkdir(parents=True, exist_ok=True)
    with (CLIENT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        packages = CLIENT / "node_modules"
        if not any((packages / "xprofiler" / "build").glob("**/*.node")):
            wanted = {"name": "xtransit-client", "version": "1.0.0", "private": True, "dependencies": VERSIONS}
            (CLIENT / "package.json").write_text(json.dumps(wanted))
            problem = _install()
            if problem:
                return None, problem
    return packages, ""


def _install():
    """From version 11 on, npm runs a package's own build only where that was said. The addon compiles for minutes."""
    install = [["npm", "install", "--no-audit", "--no-fund"]]
    approve = [["npm", "install-scripts", "approve", "xprofiler"], ["npm", "rebuild", "xprofiler"]]
    for step in install + approve:
        done = subprocess.run(
            ["nice", "-n", "10", *step], cwd=CLIENT, capture_output=True, text=True, timeout=1200, check=False
        )
        if any((CLIENT / "node_modules" / "xprofiler" / "build").glob("**/*.node")):
            return ""
        if done.returncode and step in install:
            break
    return f"xprofiler cannot be built here: {done.stderr.strip()[-300:]}"


class Node:
    """A Node.js program in a home of its own."""

    def __init__(self, script, folder, packages, **environ):
        self.log = folder / f"{Path(script).stem}.log"
        everything = {**os.environ, "HOME": str(folder), "CLIENT_FOLDER": str(packages), **environ}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(["node", script], cwd=HERE, env=everything, stdout=log, stderr=log)

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(PATIENCE_S)


class RealAgent:
    """xtransit with short intervals, and an application with xprofiler beside it."""

    def __init__(self, server, api, folder, packages, **config):
        self.folder = folder
        self.logs = folder / "logs"
        self.errors = folder / "error.log"
        self.logs.mkdir()
        self.errors.touch()
        (folder / "package.json").write_text(json.dumps({"name": "demo", "dependencies": {"left-pad": "^1.3.0"}}))
        lock = {"lockfileVersion": 3, "packages": {"": {}, "node_modules/left-pad": {"version": "1.3.0"}}}
        (folder / "package-lock.json").write_text(json.dumps(lock))
        short = {"XPROFILER_LOG_INTERVAL": "3", "UNIT_TEST_TRANSIT_LOG_INTERVAL": "4"}
        self.application = Node(
            "nodejs_application.js", folder, packages, LOG_FOLDER=str(self.logs), ERROR_FILE=str(self.errors), **short
        )
        eventually(lambda: "ready" in self.application.log.read_text(), "an application")
        self.config = {
            "server": server.xtransit_url,
            "appId": api.id,
            "appSecret": api.secret,
            "logDir": str(self.logs),
            "errors": [str(self.errors)],
            "packages": [str(folder / "package.json")],
            "reconnectBaseTime": 1,
            "heartbeatInterval": 2,
            "logLevel": 2,
            **config,
        }
        self.agent = Node("nodejs_agent.js", folder, packages, AGENT_CONFIG=json.dumps(self.config), **short)
        self.pid = self.application.pid

    def stop(self):
        self.agent.stop()
        self.application.stop()
