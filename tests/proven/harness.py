"""An application of somebody else, in an environment of its own, with and without the probe."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import requests

sys.path.insert(0, str(Path(__file__).parents[1] / "probe_run"))
from conftest import Receiver

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).parents[2]
READY_WITHIN_S = 180
QUIET_S = 3.0
POSTGRESQL = "host=127.0.0.1 user=postgres"


class ProofError(Exception):
    """Something is missing, or an application does not start."""


@dataclass(frozen=True)
class Application:
    """What it takes to run one of them. In texts, `{port}`, `{redis}`, `{database}` and `{folder}` are filled in."""

    name: str
    requirements: tuple[str, ...]
    environment: dict[str, str]
    prepare: tuple[str, ...]
    """Commands for an empty database, each a line."""
    processes: tuple[str, ...]
    """The first serves."""
    ready: str
    """Path that answers 200 when all of it is up."""
    drive: Callable[[Client], None]
    background: tuple[str, ...] = ()
    """Names of spans that belong to no request: what the application does on its own."""


@dataclass(frozen=True)
class Asked:
    """A request, and what has to be seen of it."""

    method: str
    path: str
    status: int
    route: str
    body: bytes | None
    """Of pages that are the same at each visit."""
    took_s: float


class Client:
    """A user of the application. Each request is a trace of its own."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.asked: dict[str, Asked] = {}
        self._session = requests.Session()
        self._session.headers["Connection"] = "close"  # so that every worker gets some

    def ask(
        self, method: str, path: str, route: str = "", *, stable: bool = False, apart: bool = False, **more: Any
    ) -> requests.Response:
        """`route`: what the framework calls it; empty where it has none. `apart`: without the cookies of a login."""
        trace = secrets.token_hex(16)
        headers = {"traceparent": f"00-{trace}-{secrets.token_hex(8)}-01", **more.pop("headers", {})}
        began = time.monotonic()
        asking = requests.request if apart else self._session.request
        answer = asking(method, self.url + path, headers=headers, timeout=60, allow_redirects=False, **more)
        took_s = time.monotonic() - began
        body = answer.content if stable else None
        self.asked[trace] = Asked(method, path.partition("?")[0], answer.status_code, route, body, took_s)
        return answer


@dataclass
class Run:
    """One run: what was asked, and, with the probe, what arrived."""

    client: Client
    receiver: Receiver
    logged: Counter[str]
    """Statements by their first word, from PostgreSQL's own log; empty where that cannot be read."""
    output: str
    faults: list[str] = field(default_factory=list)


@contextlib.contextmanager
def listening(path: str) -> Iterator[Receiver]:
    """Where an agent would listen."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    receiver = Receiver(path)
    threading.Thread(target=receiver.serve, args=(listener,), daemon=True).start()
    yield receiver
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Place:
    """An application's folder, environment, database and Redis."""

    def __init__(self, application: Application, folder: Path) -> None:
        self.application = application
        self.folder = folder / application.name
        self.database = f"sonde_proven_{application.name}"
        self.port, self.redis = free_port(), free_port()
        self._venv = self.folder / "venv"

    def install(self) -> None:
        """From PyPI, unchanged."""
        uv = str(ROOT / ".venv/bin/uv")
        if not (self._venv / "bin/python").exists():
            subprocess.run([uv, "venv", "-q", "-p", "3.11", str(self._venv)], check=True)
        command = [uv, "pip", "install", "-q", "--system-certs", "--python", str(self._venv / "bin/python")]
        subprocess.run([*command, *self.application.requirements], check=True)
        (self.folder / "home").mkdir(exist_ok=True)

    def filled(self, text: str) -> str:
        return text.format(port=self.port, redis=self.redis, database=self.database, folder=self.folder)

    def environment(self) -> dict[str, str]:
        plain = {k: v for k, v in os.environ.items() if not k.startswith(("SONDE_", "OTEL_", "PYTHONPATH"))}
        own = {name: self.filled(value) for name, value in self.application.environment.items()}
        path = f"{self._venv / 'bin'}:{plain['PATH']}"
        return {**plain, "HOME": str(self.folder / "home"), "PATH": path, "PYTHONUNBUFFERED": "1", **own}

    def make_database(self) -> None:
        """Kept from one proof to the next: some take minutes to make."""
        with psycopg.connect(POSTGRESQL, dbname="postgres", autocommit=True) as server:
            if server.execute("select 1 from pg_database where datname = %s", (self.database,)).fetchone():
                return
            server.execute(f"create database {self.database}")
            server.execute(f"alter database {self.database} set log_statement = 'all'")
        for command in self.application.prepare:
            subprocess.run(self.filled(command), shell=True, check=True, env=self.environment(), cwd=self.folder)  # noqa: S602

    def drop_database(self) -> None:
        with psycopg.connect(POSTGRESQL, dbname="postgres", autocommit=True) as server:
            server.execute(f"drop database if exists {self.database} with (force)")

    @contextlib.contextmanager
    def running(self, socket_path: str, log: Path, *, probe: bool) -> Iterator[None]:
        """Redis and all processes, until they are ready; ended afterwards."""
        under = [sys.executable, "-m", "sonde", "run", "--socket", socket_path, "--no-agent", "--"] if probe else []
        environment = {**self.environment(), **({"SONDE_DEBUG": "1"} if probe else {})}
        redis = ["redis-server", "--port", str(self.redis), "--save", "", "--bind", "127.0.0.1", "--dir", self.folder]
        with contextlib.ExitStack() as started, log.open("wb") as output:
            for command in [redis, *([*under, *self.filled(line).split()] for line in self.application.processes)]:
                process = subprocess.Popen(
                    [str(word) for word in command], env=environment, cwd=self.folder, stdout=output, stderr=output
                )
                started.callback(_end, process)
            self._wait(log)
            yield

    def _wait(self, log: Path) -> None:
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"http://127.0.0.1:{self.port}{self.application.ready}", timeout=30).status_code == 200:
                    return
            time.sleep(0.5)
        raise ProofError(f"{self.application.name} does not come up, see {log}")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
