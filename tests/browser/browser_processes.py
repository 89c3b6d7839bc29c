"""A process of the user's under a probe, an agent beside it, and a policy: what a server needs to look into it."""

import os
import subprocess
import threading
import urllib.request
from pathlib import Path

from started.server import SONDE
from started.waiting import eventually

APP = Path(__file__).parent / "browser_app.py"
SERVICE = "pricing"
ALLOW_ALL = '[tools]\nallow = ["*"]\nmax_seconds = 300\nservices = ["*"]\n'
PAUSE_S = 0.02


class Host:
    """An agent of `server`'s. Its policy file is `folder`/policy.toml, and not there at first: it allows nothing."""

    def __init__(self, server, token, folder):
        self.folder = folder
        self.socket = folder / "agent.sock"
        self.policy = folder / "policy.toml"
        self._processes = []
        reached = ["--server", server.url, "--token", token, "--socket", str(self.socket)]
        self.start(
            [*SONDE, "agent", *reached, "--queue-dir", str(folder / "queue")], "agent", SONDE_POLICY=str(self.policy)
        )
        eventually(self.socket.exists, f"the agent's socket, see {folder / 'agent.log'}")

    def allow(self, policy=ALLOW_ALL):
        """From now on."""
        self.policy.write_text(policy)
        self.policy.chmod(0o600)

    def start(self, command, name, **environ):
        """Its output goes to `name`.log; that is ended with the host. The process."""
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, env={**os.environ, **environ}
            )
        self._processes.append(process)
        return process

    def stop(self):
        """The app ends with its input, the agent when it is told to."""
        for process in reversed(self._processes):
            process.stdin.close()
            process.terminate()
            process.wait(30)
            process.stdout.close()


class App:
    """browser_app.py under a probe, at work."""

    def __init__(self, host):
        self._process = host.start(
            [*SONDE, "run", "--socket", str(host.socket), "--service", SERVICE, "--", *_python(APP)], "app"
        )
        self.url = f"http://127.0.0.1:{int(self._process.stdout.readline())}/"
        self.asked = self.url
        self._ended = threading.Event()
        self._caller = threading.Thread(target=self._call, daemon=True)
        self._caller.start()

    def keep(self, size):
        """So many bytes of each request from now on."""
        self.asked = f"{self.url}?{size}"

    def stop(self):
        """Nobody calls it any more."""
        self._ended.set()
        self._caller.join(30)

    def _call(self):
        while not self._ended.wait(PAUSE_S):
            with urllib.request.urlopen(self.asked, timeout=30) as answer:
                answer.read()


def _python(script):
    return [SONDE[0], str(script)]
