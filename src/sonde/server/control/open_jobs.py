"""Jobs that have not ended: what is known of them beyond their row, and who waits for news."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sonde.server.control.jobs import Failure

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from sonde.server.api.workers import Workers
    from sonde.server.control.artifacts import Artifacts
    from sonde.server.control.jobs import Job, Jobs, State
    from sonde.wire.control import Artifact, Progress

SERVER = "server"
"""Who ended a job, where nobody else did."""
SILENT_FOR = timedelta(seconds=90)
"""Beyond its time a job may be silent that long: while its result is put together, or the agent is away."""
AT_MOST = timedelta(hours=1)
"""Beyond its time, whatever is heard of it: an upload has to end, too."""


@dataclass(eq=False, slots=True)
class OpenJob:
    """One of them. `due`: it has failed when nothing is heard until then."""

    job: Job
    due: datetime
    accepted: bool = False
    cancelled: bool = False
    cancel_how: str = ""
    seq: int = -1
    resent: int = 0
    progress: Progress | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    """Of this state; replaced by another at each change."""

    def heard_of(self, now: datetime) -> None:
        """It goes on."""
        last = self.job.created_at + timedelta(seconds=self.job.seconds) + AT_MOST
        self.due = max(self.due, min(now + SILENT_FOR, last))

    def tell(self) -> None:
        """Wake up who waits for news."""
        self.changed.set()
        self.changed = asyncio.Event()


class OpenJobs:
    """Used from one event loop."""

    def __init__(self, jobs: Jobs, artifacts: Artifacts, workers: Workers, now: Callable[[], datetime]) -> None:
        self._jobs = jobs
        self._artifacts = artifacts
        self._workers = workers
        self._now = now
        self._open: dict[str, OpenJob] = {}
        self.ended: dict[State, int] = {"done": 0, "failed": 0, "cancelled": 0}

    def __iter__(self) -> Iterator[OpenJob]:
        return iter(list(self._open.values()))

    def __len__(self) -> int:
        return len(self._open)

    def find(self, job_id: str) -> OpenJob | None:
        """That one, if it is open."""
        return self._open.get(job_id)

    def of_node(self, app: str, node: str) -> list[OpenJob]:
        """Those of a node."""
        return [it for it in self._open.values() if (it.job.app, it.job.node) == (app, node)]

    async def load(self) -> None:
        """Those that an earlier process has left; their agents have a moment to come back."""
        for job in await self._workers(self._jobs.open):
            due = max(job.deadline_at, self._now() + SILENT_FOR / 3)
            self._open[job.id] = OpenJob(job, due, accepted=job.state == "running")

    async def add(self, job: Job) -> OpenJob:
        """A new one. Its place counts before it is written down."""
        made = self._open[job.id] = OpenJob(job, job.deadline_at)
        try:
            await self._workers(self._jobs.add, job)
        except BaseException:
            del self._open[job.id]
            raise
        return made

    async def began(self, it: OpenJob) -> None:
        """Its tool runs."""
        if it.job.state == "waiting":
            it.job = await self._workers(self._jobs.began, it.job)
            it.tell()

    async def end(
        self,
        it: OpenJob,
        state: State,
        who: str,
        *,
        failure: Failure | None = None,
        document: dict[str, Any] | None = None,
        artifacts: Sequence[Artifact] = (),
        what: str = "",
    ) -> Job:
        """It is over. Goes on when the caller is cancelled: row, files and memory say the same in the end."""
        work = self._end(it, state, who, failure, document, artifacts, what)
        return await asyncio.shield(asyncio.ensure_future(work))

    async def fail(self, it: OpenJob, who: str, reason: str, message: str, *, what: str = "") -> Job:
        """It is over without a result: cancelled, if somebody wanted that. `what`: the audit's word for it."""
        state: State = "cancelled" if it.cancelled else "failed"
        return await self.end(it, state, who, failure=Failure(reason, message), what=what)

    async def _end(
        self,
        it: OpenJob,
        state: State,
        who: str,
        failure: Failure | None,
        document: dict[str, Any] | None,
        artifacts: Sequence[Artifact],
        what: str,
    ) -> Job:
        ended = await self._workers(
            self._jobs.end, it.job, state, who, failure=failure, document=document, artifacts=artifacts, what=what
        )
        if ended.state != "done":
            await self._workers(self._artifacts.remove, ended.id)
        if self._open.pop(ended.id, None):
            self.ended[ended.state] += 1
        it.job = replace(ended, body="")
        it.progress = None
        it.tell()
        return ended
