"""A real store process in a temporary folder, and bare HTTP to it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from base64 import b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlencode, urlsplit

import clickhouse_connect

from sonde.server.store.client import _UnixPools

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

PASSWORD = "a password with : in it"
PATIENCE_S = 20.0


def until(holds: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Polls a condition; fails loudly."""
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {patience_s:g} s: {what}"
        time.sleep(0.01)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def code(self) -> int:
        """ClickHouse's error code, 0 for none."""
        return int(self.headers.get("X-ClickHouse-Exception-Code", 0))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class UnixHttp(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=PATIENCE_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class Store:
    """Somebody who speaks the dialect: the process under test, or a ClickHouse server."""

    embedded = False

    def connection(self) -> http.client.HTTPConnection:
        raise NotImplementedError

    def credentials(self, user: str) -> Mapping[str, str]:
        raise NotImplementedError

    def client(self, user: str = "loader", **more: Any) -> Any:
        """clickhouse-connect as it is."""
        raise NotImplementedError

    def ask(
        self,
        sql: str | None = None,
        body: Any = None,
        *,
        user: str = "loader",
        method: str = "POST",
        path: str = "/",
        headers: Mapping[str, str] | None = None,
        connection: http.client.HTTPConnection | None = None,
        **parameters: object,
    ) -> Answer:
        """One request. `sql` goes into the address where there is a body too, else it is the body."""
        if body is None and sql is not None and method != "GET":
            body = sql.encode()
        elif sql is not None:
            parameters = {"query": sql, **parameters}
        target = f"{path}?{urlencode(parameters)}" if parameters else path
        used = connection or self.connection()
        try:
            used.request(method, target, body=body, headers={**self.credentials(user), **(headers or {})})
            got = used.getresponse()
            return Answer(got.status, dict(got.headers), got.read())
        finally:
            if connection is None:
                used.close()

    def values(self, sql: str, **parameters: object) -> list[str]:
        got = self.ask(sql, default_format="TSVRaw", **parameters)
        assert got.status == 200, got.text
        return got.text.splitlines()


class ClickHouseServer(Store):
    """Whatever SONDE_TEST_CLICKHOUSE_URL names."""

    def __init__(self, url: str) -> None:
        self._url = urlsplit(url)

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(self._url.hostname or "", self._url.port or 8123, timeout=PATIENCE_S)

    def credentials(self, user: str) -> Mapping[str, str]:
        return {"X-ClickHouse-User": self._url.username or "default", "X-ClickHouse-Key": self._url.password or ""}

    def client(self, user: str = "loader", **more: Any) -> Any:
        return clickhouse_connect.get_client(dsn=self._url.geturl(), **more)


class StoreProcess(Store):
    embedded = True

    def __init__(self, folder: Path, *arguments: str, tcp: bool = False, **environ: str) -> None:
        self.folder = folder
        self.data, self.spool, self.socket = folder / "data", folder / "spool", folder / "store.sock"
        self.cwd = folder / "cwd"
        for made in (self.spool, self.cwd):
            made.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "sonde.server.store.process", "--data", str(self.data)]
        command += ["--socket", str(self.socket), "--spool", str(self.spool), *arguments]
        self.command = [*command, "--port", "0"] if tcp else command
        self.environ = {**os.environ, "SONDE_STORE_PASSWORD": PASSWORD, "SONDE_STORE_MEMORY_BYTES": str(600 << 20)}
        self.environ |= environ
        self.port = 0
        self.log_path = folder / "log"
        self.process: Any = None
        self.start()

    def start(self) -> None:
        self._close_output()
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.cwd, env=self.environ, stdout=subprocess.PIPE, stderr=log, text=True, bufsize=1
            )
        for line in self.process.stdout:
            if line.startswith("port "):
                self.port = int(line.split()[1])
            if line == "ready\n":
                return
        raise AssertionError(f"the store process did not start: {self.log}")

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends the process and returns its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(PATIENCE_S)
        self._close_output()

    def _close_output(self) -> None:
        if self.process is not None:
            self.process.stdout.close()

    def connection(self) -> http.client.HTTPConnection:
        return UnixHttp(self.socket)

    def tcp(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)

    def credentials(self, user: str) -> Mapping[str, str]:
        return {"X-ClickHouse-User": user}

    def client(self, user: str = "loader", **more: Any) -> Any:
        return clickhouse_connect.get_client(
            interface="http",
            host="localhost",
            port=80,
            username=user,
            password="none",
            pool_mgr=_UnixPools(str(self.socket)),
            **more,
        )

    def counter(self, start: str) -> float:
        """The sum of the lines of /metrics that begin with `start`."""
        lines = self.ask(path="/metrics", method="GET").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(start))


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


class Background:
    """A call in a thread of its own; `result` waits for it."""

    def __init__(self, call: Callable[[], Any]) -> None:
        self._outcome: list[Any] = []
        self._error: list[BaseException] = []
        self._call = call
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._outcome.append(self._call())
        except BaseException as error:
            self._error.append(error)

    @property
    def done(self) -> bool:
        return not self._thread.is_alive()

    def result(self) -> Any:
        self._thread.join(PATIENCE_S)
        assert self.done, "the call did not end"
        if self._error:
            raise self._error[0]
        return self._outcome[0]
