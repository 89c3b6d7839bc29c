"""Runs tools in this process: takes commands, gives each run a thread and a connection, and ends what has to end.

Imported at the first command. Threads are the interpreter's plainest: they are in no list of the `threading` module,
hold up no exit, take no signal, and no framework puts its own in their place.
"""

from __future__ import annotations

import atexit
import os
import signal
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.log_records import log_records
from sonde.probe.service import identity
from sonde.probe.tools import handover
from sonde.probe.tools.governor import Governor
from sonde.probe.tools.link import AgentGoneError, Link
from sonde.probe.tools.originals import original
from sonde.probe.tools.run import Run
from sonde.wire import tools

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.tools.manual import Profile

MAX_THREADS = 64
"""Of runs that were begun, also of those that are about to be refused."""
MAX_NAME = 200
EXIT_WAITS_S = 0.5
_LOOK_EVERY_S = 0.005


class Host:
    """The one of this process is `host`. `socket_path` says where the agent is, at each run anew."""

    def __init__(self, socket_path: Callable[[], str]) -> None:
        self._socket_path = socket_path
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._pid = os.getpid()
        self.governor = Governor()
        self._runs: dict[Run, Link | None] = {}
        """Those under way, each with its connection once it has one."""
        self.unheard = 0
        """Runs whose end nobody heard: the agent had gone."""
        self.refused = 0
        """Commands beyond MAX_THREADS."""
        self.turnstile = handover.Turnstile()

    def command(self, payload: bytes) -> None:
        """Of the agent's. Waits for nothing. Raises ToolFrameError, and RuntimeError where no thread can be had."""
        self._mind_the_fork()
        command = tools.document_of(payload, tools.MAX_COMMAND_BYTES)
        todo = command.get("do")
        if todo in {"stop", "abort"}:
            self._tell(command)
        elif todo not in {"start", "tools"}:
            raise tools.ToolFrameError("`do` is tools, start, stop or abort")
        elif len(self._runs) >= MAX_THREADS:
            self.refused += 1
        else:
            self._begin(Run(command, self.governor), self._over_a_link)

    def running(self) -> list[str]:
        """Ids of the runs under way."""
        return [run.id for run in list(self._runs)]

    def end(self, timeout_s: float) -> bool:
        """Abort what runs, and wait for it to be off. False: something was not by then."""
        for run, link in list(self._runs.items()):
            run.tell("abort", "the probe was stopped, or the process ended")
            if link is not None:
                link.in_a_hurry = True
        until = monotonic() + timeout_s
        sleep = original("time", "sleep")
        while self._runs and monotonic() < until:
            sleep(_LOOK_EVERY_S)
        return not self._runs

    def after_fork(self) -> None:
        """In a child: all of it is the parent's. The child's copies of connections go, or the agent would not hear when
        the parent has gone.
        """
        runs = list(self._runs.items())
        self._begin_anew()
        for run, link in runs:
            if link is not None:
                link.drop()
            try:
                run.after_fork()
            except Exception:
                fault("tools.after_fork")

    def _mind_the_fork(self) -> None:
        if self._pid != os.getpid():  # one that Python was not told of, as uWSGI's are
            self.after_fork()

    def _tell(self, command: dict[str, Any]) -> None:
        for run in list(self._runs):
            if run.id == command["id"]:
                run.tell(str(command["do"]))

    def begin(self, command: dict[str, Any], listener: Profile) -> Run:
        """A run for the program itself, which hears of it alone. Raises RuntimeError where no thread can be had."""
        self._mind_the_fork()
        run = Run(command, self.governor)
        self._begin(run, partial(self._heard_by, listener))
        return run

    def _begin(self, run: Run, work: Callable[[Run], None]) -> None:
        self._runs[run] = None
        try:
            original("_thread", "start_new_thread")(self._live, (run, work))
        except BaseException:
            self._runs.pop(run, None)
            raise

    def _live(self, run: Run, work: Callable[[Run], None]) -> None:
        """The thread of a run."""
        try:
            # The application's signals are for the application's threads.
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            work(run)
        except AgentGoneError:
            self.unheard += 1
        except Exception:
            self.unheard += 1
            fault("tools.host")
        finally:
            self._runs.pop(run, None)

    def _heard_by(self, listener: Profile, run: Run) -> None:
        try:
            run.work(listener)
        finally:
            listener.ended()
            _tell_the_timeline(run, {"sonde.tool.name": listener.name[:MAX_NAME]})
        if listener.result is not None and self.turnstile.enter(run):
            try:
                self._hand_over(listener, run)
            finally:
                self.turnstile.leave(run)

    def _hand_over(self, listener: Profile, run: Run) -> None:
        result, files = listener.result, dict(listener.files)
        if result is None:
            return
        link = self._link(handover.heard)
        self._runs[run] = link
        try:
            handover.hand_over(link, listener.name[:MAX_NAME], listener.options, result, files)
        finally:
            link.close()

    def _link(self, heard: Callable[[dict[str, Any]], None]) -> Link:
        return Link(self._socket_path(), identity.hello() or {"pid": os.getpid()}, heard)

    def _over_a_link(self, run: Run) -> None:
        link = self._link(self._tell)
        self._runs[run] = link
        try:
            run.work(link)
        finally:
            link.close()
            _tell_the_timeline(run, {})


def _tell_the_timeline(run: Run, more: dict[str, str]) -> None:
    """That it ran, from when to when, and how it ended."""
    if run.began_ns:
        facts = {"sonde.tool": run.tool_name, "sonde.tool.run": run.id, "sonde.tool.outcome": run.outcome}
        text = f"{run.tool_name}: {run.outcome}"
        log_records.event("sonde.tool", run.began_ns, text, facts | more, duration_ns=run.lasted_ns)


host = Host(core.agent_path)


def command(payload: bytes) -> None:
    """A COMMAND has come. Never waits, never raises."""
    try:
        host.command(payload)
    except Exception:
        fault("tools.command")


def end(timeout_s: float = EXIT_WAITS_S) -> None:
    """No run survives the probe, or the interpreter."""
    host.end(timeout_s)


os.register_at_fork(after_in_child=host.after_fork)
atexit.register(end)
