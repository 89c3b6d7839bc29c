"""The parts of the control plane as users start them, and each side of the channel for tests to play."""

import base64
import contextlib
import hashlib
import json
import queue
import secrets
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import websockets.sync.client
import websockets.sync.server
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sonde.wire.control import PATH, Piece, moment
from sonde.wire.tools import MAX_PIECE_BYTES
from started.program import Program
from started.server import SONDE
from started.waiting import eventually

DEADLINE_S = 30
TOOL_PROCESS = Path(__file__).with_name("tool_process.py")
ALL = '[tools]\nallow = ["*"]\n'
NODE = "0123456789abcdef"


def client_of(server, scope="write"):
    """Of the API, with a token of that scope."""
    return server.client(server.token(scope), "/api/v1")


class Api:
    """What tests ask the API for."""

    def __init__(self, client, app):
        self.client = client
        self.app = app

    def processes(self, **filters):
        return self.client.get("/processes", params=filters).json()["items"]

    def process(self, pid):
        """The process, once its agent has told of it."""
        seen = lambda: [it for it in self.processes(app=self.app) if it["pid"] == pid and it["node_connected"]]  # noqa: E731
        return eventually(seen, f"process {pid} is seen")[0]

    def start(self, node, pid, tool, seconds=1.0, expect=201, **options):
        wish = {"app": self.app, "node": node, "pid": pid, "tool": tool, "seconds": seconds, "options": options}
        answer = self.client.post("/jobs", json=wish)
        assert answer.status_code == expect, answer.text
        return answer.json()

    def job(self, job_id):
        answer = self.client.get(f"/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def until(self, job_id, *states, deadline_s=DEADLINE_S):
        found = lambda: (job := self.job(job_id))["state"] in states and job  # noqa: E731
        return eventually(found, f"job {job_id} is {states}", deadline_s)

    def ended(self, job_id, deadline_s=DEADLINE_S):
        return self.until(job_id, "done", "failed", "cancelled", deadline_s=deadline_s)

    def cancel(self, job_id, how="stop"):
        answer = self.client.post(f"/jobs/{job_id}/cancel", json={"how": how})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def artifact(self, job_id, name):
        return self.client.get(f"/jobs/{job_id}/artifacts/{name}")

    def stream(self, job_id):
        """Every state of the job that is told."""
        told = []
        with self.client.stream("GET", f"/jobs/{job_id}/stream") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            told.extend(json.loads(line[6:]) for line in answer.iter_lines() if line.startswith("data: "))
        return told


class Agent(Program):
    """`sonde agent`, with a policy file of the test's."""

    def __init__(self, folder, server_url, token, policy=ALL, **settings):
        self.folder = folder
        self.socket = folder / "a.sock"
        self.policy_file = folder / "policy.toml"
        self.queue = folder / "queue"
        if policy is not None:
            self.write_policy(policy)
        self._command = [
            *(*SONDE, "agent", "--server", server_url, "--socket", str(self.socket)),
            *("--queue-dir", str(self.queue), "--no-host-metrics"),
        ]
        environ = {f"SONDE_{name.upper()}": str(value) for name, value in settings.items()}
        self._environ = {"SONDE_AGENT_TOKEN": token, "SONDE_POLICY": str(self.policy_file), **environ}
        self.start()

    def start(self):
        super().__init__(self._command, self.folder / "agent.log", self._environ, "ready")

    def write_policy(self, text):
        self.policy_file.write_text(text)
        self.policy_file.chmod(0o644)


def tool_process(folder, agent, service="shop", token=""):
    command = [sys.executable, str(TOOL_PROCESS), str(agent.socket), service, *([token] if token else [])]
    return Program(command, folder / "tools.log", first_line="ready")


class AgentSide:
    """An agent's end of the channel, played by a test: it says that it is there unless it is `silent`."""

    def __init__(self, server_url, token, instance="agent-1", node=NODE, jobs=(), hello=True, silent=False):
        self.node = node
        self._over = threading.Event()
        url = server_url.replace("http", "ws") + PATH
        self._connection = websockets.sync.client.connect(
            url,
            additional_headers={"Authorization": f"Bearer {token}"},
            compression=None,
            max_size=None,
            proxy=None,
            ping_interval=None,
            close_timeout=2,
        )
        self.socket = self._connection.__enter__()
        if hello:
            facts = {"node": node, "host": "test-host", "agent_version": "9", "instance": instance}
            self.say("hello", protocol=1, **facts, capabilities=["*"], jobs=list(jobs))
            self.welcome = self.hear("welcome")
        self._beating = threading.Thread(target=self._beat, daemon=True)
        if hello and not silent:
            self._beating.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._over.set()
        if self._beating.is_alive():
            self._beating.join(DEADLINE_S)
        self._connection.__exit__(None, None, None)

    def _beat(self):
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):
            while not self._over.wait(self.welcome["heartbeat_s"]):
                self.say("heartbeat", time=moment(datetime.now(UTC)))

    def say(self, type_, **members):
        self.socket.send(json.dumps({"type": type_, **members}))

    def hear(self, *types, deadline_s=DEADLINE_S):
        """The next message of one of these types."""
        deadline = time.monotonic() + deadline_s
        while True:
            message = json.loads(self.socket.recv(timeout=max(0, deadline - time.monotonic())))
            if message["type"] in types:
                return message

    def job(self):
        """The body of the next job."""
        return json.loads(self.hear("job")["body"])

    def processes(self, *pids, service="shop"):
        facts = {"service": service, "instance": "i-1", "uid": 0, "language": "python", "command": "c"}
        more = {"probe_version": "9", "native": True, "connected_at": moment(datetime.now(UTC)), "tools": None}
        self.say("processes", items=[{"pid": pid, **facts, **more} for pid in pids])

    def accept(self, job_id):
        self.say("accepted", job=job_id)
        self.say("output", job=job_id, seq=1, event={"event": "started"})

    def done(self, job_id, files=(), **document):
        event = {"event": "result", "document": document, "artifacts": list(files)}
        self.say("done", job=job_id, seq=9, event=event)

    def failed(self, job_id, reason, message="so it is"):
        self.say("done", job=job_id, seq=9, event={"event": "failed", "reason": reason, "message": message})

    def piece(self, job_id, name, offset, data, total):
        """Send a piece; up to where the server has stored the file."""
        self.socket.send(Piece(job_id, name, offset, total, data).encoded())
        return self.hear("received")["offset"]

    def upload(self, job_id, name, data, offset=0):
        while offset < len(data):
            offset = self.piece(job_id, name, offset, data[offset : offset + MAX_PIECE_BYTES], len(data))

    def is_closed(self):
        """The code and reason of the server's close."""
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            try:
                self.socket.recv(timeout=DEADLINE_S)
            except websockets.exceptions.ConnectionClosed as error:
                return error.rcvd.code if error.rcvd else None, error.rcvd.reason if error.rcvd else ""
        raise AssertionError("it is not closed")


