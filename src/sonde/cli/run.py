"""`sonde run -- CMD …`: start a program with the probe inside, its children, forks and spawned workers too.

The program takes the place of this process: same pid, same signals, same exit code. What the probe needs travels in
the environment. Where no agent listens, one is started beside the program, and ends with it.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import sonde
from sonde import settings as rows
from sonde.cli import CommandError
from sonde.settings import Settings, default_agent_socket

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

AGENT_WAIT_S = 1.0
"""The longest a program's start is held up for an agent to listen."""

BOOT = Path(sonde.__file__).parent / "probe" / "boot"
"""The folder with the `sitecustomize` that starts the probe."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.add_argument("--server", metavar="URL", help=rows.SERVER_URL.doc + " Starts an agent of its own.")
    parser.add_argument("--token", metavar="TOKEN", help="App token to send under. Starts an agent of its own.")
    parser.add_argument("--service", metavar="NAME", help=rows.SERVICE.doc)
    parser.add_argument("--socket", metavar="PATH", help=rows.SOCKET.doc)
    parser.add_argument("--no-agent", action="store_true", help="Start no agent where none listens.")
    parser.add_argument("program", nargs="...", metavar="-- CMD …", help="The program and its arguments.")


def run(arguments: argparse.Namespace) -> int:
    """Become the program. Returns only where that fails: 127 not found, 126 not executable."""
    program = arguments.program[1:] if arguments.program[:1] == ["--"] else arguments.program
    if not program:
        raise CommandError("no program: sonde run [--service NAME] -- python app.py")
    values = Settings({"service": arguments.service, "socket": arguments.socket})
    path = _socket_path(arguments, values)
    environment = environment_with_probe(values, path)
    if not arguments.no_agent and not _listens(path):
        _start_agent(path, arguments.server, arguments.token)
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execvpe(program[0], program, environment)  # noqa: S606 - to become it is the purpose
    except FileNotFoundError:
        print(f"sonde run: {program[0]}: not found", file=sys.stderr)
        return 127
    except OSError as error:
        print(f"sonde run: {program[0]}: {error.strerror}", file=sys.stderr)
        return 126


def _socket_path(arguments: argparse.Namespace, values: Settings) -> str:
    """Where probe and agent meet: the host's place, or one of our own where this program's data goes its own way."""
    chosen = values[rows.SOCKET]
    if chosen:
        return chosen
    if (arguments.server or arguments.token) and not arguments.no_agent:
        # Not TMPDIR: a socket's path has room for some hundred letters.
        runtime = os.environ.get("XDG_RUNTIME_DIR")
        return str(Path(tempfile.mkdtemp(prefix="sonde-", dir=runtime or "/tmp")) / "agent.sock")  # noqa: S108 - made 0700
    return default_agent_socket()


def environment_with_probe(values: Settings, path: str) -> dict[str, str]:
    """The program's environment: ours, and what makes Python start the probe."""
    environment = dict(os.environ)
    paths = [str(BOOT), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    environment["SONDE_ENABLED"] = "1"
    environment["SONDE_SOCKET"] = path
    environment["SONDE_HOME"] = str(Path(sonde.__file__).parent.parent)
    if service := values[rows.SERVICE]:
        environment["SONDE_SERVICE"] = service
    return environment


def _listens(path: str) -> bool:
    with socket.socket(socket.AF_UNIX) as knock:
        knock.settimeout(AGENT_WAIT_S)
        try:
            knock.connect(path)
        except OSError:
            return False
    return True


def _start_agent(path: str, server: str | None, token: str | None) -> None:
    """Start an agent that ends with the program, and wait a moment for it to listen.

    Its absence never keeps the program from starting.
    """
    command = [sys.executable, "-m", "sonde", "agent", "--socket", path, "--exit-with", str(os.getpid())]
    command += ["--log-level", "warning"]  # it shares the program's terminal
    if server:
        command += ["--server", server]
    environment: Mapping[str, str] = os.environ
    if token:
        # Not a flag: command lines are shown to everybody on the host.
        environment = {**os.environ, "SONDE_AGENT_TOKEN": token}
    try:
        # A session of its own: Ctrl-C is meant for the program, whose last spans the agent still has to send.
        agent = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, start_new_session=True
        )
    except OSError as error:
        print(f"sonde run: no agent: {error}", file=sys.stderr)
        return
    deadline = time.monotonic() + AGENT_WAIT_S
    while time.monotonic() < deadline:
        if _listens(path):
            return
        if agent.poll() is not None:
            print(f"sonde run: the agent ended with code {agent.returncode}; nothing is recorded", file=sys.stderr)
            return
        time.sleep(0.01)
    print("sonde run: the agent does not listen yet; the program starts without waiting longer", file=sys.stderr)
