"""What agents report, each kind on its way: figures and errors as OTLP to the spool, packages and cores to tables."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from sonde.server.intake.xtransit import error_logs, process_metrics, system_metrics
from sonde.server.intake.xtransit.process_metrics import Reporter, figure
from sonde.server.nodejs.errors import NodejsError
from sonde.server.nodejs.processes import listed
from sonde.server.spool.entry import Signal
from sonde.server.spool.spool import SpoolRefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from sonde.server.accounts.apps import App
    from sonde.server.intake.xtransit.agents import Agent, Agents
    from sonde.server.intake.xtransit.commands import Commands
    from sonde.server.intake.xtransit.frame import Frame
    from sonde.server.nodejs.records import Records
    from sonde.server.spool.spool import Sample, Spool

log = logging.getLogger(__name__)

MOST_TASKS = 512
"""Questions and rows under way; more are left out and counted, and come again with the next report."""
LARGE_BYTES = 16 << 10
"""A larger report is translated in a thread."""
_THREADS = 2
Took = tuple[Signal, bytes, int, int]
"""Signal, request, its items, and entries left out."""


class Reports:
    """Used from one event loop."""

    def __init__(
        self,
        spool: Spool,
        agents: Agents,
        commands: Commands,
        records: Records,
        file_is_there: Callable[[str, str, str], Awaitable[None]],
    ) -> None:
        self._spool = spool
        self._agents = agents
        self._commands = commands
        self._records = records
        self._file_is_there = file_is_there
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="xtransit reports")
        self._tasks: set[asyncio.Task[None]] = set()
        self._asking: set[tuple[str, str]] = set()
        self.items: Counter[str] = Counter()
        self.left_out: Counter[tuple[str, str]] = Counter()

    async def take(self, frame: Frame, app: App, kind: str, data: dict[str, Any]) -> None:
        """One log."""
        if kind == "package":
            self._later(self._records.packages(app.id, frame.agent, data.get("pkgs")), kind)
        elif kind == "core_files":
            self._later(self._records.cores(app.id, frame.agent, data.get("list")), kind)
        elif kind in _TRANSLATORS:
            translate = _TRANSLATORS[kind]
            agent = self._agents.find(app.id, frame.agent)
            if len(frame.raw) > LARGE_BYTES:
                took = await asyncio.get_running_loop().run_in_executor(
                    self._threads, translate, frame, app, agent, data
                )
            else:
                took = translate(frame, app, agent, data)
            self._store(app, kind, took)
            if kind == "xprofiler_log" and agent is not None:
                self._note_processes(agent, data)
        else:
            self.left_out["log", "unknown_kind"] += 1

    async def file_is_there(self, app: str, agent: str, path: str) -> None:
        """An agent says that a file exists now. It is a hint, and may come twice."""
        self._later(self._file_is_there(app, agent, path), "action")

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        for kind, count in self.items.items():
            yield "sonde_xtransit_items_total", {"log": kind}, count
        for (kind, reason), count in self.left_out.items():
            yield "sonde_xtransit_left_out_total", {"log": kind, "reason": reason}, count

    def close(self) -> None:
        """Leave what is under way."""
        for task in self._tasks:
            task.cancel()
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _store(self, app: App, kind: str, took: Took) -> None:
        signal, body, items, bad = took
        if bad:
            self.left_out[kind, "bad_entry"] += bad
        if not items:
            return
        try:
            submission = self._spool.store(signal, app.id, body, items)
        except SpoolRefusedError as error:
            self.left_out[kind, error.reason] += items
            return
        submission.synced.add_done_callback(
            lambda done: log.warning("%s", done.exception()) if done.exception() else None
        )
        if not submission.duplicate:
            self.items[kind] += items

    def _note_processes(self, agent: Agent, data: dict[str, Any]) -> None:
        """Ask for the command lines of processes that are new."""
        logs = data.get("logs")
        entries = logs if isinstance(logs, list) else []
        pids = {pid for entry in entries if isinstance(entry, dict) and type(pid := entry.get("pid")) is int}
        if pids - agent.commands.keys() and agent.key not in self._asking and self._agents.is_there(agent):
            self._later(self._learn_commands(agent), "commands")

    async def _learn_commands(self, agent: Agent) -> None:
        self._asking.add(agent.key)
        try:
            agent.commands = listed(await self._commands.run(agent.app, agent.name, "get_node_processes"))
        except NodejsError as error:
            log.debug("an agent does not tell its processes: %s", error)
        finally:
            self._asking.discard(agent.key)

    def _later(self, work: Awaitable[None], kind: str) -> None:
        if len(self._tasks) >= MOST_TASKS:
            self.left_out[kind, "busy"] += 1
            if asyncio.iscoroutine(work):
                work.close()
            return

        async def carefully() -> None:
            try:
                await work
            except Exception:  # of a task of its own: nobody else would hear of it
                self.left_out[kind, "failed"] += 1
                log.exception("a report of an agent could not be kept")

        task = asyncio.create_task(carefully())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _at_ms(frame: Frame, data: dict[str, Any]) -> float:
    """When it was measured; agents before 1.2.1 say it only in a time without a zone."""
    said = figure(data.get("log_timestamp"))
    return said if said is not None else frame.timestamp_ms or 0.0


def _processes(frame: Frame, app: App, agent: Agent | None, data: dict[str, Any]) -> Took:
    logs = data.get("logs")
    entries = logs if isinstance(logs, list) else []
    found, bad = process_metrics.processes(entries[-process_metrics.MOST_ENTRIES :])
    at_ms, version = _at_ms(frame, data), data.get("xprofiler_version")
    before_ms, commands, sampled = (
        (agent.reported_at_ms, agent.commands, agent.sampled_at_ms) if agent else (0.0, {}, {})
    )
    if agent is not None:
        agent.reported_at_ms = max(agent.reported_at_ms, at_ms)
    reporter = Reporter(frame.agent, app.name, version if isinstance(version, str) else "", commands, sampled)
    metrics = process_metrics.translate(found, reporter, at_ms, before_ms)
    return Signal.METRICS, metrics.request.SerializeToString(), metrics.items, bad


def _system(frame: Frame, app: App, agent: Agent | None, data: dict[str, Any]) -> Took:  # noqa: ARG001 - one of three
    metrics = system_metrics.translate(frame.agent, data, _at_ms(frame, data))
    if agent is not None and isinstance(data.get("version"), str):
        agent.version = data["version"][:64]
    return Signal.METRICS, metrics.request.SerializeToString(), metrics.items, 0


def _errors(frame: Frame, app: App, agent: Agent | None, data: dict[str, Any]) -> Took:  # noqa: ARG001 - one of three
    request, items, bad = error_logs.translate(frame.agent, app.name, data)
    return Signal.LOGS, request.SerializeToString(), items, bad


_TRANSLATORS: dict[str, Callable[[Frame, App, Agent | None, dict[str, Any]], Took]] = {
    "xprofiler_log": _processes,
    "system_log": _system,
    "error_log": _errors,
}
