"""stacks: what the process is doing right now: threads with their frames, and tasks of asyncio with what they wait for.

Threads are read without the GIL (native/tools/stacks). The same code answers by itself where Python does not, from the
probe's start on.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time

from sonde.probe.tools.thread_names import thread_names
from sonde.probe.tools.tool import Artifact, Option, Result, State, ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import FrameType, ModuleType
    from typing import Any, ClassVar

FORMAT = "sonde.stacks.v1"
ROWS = 100
"""Threads, and tasks, in the summary; stacks.json has all."""
_FRAMES_IN_SUMMARY = 60


def _native() -> tuple[ModuleType | None, str]:
    """The C part, or why it cannot be used here."""
    try:
        from sonde.probe.tools import _stacks
    except ImportError:
        return None, "the native part was not built for this Python"
    why_not = _stacks.init()
    return (None, why_not) if why_not else (_stacks, "")


class Stacks:
    """One run."""

    name: ClassVar[str] = "stacks"
    heavy: ClassVar[bool] = False
    at_once: ClassVar[bool] = True
    options: ClassVar[Mapping[str, Option]] = {
        "tasks": Option(default=True, doc="tasks of asyncio as well"),
        "frames": Option(default=200, doc="of each thread and task at most, the innermost", at_least=1, at_most=1000),
    }

    run_id = ""
    """Of the run, where its starter says it."""

    def __init__(self) -> None:
        self._options: Mapping[str, Any] = {}
        self._own_tid = 0

    @classmethod
    def state(cls) -> State:
        """It always can; how well depends."""
        native, why_not = _native()
        tasks = "tasks: what is behind an iterator written in C, and who waits through a callback that is not asyncio's"
        if native is None:
            return State(
                unlock="a wheel of sonde for CPython 3.11 to 3.13",
                exact="frames of all threads at one moment",
                approximate=f"not told: who holds the GIL, and what a stuck process does ({why_not}); {tasks}",
            )
        return State(
            exact="frames, lines and kernel state of each thread, also while the process is stuck",
            approximate=f"threads are read one after the other while they run, within a millisecond or so; {tasks}",
        )

    def start(self, options: Mapping[str, Any], seconds: float) -> None:  # noqa: ARG002 - at once
        """Take the run, unless it was answered without us."""
        native, _ = _native()
        if native is not None and self.run_id and not native.claim(self.run_id):
            raise ToolError("aborted", "stacks: it was answered without Python, which did not run in time")
        self._options = options
        self._own_tid = threading.get_native_id()

    def progress(self) -> str:
        """There is none."""
        return ""

    def cpu_s(self) -> float:
        """Nothing to speak of."""
        return 0.0

    def stop(self) -> Result:
        """Look."""
        threads, way, notes = self._threads()
        names = thread_names()
        for thread in threads:
            thread["name"] = names.get(thread["tid"], thread["name"])
        loops: list[dict[str, Any]] = []
        if self._options["tasks"] and "asyncio.tasks" in sys.modules:
            from sonde.probe.tools.await_graph import await_graph

            loops, task_notes = await_graph(self._options["frames"])
            notes += task_notes
        threads.sort(key=lambda thread: (not thread["main"], not thread["holds_gil"], thread["tid"]))
        whole = {"format": FORMAT, "way": way, "threads": threads, "loops": loops}
        artifacts = [
            Artifact("stacks.json", "application/json", json.dumps(whole).encode()),
            Artifact("stacks.txt", "text/plain; charset=utf-8", as_text(whole).encode("utf-8", "replace")),
        ]
        if len(threads) > ROWS:
            notes.append(f"{len(threads):,} threads: the first {ROWS} are in the table, all are in stacks.json.")
        if sum(len(loop["tasks"]) for loop in loops) > ROWS:
            notes.append(f"More than {ROWS} tasks: those after them are in stacks.json.")
        return Result(_summary(whole), notes, artifacts)

    def abort(self) -> None:
        """Nothing is on."""

    def after_fork(self) -> None:
        """Nothing is on."""

    def _threads(self) -> tuple[list[dict[str, Any]], str, list[str]]:
        native, why_not = _native()
        if native is None:
            return self._threads_in_python(), "python", [f"Read by Python itself, since {why_not}."]
        content, _, left_out, cut = native.capture(self._own_tid, self._options["frames"])
        notes = []
        if left_out:
            notes.append(f"{left_out:,} threads found no room.")
        if cut:
            notes.append(f"{cut:,} threads are deeper than the {self._options['frames']} frames that are shown.")
        return json.loads(content), "native", notes

    def _threads_in_python(self) -> list[dict[str, Any]]:
        tids = {ident: thread.native_id or 0 for ident, thread in list(threading._active.items())}  # type: ignore[attr-defined]  # noqa: SLF001
        found = []
        for ident, frame in sys._current_frames().items():  # noqa: SLF001
            tid = tids.get(ident, 0)
            if tid == self._own_tid or (not tid and ident == threading.get_ident()):
                continue
            frames, depth = _frames(frame, self._options["frames"])
            found.append(
                {
                    "tid": tid,
                    "thread_id": ident,
                    "name": f"thread {ident}",
                    "main": ident == threading.main_thread().ident,
                    "holds_gil": False,
                    "cpu_ns": _cpu_ns(tid),
                    "state": "",
                    "syscall": "",
                    "wchan": "",
                    "span": None,
                    "frames": frames,
                    "depth": depth,
                }
            )
        return found


def _frames(frame: FrameType | None, most: int) -> tuple[list[list[Any]], int]:
    """The innermost first, and how many there are."""
    frames: list[list[Any]] = []
    depth = 0
    while frame is not None:
        if depth < most:
            frames.append([frame.f_code.co_qualname, frame.f_code.co_filename, frame.f_lineno or 0])
        depth += 1
        frame = frame.f_back
    return frames, depth


def _cpu_ns(tid: int) -> int:
    try:
        return time.clock_gettime_ns(~tid << 3 | 6) if tid else 0  # as pthread_getcpuclockid() makes it
    except OSError:
        return 0


def _summary(whole: Mapping[str, Any]) -> dict[str, Any]:
    left = ROWS
    loops = []
    for loop in whole["loops"]:
        loops.append(
            loop | {"tasks": [_short(task) for task in loop["tasks"][:left]], "task_count": len(loop["tasks"])}
        )
        left = max(0, left - len(loop["tasks"]))
    threads = [_short(thread) for thread in whole["threads"][:ROWS]]
    return dict(whole) | {"threads": threads, "loops": loops, "thread_count": len(whole["threads"])}


def _short(row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(row) | {"frames": row["frames"][:_FRAMES_IN_SUMMARY]}


# -- for people --


def as_text(whole: Mapping[str, Any]) -> str:
    """The whole of `sonde.stacks.v1`, as a page to read."""
    lines: list[str] = [f"Process {os.getpid()}, {len(whole['threads'])} threads", ""]
    for thread in whole["threads"]:
        lines.append(_thread_line(thread))
        lines += [f"    {name} ({file}:{line})" for name, file, line in thread["frames"]]
        if thread["depth"] > len(thread["frames"]):
            lines.append(f"    … {thread['depth'] - len(thread['frames'])} more")
        lines.append("")
    for loop in whole["loops"]:
        lines += [f"Loop {loop['name']} of thread {loop['tid']}, {len(loop['tasks'])} tasks", ""]
        for task in loop["tasks"]:
            lines.append(_task_line(task))
            lines += [f"    {name} ({file}:{line})" for name, file, line in task["frames"]]
            lines.append("")
    return "\n".join(lines)


def _thread_line(thread: Mapping[str, Any]) -> str:
    facts = [f"thread {thread['tid']} {thread['name']!r}"]
    if thread["holds_gil"]:
        facts.append("holds the GIL")
    if thread["state"]:
        facts.append(
            {"R": "running", "S": "waiting", "D": "waiting for a device"}.get(thread["state"], thread["state"])
        )
    if thread["syscall"]:
        facts.append(f"in {thread['syscall']}")
    facts.append(f"CPU {thread['cpu_ns'] / 1e9:.2f} s")
    if thread["span"]:
        facts.append(f"{thread['span']['endpoint'] or thread['span']['name']}, trace {thread['span']['trace_id']}")
    return ", ".join(facts)


def _task_line(task: Mapping[str, Any]) -> str:
    facts = [f"  task {task['name']!r}", task["state"]]
    if task["waits_for"]:
        facts.append(f"waits for {task['waits_for']}")
    if task["awaited_by"]:
        facts.append(f"awaited by {', '.join(task['awaited_by'])}")
    if task["span"]:
        facts.append(f"trace {task['span']['trace_id']}")
    return ", ".join(facts)
