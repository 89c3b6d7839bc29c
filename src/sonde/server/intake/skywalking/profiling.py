"""Profile tasks of SkyWalking's agents as runs of the tool `cpu`: state, audit, deadline and result are any run's.

To the control plane this is an agent of ours, one for each host, whose processes are those with an agent of
SkyWalking's that asks for tasks. To theirs it is the collector: a task is the answer when the process asks next, each
20 s by default; snapshots come as streams of their own, and a last call says that the task's minutes are over.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from sonde.server.control.catalogue import CATALOGUE
from sonde.server.intake.skywalking import skywalking_pb2 as pb
from sonde.server.intake.skywalking.profile_options import (
    TOOL,
    BadOptionsError,
    ProfileOptions,
    profile_options,
    tool_states,
)
from sonde.server.intake.skywalking.snapshots import Snapshots
from sonde.wire.control import ASK, PROTOCOL, Piece, job_body, moment
from sonde.wire.profile import MEDIA_TYPE
from sonde.wire.tools import MAX_PIECE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from sonde.server.control.control import Control
    from sonde.server.control.link import Link
    from sonde.server.control.nodes import Agent
    from sonde.server.intake.skywalking.instances import Instance, InstanceKey
    from sonde.server.spool.spool import Sample
    from sonde.wire.control import AgentMessage, Artifact, Job, Process, ServerMessage

log = logging.getLogger(__name__)

GONE_AFTER_S = 180.0
"""A process that has neither asked nor said that it lives for so long."""
LOOK_EVERY_S = 1.0
LATE_S = 3.0
"""Snapshots may come so much after the call that says it is over."""
MOST_PROCESSES = 2000
FILE = "profile.json"
_OTHERS = tuple(tool.name for tool in CATALOGUE if tool.name != TOOL)
_PID_MAX = (1 << 31) - 1


@dataclass(eq=False, slots=True)
class _Task:
    """A run under way."""

    job: Job
    options: ProfileOptions
    snapshots: Snapshots
    created_ms: int
    expires_at: float
    seq: int = 0
    given_at: float = 0.0
    """When the agent was told, on the clock that never goes back; 0: not yet."""
    ends_at: float = math.inf
    started_at: datetime | None = None
    ending: bool = False

    def next_seq(self) -> int:
        self.seq += 1
        return self.seq


@dataclass(eq=False, slots=True)
class _Seat:
    """A process that asks for tasks."""

    key: InstanceKey
    host: str
    pid: int
    language: str
    heard_at: float
    since: datetime
    task: _Task | None = None

    def process(self) -> Process:
        """As the control plane shows it."""
        return {
            "pid": self.pid,
            "service": self.key.service,
            "instance": self.key.instance,
            "uid": 0,
            "language": self.language[:255],
            "command": "SkyWalking's agent",
            "probe_version": "",
            "native": False,
            "connected_at": moment(self.since),
            "tools": None,
        }


class _Host:
    """A host, as an agent of ours would stand for it; the control plane's link to it is this object."""

    def __init__(self, profiling: Profiling, app: str, host: str) -> None:
        self.profiling = profiling
        self.app = app
        self.name = host
        self.node = "skywalking-" + hashlib.sha256(f"{app}\0{host}".encode()).hexdigest()[:16]
        self.agent: Agent | None = None
        self.seats: dict[int, _Seat] = {}

    def say(self, message: ServerMessage) -> None:
        """What the control plane has to say."""
        self.profiling.begin(self.profiling.hear(self, message))

    def give_up(self, reason: str) -> None:
        """Only somebody who took our place could be a reason, and nobody has our instance."""
        log.warning("profile tasks of %s are given up: %s", self.name, reason)


@dataclass(slots=True)
class _Facts:
    seats: dict[InstanceKey, _Seat] = field(default_factory=dict)
    hosts: dict[tuple[str, str], _Host] = field(default_factory=dict)
    tasks: dict[str, _Seat] = field(default_factory=dict)
    """By id of the task, which is the job's."""


