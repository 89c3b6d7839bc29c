"""Runs of tools in the processes of this host: who asked for each, where it runs, and until when it may.

Whoever asks (`sonde debug` on a connection, the server on the control channel) gets a run's events and the pieces of
its artifacts by two functions, and says what it has taken. Of a slow one no more than MAX_HELD_BYTES are held: then the
process that makes the artifact is not read from, and waits.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, Self

from sonde.wire import tools
from sonde.wire.frames import Kind, frame

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sonde.agent.counters import Counters
    from sonde.agent.receiving.probes import Probe, Probes

MAX_RUNS = 64
MAX_HELD_BYTES = 1 << 20
MAX_ARTIFACT_BYTES = 512 << 20
"""Of one run together."""
ANSWERS_WITHIN_S = 15.0
"""A process that has not said a word by then is not going to: its interpreter may be stuck."""
SILENT_FOR_S = 60.0
"""Beyond the time it was asked for, a run may be silent that long while it puts its result together."""
TAKES_WITHIN_S = 60.0
"""Who asked and takes nothing for this long has lost the run."""
ABORTS_WITHIN_S = 5.0
MAX_UNASKED, MAX_UNASKED_OF_ONE = 16, 4
"""Results of runs that programs began themselves, on their way here: of all processes, and of one."""
ROOT = 0
_STOPPING = "the agent is stopping"
_NO_ANSWER = (
    "process {pid} has not answered within {seconds:.0f} s: its interpreter may be stuck, and `stacks` would show where"
)


class Line(Protocol):
    """A connection to a process, as the runs see it. The kernel says whose it is."""

    @property
    def pid(self) -> int:
        """Of the process."""
        ...

    @property
    def uid(self) -> int:
        """The user it runs as."""
        ...

    @property
    def probe(self) -> Probe:
        """What the process has said of itself here."""
        ...

    def say(self, frame: bytes) -> None:
        """Send it, after what waits. Never waits."""
        ...

    def hold(self, *, held: bool) -> None:
        """Read no more from it; or read again."""
        ...


class Taker(Protocol):
    """Who wants the runs that nobody asked for. Never waits."""

    def __call__(
        self, probe: Probe, event: dict[str, Any], /
    ) -> tuple[Callable[[dict[str, Any]], None], Callable[[dict[str, Any], bytes], None]]:
        """What hears of its events, and of its pieces; `event` is its first, `probe` what its process says it is."""
        ...


@dataclass(eq=False, slots=True)
class Run:
    """One run. `line` is where it is heard of: the process's own connection, then that of its tools."""

    id: str
    pid: int
    on_event: Callable[[dict[str, Any]], None]
    on_chunk: Callable[[dict[str, Any], bytes], None]
    seconds: float
    silent_until: float
    over_at: float
    line: Line | None = None
    heard: bool = False
    aborted: bool = False
    held_bytes: int = 0
    sent_bytes: int = 0
    took_at: float = 0.0
    unasked: bool = False


