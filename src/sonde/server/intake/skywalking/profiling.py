"""Profile tasks of SkyWalking's agents as runs of the tool `cpu`: state, audit, deadline and result are any run's.

To the control plane this is an agent of ours, one for each host, whose processes are those with an agent of
SkyWalking's that asks for tasks. To theirs it is the collector: a task is the answer when the process asks next, each
20 s by default; snapshots come as streams of their own, and a last call says that the task's minutes are over.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.exc import DBAPIError

from sonde.server.api.failures import RefusedError
from sonde.server.control.catalogue import CATALOGUE
from sonde.server.intake.skywalking.profile_options import TOOL, BadOptionsError, profile_options, tool_states
from sonde.server.intake.skywalking.profile_seats import Host, Seat, Seats
from sonde.server.intake.skywalking.profile_tasks import Task
from sonde.server.intake.skywalking.snapshots import Snapshots
from sonde.wire.control import ASK, Piece, job_body, parsed_moment
from sonde.wire.profile import MEDIA_TYPE
from sonde.wire.tools import MAX_PIECE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    from sonde.server.control.control import Control
    from sonde.server.control.link import Link
    from sonde.server.intake.skywalking import skywalking_pb2 as pb
    from sonde.server.intake.skywalking.instances import Instance, InstanceKey
    from sonde.server.spool.spool import Sample
    from sonde.wire.control import AgentMessage, Artifact, Job, ServerMessage

log = logging.getLogger(__name__)

GONE_AFTER_S = 180.0
"""A process that has neither asked nor said that it lives for so long."""
LOOK_EVERY_S = 1.0
LATE_S = 3.0
"""Snapshots may come so much after the call that says it is over."""
FILE = "profile.json"
_OTHERS = tuple(tool.name for tool in CATALOGUE if tool.name != TOOL)
_AWAY = (DBAPIError, RefusedError, OSError)
"""The metadata database or the disk of artifacts does not do what it should: later, perhaps."""


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
        self._seats = Seats(lambda host, message: self._begin(self._hear(host, message)))
        self._tasks: dict[str, Seat] = {}  # by id of the task, which is the job's
        self._working: set[asyncio.Task[None]] = set()
        self.snapshots = 0
        self.unwanted_snapshots = 0

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        yield "sonde_skywalking_profiled_processes", {}, len(self._seats)
        yield "sonde_skywalking_profile_tasks_open", {}, len(self._tasks)
        yield "sonde_skywalking_snapshots_total", {}, self.snapshots
        yield "sonde_skywalking_snapshots_unwanted_total", {}, self.unwanted_snapshots

    async def run(self) -> None:
        """Say how tasks go, end those whose time is over, forget who has gone. Until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            for seat in list(self._tasks.values()):
                task = seat.task
                if task is None or task.ending:
                    continue
                try:
                    await self._look_at(seat, task)
                except _AWAY as error:
                    task.ending = False
                    log.warning("the profile task %s cannot go on yet: %s", task.job["id"], error)
            self._forget()

    async def close(self) -> None:
        """Stop what is under way here. Tasks stay open in the control plane, and fail at their deadline."""
        for work in self._working:
            work.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)

    # -- from SkyWalking's agents -------------------------------------------------------------------------------------
    def heard_of(self, key: InstanceKey) -> None:
        """It lives."""
        if seat := self._seats.find(key):
            seat.heard_at = self._seconds()

    async def told(self, key: InstanceKey, instance: Instance) -> None:
        """It has said what it is: perhaps now its host is known."""
        seat = self._seats.find(key)
        if seat is not None and seat.task is None and seat.host.name != instance.properties.get("host.name", ""):
            self._leave(seat)
            await self._sit(key, instance)

    async def asked(self, key: InstanceKey, instance: Instance, last_command_ms: int) -> list[pb.Command]:
        """What it shall do. `last_command_ms`: when the last command that it has was made, −1 without one."""
        seat = self._seats.find(key)
        if seat is None:
            if not self._seats.has_room():
                return []
            seat = await self._sit(key, instance)
        seat.heard_at = self._seconds()
        task = seat.task
        if task is None or not task.is_news_to(last_command_ms):
            return []
        if not task.given_at:
            task.began(last_command_ms, self._seconds(), self._now())
            event = {"event": "started", "tool": TOOL, "seconds": task.job["seconds"]}
            self._begin(self._output(seat, task, event))
        return [task.command()]

    def snapshot(self, app: str, snapshot: pb.ThreadSnapshot) -> None:
        """One of the stacks that were asked for."""
        seat = self._tasks.get(snapshot.taskId)
        if seat is None or seat.task is None or seat.key.app != app:
            self.unwanted_snapshots += 1
            return
        self.snapshots += 1
        seat.heard_at = self._seconds()
        seat.task.snapshots.add(snapshot)

    def finished(self, key: InstanceKey, task_id: str) -> None:
        """The task's minutes are over."""
        seat = self._tasks.get(task_id)
        if seat is not None and seat.task is not None and seat.key == key:
            seat.task.ends_at = min(seat.task.ends_at, self._seconds())

    # -- from the control plane ---------------------------------------------------------------------------------------
    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Do it by itself: who asks does not wait for us."""
        task = asyncio.ensure_future(work)
        self._working.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            known = isinstance(error, _AWAY)
            log.error("what was to be said of a profile task is lost: %s", error, exc_info=None if known else error)

    async def _hear(self, host: Host, message: ServerMessage) -> None:
        """A message of the control channel."""
        if message["type"] == "job":
            await self._job(host, job_body(message["body"]))
        elif message["type"] == "settled":
            if seat := self._tasks.pop(message["job"], None):
                seat.task = None
        elif message["type"] == "cancel":
            seat = self._tasks.get(message["job"])
            if seat is None or seat.task is None:
                return
            if message["how"] == "stop":
                seat.task.ends_at = min(seat.task.ends_at, self._seconds() - LATE_S)
            else:
                await self._fail(seat, seat.task, "aborted", "cancelled")

    async def _job(self, host: Host, job: Job) -> None:
        seat = host.seats.get(job["pid"])
        if seat is None:
            await self._refuse(host, job, "gone", f"process {job['pid']} has not been heard of for a while")
        elif job["tool"] == ASK:
            event = {"event": "tools", "tools": tool_states(_OTHERS, running=seat.task is not None)}
            await self._say(host, {"type": "done", "job": job["id"], "seq": 1, "event": event})
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
            now = self._now()
            expires_at = self._seconds() + (parsed_moment(job["expires_at"]) - now).total_seconds()
            created_ms = round(now.timestamp() * 1000)
            seat.task = Task(job, options, Snapshots(options.period_ms), created_ms, expires_at)
            self._tasks[job["id"]] = seat
            await self._say(host, {"type": "accepted", "job": job["id"]})

    # -- what is said of a task ---------------------------------------------------------------------------------------
    async def _look_at(self, seat: Seat, task: Task) -> None:
        now = self._seconds()
        if not task.given_at and now >= task.expires_at:
            why = "the process's agent has not asked for tasks, which it does each 20 s by default"
            await self._fail(seat, task, "expired", why)
        elif now - seat.heard_at > GONE_AFTER_S:
            await self._fail(seat, task, "gone", "the process has not been heard of for a while")
        elif now >= task.ends_at + LATE_S:
            await self._finish(seat, task)
        elif task.given_at:
            note = f"{task.snapshots.count:,} snapshots of {len(task.snapshots.segments):,} requests"
            progress = {"seconds": task.ran_s(now), "of": task.job["seconds"], "note": note}
            await self._output(seat, task, {"event": "progress", **progress})

    async def _finish(self, seat: Seat, task: Task) -> None:
        if seat.host.agent is None:
            raise RuntimeError("a task of a host that never joined")
        task.ending = True
        ran_s = task.ran_s(self._seconds())
        content, summary = await asyncio.to_thread(task.snapshots.profile, TOOL, ran_s)
        for offset in range(0, len(content), MAX_PIECE_BYTES):
            data = content[offset : offset + MAX_PIECE_BYTES]
            await self._control.piece(seat.host.agent, Piece(task.job["id"], FILE, offset, len(content), data))
        artifact: Artifact = {
            "name": FILE,
            "media_type": MEDIA_TYPE,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
        document = task.document(seat.key.service, summary, ran_s, self._now())
        await self._done(seat, task, {"event": "result", "document": document, "artifacts": [artifact]})

    async def _fail(self, seat: Seat, task: Task, reason: str, message: str) -> None:
        task.ending = True
        await self._done(seat, task, {"event": "failed", "reason": reason, "message": message})

    async def _done(self, seat: Seat, task: Task, event: dict[str, Any]) -> None:
        await self._say(seat.host, {"type": "done", "job": task.job["id"], "seq": task.next_seq(), "event": event})

    async def _output(self, seat: Seat, task: Task, event: dict[str, Any]) -> None:
        await self._say(seat.host, {"type": "output", "job": task.job["id"], "seq": task.next_seq(), "event": event})

    async def _refuse(self, host: Host, job: Job, reason: str, message: str) -> None:
        await self._say(host, {"type": "refused", "job": job["id"], "reason": reason, "message": message})

    async def _say(self, host: Host, message: dict[str, Any]) -> None:
        if host.agent is not None:
            await self._control.heard(host.agent, cast("AgentMessage", message))

    # -- who is there -------------------------------------------------------------------------------------------------
    async def _sit(self, key: InstanceKey, instance: Instance) -> Seat:
        seat = self._seats.sit(key, instance, self._seconds(), self._now())
        host = seat.host
        if len(host.seats) == 1:  # what the control plane uses of a link are its say and give_up
            host.agent = await self._control.joined(key.app, host.hello(), cast("Link", host))
        await self._show(host)
        return seat

    def _leave(self, seat: Seat) -> None:
        if not self._seats.leave(seat):
            self._begin(self._show(seat.host))
        elif seat.host.agent is not None:
            self._control.left(seat.host.agent, cast("Link", seat.host))

    async def _show(self, host: Host) -> None:
        await self._say(host, {"type": "processes", "items": host.processes()})

    def _forget(self) -> None:
        too_old = self._seconds() - GONE_AFTER_S
        for seat in self._seats:
            if seat.heard_at < too_old and seat.task is None:
                self._leave(seat)