class Profiling:
    """Used from one event loop."""

    def __init__(
        self,
        control: Control,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._control = control
        self._now = now
        self._seconds = seconds
        self._facts = _Facts()
        self._working: set[asyncio.Task[None]] = set()
        self.snapshots = 0
        self.unwanted_snapshots = 0

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        yield "sonde_skywalking_profiled_processes", {}, len(self._facts.seats)
        yield "sonde_skywalking_profile_tasks_open", {}, len(self._facts.tasks)
        yield "sonde_skywalking_snapshots_total", {}, self.snapshots
        yield "sonde_skywalking_snapshots_unwanted_total", {}, self.unwanted_snapshots

    async def run(self) -> None:
        """Say how tasks go, end those whose time is over, forget who has gone. Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for seat in list(self._facts.tasks.values()):
                if seat.task is not None:
                    await self._look_at(seat, seat.task)
            self._forget()

    async def close(self) -> None:
        """Stop what is under way here. Tasks stay open in the control plane, and fail at their deadline."""
        for work in self._working:
            work.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    # -- from SkyWalking's agents -------------------------------------------------------------------------------------
    def heard_of(self, key: InstanceKey) -> None:
        """It lives."""
        if seat := self._facts.seats.get(key):
            seat.heard_at = self._seconds()

    async def told(self, key: InstanceKey, instance: Instance) -> None:
        """It has said what it is: perhaps now its host is known."""
        seat = self._facts.seats.get(key)
        if seat is not None and seat.task is None and seat.host != instance.properties.get("host.name", ""):
            self._leave(seat)
            await self._sit(key, instance)

    async def asked(self, key: InstanceKey, instance: Instance, last_command_ms: int) -> list[pb.Command]:
        """What it shall do. `last_command_ms`: when the last command that it has was made, −1 without one."""
        seat = self._facts.seats.get(key)
        if seat is None:
            if len(self._facts.seats) >= MOST_PROCESSES:
                return []
            seat = await self._sit(key, instance)
        seat.heard_at = self._seconds()
        task = seat.task
        if task is None or task.ending or (task.given_at and task.created_ms <= last_command_ms):
            return []
        if not task.given_at:
            task.created_ms = max(task.created_ms, last_command_ms + 1)
            task.given_at = self._seconds()
            task.started_at = self._now()
            task.ends_at = task.given_at + task.job["seconds"]
            await self._output(seat, task, {"event": "started", "tool": TOOL, "seconds": task.job["seconds"]})
        return [_command(task)]

    def snapshot(self, app: str, snapshot: pb.ThreadSnapshot) -> None:
        """One of the stacks that were asked for."""
        seat = self._facts.tasks.get(snapshot.taskId)
        if seat is None or seat.task is None or seat.key.app != app:
            self.unwanted_snapshots += 1
            return
        self.snapshots += 1
        seat.heard_at = self._seconds()
        seat.task.snapshots.add(snapshot)

    def finished(self, key: InstanceKey, task_id: str) -> None:
        """The task's minutes are over."""
        seat = self._facts.tasks.get(task_id)
        if seat is not None and seat.task is not None and seat.key == key:
            seat.task.ends_at = min(seat.task.ends_at, self._seconds())

    # -- from the control plane ---------------------------------------------------------------------------------------
    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it by itself: who asks does not wait for us."""
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("a profile task of SkyWalking's failed", exc_info=error)

    async def hear(self, host: _Host, message: ServerMessage) -> None:
        """A message of the control channel."""
        if message["type"] == "job":
            await self._job(host, job_body(message["body"]))
        elif message["type"] == "cancel":
            seat = self._facts.tasks.get(message["job"])
            if seat is None or seat.task is None:
                return
            if message["how"] == "stop":
                seat.task.ends_at = min(seat.task.ends_at, self._seconds() - LATE_S)
            else:
                await self._fail(seat, seat.task, "aborted", "cancelled")
        elif message["type"] == "settled":
            self._settled(message["job"])

    async def _job(self, host: _Host, job: Job) -> None:
        seat = host.seats.get(job["pid"])
        if seat is None:
            await self._refuse(host, job, "gone", f"process {job['pid']} has not been heard of for a while")
        elif job["tool"] == ASK:
            states = tool_states(_OTHERS, running=seat.task is not None)
            await self._say(
                host, {"type": "done", "job": job["id"], "seq": 1, "event": {"event": "tools", "tools": states}}
            )
        elif job["tool"] != TOOL:
            await self._refuse(host, job, "unavailable", f"SkyWalking's agent cannot run {job['tool']}, only {TOOL}")
        elif seat.task is not None:
            await self._refuse(host, job, "busy", "a profile task runs in this process; its agent takes one at a time")
        else:
            try:
                options = profile_options(job["seconds"], job["options"])
            except BadOptionsError as error:
                await self._refuse(host, job, "bad_options", str(error))
                return
            created_ms = round(self._now().timestamp() * 1000)
            expires_at = self._seconds() + (_time(job["expires_at"]) - self._now()).total_seconds()
            seat.task = _Task(job, options, Snapshots(options.period_ms), created_ms, expires_at)
            self._facts.tasks[job["id"]] = seat
            await self._say(host, {"type": "accepted", "job": job["id"]})

    async def _look_at(self, seat: _Seat, task: _Task) -> None:
        now = self._seconds()
        if task.ending:
            return
        if not task.given_at and now >= task.expires_at:
            await self._fail(
                seat, task, "expired", "the process's agent has not asked for tasks; it does each 20 s by default"
            )
        elif now - seat.heard_at > GONE_AFTER_S:
            await self._fail(seat, task, "gone", "the process has not been heard of for a while")
        elif now >= task.ends_at + LATE_S:
            await self._finish(seat, task)
        elif task.given_at:
            ran = min(now, task.ends_at) - task.given_at
            note = f"{task.snapshots.count:,} snapshots of {len(task.snapshots.segments):,} requests"
            await self._output(
                seat, task, {"event": "progress", "seconds": ran, "of": task.job["seconds"], "note": note}
            )

    async def _finish(self, seat: _Seat, task: _Task) -> None:
        task.ending = True
        host = self._host_of(seat)
        ran = min(self._seconds(), task.ends_at) - task.given_at if task.given_at else 0.0
        ran = max(ran, 0.0)
        content, summary = await asyncio.to_thread(task.snapshots.profile, TOOL, ran)
        if host.agent is None:
            raise RuntimeError("a task of a host that never joined")
        for offset in range(0, len(content), MAX_PIECE_BYTES):
            data = content[offset : offset + MAX_PIECE_BYTES]
            await self._control.piece(host.agent, Piece(task.job["id"], FILE, offset, len(content), data))
        artifact: Artifact = {
            "name": FILE,
            "media_type": MEDIA_TYPE,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        document = {
            "format": "sonde.result.v1",
            "tool": TOOL,
            "pid": seat.pid,
            "service": seat.key.service,
            "instance": seat.key.instance,
            "started_at": moment(task.started_at or self._now()),
            "seconds": round(ran, 3),
            "notes": list(task.snapshots.notes(task.options.endpoint)),
            "summary": summary,
        }
        event = {"event": "result", "document": document, "artifacts": [artifact]}
        await self._say(host, {"type": "done", "job": task.job["id"], "seq": task.next_seq(), "event": event})

    async def _fail(self, seat: _Seat, task: _Task, reason: str, message: str) -> None:
        task.ending = True
        event = {"event": "failed", "reason": reason, "message": message}
        done = {"type": "done", "job": task.job["id"], "seq": task.next_seq(), "event": event}
        await self._say(self._host_of(seat), done)

    def _settled(self, job_id: str) -> None:
        seat = self._facts.tasks.pop(job_id, None)
        if seat is not None:
            seat.task = None

    async def _output(self, seat: _Seat, task: _Task, event: dict[str, Any]) -> None:
        output = {"type": "output", "job": task.job["id"], "seq": task.next_seq(), "event": event}
        await self._say(self._host_of(seat), output)

    async def _refuse(self, host: _Host, job: Job, reason: str, message: str) -> None:
        await self._say(host, {"type": "refused", "job": job["id"], "reason": reason, "message": message})

    async def _say(self, host: _Host, message: dict[str, Any]) -> None:
        if host.agent is not None:
            await self._control.heard(host.agent, cast("AgentMessage", message))

    # -- who is there -------------------------------------------------------------------------------------------------
    def _host_of(self, seat: _Seat) -> _Host:
        return self._facts.hosts[seat.key.app, seat.host]

    async def _sit(self, key: InstanceKey, instance: Instance) -> _Seat:
        told = instance.properties
        name = told.get("host.name", "")
        host = self._facts.hosts.get((key.app, name))
        if host is None:
            host = self._facts.hosts[key.app, name] = _Host(self, key.app, name)
            host.agent = await self._control.joined(
                key.app,
                {
                    "type": "hello",
                    "protocol": PROTOCOL,
                    "node": host.node,
                    "host": name[:255],
                    "agent_version": "",
                    "instance": host.node,
                    "capabilities": [TOOL],
                    "jobs": [],
                },
                cast("Link", host),  # what is used of one are say and give_up
            )
        pid = _pid(told.get("process.pid", ""), key, host.seats)
        now = self._seconds()
        seat = _Seat(key, name, pid, told.get("telemetry.sdk.language", ""), now, self._now())
        self._facts.seats[key] = host.seats[pid] = seat
        await self._show(host)
        return seat

    def _leave(self, seat: _Seat) -> None:
        host = self._host_of(seat)
        del self._facts.seats[seat.key]
        del host.seats[seat.pid]
        if host.agent is None:
            return
        if host.seats:
            self.begin(self._show(host))
        else:
            self._control.left(host.agent, cast("Link", host))
            del self._facts.hosts[host.app, host.name]

    async def _show(self, host: _Host) -> None:
        await self._say(host, {"type": "processes", "items": [seat.process() for seat in host.seats.values()]})

    def _forget(self) -> None:
        too_old = self._seconds() - GONE_AFTER_S
        for seat in list(self._facts.seats.values()):
            if seat.heard_at < too_old and seat.task is None:
                self._leave(seat)


def _pid(said: str, key: InstanceKey, taken: dict[int, _Seat]) -> int:
    """The process's own; a number made of its name where that is not known, or another has it."""
    pid = int(said) if said.isascii() and said.isdecimal() and len(said) <= 10 else 0
    if not 1 <= pid <= _PID_MAX or pid in taken:
        digest = hashlib.sha256("\0".join(key).encode()).digest()
        pid = int.from_bytes(digest[:4], "big") % _PID_MAX + 1
        while pid in taken:
            pid = pid % _PID_MAX + 1
    return pid


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _command(task: _Task) -> pb.Command:
    """ProfileTaskQuery: its arguments are all texts. The start lies a day back, since an agent whose clock is behind
    ours would wait for it.
    """
    arguments = {
        "SerialNumber": task.job["id"],
        "TaskId": task.job["id"],
        "EndpointName": task.options.endpoint,
        "Duration": task.options.minutes,
        "MinDurationThreshold": task.options.min_duration_ms,
        "DumpPeriod": task.options.period_ms,
        "MaxSamplingCount": task.options.requests,
        "StartTime": task.created_ms - 86_400_000,
        "CreateTime": task.created_ms,
    }
    pairs = [pb.KeyStringValuePair(key=key, value=str(value)) for key, value in arguments.items()]
    return pb.Command(command="ProfileTaskQuery", args=pairs)
