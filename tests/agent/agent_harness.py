"""A real collector to send to, a real agent to run, a probe's side of the socket."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from sonde.wire.frames import FrameReader, Kind, frame, hello
from sonde.wire.protobuf import message

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

DEADLINE_S = 20.0


def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait until the condition holds; fail after DEADLINE_S."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"not in {DEADLINE_S} s: {what}"
        time.sleep(0.01)


def payload(content: bytes) -> bytes:
    """A request with one resource_spans field; the agent does not look further."""
    return message(1, content)


@dataclass(frozen=True)
class Request:
    """What came in. `body` is decompressed."""

    path: str
    token: str
    encoding: str
    body: bytes


@dataclass(frozen=True)
class Question:
    """Somebody asked what probes are told."""

    path: str
    token: str
    known: str


@dataclass
class Script:
    """How the next requests are answered."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    before: Callable[[Request | Question], object] = repr
    """Called before the answer is sent."""
    hang_up: bool = False


class FakeServer:
    """Speaks OTLP/HTTP as the real server does, knows a body it has stored by its digest, and answers as it is told."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.stored: dict[bytes, Request] = {}
        self.connections = 0
        self.scripts: list[Script] = []
        self.answer: Callable[[Request], Script] = lambda request: Script()
        self.questions: list[Question] = []
        self.settings: dict[str, bytes] = {}
        """What probes are told, by token. Of others the server has never heard."""
        self.about_settings: Callable[[Question], Script] = self._settings
        self._lock = threading.Lock()
        self._http: http.server.ThreadingHTTPServer | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def setup(self) -> None:
                super().setup()
                outer.connections += 1

            def do_POST(self) -> None:
                outer._post(self)

            def do_GET(self) -> None:
                outer._get(self)

            def log_message(self, *_: object) -> None:
                """Tests read `requests`."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_: object) -> None:
                """A client that is killed while it sends is what some tests are about."""

        self._http = Server(("127.0.0.1", self.port), Handler)
        self.port = self._http.server_address[1]
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._http is not None
        self._http.shutdown()
        self._http.server_close()

    def _post(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        raw = handler.rfile.read(int(handler.headers["Content-Length"]))
        encoding = handler.headers.get("Content-Encoding", "")
        body = gzip.decompress(raw) if encoding == "gzip" else raw
        token = handler.headers.get("Authorization", "").removeprefix("Bearer ")
        request = Request(handler.path, token, encoding, body)
        with self._lock:
            self.requests.append(request)
            script = self.scripts.pop(0) if self.scripts else self.answer(request)
            if script.status == 200:
                self.stored.setdefault(hashlib.sha256(body).digest(), request)
        self._answer(handler, request, script)

    def _get(self, handler: http.server.BaseHTTPRequestHandler) -> None:
        if handler.path == "/api/v1/control":  # a collector of another make has no such thing
            handler.send_error(404)
            return
        token = handler.headers.get("Authorization", "").removeprefix("Bearer ")
        question = Question(handler.path, token, handler.headers.get("If-None-Match", ""))
        with self._lock:
            self.questions.append(question)
            script = self.about_settings(question)
        self._answer(handler, question, script)

    def _settings(self, question: Question) -> Script:
        document = self.settings.get(question.token)
        if document is None:
            return Script(401)
        etag = f'"{hashlib.sha256(document).hexdigest()}"'
        if question.known == etag:
            return Script(304, {"ETag": etag})
        return Script(200, {"ETag": etag}, document)

    def _answer(self, handler: http.server.BaseHTTPRequestHandler, asked: Request | Question, script: Script) -> None:
        script.before(asked)
        if script.hang_up:
            handler.close_connection = True
            return
        handler.send_response(script.status)
        length = {} if script.status == 304 else {"Content-Length": str(len(script.body))}
        for name, value in {**length, **script.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(script.body)

    def bodies(self, path: str = "/v1/traces", token: str | None = None) -> bytes:
        """All that is stored for the path, joined in order of arrival."""
        with self._lock:
            found = list(self.stored.values())
        return b"".join(it.body for it in found if it.path == path and token in (None, it.token))


class ProbeSide:
    """A probe's end of the socket."""

    def __init__(self, path: Path) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(DEADLINE_S)
        self.socket.connect(str(path))
        self._reader = FrameReader()
        self._heard: list[tuple[int, bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def hello(self, token: str = "", service: str = "shop", **more: object) -> Self:
        self.socket.sendall(hello(pid=os.getpid(), token=token, service=service, language="python", **more))
        return self

    def traces(self, content: bytes) -> None:
        self.socket.sendall(frame(Kind.TRACES, payload(content)))

    def told(self) -> bytes:
        """The payload of the next frame that the agent sends; it can only be SETTINGS."""
        while not self._heard:
            data = self.socket.recv(1 << 16)
            assert data, "the agent has hung up"
            self._heard = self._reader.feed(data)
        kind, document = self._heard.pop(0)
        assert kind == Kind.SETTINGS
        return document

    def hears_nothing_for(self, seconds: float) -> bool:
        self.socket.settimeout(seconds)
        try:
            return not self._heard and not self.socket.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            return True
        finally:
            self.socket.settimeout(DEADLINE_S)

    def is_closed_by_agent(self) -> bool:
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


class AgentProcess:
    """`sonde agent` as users start it."""

    def __init__(self, folder: Path, server_url: str, *flags: str) -> None:
        self.socket_path = folder / "a.sock"
        self.queue_dir = folder / "queue"
        self.log_path = folder / "agent.log"
        self._command = [
            *(sys.executable, "-m", "sonde", "agent", "--server", server_url, "--token", "app-token"),
            *("--socket", str(self.socket_path), "--queue-dir", str(self.queue_dir), "--no-host-metrics"),
            *("--batch-max-age-ms", "20", *flags),
        ]

    def start(self) -> Self:
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=log)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n", self.log_path.read_text()
        return self

    def probe(self) -> ProbeSide:
        return ProbeSide(self.socket_path)

    def stop(self) -> int:
        self.process.terminate()
        return self.wait()

    def kill(self) -> None:
        self.process.kill()
        self.wait()

    def wait(self) -> int:
        code = self.process.wait(DEADLINE_S)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
