"""The demo: a server, a node agent and the shop under load, until Ctrl-C. Started by `make demo`.

    python demo/run.py [--port 8600] [--folder .demo] [--rate 20]

Standard output is one line, `console: http://127.0.0.1:8600 user: admin password: … token: …`; the token reads the
API. What happens meanwhile is told on standard error. Everything is kept in the folder; remove it to start anew.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import services
from children import Children, DemoError, Stopped, say

SONDE = [sys.executable, "-m", "sonde"]
READY_WITHIN_S = 90.0
LOOK_EVERY_S = 0.1
TRIM_EVERY_S = 60.0
UNAUTHORIZED = 401


@dataclass(frozen=True)
class Login:
    """What opens the console and the API, and what the agent sends under."""

    user: str
    password: str
    app_token: str
    read_token: str


def main() -> int:
    """Exit code 0 when the user ended it, 1 when something else did."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=8600, help="of the console, default 8600")
    parser.add_argument("--folder", type=Path, default=Path(".demo"), help="what the demo keeps, default .demo")
    parser.add_argument("--rate", type=float, default=20, help="requests a second, default 20")
    arguments = parser.parse_args()
    folder = arguments.folder.absolute()
    logs = folder / "logs"
    logs.mkdir(mode=0o700, parents=True, exist_ok=True)
    children = Children(logs)
    try:
        with ExitStack() as running:
            _take(folder, arguments.port)
            sockets = Path(tempfile.mkdtemp(prefix="sonde-demo-", dir="/tmp"))  # a socket's path has to be short
            running.callback(shutil.rmtree, sockets, ignore_errors=True)
            running.callback(children.stop)
            demo(children, folder, sockets / "agent.sock", arguments.port, arguments.rate)
            while True:
                children.wait(TRIM_EVERY_S)
                children.trim_logs()
    except Stopped:
        return 0
    except DemoError as error:
        say(str(error))
        return 1


def demo(children: Children, folder: Path, agent_socket: Path, port: int, rate: float) -> None:
    """Start everything and print the line. From the second start on, nobody waits for the server but the load."""
    url = f"http://127.0.0.1:{port}"
    say("starting the server")
    children.start("server", [*SONDE, "up", "--data", str(folder / "data"), "--port", str(port)])
    login = _kept_login(folder)
    if login is None:
        _until_answers(children, f"{url}/readyz")
        login = _new_login(folder)

    say("starting the agent and the shop")
    agent = ["agent", "--server", url, "--socket", str(agent_socket), "--queue-dir", str(folder / "queue")]
    allowed = {"SONDE_POLICY": str(_policy(folder))}
    children.start("agent", [*SONDE, *agent], environment={"SONDE_AGENT_TOKEN": login.app_token, **allowed})
    subprocess.run(services.prepare_database(folder), cwd=services.HOME, check=True)
    shop = services.shop(folder)
    for service in shop:
        watched = [*SONDE, "run", "--socket", str(agent_socket), "--no-agent", "--service", service.name, "--"]
        children.start(service.name, [*watched, *service.command], cwd=services.HOME, environment=service.environment)
    for service in shop:
        _until_answers(children, f"{service.url}/healthz")
    _until_answers(children, f"{url}/readyz")
    if _status(f"{url}/api/v1/services", login.read_token) == UNAUTHORIZED:
        raise DemoError(f"the server does not know the token in {folder}/login.json; remove {folder} to start anew")
    load = [sys.executable, str(services.HOME / "load.py"), shop[-1].url, "--rate", str(rate)]
    children.start("load", load)
    print(f"console: {url} user: {login.user} password: {login.password} token: {login.read_token}", flush=True)


def _take(folder: Path, port: int) -> None:
    """The folder and the port have to be free; says so before anything is started."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # until this process ends
    except BlockingIOError:
        raise DemoError(f"a demo is running in {folder} already") from None
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError as error:
            raise DemoError(f"port {port} cannot be used ({error.strerror}); make demo PORT=… takes another") from None


def _policy(folder: Path) -> Path:
    """The file by which the host allows its server every tool of the debugger; what is in it already stays."""
    file = folder / "policy.toml"
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text('[tools]\nallow = ["*"]\n')
    return file


def _until_answers(children: Children, url: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while _status(url) != 200:
        if time.monotonic() > deadline:
            raise DemoError(f"{url} does not answer within {READY_WITHIN_S:.0f} s; the logs may say why")
        children.wait(LOOK_EVERY_S)


def _status(url: str, token: str = "") -> int:
    """Status of a GET; 0 where nobody answers."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - an address of ours
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - likewise
            return int(answer.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    except OSError:
        return 0


def _kept_login(folder: Path) -> Login | None:
    """That of the last start; None at the first."""
    kept = folder / "login.json"
    return Login(**json.loads(kept.read_text())) if kept.exists() else None


def _new_login(folder: Path) -> Login:
    """That of the admin the server has just made, with an app and a token of the demo's own."""
    first = json.loads((folder / "data" / "first-login.json").read_text())
    app = json.loads(_sonde(folder, "app", "create", "shop"))
    token = _sonde(folder, "token", "create", "--scope", "read").strip()
    login = Login(first["user"], first["password"], app["token"], token)
    kept = folder / "login.json"
    kept.touch(mode=0o600)
    kept.write_text(json.dumps(asdict(login)))
    return login


def _sonde(folder: Path, *words: str) -> str:
    """What a command prints."""
    done = subprocess.run([*SONDE, *words, "--data", str(folder / "data")], capture_output=True, text=True, check=False)
    if done.returncode:
        raise DemoError(f"sonde {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
