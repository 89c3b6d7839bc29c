"""`sonde doctor -- CMD …`: start a program as `sonde run` would, send requests to it, stop it, and say what was seen of
each of its processes, what was not, why, and how to mend it. Needs no server and no agent.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sonde.cli.checkup.command import ENDS_WITHIN_S, Command
from sonde.cli.checkup.findings import findings
from sonde.cli.checkup.outcome import INTERRUPTED, NOT_STARTED, Outcome
from sonde.cli.checkup.page import Page, document
from sonde.cli.checkup.receiver import Receiver
from sonde.cli.checkup.visits import Place, visit
from sonde.cli.run import BOOT, environment_with_probe
from sonde.settings import Settings

if TYPE_CHECKING:
    import argparse
    from types import FrameType

_STABLE_S = 0.5
_ARRIVES_WITHIN_S = 2.0
_ALL_ANSWER_WITHIN_S = 10.0
_AT_A_TIME = 2
_TAIL_LINES = 15


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Flags of the command."""
    parser.add_argument(
        "--request",
        metavar="PATH",
        action="append",
        help="Ask for this path instead of /. May be said several times; each worker may get any of them.",
    )
    parser.add_argument(
        "--requests",
        metavar="N",
        type=int,
        default=10,
        help="The least number of requests; more follow until each worker has answered. Default: 10.",
    )
    parser.add_argument("--url", metavar="URL", help="Where requests go. Default: every port the command listens at.")
    parser.add_argument(
        "--no-requests", action="store_true", help="Make none, as for a worker without HTTP: only wait, see --wait."
    )
    parser.add_argument(
        "--wait",
        metavar="S",
        type=float,
        help="The longest to wait for the command to listen, default 30; with --no-requests how long to watch it, "
        "default 10.",
    )
    parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")
    parser.add_argument(
        "--show-output", action="store_true", help="Let the command's output through, to standard error."
    )
    parser.add_argument("program", nargs="...", metavar="-- CMD …", help="The program and its arguments.")


def run(arguments: argparse.Namespace) -> int:
    """0: every process that served is seen; 1: something is missing; 2: the command could not be started."""
    program = arguments.program[1:] if arguments.program[:1] == ["--"] else arguments.program
    problem = _problem(arguments, program)
    if problem:
        print(f"sonde doctor: {problem}", file=sys.stderr)
        return NOT_STARTED
    before = signal.signal(signal.SIGTERM, _interrupt)
    folder = Path(tempfile.mkdtemp(prefix="sonde-doctor-"))
    try:
        outcome = Checkup(arguments, program, folder).outcome()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        signal.signal(signal.SIGTERM, before)
    if arguments.json:
        print(json.dumps(document(outcome), indent=2))
    else:
        colour = sys.stdout.isatty() and "NO_COLOR" not in Settings().environment()
        print(Page(shutil.get_terminal_size((100, 24)).columns, colour=colour).text(outcome))
    return outcome.code


def _problem(arguments: argparse.Namespace, program: list[str]) -> str:
    if not program:
        return "no program: sonde doctor [--request /path] -- gunicorn app:app"
    if not Path("/proc/self/stat").exists():
        return "it looks at processes by /proc, which is not here"
    if arguments.url and urlsplit(arguments.url).scheme not in {"http", "https"}:
        return f"--url: {arguments.url} is no http:// or https:// address"
    return ""


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