class Runs:
    """`start`, `stop`, `abort`, `took`, `processes` and `watch` may be called by any thread; all else, and both
    functions of a run, are called by the receiver's thread, which must not be kept waiting. `fileno` can be read when
    there is work for it.
    """

    def __init__(self, probes: Probes, counters: Counters, clock: Callable[[], float] = time.monotonic) -> None:
        self._probes = probes
        self._counters = counters
        self._clock = clock
        self._asked: deque[Callable[[], object]] = deque()
        self._lock = threading.Lock()
        self._bell = -1
        self._runs: dict[str, Run] = {}
        self._lines: dict[int, list[Line]] = {}  # of probes, by pid; the newest last
        self._watchers: list[Callable[[], None]] = []
        self._taker: Taker | None = None

    def __enter__(self) -> Self:
        self._bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            bell, self._bell = self._bell, -1
        os.close(bell)
        self.end_all()

    # -- for any thread -----------------------------------------------------------------------------------------------
    def start(
        self,
        pid: int,
        command: Mapping[str, Any],
        on_event: Callable[[dict[str, Any]], None],
        on_chunk: Callable[[dict[str, Any], bytes], None],
        *,
        uid: int = ROOT,
    ) -> None:
        """Have the process do it: `command` as in docs/debugger.md, with `id` and `do` (`start` or `tools`).

        `on_event` gets each event as an object, and exactly one that ends the run, whatever happens. `on_chunk` gets
        what a piece is (`id`, `name`, `offset`) and its bytes; answer each with `took`. `uid` is the user on whose
        behalf it is: root, or the one that the process runs as.
        """
        if not self._ask(partial(self.begin, pid, dict(command), on_event, on_chunk, uid)):
            on_event(tools.failed(str(command.get("id", "")), "gone", _STOPPING))

    def stop(self, run: str) -> None:
        """End it early, with its result. One that is over, or unknown, is left alone."""
        self._ask(partial(self.end, run, "stop"))

    def abort(self, run: str) -> None:
        """End it without a result: `on_event` hears `failed`, within ABORTS_WITHIN_S whatever the process does."""
        self._ask(partial(self.end, run, "abort"))

    def took(self, run: str, size: int) -> None:
        """So many bytes of pieces are dealt with and need not be held."""
        self._ask(partial(self.taken, run, size))

    def processes(self) -> list[Probe]:
        """Processes with a probe that are connected now."""
        return [probe for pid, probe in self._probes.by_pid().items() if pid > 0]

    def listed(self, uid: int) -> list[dict[str, Any]]:
        """As JSON: those that the user may look into."""
        return [asdict(probe) for probe in self.processes() if uid in {ROOT, probe.uid}]

    def watch(self, on_change: Callable[[], None]) -> None:
        """Be called each time when `processes` may have changed; by the receiver's thread."""
        with self._lock:
            self._watchers.append(on_change)

    def take_unasked(self, taker: Taker) -> None:
        """Have runs that programs began themselves: without anybody to take them they are dropped, and counted."""
        self._taker = taker

    def _ask(self, work: Callable[[], object]) -> bool:
        with self._lock:
            if self._bell < 0:
                return False
            self._asked.append(work)
            os.eventfd_write(self._bell, 1)
            return True

    # -- for the receiver's thread ------------------------------------------------------------------------------------
    def fileno(self) -> int:
        """For a selector."""
        return self._bell

    def hear(self) -> None:
        """Do what others asked for."""
        os.eventfd_read(self.fileno())
        while self._asked:
            self._asked.popleft()()

    def next_due(self) -> float | None:
        """When `expire` has something to do at the latest, by the clock."""
        return min((self._due(run) for run in self._runs.values()), default=None)

    def expire(self) -> None:
        """End the runs whose time is over."""
        now = self._clock()
        for run in [run for run in self._runs.values() if self._due(run) <= now]:
            if run.aborted:
                self._over(run, _aborted(run.id))
            elif self._is_full(run) and run.took_at + TAKES_WITHIN_S <= now:
                self._give_up(run, "too_slow", f"nobody took what the run made for {TAKES_WITHIN_S:.0f} s")
            elif not run.heard:
                self._give_up(run, "gone", _NO_ANSWER.format(pid=run.pid, seconds=ANSWERS_WITHIN_S))
            else:
                self._give_up(run, "gone", f"process {run.pid} has fallen silent")

    def begin(
        self,
        pid: int,
        command: dict[str, Any],
        on_event: Callable[[dict[str, Any]], None],
        on_chunk: Callable[[dict[str, Any], bytes], None],
        uid: int,
    ) -> bool:
        """As `start`. False: it was refused, which `on_event` has heard."""
        refusal = self._refusal(pid, command, uid)
        if refusal is not None:
            self._counters.add("sonde.agent.runs.refused", reason=refusal[0])
            on_event(tools.failed(str(command.get("id", "")), *refusal))
            return False
        now, seconds = self._clock(), tools.seconds_of(command.get("seconds", 0)) or 0.0
        over_at = now + ANSWERS_WITHIN_S + seconds + 15 * SILENT_FOR_S
        run = Run(command["id"], pid, on_event, on_chunk, seconds, now + ANSWERS_WITHIN_S, over_at)
        self._runs[run.id] = run
        self._counters.add("sonde.agent.runs.started")
        self._lines[pid][-1].say(_command({name: value for name, value in command.items() if name != "pid"}))
        return True

    def end(self, run: str, how: str) -> None:
        """As `stop` and `abort`."""
        found = self._runs.get(run)
        if found is None or found.aborted:
            return
        self._tell(found, how)
        if how == "abort":
            if self._is_full(found):
                self._hold(found, held=False)
            found.aborted, found.held_bytes = True, 0
            found.silent_until = self._clock() + ABORTS_WITHIN_S

    def forsake(self, run: str) -> None:
        """Who asked has gone: nobody is to hear of it any more."""
        if found := self._runs.get(run):
            self._tell(found, "abort")
            self._over(found, None)

    def taken(self, run: str, size: int) -> None:
        """As `took`."""
        if found := self._runs.get(run):
            was_full = self._is_full(found)
            found.held_bytes = max(0, found.held_bytes - size)
            found.took_at = self._clock()
            if was_full and not self._is_full(found):
                found.silent_until = self._clock() + SILENT_FOR_S
                self._hold(found, held=False)

    def joined(self, line: Line) -> None:
        """A probe's connection is there, or has said more of itself."""
        if line.pid <= 0:  # of a container whose processes we cannot name
            return
        mine = self._lines.setdefault(line.pid, [])
        if line not in mine:
            mine.append(line)
        self._changed()

    def left(self, line: Line) -> None:
        """A connection has ended, of a probe or of its tools."""
        mine = self._lines.get(line.pid, [])
        if line in mine:
            mine.remove(line)
            if not mine:
                del self._lines[line.pid]
            self._changed()
        for run in [run for run in self._runs.values() if run.pid == line.pid]:
            if run.line is line or (run.line is None and run.pid not in self._lines):
                self._over(run, tools.failed(run.id, "gone", f"process {run.pid} has gone, or was started anew"))

    def event(self, line: Line, event: dict[str, Any]) -> None:
        """A process says how a run goes."""
        name = event.get("event")
        if name == "started" and event.get("manual") is True and event["id"] not in self._runs:
            self._adopt(line, event)
            return
        run = self._heard(line, event["id"])
        if run is None:
            return
        if name not in tools.EVENTS:
            self._counters.add("sonde.agent.frames.refused", reason="unknown_event")
        elif name in tools.LAST_EVENTS:
            self._over(run, _aborted(run.id) if run.aborted else event)
        elif not run.aborted:
            run.on_event(event)

    def chunk(self, line: Line, head: dict[str, Any], piece: bytes) -> None:
        """A process sends a piece of an artifact."""
        run = self._heard(line, head["id"])
        if run is None or run.aborted:
            return
        run.sent_bytes += len(piece)
        if run.sent_bytes > MAX_ARTIFACT_BYTES:
            self._give_up(run, "error", f"the run makes more than {MAX_ARTIFACT_BYTES >> 20} MiB")
            return
        if not run.held_bytes:
            run.took_at = self._clock()
        run.held_bytes += len(piece)
        run.on_chunk(head, piece)
        if self._is_full(run):
            self._hold(run, held=True)

    def end_all(self) -> None:
        """Nobody is read from any more: whoever still waits hears so."""
        while self._asked:
            self._asked.popleft()()
        for run in list(self._runs.values()):
            self._over(run, tools.failed(run.id, "gone", _STOPPING))

    # -- inside -------------------------------------------------------------------------------------------------------
    def _refusal(self, pid: int, command: dict[str, Any], uid: int) -> tuple[str, str] | None:
        if not tools.is_id(command.get("id")) or command["id"] in self._runs:
            return "bad_options", "the id of a run is 1 to 64 letters, digits and -, and no other run's"
        if command.get("do") not in {"start", "tools"} or len(_command(command)) > tools.MAX_COMMAND_BYTES:
            return "bad_options", "a run begins with `start` or `tools`, in at most 60 KiB"
        if tools.seconds_of(command.get("seconds", 0)) is None:
            return "bad_options", f"seconds: a number from 0 to {tools.MAX_SECONDS:.0f}"
        if pid not in self._lines:
            return "gone", f"no process {pid} with a probe is connected; it may have recorded nothing yet"
        if uid not in {ROOT, self._lines[pid][-1].uid}:
            return "not_allowed", f"process {pid} is another user's: only that user and root may look into it"
        if len(self._runs) >= MAX_RUNS:
            return "busy", f"{MAX_RUNS} runs are under way on this host; wait for one to end"
        return None

    def _adopt(self, line: Line, event: dict[str, Any]) -> None:
        """A program has run a tool by itself, and its process is about to send what came of it."""
        unasked = [run for run in self._runs.values() if run.unasked]
        of_one = sum(run.pid == line.pid for run in unasked)
        if self._taker is None:
            reason = "nobody"
        elif of_one >= MAX_UNASKED_OF_ONE or len(unasked) >= MAX_UNASKED or len(self._runs) >= MAX_RUNS:
            reason = "busy"
        else:
            now = self._clock()
            on_event, on_chunk = self._taker(line.probe, event)
            over_at = now + 15 * SILENT_FOR_S
            self._runs[event["id"]] = Run(
                event["id"],
                line.pid,
                on_event,
                on_chunk,
                0.0,
                now + SILENT_FOR_S,
                over_at,
                line,
                heard=True,
                unasked=True,
            )
            return
        self._counters.add("sonde.agent.manual.dropped", reason=reason)
        line.say(_command({"id": event["id"], "do": "abort"}))

    def _heard(self, line: Line, run: str) -> Run | None:
        """The run, when it is one of that process."""
        found = self._runs.get(run)
        if found is None or found.pid != line.pid:
            self._counters.add("sonde.agent.runs.unasked")
            return None
        found.line = line
        found.heard = True
        if not found.aborted:
            found.silent_until = self._clock() + SILENT_FOR_S
        return found

    def _due(self, run: Run) -> float:
        if self._is_full(run):
            return min(run.took_at + TAKES_WITHIN_S, run.over_at)
        return min(run.silent_until, run.over_at)

    @staticmethod
    def _is_full(run: Run) -> bool:
        return run.held_bytes >= MAX_HELD_BYTES

    def _hold(self, run: Run, *, held: bool) -> None:
        # What a probe's own connection carries are spans, too: those are always read.
        if run.line is not None and run.line not in self._lines.get(run.pid, ()):
            run.line.hold(held=held)

    def _tell(self, run: Run, how: str) -> None:
        line = run.line or next(iter(self._lines.get(run.pid, [])[-1:]), None)
        if line is not None:
            line.say(_command({"id": run.id, "do": how}))

    def _give_up(self, run: Run, reason: str, message: str) -> None:
        self._tell(run, "abort")
        self._over(run, tools.failed(run.id, reason, message))

    def _over(self, run: Run, event: dict[str, Any] | None) -> None:
        del self._runs[run.id]
        if self._is_full(run):
            self._hold(run, held=False)
        self._counters.add("sonde.agent.runs.ended", how=_how(event))
        if event is not None:
            run.on_event(event)

    def _changed(self) -> None:
        with self._lock:
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher()


def _aborted(run: str) -> dict[str, Any]:
    return tools.failed(run, "aborted", "the run was aborted; it has no result")


def _how(event: dict[str, Any] | None) -> str:
    """For the counter: an ending that is one of few words."""
    if event is None:
        return "forsaken"
    reason = event.get("reason") if event["event"] == "failed" else event["event"]
    return reason if isinstance(reason, str) and len(reason) <= 16 and reason.isidentifier() else "error"


def _command(command: dict[str, Any]) -> bytes:
    return frame(Kind.COMMAND, json.dumps(command, separators=(",", ":")).encode())
