"""Jobs under way: from the server's message to the run of a tool, and from its end to the server's word that it has it.

A job stays until it is settled, whether the server is there or not. Pieces of artifacts go one by one: the next when
the server says up to where it has stored, so that a slow server slows down nobody but the job.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from sonde.agent.control.checks import RefusedError
from sonde.agent.control.seen_processes import fitting
from sonde.agent.control.spool import SpoolError
from sonde.wire import control as wire
from sonde.wire.control import ASK, MessageError, Piece
from sonde.wire.tools import LAST_EVENTS, MAX_PIECE_BYTES, failed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sonde.agent.control.checks import Checks
    from sonde.agent.control.policy import Policy
    from sonde.agent.control.spool import Spool
    from sonde.agent.counters import Counters
    from sonde.agent.receiving.probes import Probe
    from sonde.agent.tools.runs import Runs
    from sonde.wire.control import AgentMessage, Artifact, End, Job, Manual, Received, SignedJob, ToolState

    Listeners = tuple[Callable[[dict[str, Any]], None], Callable[[dict[str, Any], bytes], None]]

log = logging.getLogger(__name__)

MAX_JOBS = 64
MAX_MANUAL = 16
"""Results of runs that programs began themselves, which wait for the server."""


@dataclass(eq=False, slots=True)
class Work:
    """One job. `end` is what `done` says; then the files go, from `at` of the one that is numbered `number`."""

    id: str
    """Of the job, and of its run."""
    pid: int
    seq: int = 0
    end: End | None = None
    files: list[Artifact] = field(default_factory=list)
    number: int = 0
    at: int = 0
    sure: bool = False
    """The server has said that it has everything before `at`."""
    waiting: bool = False
    """For `received`."""
    said: bool = False
    """`done`, on this connection."""
    problem: tuple[str, str] | None = None
    """Why the files cannot be kept."""
    unasked: dict[str, Any] | None = None
    """What the process said of a run that its program began itself."""
    manual: Manual | None = None
    """The same as the server hears it, once it may."""


class Jobs:
    """Used by the channel's thread alone. `later` has a function called there, from any thread."""

    def __init__(
        self,
        checks: Checks,
        policy: Callable[[], Policy],
        runs: Runs,
        spool: Spool,
        counters: Counters,
        later: Callable[..., None],
        on_tools: Callable[[int, list[ToolState]], None],
        ours: Callable[[Probe], Probe | None],
    ) -> None:
        """`on_tools` hears what a process can do; `ours` finds the process that says so, of this app."""
        self._checks = checks
        self._policy = policy
        self._runs = runs
        self._spool = spool
        self._counters = counters
        self._later = later
        self._on_tools = on_tools
        self._ours = ours
        self._works: dict[str, Work] = {}
        self._send: Callable[[str | bytes], None] | None = None

    # -- the connection -----------------------------------------------------------------------------------------------
    def ids(self) -> list[str]:
        """Of the server's jobs that are not settled. Of the others it hears by `manual`, as often as it takes."""
        return [work.id for work in self._works.values() if work.unasked is None]

    def connected(self, send: Callable[[str | bytes], None]) -> None:
        """The server is there: it hears what it has not got."""
        self._send = send
        for work in list(self._works.values()):
            work.waiting = work.said = work.sure = False
            if work.manual is not None and work.end is not None:
                self._say(work.manual)
            self._go_on(work, ask=True)

    def disconnected(self) -> None:
        """It is not."""
        self._send = None

    def stopping(self) -> None:
        """The agent ends, and with it what the server has not got."""
        for work in self._works.values():
            if not work.said and work.unasked is None:
                event = cast("End", failed(work.id, "gone", "the agent was stopped before the server had the result"))
                self._say({"type": "done", "job": work.id, "seq": work.seq + 1, "event": event})

    # -- what the server says -----------------------------------------------------------------------------------------
    def job(self, message: SignedJob) -> None:
        """Somebody wants something done."""
        try:
            job = self._checks.passed(message["body"], message.get("signature", ""), room=MAX_JOBS - len(self.ids()))
        except RefusedError as error:
            self._counters.add("sonde.agent.jobs.refused", reason=error.reason)
            log.warning("a job is refused: %s", error)
            if error.job_id:
                refusal = str(error)[:2000]
                self._say({"type": "refused", "job": error.job_id, "reason": error.reason, "message": refusal})
            return
        self._works[job["id"]] = Work(job["id"], job["pid"])
        self._counters.add("sonde.agent.jobs.accepted", tool=job["tool"])
        log.info("job %s: %s in process %d, by %s", job["id"], job["tool"], job["pid"], job["by"])
        self._say({"type": "accepted", "job": job["id"]})
        self._runs.start(job["pid"], _command(job), *self.listeners(job["id"]), uid=os.geteuid())

    def listeners(self, job_id: str) -> Listeners:
        """What hears of the run's events and pieces, in any thread."""
        return (
            lambda event: self._later(self._event, job_id, event),
            lambda head, piece: self._later(self._chunk, job_id, head, piece),
        )

    def received(self, message: Received) -> None:
        """The server has stored a file up to there."""
        work = self._works.get(message["job"])
        if work is None or not (work.waiting or work.said):
            return
        numbers = [number for number, file in enumerate(work.files) if file["name"] == message["name"]]
        if not numbers:
            return
        work.waiting = work.said = False
        work.number, work.at, work.sure = numbers[0], message["offset"], True
        self._go_on(work)

    def settled(self, job_id: str) -> None:
        """The server wants nothing more of the job."""
        work = self._works.pop(job_id, None)
        if work is None:
            return
        if work.end is None:
            self._runs.abort(job_id)
        self._drop(job_id)

    def cancel(self, job_id: str, how: str) -> None:
        """It is to end early."""
        if job_id in self._works:
            (self._runs.stop if how == "stop" else self._runs.abort)(job_id)

    # -- what the run says --------------------------------------------------------------------------------------------
    def _event(self, job_id: str, event: dict[str, Any]) -> None:
        work = self._works.get(job_id)
        if work is None or work.end is not None:
            return
        work.seq += 1
        if event["event"] in LAST_EVENTS:
            self._over(work, event)
        else:
            self._output(work, event)

    def _output(self, work: Work, event: dict[str, Any]) -> None:
        text = json.dumps({"type": "output", "job": work.id, "seq": work.seq, "event": event})
        try:
            wire.agent_message(text)
        except MessageError as error:
            self._counters.add("sonde.agent.jobs.bad_events")
            log.warning("process %d says of its tool what cannot be understood: %s", work.pid, error)
        else:
            self._put(text)

    def _chunk(self, job_id: str, head: dict[str, Any], piece: bytes) -> None:
        work = self._works.get(job_id)
        if work is not None and work.end is None and work.problem is None:
            try:
                self._spool.append(job_id, head["name"], head["offset"], piece)
            except SpoolError as error:
                work.problem = error.reason, str(error)
                self._runs.abort(job_id)
        self._runs.took(job_id, len(piece))

    def _over(self, work: Work, event: dict[str, Any]) -> None:
        work.end = self._ending(work, event)
        self._counters.add("sonde.agent.jobs.ended", how=work.end["event"])
        if work.end["event"] == "result":
            work.files = work.end["artifacts"]
        elif work.end["event"] == "tools":
            self._on_tools(work.pid, work.end["tools"])
        if not work.files:
            self._drop(work.id)
        if work.unasked is None:
            self._go_on(work)
        elif work.end["event"] == "result":
            self._announce(work)
        else:
            self._forget(work, str(work.end["event"]), "it has no result")

    def _ending(self, work: Work, event: dict[str, Any]) -> End:
        """What the server is told: a process may say what no server could understand."""
        if work.problem is not None:
            return cast("End", failed(work.id, *work.problem))
        if event["event"] == "tools":
            event = {**event, "tools": self._as_allowed(work.pid, event.get("tools"))}
        try:
            done = wire.agent_message(json.dumps({"type": "done", "job": work.id, "seq": work.seq, "event": event}))
        except MessageError as error:
            message = f"the process has answered what cannot be understood: {error}"
            return cast("End", failed(work.id, "error", message))
        end = cast("wire.Done", done)["event"]
        if end["event"] == "result":
            for file in end["artifacts"]:
                if file["bytes"] != self._spool.size(work.id, file["name"]):
                    message = f"the process has not sent the whole of {file['name']}"
                    return cast("End", failed(work.id, "error", message))
        return end

    def _as_allowed(self, pid: int, tools: object) -> object:
        """What the process can do, less what the policy would refuse."""
        if not isinstance(tools, list):
            return tools
        policy, service = self._policy(), self._checks.service_of(pid)
        states = []
        for state in tools:
            refusal = (
                policy.refuses(str(state["name"]), 0, service) if isinstance(state, dict) and "name" in state else ""
            )
            changed = {"available": False, "why_not": refusal, "unlock": "the policy file of the host"}
            states.append({**state, **changed} if refusal and state.get("available") else state)
        return states

    # -- runs that programs began themselves -------------------------------------------------------------------------
    def manual(self, probe: Probe, event: dict[str, Any]) -> None:
        """One of them is over, and its result is on its way here; `event` says what it was. The server may hear of it
        when the process is our app's, and the policy allows the tool there.
        """
        job_id = event["id"]
        if job_id in self._works or sum(it.unasked is not None for it in self._works.values()) >= MAX_MANUAL:
            self._counters.add("sonde.agent.manual.dropped", reason="busy")
            self._runs.abort(job_id)
            return
        work = self._works[job_id] = Work(job_id, probe.pid, unasked=event)
        process = self._ours(probe)
        if process is None:
            self._forget(work, "gone", f"process {work.pid} is none of this app, or does not say so")
            return
        try:
            manual = _manual(event, process)
        except MessageError as error:
            self._forget(work, "bad_message", str(error))
            return
        problem = self._policy().refuses(manual["tool"], manual["seconds"], process.service)
        if problem:
            self._forget(work, "not_allowed", problem)
            return
        work.manual = manual
        self._announce(work)

    def _announce(self, work: Work) -> None:
        """To the server, once it is all here and may leave the host."""
        if work.manual is not None and work.end is not None:
            self._say(work.manual)
            self._go_on(work)

    def _forget(self, work: Work, reason: str, message: str) -> None:
        self._counters.add("sonde.agent.manual.dropped", reason=reason)
        log.debug("what a program's own run in process %d made is dropped: %s", work.pid, message)
        del self._works[work.id]
        self._runs.abort(work.id)
        self._drop(work.id)

    # -- towards the server -------------------------------------------------------------------------------------------
    def _go_on(self, work: Work, *, ask: bool = False) -> None:
        """The next piece, or `done` after the last. `ask`: nobody knows up to where the server has the file."""
        if self._send is None or work.waiting or work.end is None or (work.unasked is not None and work.manual is None):
            return
        if work.sure and work.at >= work.files[work.number]["bytes"]:
            work.number, work.at, work.sure = work.number + 1, 0, False
        if work.number == len(work.files):
            work.said = True
            self._say({"type": "done", "job": work.id, "seq": work.seq, "event": work.end})
            return
        file = work.files[work.number]
        try:
            data = b"" if ask else self._spool.read(work.id, file["name"], work.at, MAX_PIECE_BYTES)
        except SpoolError as error:
            work.end, work.files, work.number = cast("End", failed(work.id, error.reason, str(error))), [], 0
            self._go_on(work)
            return
        work.waiting = True
        self._put(Piece(work.id, file["name"], work.at, file["bytes"], data).encoded())

    def _drop(self, job_id: str) -> None:
        try:
            self._spool.drop(job_id)
        except OSError as error:
            log.warning("the files of job %s cannot be removed: %s", job_id, error)

    def _say(self, message: AgentMessage) -> None:
        self._put(wire.encoded(message))

    def _put(self, data: str | bytes) -> None:
        """What is not worth keeping is lost while the server is away: what is, is said again."""
        if self._send is not None:
            self._send(data)


def _manual(said: dict[str, Any], process: Probe) -> Manual:
    """What the server hears of such a run. Raises MessageError for what it could not understand."""
    message = {
        "type": "manual",
        "job": said["id"],
        "name": fitting(str(said.get("name", "")), 200),
        "pid": process.pid,
        "service": fitting(process.service, 255),
        "instance": fitting(process.instance, 255),
        **{name: said.get(name) for name in ("tool", "options", "seconds", "started_at")},
    }
    return cast("Manual", wire.agent_message(json.dumps(message)))


def _command(job: Job) -> Mapping[str, Any]:
    if job["tool"] == ASK:
        return {"id": job["id"], "do": "tools"}
    return {
        "id": job["id"],
        "do": "start",
        "tool": job["tool"],
        "seconds": job["seconds"],
        "options": job["options"],
    }
