"""The control plane of one web process: agents on one side, the API on the other, jobs between them."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy.exc import DBAPIError

from sonde.server.accounts.credentials import new_id
from sonde.server.api.failures import RefusedError
from sonde.server.control.errors import NoAnswerError, NotConnectedError, RefusedByNodeError, TooManyJobsError
from sonde.server.control.jobs import Job
from sonde.server.control.manual_runs import ManualRuns, job_of
from sonde.server.control.nodes import MAX_AGENTS, Nodes, described
from sonde.server.control.open_jobs import SERVER, SILENT_FOR, OpenJobs
from sonde.server.control.results import Results
from sonde.wire import control as wire
from sonde.wire.control import ASK, MessageError, encoded_job, moment

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from datetime import datetime

    from sonde.server.api.workers import Workers
    from sonde.server.control.artifacts import Artifacts
    from sonde.server.control.jobs import JobFilter, Jobs
    from sonde.server.control.link import Link
    from sonde.server.control.nodes import Agent
    from sonde.server.control.open_jobs import OpenJob
    from sonde.server.control.signing import Signer
    from sonde.server.spool.spool import Sample
    from sonde.wire.control import AgentMessage, Done, Hello, Manual, Piece, Progress, Refused, ToolState

log = logging.getLogger(__name__)

MOST_OPEN = 32
"""Jobs of one node that have not ended."""
MOST_ASKED = 256
MOST_COPIES = 4096
"""Jobs that are remembered for it: the audit says once that a copy was refused."""
START_WITHIN = timedelta(seconds=60)
"""An agent that gets a job later does not begin it. Clocks may differ by as much."""
TAKE_WITHIN = timedelta(seconds=15)
"""An agent that is there says sooner whether it takes a job."""
AWAY_FOR = timedelta(seconds=20)
"""An agent whose connection has ended tries five times within that; one that was killed has lost its jobs."""
ANSWER_WITHIN_S = 10.0
ABORT_WITHIN = timedelta(seconds=15)
LOOK_EVERY_S = 1.0
UPKEEP_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True)
class JobWish:
    """What somebody wants done."""

    app: str
    node: str
    pid: int
    tool: str
    seconds: float
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class View:
    """A job as of now."""

    job: Job
    progress: Progress | None


class Control:
    """Used from one event loop; what blocks goes to `workers`."""

    def __init__(
        self,
        jobs: Jobs,
        artifacts: Artifacts,
        signer: Signer,
        workers: Workers,
        *,
        now: Callable[[], datetime],
        keep: timedelta,
        heartbeat_s: float = wire.HEARTBEAT_S,
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        """`keep`: how long ended jobs are kept."""
        self.artifacts = artifacts
        self.heartbeat_s = heartbeat_s
        self._jobs = jobs
        self._signer = signer
        self._workers = workers
        self._now = now
        self._keep = keep
        self._nodes = Nodes(seconds)
        self._open = OpenJobs(jobs, artifacts, workers, now)
        self._asked: dict[str, tuple[str, asyncio.Future[list[ToolState]]]] = {}  # id -> app, answer
        self._added = asyncio.Event()
        self._closing = asyncio.Event()
        self._copies: dict[str, None] = {}  # jobs of which the audit says already that a copy was refused
        self._results = Results(self._open, artifacts, workers)
        self._manual_runs = ManualRuns(seconds)
        self.bad_messages = 0

    async def prepare(self) -> None:
        """Take up what an earlier process has left."""
        await self._open.load()

    def close(self) -> None:
        """Let those go who wait for news: nobody can be served while the process stops."""
        self._closing.set()

    async def run(self) -> None:
        """Fail what is overdue, forget what is old. Until cancelled."""
        upkeep_at = 0.0
        while True:
            await self._fail_overdue()
            if time.monotonic() >= upkeep_at:
                await self._forget()
                upkeep_at = time.monotonic() + UPKEEP_EVERY_S
            if len(self._open):
                await asyncio.sleep(LOOK_EVERY_S)
                continue
            self._added.clear()
            try:
                await asyncio.wait_for(self._added.wait(), upkeep_at - time.monotonic())
            except TimeoutError:
                continue

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        yield from self._nodes.samples()
        yield from self.artifacts.samples()
        yield "sonde_control_bad_messages_total", {}, self.bad_messages
        yield "sonde_jobs_manual_refused_total", {}, self._manual_runs.refused
        yield "sonde_jobs_open", {}, len(self._open)
        for state, count in self._open.ended.items():
            yield "sonde_jobs_ended_total", {"state": state}, count

    # -- for the channel ----------------------------------------------------------------------------------------------
    def has_room(self) -> bool:
        """Whether one more agent may connect."""
        return sum(agent.connected for agent in self._nodes.agents()) < MAX_AGENTS

    async def joined(self, app: str, hello: Hello, link: Link) -> Agent:
        """An agent is there, perhaps again: it is told what became of its jobs, and what it is to do."""
        agent, before = self._nodes.joined(app, hello, link)
        if before is not None:
            before.give_up("the agent has connected again")
        link.say(
            {
                "type": "welcome",
                "heartbeat_s": self.heartbeat_s,
                "public_key": self._signer.public_key,
                "time": moment(self._now()),
            }
        )
        known = set(hello["jobs"])
        for job_id in known:
            it = self._mine(agent, job_id)
            if it is None:
                link.say({"type": "settled", "job": job_id})
            else:
                self._resume(agent, it)
        for it in self._open.of_node(app, agent.node):
            # Nothing of ours is signed in a run that a program began: the agent says of it again by itself.
            if it.job.body and it.job.id not in known and it.job.agent == agent.instance:
                await self._missing(agent, it)
        return agent

    def left(self, agent: Agent, link: Link) -> None:
        """Its connection has ended."""
        if agent.link is link:
            for it in self._open.of_node(agent.app, agent.node):
                if it.job.agent == agent.instance:
                    it.due = min(it.due, self._now() + AWAY_FOR)
        self._nodes.left(agent, link)

    async def heard(self, agent: Agent, message: AgentMessage) -> None:
        """An agent has said something. Raises MessageError."""
        if message["type"] == "processes":
            agent.processes = {item["pid"]: item for item in message["items"]}
            await self._taken_over(agent)
        elif message["type"] == "accepted":
            if it := self._mine(agent, message["job"]):
                it.accepted = True
                it.heard_of(self._now())
                it.due = max(it.due, it.job.deadline_at)
        elif message["type"] == "refused":
            await self._refused(agent, message)
        elif message["type"] == "output":
            it = self._mine(agent, message["job"])
            if it is not None and message["seq"] > it.seq:
                it.seq, it.accepted = message["seq"], True
                it.heard_of(self._now())
                if message["event"]["event"] == "progress":
                    it.progress = message["event"]
                    it.tell()
                await self._open.began(it)
        elif message["type"] == "done":
            await self._done(agent, message)
        elif message["type"] == "manual":
            await self._manual(agent, message)
        elif message["type"] == "hello":
            raise MessageError("hello comes once")

    async def piece(self, agent: Agent, piece: Piece) -> None:
        """A part of an artifact has come."""
        it = self._mine(agent, piece.job)
        if it is None:
            agent.say({"type": "settled", "job": piece.job})
            return
        it.accepted = True
        it.heard_of(self._now())
        await self._results.piece(agent, it, piece)

    # -- for the API --------------------------------------------------------------------------------------------------
    def processes(self) -> list[dict[str, Any]]:
        """Every process that a connected agent sees, or one that left lately saw; by app, node and pid."""
        found = [described(agent, process) for agent in self._nodes.agents() for process in agent.processes.values()]
        return sorted(found, key=lambda item: (item["app"], item["node"], item["pid"]))

    async def ask(self, app: str, node: str, pid: int, who: str) -> None:
        """Have the process say what it can do: `processes` has it then.

        Raises NotConnectedError, NoAnswerError, RefusedByNodeError, TooManyJobsError.
        """
        agent = self._nodes.carrier(app, node, pid)
        if agent is None or not agent.connected:
            raise NotConnectedError(_not_connected(node))
        if len(self._asked) >= MOST_ASKED:
            raise TooManyJobsError("too many processes are being asked; come again")
        job = self._made(JobWish(app, node, pid, ASK, 0, {}), agent, who)
        answer: asyncio.Future[list[ToolState]] = asyncio.get_running_loop().create_future()
        self._asked[job.id] = app, answer
        try:
            self._give(agent, job)
            tools = await asyncio.wait_for(answer, ANSWER_WITHIN_S)
        except TimeoutError:
            raise NoAnswerError(f"process {pid} has not answered within {ANSWER_WITHIN_S:.0f} s") from None
        finally:
            del self._asked[job.id]
        if process := agent.processes.get(pid):
            process["tools"] = tools

    async def begin(self, wish: JobWish, who: str) -> Job:
        """Have it done. A job whose node is not connected has failed when it comes back. Raises TooManyJobsError."""
        if len(self._open.of_node(wish.app, wish.node)) >= MOST_OPEN:
            raise TooManyJobsError(f"{MOST_OPEN} jobs of this node are under way; wait for one to end, or cancel one")
        agent = self._nodes.carrier(wish.app, wish.node, wish.pid)
        it = await self._open.add(self._made(wish, agent, who))
        self._added.set()
        if agent is None or not agent.connected:
            return await self._open.fail(it, SERVER, "not_connected", _not_connected(wish.node))
        it.due = min(it.due, self._now() + TAKE_WITHIN)
        self._give(agent, it.job)
        return it.job

    async def find(self, job_id: str) -> View | None:
        """A job as of now."""
        if it := self._open.find(job_id):
            return View(it.job, it.progress)
        job = await self._workers(self._jobs.find, job_id)
        return View(job, None) if job else None

    async def search(self, wanted: JobFilter, limit: int, cursor: str | None) -> tuple[list[View], str | None]:
        """Newest first, without documents; and the cursor of what follows. Raises BadCursorError."""
        found, following = await self._workers(self._jobs.search, wanted, limit, cursor)
        views = []
        for job in found:
            it = self._open.find(job.id)
            views.append(View(it.job if it else job, it.progress if it else None))
        return views, following

    async def follow(self, job_id: str) -> AsyncIterator[View]:
        """A job at each change, from now until it has ended, or this process is to end."""
        it = self._open.find(job_id)
        if it is None:
            if view := await self.find(job_id):
                yield view
            return
        closing = asyncio.ensure_future(self._closing.wait())
        try:
            while True:
                changed = asyncio.ensure_future(it.changed.wait())
                yield View(it.job, it.progress)
                if not it.job.is_open or self._closing.is_set():
                    changed.cancel()
                    return
                await asyncio.wait({changed, closing}, return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
        finally:
            closing.cancel()

    async def cancel(self, job_id: str, how: str, who: str) -> View | None:
        """Have it end early, with its result (`stop`) or at once and without (`abort`). None: there is no such job."""
        it = self._open.find(job_id)
        if it is None:
            return await self.find(job_id)
        await self._workers(self._jobs.cancel_asked, it.job, who, how)
        if not it.job.is_open:  # meanwhile
            return View(it.job, None)
        it.cancel_how = how
        it.cancelled = it.cancelled or how == "abort"
        agent = self._nodes.connected(it.job.app, it.job.agent)
        if agent is not None:
            agent.say({"type": "cancel", "job": job_id, "how": cast("Any", how)})
            if how == "abort":
                it.due = min(it.due, self._now() + ABORT_WITHIN)
        elif how == "abort":
            message = "cancelled while its agent was away, which ends it when it is back"
            return View(await self._open.fail(it, who, "aborted", message), None)
        return View(it.job, it.progress)

    # -- inside -------------------------------------------------------------------------------------------------------
    def _made(self, wish: JobWish, agent: Agent | None, who: str) -> Job:
        process = agent.processes.get(wish.pid) if agent else None
        now, job_id = self._now(), new_id()
        instance = process["instance"] if process else ""
        body: wire.Job = {
            "id": job_id,
            "node": wish.node,
            "app": wish.app,
            "pid": wish.pid,
            "instance": instance,
            "tool": wish.tool,
            "options": wish.options,
            "seconds": wish.seconds,
            "by": who[:128],
            "issued_at": moment(now),
            "expires_at": moment(now + START_WITHIN),
            "nonce": secrets.token_hex(16),
        }
        return Job(
            id=job_id,
            app=wish.app,
            node=wish.node,
            host=agent.host if agent else "",
            agent=agent.instance if agent else "",
            pid=wish.pid,
            service=process["service"] if process else "",
            instance=instance,
            tool=wish.tool,
            options=wish.options,
            seconds=wish.seconds,
            created_by=who[:128],
            created_at=now,
            expires_at=now + START_WITHIN,
            deadline_at=now + timedelta(seconds=wish.seconds) + SILENT_FOR,
            body=encoded_job(body),
        )

    def _give(self, agent: Agent, job: Job) -> None:
        agent.say({"type": "job", "body": job.body, "signature": self._signer.sign(job.body)})

    def _mine(self, agent: Agent, job_id: str) -> OpenJob | None:
        """The open job, if it is that agent's: nobody can speak of another's."""
        it = self._open.find(job_id)
        return it if it and (it.job.app, it.job.agent) == (agent.app, agent.instance) else None

    def _resume(self, agent: Agent, it: OpenJob) -> None:
        """An agent that is back has this job under way."""
        it.accepted = True
        it.heard_of(self._now())
        it.due = max(it.due, it.job.deadline_at)
        if it.cancel_how:
            agent.say({"type": "cancel", "job": it.job.id, "how": cast("Any", it.cancel_how)})

    async def _taken_over(self, agent: Agent) -> None:
        """A process has one agent: what runs there for another one, which is gone, runs no more."""
        for it in self._open.of_node(agent.app, agent.node):
            before = it.job.agent
            if (
                it.job.pid in agent.processes
                and before != agent.instance
                and not self._nodes.connected(agent.app, before)
            ):
                message = (
                    f"the agent of {it.job.host or it.job.node} was started anew, and the job is lost with the old one"
                )
                await self._open.fail(it, SERVER, "lost", message)

    async def _missing(self, agent: Agent, it: OpenJob) -> None:
        """An agent that is back has it not: it never heard of it, or has lost it."""
        if it.accepted:
            await self._open.fail(it, SERVER, "gone", "the agent has lost the job")
        elif self._now() >= it.job.expires_at:
            await self._open.fail(it, SERVER, "expired", "the agent was away until the job had expired")
        else:
            it.due = max(it.due, self._now() + TAKE_WITHIN)
            self._give(agent, it.job)

    async def _refused(self, agent: Agent, message: Refused) -> None:
        if answer := self._asked_of(agent, message["job"]):
            answer.set_exception(RefusedByNodeError(message["reason"], message["message"]))
            return
        it = self._mine(agent, message["job"])
        who = f"agent:{agent.node}"
        if it is not None and not it.accepted:
            await self._open.fail(it, who, message["reason"], message["message"], what="job.refused")
        elif message["job"] not in self._copies:
            # Of one that runs or is over, or is another node's, somebody has sent a copy: the job stays what it is.
            if len(self._copies) >= MOST_COPIES:
                del self._copies[next(iter(self._copies))]
            self._copies[message["job"]] = None
            await self._workers(self._jobs.copy_refused, agent.app, message["job"], who, message["reason"])

    async def _manual(self, agent: Agent, message: Manual) -> None:
        """A program of that node has run a tool by itself: a job of the channel's app, whatever the agent says."""
        job_id = message["job"]
        if it := self._mine(agent, job_id):
            self._resume(agent, it)
            return
        job = job_of(agent, message, self._now())
        if self._open.find(job_id) is not None or await self._workers(self._jobs.find, job_id) is not None:
            agent.say({"type": "settled", "job": job_id})
            return
        if not self._manual_runs.take(agent, has_room=len(self._open.of_node(agent.app, agent.node)) < MOST_OPEN):
            agent.say({"type": "settled", "job": job_id})
            return
        it = await self._open.add(job)
        it.accepted = True
        self._added.set()

    async def _done(self, agent: Agent, message: Done) -> None:
        job_id, event = message["job"], message["event"]
        if answer := self._asked_of(agent, job_id):
            if event["event"] == "tools":
                answer.set_result(event["tools"])
            elif event["event"] == "failed":
                answer.set_exception(RefusedByNodeError(event["reason"], event["message"]))
        elif it := self._mine(agent, job_id):
            who = f"agent:{agent.node}"
            if event["event"] == "failed":
                await self._open.fail(it, who, event["reason"], event["message"])
            elif event["event"] == "tools":
                await self._open.fail(it, who, "error", "the process answered what nobody had asked")
            else:
                it.heard_of(self._now())
                if not await self._results.settle(agent, it, event):
                    return
        agent.say({"type": "settled", "job": job_id})

    def _asked_of(self, agent: Agent, job_id: str) -> asyncio.Future[list[ToolState]] | None:
        app, answer = self._asked.get(job_id, ("", None))
        return answer if answer is not None and app == agent.app and not answer.done() else None

    async def _fail_overdue(self) -> None:
        now = self._now()
        for it in [it for it in self._open if it.due <= now]:
            agent = self._nodes.connected(it.job.app, it.job.agent)
            if it.cancelled:
                reason, message = "aborted", "cancelled; the agent has not said that it is ended"
            elif agent is None:
                reason, message = "lost", f"the agent of {it.job.host or it.job.node} has gone, and has not come back"
            elif not it.accepted:
                reason, message = "no_answer", f"the agent of {it.job.host} has not taken the job"
            else:
                reason, message = "no_answer", "the agent has said nothing of the job until its deadline"
            try:
                await self._open.fail(it, SERVER, reason, message)
            except (DBAPIError, RefusedError, OSError) as error:
                log.warning("job %s cannot be ended yet: %s", it.job.id, error)
                continue
            if agent is not None:
                agent.say({"type": "settled", "job": it.job.id})

    async def _forget(self) -> None:
        """Retention: jobs that are too old go, and the files of jobs that are none any more."""
        try:
            while ids := await self._workers(self._jobs.forget, self._now() - self._keep):
                for job_id in ids:
                    await self._workers(self.artifacts.remove, job_id)
            await self._workers(self.artifacts.sweep, self._jobs.wanted)
        except (DBAPIError, RefusedError, OSError) as error:
            log.warning("old jobs cannot be removed: %s; again in an hour", error)


def _not_connected(node: str) -> str:
    return f"no agent of node {node} is connected; is `sonde agent` running there, with this app's token?"
