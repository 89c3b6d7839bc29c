"""The processes of the host that use most: CPU time between two looks, and memory.

One log record a minute and not metrics: series by process id would grow with every process that ever ran, a record has
at most twice `most` rows however many there are.
"""

from __future__ import annotations

import json
import pwd
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import psutil

from sonde.agent.host_metrics import command_line

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.agent.receiving.probes import Probes

EVENT = "sonde.top_processes"
EVERY_S = 60.0
"""Between two looks."""


@dataclass(frozen=True, slots=True)
class _Use:
    """What one process uses. `cpu` is in cores, None at its first look."""

    process: psutil.Process
    started: float
    cpu: float | None
    rss_bytes: int


@dataclass(frozen=True, slots=True)
class Row:
    """One process, as it travels. `cpu_cores`: 1 is one core busy since the look before; None: it has begun since."""

    pid: int
    started_unix_s: float
    name: str
    command: str
    user: str
    cpu_cores: float | None
    memory_bytes: int
    threads: int
    service: str


class TopProcesses:
    """Looked at again and again. `seconds` is a clock that never goes back."""

    def __init__(self, probes: Probes, most: int, seconds: Callable[[], float], *, commands: bool) -> None:
        """`commands`: tell the command lines as well."""
        self._probes = probes
        self._most = most
        self._seconds = seconds
        self._commands = commands
        self._before: dict[tuple[int, float], float] = {}  # (pid, its start) -> CPU time
        self._looked_at: float | None = None

    def body(self) -> str | None:
        """The record's body, JSON: `seconds` since the look before, `processes` there are, `rows` by pid.

        None at the first look, which knows of no CPU time between two.
        """
        seconds, uses = self._look()
        if seconds is None:
            return None
        by_cpu = sorted((use for use in uses if use.cpu), key=lambda use: use.cpu or 0.0, reverse=True)
        by_memory = sorted(uses, key=lambda use: use.rss_bytes, reverse=True)
        chosen = {use.process.pid: use for use in (*by_cpu[: self._most], *by_memory[: self._most])}
        services = {pid: probe.service for pid, probe in self._probes.by_pid().items()}
        rows = [row for _, use in sorted(chosen.items()) if (row := self._row(use, services)) is not None]
        document = {"seconds": round(seconds, 1), "processes": len(uses), "rows": [*map(asdict, rows)]}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"))

    def _look(self) -> tuple[float | None, list[_Use]]:
        now, uses = self._seconds(), []
        seconds = None if self._looked_at is None else now - self._looked_at
        before, self._before = self._before, {}
        self._looked_at = now
        for process in psutil.process_iter():
            try:
                with process.oneshot():
                    times, rss_bytes, started = process.cpu_times(), process.memory_info().rss, process.create_time()
            except psutil.Error:  # gone meanwhile
                continue
            key, cpu_s = (process.pid, started), times.user + times.system
            self._before[key] = cpu_s
            cpu = max(cpu_s - before[key], 0.0) / seconds if seconds and key in before else None
            uses.append(_Use(process, started, cpu, rss_bytes))
        return seconds, uses

    def _row(self, use: _Use, services: dict[int, str]) -> Row | None:
        try:
            with use.process.oneshot():
                name = command_line.readable(use.process.name())
                threads, uid = use.process.num_threads(), use.process.uids().real
                command = command_line.shown(use.process.cmdline()) if self._commands else ""
        except psutil.Error:  # gone between the look and this
            return None
        cpu = None if use.cpu is None else round(use.cpu, 4)
        service = services.get(use.process.pid, "")
        return Row(use.process.pid, use.started, name, command, _user(uid), cpu, use.rss_bytes, threads, service)


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