def file_of(name, data, **wrong):
    """What `done` says of an artifact."""
    digest = hashlib.sha256(data).hexdigest()
    return {"name": name, "media_type": "text/html", "bytes": len(data), "sha256": digest, **wrong}


class ServerSide:
    """A server's end of the channel, played by a test: with a key of its own, and jobs as the test wants them."""

    def __init__(self, key=None):
        self.key = key or Ed25519PrivateKey.generate()
        self.port = 0
        self.heard = queue.Queue()
        self.pieces = []
        self.connections = 0
        self.heartbeat_s = 10.0
        self.socket = None
        self.status = None
        self._server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def public_key(self):
        return base64.b64encode(self.key.public_key().public_bytes_raw()).decode()

    def __enter__(self):
        self._server = websockets.sync.server.serve(
            self._serve, "127.0.0.1", self.port, compression=None, max_size=None, process_request=self._request
        )
        self.port = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.hang_up()
        self._server.shutdown()
        self._thread.join(DEADLINE_S)

    def _request(self, connection, request):
        if request.path != PATH:
            return connection.respond(404, "nothing")
        self.connections += 1
        return connection.respond(self.status, "no") if self.status else None

    def _serve(self, socket):
        self.socket = socket
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):
            self.hello = json.loads(socket.recv())
            self.say(
                "welcome", heartbeat_s=self.heartbeat_s, public_key=self.public_key, time=moment(datetime.now(UTC))
            )
            self.heard.put(self.hello)
            for data in socket:
                if isinstance(data, bytes):
                    self.pieces.append(Piece.parse(data))
                    self.heard.put({"type": "piece", "piece": self.pieces[-1]})
                else:
                    self.heard.put(json.loads(data))

    def hang_up(self):
        if self.socket is not None:
            self.socket.close_socket()

    def say(self, type_, **members):
        self.socket.send(json.dumps({"type": type_, **members}))

    def hear(self, *types, deadline_s=DEADLINE_S):
        """The next message of one of these types."""
        deadline = time.monotonic() + deadline_s
        while True:
            try:
                message = self.heard.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"not heard within {deadline_s} s: {types}") from None
            if message["type"] in types:
                return message

    def process(self, pid):
        """The process, once the agent has told of it."""
        while True:
            for item in self.hear("processes")["items"]:
                if item["pid"] == pid:
                    return item

    def body(self, process, tool="quick", seconds=1.0, lives_s=60.0, **other):
        now = datetime.now(UTC)
        return {
            "id": secrets.token_hex(6),
            "node": self.hello["node"],
            "app": "abc",
            "pid": process["pid"],
            "instance": process["instance"],
            "tool": tool,
            "options": {},
            "seconds": seconds,
            "by": "user:tester",
            "issued_at": moment(now),
            "expires_at": moment(now + timedelta(seconds=lives_s)),
            "nonce": secrets.token_hex(16),
            **other,
        }

    def signed(self, body):
        text = json.dumps(body)
        return text, base64.b64encode(self.key.sign(text.encode())).decode()

    def give(self, body):
        """Send a signed job."""
        text, signature = self.signed(body)
        self.say("job", body=text, signature=signature)
        return body["id"]

    def take(self, job_id):
        """Store what comes of the job until it is done, and settle it. The last event, and the files."""
        files = {}
        while True:
            message = self.hear("piece", "done")
            if message["type"] == "done":
                assert message["job"] == job_id
                self.say("settled", job=job_id)
                return message["event"], files
            piece = message["piece"]
            stored = files.setdefault(piece.name, b"")
            if piece.offset == len(stored):
                files[piece.name] = stored = stored + piece.data
            self.say("received", job=job_id, name=piece.name, offset=len(stored))
