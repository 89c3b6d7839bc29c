"""What people do with Node.js processes: record, snapshot, report, configure, fetch. One per web process."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from sonde.server.api.failures import RefusedError
from sonde.server.intake.xtransit.commands import UPLOAD_WITHIN_S
from sonde.server.nodejs.errors import AgentAwayError, BadWishError, NodejsError, RefusedByAgentError
from sonde.server.nodejs.files import NewFile
from sonde.server.nodejs.processes import listed
from sonde.server.reports.nodejs import NodejsConfig, NodejsOs, NodejsProcessStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from datetime import datetime

    from sonde.server.api.workers import Workers
    from sonde.server.intake.xtransit.agents import Agents
    from sonde.server.intake.xtransit.commands import Commands
    from sonde.server.nodejs.files import File, Files
    from sonde.server.nodejs.records import Records
    from sonde.server.nodejs.storage import Storage
    from sonde.server.reports.nodejs import FileKind, FileState
    from sonde.server.spool.spool import Sample

log = logging.getLogger(__name__)

SETTLE_S = 3.0
"""A file exists as soon as it is begun: so long is waited before it is fetched."""
CHECK_AFTER, GIVE_UP_AFTER = timedelta(minutes=1), timedelta(minutes=5)
"""Counted from when a file ought to be there: when the agent is asked for it, and when nobody waits any longer."""
LOOK_EVERY_S = 15.0
_BEGIN: dict[FileKind, str] = {
    "cpuprofile": "start_cpu_profiling",
    "heapprofile": "start_heap_profiling",
    "gcprofile": "start_gc_profiling",
    "heapsnapshot": "heapdump",
    "diag": "diag_report",
    "core": "generate_coredump",
}
_STOP: dict[FileKind, str] = {
    "cpuprofile": "stop_cpu_profiling",
    "heapprofile": "stop_heap_profiling",
    "gcprofile": "stop_gc_profiling",
}
CHANGEABLE = (
    "enable_auto_incr_heap_limit",
    "enable_fatal_error_coredump",
    "enable_fatal_error_report",
    "enable_http_profiling",
    "enable_log_uv_handles",
    "log_level",
    "log_type",
)
"""What the addon lets be set while it runs."""


class Nodejs:
    """Used from one event loop; what blocks goes to `workers`."""

    def __init__(
        self,
        agents: Agents,
        commands: Commands,
        files: Files,
        records: Records,
        storage: Storage,
        workers: Workers,
        now: Callable[[], datetime],
        upload_url: Callable[[str], str],
    ) -> None:
        """`upload_url`: the base address for an agent that called us by this host."""
        self.agents = agents
        self.files = files
        self.records = records
        self.storage = storage
        self.workers = workers
        self.now = now
        self._commands = commands
        self._upload_url = upload_url
        self._tasks: set[asyncio.Task[None]] = set()

    async def prepare(self) -> None:
        """Take up what an earlier process has left."""
        await self.workers(lambda: self.storage.sweep(self.files.wanted()))
        for file in await self.workers(self.files.open_ones):
            if file.state == "transferring":  # who waited for the answer is gone, and its token with it
                await self._back(file, "the server was started anew meanwhile")

    async def run(self) -> None:
        """Look after files that were to come and did not. Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                for file in await self.workers(self.files.open_ones):
                    await self._look_after(file)
            except (DBAPIError, RefusedError) as error:
                log.warning("files of Node.js processes cannot be looked after now: %s", error)

    def close(self) -> None:
        """Leave what is under way."""
        for task in self._tasks:
            task.cancel()

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        yield from self.storage.samples()
        yield "sonde_nodejs_transfers_running", {}, len(self._tasks)

    # -- asking -------------------------------------------------------------------------------------------------------
    async def os(self, app: str, agent: str) -> NodejsOs:
        """Raises NodejsError."""
        said = await self._commands.run_json(app, agent, "get_os_info")
        names = ("nodeVersion", "xtransitVersion", "ulimit", "osInfo")
        node, version, limit, system = (str(said.get(name) or "") for name in names)
        return NodejsOs(node_version=node, agent_version=version, core_limit=limit, os=system)

    async def processes(self, app: str, agent: str) -> dict[int, str]:
        """Command lines of the Node.js processes that run now, by pid. Raises NodejsError."""
        found = listed(await self._commands.run(app, agent, "get_node_processes"))
        if known := self.agents.find(app, agent):
            known.commands = found
        return found

    async def status(self, app: str, agent: str, pid: int) -> NodejsProcessStatus:
        """Raises NodejsError."""
        said = await self._commands.run_json(app, agent, "check_process_status", str(pid))
        config = said.get("xprofilerConfig")
        return NodejsProcessStatus(
            pid=pid,
            node_version=str(said.get("nodeVersion") or ""),
            xprofiler_installed=said.get("installXprofiler") is True,
            xprofiler_enabled=said.get("enableXprofiler") is True,
            xprofiler_version=str(said.get("xprofilerVersion") or ""),
            xprofiler_log_dir=str(said.get("xprofilerLogdir") or ""),
            agent_log_dir=str(said.get("xtransitLogdir") or ""),
            config=config if isinstance(config, dict) else {},
        )

    async def config(self, app: str, agent: str, pid: int) -> NodejsConfig:
        """Raises NodejsError."""
        found = await self._control(app, agent, pid, "get_config", {})
        return NodejsConfig(pid=pid, config=found, changeable=list(CHANGEABLE))

    async def configure(self, app: str, agent: str, pid: int, changed: dict[str, Any], who: str) -> NodejsConfig:
        """Raises NodejsError."""
        if unknown := changed.keys() - set(CHANGEABLE):
            raise BadWishError(f"cannot be changed while it runs: {', '.join(sorted(unknown))}")
        await self._control(app, agent, pid, "set_config", changed)
        await self.workers(self.files.note_config, app, agent, pid, changed, who)
        return await self.config(app, agent, pid)

    # -- files --------------------------------------------------------------------------------------------------------
    async def begin(
        self, app: str, agent: str, pid: int, kind: FileKind, duration_s: float, who: str, *, fetch: bool
    ) -> File:
        """Have a file made. Raises NodejsError, TooManyFilesError."""
        timed = kind in _STOP
        options = {"profiling_time": int(duration_s * 1000)} if timed else {}
        said = await self._control(app, agent, pid, _BEGIN[kind], options)
        path, executable = said.get("filepath"), said.get("executable_path")
        if not isinstance(path, str) or not path:
            raise RefusedByAgentError(f"{_BEGIN[kind]} did not say where its file is")
        executable = executable if isinstance(executable, str) else ""
        new = NewFile(app, agent, pid, kind, path, executable, duration_s if timed else 0.0, fetch)
        return await self.workers(self.files.add, new, who)

    async def stop(self, app: str, agent: str, pid: int, kind: FileKind, who: str) -> File:
        """End a recording early: its file is there then. Raises NodejsError."""
        if kind not in _STOP:
            raise BadWishError(f"{kind} is made at once: there is nothing to stop")
        said = await self._control(app, agent, pid, _STOP[kind], {})
        path = said.get("filepath")
        file = await self.workers(self.files.creating, app, agent, path) if isinstance(path, str) else None
        if file is None:
            raise RefusedByAgentError("the recording was stopped, but it was not begun from here")
        await self.workers(self.files.stop_recording, file, who)
        return await self._found(file.id)

    async def fetch_core(self, app: str, agent: str, core_path: str, who: str) -> File:
        """Fetch a core file that an agent has told of. Raises NodejsError, TooManyFilesError."""
        cores = await self.workers(self.records.core_files, app, agent)
        core = next((it for it in cores if it.core_path == core_path), None)
        if core is None:
            raise BadWishError("the agent has told of no core file of that path")
        new = NewFile(app, agent, 0, "core", core_path, core.executable_path, 0.0, fetch=True, state="on_agent")
        return await self.transfer(await self.workers(self.files.add, new, who), who)

    async def transfer(self, file: File, who: str) -> File:
        """Begin to fetch a file. Raises NodejsError."""
        agent = self.agents.connected(file.app, file.agent)
        if agent is None or agent.link is None:
            raise AgentAwayError(f"the agent {file.agent} is not connected")
        if file.state not in {"on_agent", "stored"}:
            raise BadWishError(f"the file is {file.state.replace('_', ' ')}")
        base = self._upload_url(agent.link.upload_host)
        token = secrets.token_hex(16)
        words = ("upload_file", str(file.id), file.kind, _place(file), base, token)
        changes = {"token": token, "transfers": file.transfers + 1, "message": "", "fetch": False}
        if not await self.workers(lambda: self.files.move(file.id, file.state, "transferring", **changes)):
            raise BadWishError("somebody else has begun to fetch it")
        await self.workers(self.files.note_transfer, file, who)
        self._later(self._transfer(file, words))
        return await self._found(file.id)

    async def remove(self, file: File, who: str) -> None:
        """Row and stored file. Raises OSError."""
        await self.workers(self.files.remove, file, who)
        for part in file.parts:
            await self.workers(self.storage.remove, part)

    async def is_there(self, app: str, agent: str, path: str) -> None:
        """An agent says that a file exists now; it may say so again."""
        file = await self.workers(self.files.creating, app, agent, path)
        if file is None or (file.ends_at is not None and not file.stopped and self.now() < file.ends_at):
            return
        if await self.workers(lambda: self.files.move(file.id, "creating", "on_agent")) and file.fetch:
            self._later(self._fetch_soon(file.id))

    # -- inside -------------------------------------------------------------------------------------------------------
    async def _control(self, app: str, agent: str, pid: int, action: str, options: dict[str, Any]) -> dict[str, Any]:
        said = json.dumps(options, separators=(",", ":"))
        return await self._commands.run_json(app, agent, "xprofctl", str(pid), action, said)

    async def _transfer(self, file: File, words: tuple[str, ...]) -> None:
        try:
            said = await self._commands.run_json(file.app, file.agent, *words, within_s=UPLOAD_WITHIN_S)
        except NodejsError as error:
            await self._back(file, str(error))
            return
        now = await self.workers(self.files.find, file.id)
        if now is None:
            return
        storage = said.get("storage")
        if now.token or not isinstance(storage, str) or storage != "\0".join(part.storage for part in now.parts):
            await self._back(file, "the agent says that it has sent the file, but it did not come here")
        else:
            await self.workers(lambda: self.files.move(file.id, "transferring", "stored", message=""))

    async def _back(self, file: File, why: str) -> None:
        """A transfer has failed: the copy that was there is still there."""

        def work() -> None:
            now = self.files.find(file.id)
            after: FileState = "stored" if now is not None and now.parts else "on_agent"
            self.files.move(file.id, "transferring", after, token="", message=f"not fetched: {why}")

        await self.workers(work)

    async def _fetch_soon(self, file_id: int) -> None:
        await asyncio.sleep(SETTLE_S)
        file = await self.workers(self.files.find, file_id)
        if file is not None and file.state == "on_agent":
            try:
                await self.transfer(file, file.created_by)
            except NodejsError as error:
                message = f"not fetched: {error}"
                await self.workers(lambda: self.files.move(file_id, "on_agent", "on_agent", message=message))

    async def _look_after(self, file: File) -> None:
        if file.state == "transferring":
            return  # its task ends it, and tells why
        ends_at = file.created_at if file.stopped else file.ends_at or file.created_at
        if self.now() < ends_at + CHECK_AFTER:
            return
        with suppress(NodejsError):
            said = await self._commands.run_json(file.app, file.agent, "check_file_status", file.path)
            if said.get("exists") is True:
                await self.is_there(file.app, file.agent, file.path)
                return
        if self.now() >= ends_at + GIVE_UP_AFTER:
            message = "the agent has not made it"
            await self.workers(lambda: self.files.move(file.id, "creating", "failed", message=message))

    async def _found(self, file_id: int) -> File:
        file = await self.workers(self.files.find, file_id)
        if file is None:
            raise BadWishError("the file was deleted meanwhile")
        return file

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        async def carefully() -> None:
            try:
                await work
            except (DBAPIError, RefusedError) as error:
                log.warning("a file of a Node.js process cannot be looked after: %s", error)

        task = asyncio.create_task(carefully())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _place(file: File) -> str:
    """Where the file is, for the agent.

    It keeps the gzip that it made of a path and sends that again, even when the file has changed. So each time the same
    place is spelled otherwise.
    """
    folder, slash, name = file.path.rpartition("/")
    path = f"{folder}{slash}{'./' * file.transfers}{name}" if slash else file.path
    return f"{path}::{file.executable_path}" if file.kind == "core" else path