class Checkup:
    """One examination, from the start of the command to what is to be said of it."""

    def __init__(self, arguments: argparse.Namespace, program: list[str], folder: Path) -> None:
        self._arguments = arguments
        self._folder = folder
        self._reports = folder / "reports"
        self._output = folder / "output"
        self._outcome = Outcome(program)
        self._command: Command
        self._receiver: Receiver

    def outcome(self) -> Outcome:
        """Do it."""
        # Searchable, not listable: a server may give up root for its workers, which have to write here, too.
        self._folder.chmod(0o711)
        self._reports.mkdir()
        self._reports.chmod(0o733)
        outcome, path = self._outcome, self._folder / "agent.sock"
        values = Settings({"socket": str(path)})
        environment = environment_with_probe(values, str(path))
        environment |= {"SONDE_DOCTOR": str(self._reports), "SONDE_SAMPLING_RATE": "100"}
        self._command = Command(outcome.command, environment, None if self._arguments.show_output else self._output)
        with Receiver(path) as self._receiver:
            try:
                with self._command:
                    self._examine()
            except KeyboardInterrupt:
                outcome.code = INTERRUPTED
                outcome.notes.append("interrupted: what follows is as far as it went")
            except OSError as error:
                if hasattr(self._command, "processes"):
                    raise
                outcome.code = NOT_STARTED
                outcome.missing.append(f"{outcome.command[0]}: {error.strerror}")
                outcome.judge(wanted_requests=False)
                return outcome
            self._receiver.wait_for_the_end(_ARRIVES_WITHIN_S)
            self._conclude()
        return outcome

    # -- while it runs ------------------------------------------------------------------------------------------------
    def _examine(self) -> None:
        wait = self._arguments.wait
        if self._arguments.no_requests:
            self._command.watch(10.0 if wait is None else wait)
        else:
            until = time.monotonic() + (30.0 if wait is None else wait)
            while not self._places() and time.monotonic() < until and not self._command.ended:
                self._command.watch(0.1)
            self._ask_all(until)
        code = self._command.code
        if self._command.ended:
            served = any(made.status is not None for made in self._outcome.visits)
            if not served and (code or not self._arguments.no_requests):
                self._outcome.code = NOT_STARTED
                self._outcome.missing.append(f"the command ended with code {code} before it served anything")
            else:
                self._outcome.notes.append(f"the command ended by itself, with code {code}")

    def _places(self) -> dict[Place, set[int]]:
        """Where requests go, and the workers who are expected to answer there."""
        listeners = self._command.processes.listeners()
        if not self._arguments.url:
            processes = self._command.processes
            return {Place(each.host, each.port): processes.workers(each) for each in listeners}
        parts = urlsplit(self._arguments.url)
        tls = parts.scheme == "https"
        place = Place(parts.hostname or "127.0.0.1", parts.port or (443 if tls else 80), tls)
        mine = [each for each in listeners if each.port == place.port]
        return {place: {pid for each in mine for pid in self._command.processes.workers(each)}} if mine else {}

    def _ask_all(self, until: float) -> None:
        """Requests in rounds, until all workers of all places have answered and enough were made."""
        outcome, deaf = self._outcome, set()
        paths = cycle(self._arguments.request or [urlsplit(self._arguments.url or "").path or "/"])
        known: dict[Place, set[int]] = {}
        changed_at = time.monotonic()
        give_up = None
        while not self._command.ended:
            self._command.processes.look()
            places = {place: pids for place, pids in self._places().items() if place not in deaf}
            if places != known:
                known, changed_at = places, time.monotonic()
            answered = {made.pid for made in outcome.visits if made.status is not None}
            made_enough = len(outcome.visits) >= self._arguments.requests
            all_did = all(pids <= answered for pids in places.values())
            now = time.monotonic()
            if made_enough and (not places or (all_did and now - changed_at >= _STABLE_S)):
                break
            if give_up is not None and now > give_up:
                break
            if not places or (made_enough and all_did):
                if not places and now > until:
                    break
                self._command.watch(0.1)
                continue
            for place, pids in places.items():
                several = 1 if place.tls else max(_AT_A_TIME, min(len(pids), 64))
                visits = visit(self._command.processes, place, list(islice(paths, several)), until)
                outcome.visits += visits
                if not any(made.status is not None for made in visits) and not any(
                    made.place == place and made.status is not None for made in outcome.visits
                ):
                    deaf.add(place)
            if give_up is None and any(made.status is not None for made in outcome.visits):
                give_up = time.monotonic() + _ALL_ANSWER_WITHIN_S
        if not self._command.ended:
            self._silent(known)
            self._let_arrive()

    def _silent(self, known: dict[Place, set[int]]) -> None:
        answered = {made.pid for made in self._outcome.visits if made.status is not None}
        for place, pids in known.items():
            if silent := sorted(pids - answered):
                names = ", ".join(map(str, silent))
                self._outcome.notes.append(f"{place}: no request reached {names}, so nothing is known of it")

    def _let_arrive(self) -> None:
        """Before the command is stopped: some servers end without Python's own end, and so without our flush."""
        pids = {made.pid for made in self._outcome.visits if made.status is not None and made.pid is not None}
        reporting = {report["pid"] for report in self._read_reports()}
        until = time.monotonic() + _ARRIVES_WITHIN_S
        while time.monotonic() < until and not self._command.ended:
            if all(self._receiver.spans(pid)["server"] for pid in pids & reporting):
                break
            self._command.watch(0.05)
        self._command.watch(0.15)  # the rest of what a request did

    # -- afterwards ---------------------------------------------------------------------------------------------------
    def _read_reports(self) -> list[dict[str, Any]]:
        found = []
        for file in sorted(self._reports.glob("*.json")):
            try:
                found.append(json.loads(file.read_text()))
            except (OSError, ValueError) as error:
                self._outcome.notes.append(f"what {file.stem.partition('-')[0]} said cannot be read: {error}")
        return found

    def _conclude(self) -> None:
        outcome, command = self._outcome, self._command
        said = self._output.read_text(errors="replace") if self._output.exists() else ""
        pids = command.processes.all.keys() | self._receiver.pids()
        outcome.findings = findings(
            command.processes.all,
            self._read_reports(),
            {pid: self._receiver.spans(pid) for pid in pids},
            outcome.visits,
            root=command.pid,
            boot=str(BOOT),
            said=said,
        )
        wanted = not self._arguments.no_requests and outcome.code not in {NOT_STARTED, INTERRUPTED}
        outcome.judge(wanted_requests=wanted)
        if command.killed:
            outcome.notes.append(f"it did not end within {ENDS_WITHIN_S:.0f} s of SIGTERM, and was killed")
        nobody = wanted and not any(finding.requests for finding in outcome.findings)
        if (outcome.code == NOT_STARTED or nobody) and said.strip():
            tail = "\n".join(said.rstrip().splitlines()[-_TAIL_LINES:])
            print(f"The command's last words:\n{tail}\n", file=sys.stderr)
