"""A whole server, started as a user starts it, on free ports and a folder of its own."""

import contextlib
import json
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import psutil

from sonde.server.supervision.second_ports import SECOND_PORTS

DEADLINE_S = 150
SONDE = [sys.executable, "-m", "sonde"]
NO_SECOND_PORTS = [word for port in SECOND_PORTS for word in (f"--{port.option}", "-1")]


def eventually(condition, what, deadline_s=DEADLINE_S):
    """Poll until `condition` gives something true; that."""
    deadline = time.monotonic() + deadline_s
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"not within {deadline_s} s: {what}")


def command(*words):
    """What `sonde WORDS` prints."""
    done = subprocess.run([*SONDE, *words], capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


class Server:
    """`sonde up` on `data`. What it prints is kept in `lines`."""

    def __init__(self, data, *flags, port=0):
        self.data = Path(data)
        self.lines = []
        self.process = subprocess.Popen(
            [*SONDE, "up", "--data", str(data), "--port", str(port), *(flags or NO_SECOND_PORTS)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line)

    @property
    def output(self):
        return "".join(self.lines)

    def wait(self):
        """When /readyz has said 200."""
        eventually(lambda: "Sonde is ready" in self.output or self.process.poll() is not None, "a ready server")
        assert self.process.poll() is None, self.output
        assert self.readyz().status_code == 200
        return self

    @property
    def url(self):
        return re.search(r"Sonde is ready: (http://\S+)", self.output)[1]

    @property
    def otlp_url(self):
        return re.search(r"OTLP/HTTP at (http://\S+)", self.output)[1]

    @property
    def password(self):
        """As printed at the first start."""
        found = re.search(r"^admin password: (\S+)", self.output, re.MULTILINE)
        return found and found[1]

    def readyz(self):
        return httpx.get(f"{self.url}/readyz", timeout=DEADLINE_S)

    def child(self, module):
        """The process that runs `module`."""
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):  # it ended just now, or is a zombie
                if module in process.cmdline():
                    return process
        return None

    def token(self, scope):
        return command("token", "create", "--data", str(self.data), "--scope", scope).strip()

    def app(self, name):
        return json.loads(command("app", "create", name, "--data", str(self.data)))

    def client(self, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=self.url, headers=headers, timeout=DEADLINE_S)

    def stop(self, number=signal.SIGTERM):
        """The exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        finally:
            self._reader.join(DEADLINE_S)
            self.process.stdout.close()
        return self.process.returncode
