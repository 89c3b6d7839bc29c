"""The processes of this host that belong to the agent's app, as the server hears of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sonde.wire.control import moment

if TYPE_CHECKING:
    from sonde.agent.receiving.probes import Probe
    from sonde.agent.tools.runs import Runs
    from sonde.wire.control import Process, ToolState

MOST = 4000
NAME_CHARS, LINE_CHARS = 255, 1000
_STARTED = 19  # of the fields after the name in /proc/PID/stat; proc(5) has it as number 22


class SeenProcesses:
    """Used by one thread. A process that sends under another app's token is that app's, and not shown."""

    def __init__(self, runs: Runs, token: str) -> None:
        self._runs = runs
        self._mine = {"", token}
        self._tools: dict[tuple[int, str], list[ToolState]] = {}  # by pid and instance

    def find(self, pid: int) -> Probe | None:
        """That one, if it is connected and our app's."""
        return next((probe for probe in self._probes() if probe.pid == pid), None)

    def ours(self, said: Probe) -> Probe | None:
        """The process that says this of itself by a connection of its tools, if it is our app's. It need not have
        recorded anything; one that says nothing there has to be connected.
        """
        if said.instance:
            return said if said.token in self._mine else None
        return self.find(said.pid)

    def learned(self, pid: int, tools: list[ToolState]) -> None:
        """It has said what it can do."""
        if probe := self.find(pid):
            self._tools[pid, probe.instance] = tools

    def items(self) -> list[Process]:
        """All, by pid."""
        probes = sorted(self._probes(), key=lambda probe: probe.pid)[:MOST]
        here = {(probe.pid, probe.instance) for probe in probes}
        self._tools = {key: tools for key, tools in self._tools.items() if key in here}
        return [
            {
                "pid": probe.pid,
                "service": fitting(probe.service, NAME_CHARS),
                "instance": fitting(probe.instance, NAME_CHARS),
                "uid": probe.uid,
                "language": fitting(probe.language, NAME_CHARS),
                "command": fitting(probe.command, LINE_CHARS),
                "probe_version": fitting(probe.probe_version, NAME_CHARS),
                "native": bool(probe.native),
                "connected_at": moment(datetime.fromtimestamp(probe.connected_at, UTC)),
                "tools": self._tools.get((probe.pid, probe.instance)),
            }
            for probe in probes
        ]

    def _probes(self) -> list[Probe]:
        return [_identified(probe) for probe in self._runs.processes() if probe.token in self._mine]


def is_instance(probe: Probe, instance: str) -> bool:
    """Whether somebody means this process: by what it calls itself, or by what it was called before it said so."""
    return bool(instance) and instance in {probe.instance, _by_start(probe.pid)}


def _identified(probe: Probe) -> Probe:
    return probe if probe.instance else replace(probe, instance=_by_start(probe.pid))


def _by_start(pid: int) -> str:
    """What no later process of this pid is called: when it was started. Empty where that cannot be known."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:  # it has ended just now, or /proc is not there
        return ""
    return f"{pid}-{stat.rpartition(b')')[2].split()[_STARTED].decode()}"


def fitting(said: str, most: int) -> str:
    """What fits into a message: a process says what it likes."""
    return said.replace("\0", "").encode("utf-8", "replace").decode()[:most]
