"""`sonde debug [PID [TOOL]]`: the tools of the production debugger from a terminal, without any server.

Exit code 0: the result is shown (also that of a run that Ctrl-C has ended early); 1: there is none, and why is said;
2: it was called wrongly; 130: aborted by Ctrl-C.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import Any

from sonde.agent import AgentError
from sonde.cli import CommandError
from sonde.cli.debugging import agents, outside, tree
from sonde.cli.debugging.conversation import Conversation, Interrupts
from sonde.cli.debugging.files import Files
from sonde.cli.debugging.page import Page, plain
from sonde.cli.debugging.progress import Progress
from sonde.wire import profile
from sonde.wire.tools import MAX_SECONDS, seconds_of

CALLS_WITHIN_S = 20.0
"""A process that has lost its agent looks for another each two seconds; one that never had any, when it has something
to say, which may be each ten."""
KNOWN_WITHIN_S = 2.0
ABORTED = 130
MOST_AT_ONCE = 16


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.add_argument("pid", nargs="?", type=int, metavar="PID", help="The process. Without: list the processes.")
    parser.add_argument("tool", nargs="?", metavar="TOOL", help="The tool. Without: list what each can do there.")
    parser.add_argument("--seconds", type=_seconds, metavar="N", help="How long to run. Default: 10.")
    parser.add_argument(
        "--option",
        type=_option,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="An option of the tool; may be repeated.",
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="Where files go. Default: a new folder, here.")
    parser.add_argument("--json", action="store_true", help="Print the result as JSON.")
    parser.add_argument("--socket", metavar="PATH", help="The agent's socket, where the process does not tell.")


def run(arguments: argparse.Namespace) -> int:
    """List processes, list tools, or run one."""
    if not agents.PROC.joinpath("self", "stat").exists():
        raise CommandError("it looks at processes by /proc, which is not here")
    try:
        with Interrupts().counted() as interrupts:
            if arguments.pid is None:
                return _list(arguments, interrupts)
            return Debugging(arguments, interrupts).run()
    except AgentError as error:
        raise CommandError(str(error)) from None
    except FileNotFoundError as error:
        if error.errno is not None:  # a file of ours
            raise
        raise CommandError(f"process {error} has gone meanwhile") from None
    except PermissionError as error:
        raise CommandError(f"that is another user's: try as root ({error})") from None


def _list(arguments: argparse.Namespace, interrupts: Interrupts) -> int:
    """The processes of each agent that there is, and those that look for one."""
    places = {arguments.socket: []} if arguments.socket else agents.sockets()
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:  # an agent that does not answer holds up no other
        asked = pool.map(lambda place: _processes_at(place[0], place[1], interrupts), places.items())
        items = list(chain.from_iterable(asked))
    if arguments.json:
        print(json.dumps({"items": items}, indent=2))
    elif items:
        print(Page(_width()).processes(items))
    else:
        print("no process with a probe; start one with: sonde run -- CMD …", file=sys.stderr)
    return 0


def _processes_at(path: str, pids: list[int], interrupts: Interrupts) -> list[dict[str, Any]]:
    """What the agent there knows, and those of `pids` that it does not know."""
    heard: list[dict[str, Any]] = []
    note = f"{path}, has recorded nothing yet"
    try:
        connection = agents.connected(path)
        if connection is None:
            note = "none: sonde debug takes its place"
        else:
            with connection:
                heard = Conversation(connection, interrupts).processes()
    except PermissionError:
        return []
    except CommandError as error:
        note = f"{path}: {error}"
    unheard = sorted(set(pids) - {item.get("pid") for item in heard})
    return [
        *({**item, "agent": path} for item in heard),
        *({"pid": pid, "command": _command_of(pid), "agent": note} for pid in unheard),
    ]


def _command_of(pid: int) -> str:
    try:
        words = (agents.PROC / str(pid) / "cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return ""
    return shlex.join(words[:-1])[:80]


def _width() -> int:
    return shutil.get_terminal_size((100, 24)).columns


class Debugging:
    """One call of the command for one process."""

    def __init__(self, arguments: argparse.Namespace, interrupts: Interrupts) -> None:
        """Raises CommandError."""
        self._arguments = arguments
        self._pid: int = arguments.pid
        self._interrupts = interrupts
        self._progress = Progress()
        self._options = dict(arguments.option)
        try:
            environment = agents.environment_of(self._pid)
        except FileNotFoundError:
            raise CommandError(f"there is no process {self._pid}") from None
        if environment is None:
            raise CommandError(f"process {self._pid} is another user's: try as that user, or as root")

    def run(self) -> int:
        """By its agent, in its agent's place, or from outside."""
        tool = self._arguments.tool
        stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
        folder = self._arguments.out or Path(f"sonde-{tool}-{self._pid}-{stamp}")
        with ExitStack() as running:
            files = running.enter_context(Files(folder))
            running.callback(self._progress.over)
            conversation = self._conversation(running)
            if tool is None:
                event = conversation.tools(self._pid) if conversation else self._tools_from_outside()
            elif conversation:
                event = conversation.run(self._command(tool), self._progress.event, files)
            else:
                event = self._look_from_outside(tool, files)
            self._progress.over()
            return self._shown(event, files)

    def _command(self, tool: str) -> dict[str, Any]:
        command: dict[str, Any] = {"pid": self._pid, "tool": tool, "options": self._options}
        if self._arguments.seconds is not None:
            command["seconds"] = self._arguments.seconds
        return command

    # -- who is to be asked -------------------------------------------------------------------------------------------
    def _conversation(self, running: ExitStack) -> Conversation | None:
        """With the agent that has the process, else with ourselves in its place. None: nobody hears of the process."""
        path = self._arguments.socket or agents.socket_of(self._pid)
        connection = agents.connected(path)
        wait_s = KNOWN_WITHIN_S
        if connection is None:
            if not agents.has_probe(self._pid):
                return None
            if (
                user := agents.user_of(self._pid)
            ) != os.geteuid():  # who could not send to a socket of ours, or take it
                raise CommandError(f"no agent listens at {path}; to take its place: sudo -u '#{user}' sonde debug …")
            running.enter_context(agents.place_of_agent(path))
            connection = agents.connected(path)
            if connection is None:
                raise CommandError(f"nothing listens at {path}")
            wait_s = CALLS_WITHIN_S
        conversation = Conversation(running.enter_context(connection), self._interrupts)
        until = time.monotonic() + wait_s
        while all(item.get("pid") != self._pid for item in conversation.processes()):
            if time.monotonic() > until or self._interrupts.count:
                return None
            self._progress.say(f"process {self._pid} is waited for: it calls within some seconds")
            time.sleep(0.1)
        return conversation

    def _look_from_outside(self, tool: str, files: Files) -> dict[str, Any]:
        if tool not in outside.CAN or outside.py_spy() is None:
            raise CommandError(self._unheard(tool))
        seconds = self._arguments.seconds or 10.0
        return outside.look(self._pid, tool, seconds, files, self._progress, self._interrupts)

    def _tools_from_outside(self) -> dict[str, Any]:
        found = outside.py_spy() is not None
        why = "" if found else "py-spy is not installed"
        unlock = "" if found else "pip install 'sonde[debug]'"
        states = [{"name": name, "available": found, "why_not": why, "unlock": unlock} for name in outside.CAN]
        print(self._unheard("any other tool"), file=sys.stderr)
        return {"event": "tools", "tools": states}

    def _unheard(self, tool: str) -> str:
        if agents.has_probe(self._pid):
            return (
                f"process {self._pid} has a probe that is not heard of: it connects when it has recorded something, a "
                f"request for instance; --socket names its agent's socket, where that is another one. {self._spy(tool)}"
            )
        return (
            f"process {self._pid} has no probe, as far as one can see: start it with `sonde run -- CMD …` for {tool}. "
            f"{self._spy(tool)}"
        )

    @staticmethod
    def _spy(tool: str) -> str:
        if tool in outside.CAN and outside.py_spy() is None:
            return "Or look from outside: pip install 'sonde[debug]' brings py-spy."
        return f"From outside there is {' and '.join(outside.CAN)} only, by py-spy."

    # -- what is said in the end --------------------------------------------------------------------------------------
    def _shown(self, event: dict[str, Any], files: Files) -> int:
        if event["event"] == "failed":
            if self._arguments.json:
                print(json.dumps(event, indent=2))
            print(plain(f"sonde debug: {event.get('reason')}: {event.get('message')}"), file=sys.stderr)
            return ABORTED if self._interrupts.count else 1
        if event["event"] == "tools":
            states = [state for state in event.get("tools", []) if isinstance(state, dict)]
            print(json.dumps(states, indent=2) if self._arguments.json else Page(_width()).tools(states))
            return 0
        artifacts = [artifact for artifact in event.get("artifacts", []) if isinstance(artifact, dict)]
        paths = files.finished(artifacts)
        document = dict(event.get("document") or {})
        if self._arguments.json:
            print(json.dumps({"document": document, "files": [str(path) for path in paths]}, indent=2))
            return 0
        print(Page(_width()).result(document, paths))
        for path in paths:
            if path.name == "profile.json":
                _print_tree(path)
        return 0


def _print_tree(path: Path) -> None:
    try:
        found = profile.read(path.read_bytes())
    except (OSError, ValueError) as error:
        print(f"{path} cannot be shown: {error}", file=sys.stderr)
        return
    branches = list(tree.lines(found, _width()))
    if branches:
        print("", *branches, sep="\n")


def _option(said: str) -> tuple[str, str]:
    name, equals, value = said.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{said!r} is no NAME=VALUE")
    return name, value


def _seconds(said: str) -> float:
    try:
        seconds = seconds_of(float(said))
    except ValueError:
        seconds = None
    if not seconds:
        raise argparse.ArgumentTypeError(f"{said!r} is no number above 0, of at most {MAX_SECONDS:.0f}")
    return seconds
