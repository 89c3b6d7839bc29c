"""The watch over this process's event loops: on while anybody wants it, a run of the tool or the setting
`stalls_threshold_ms`. What it finds goes to them, and to the timeline as events.
"""

from __future__ import annotations

import gc
import os
import sys
import types
from _thread import allocate_lock

from sonde.probe import core
from sonde.probe.callables import BOUND, name_of
from sonde.probe.guard import fault
from sonde.probe.log_records import log_records
from sonde.probe.plugins.importing import ImportWatch
from sonde.probe.tools.places import stack_text
from sonde.probe.tools.stalls.pauses import Pause, paused
from sonde.probe.tools.stalls.verdict import Stall, judged
from sonde.probe.tools.tool import ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    Listener = Callable[[Stall | Pause], None]

ASYNCIO, UVLOOP = "asyncio.events", "uvloop.loop"
_MS = 1_000_000


def native() -> tuple[ModuleType | None, str]:
    """The C part, or why it cannot be used here."""
    try:
        from sonde.probe.tools import _stalls
    except ImportError as error:
        return None, f"the native watchdog is not there for this Python: {error}"
    why_not = _stalls.init()
    return (None, why_not) if why_not else (_stalls, "")


class Watch:
    """There is one in a process, `watch`."""

    def __init__(self) -> None:
        self._imports = ImportWatch({"asyncio", "uvloop"}, {ASYNCIO, UVLOOP}.__contains__, self._imported)
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._lock = allocate_lock()
        self._listeners: dict[Listener, int] = {}
        self._native: ModuleType | None = None
        self.uvloop_slots = 0
        self.wrapped_over = 0
        """Times that somebody had wrapped Handle._run since: ours had to stay inside of theirs, doing nothing."""

    def begin(self, listener: Listener, threshold_ms: float) -> None:
        """Tell the listener of what takes at least so long, and maybe of shorter ones. Raises ToolError."""
        found, why_not = native()
        if found is None:
            raise ToolError("unavailable", f"stalls: {why_not}")
        with self._lock:
            self._listeners[listener] = max(1, round(threshold_ms * _MS))
            try:
                self._switch_on(found)
            except Exception:
                del self._listeners[listener]
                if not self._listeners:
                    self._switch_off(found)
                raise

    def end(self, listener: Listener) -> None:
        """It is told of what was found until now, and then of nothing more."""
        self.drain()
        with self._lock:
            if self._listeners.pop(listener, None) is None or self._native is None:
                return
            if self._listeners:
                self._native.start(min(self._listeners.values()))
            else:
                self._switch_off(self._native)

    def drain(self) -> None:
        """Pass on what was found."""
        with self._lock:
            if self._native is None:
                return
            found: list[Stall | Pause] = [judged(raw) for raw in self._native.taken()]
            found += [paused(raw) for raw in self._native.pauses()]
            listeners = list(self._listeners)
        for one in found:
            _tell_timeline(one)
            for listener in listeners:
                listener(one)

    def ongoing(self) -> list[Stall]:
        """Those that have not ended yet."""
        with self._lock:
            return [judged(raw) for raw in self._native.ongoing()] if self._native is not None else []

    def _switch_on(self, found: ModuleType) -> None:
        first = self._native is None
        if first:
            found.forget()
        found.start(min(self._listeners.values()))
        if not first:
            return
        self._native = found
        self._imports.start()
        for name in (ASYNCIO, UVLOOP):
            if name in sys.modules:
                self._hook(found, name)
        gc.callbacks.append(found.collection)
        log_records.sources.append(self.drain)

    def _switch_off(self, found: ModuleType) -> None:
        self._native = None
        self._imports.stop()
        if found.collection in gc.callbacks:
            gc.callbacks.remove(found.collection)
        if self.drain in log_records.sources:
            log_records.sources.remove(self.drain)
        hooked = ASYNCIO in sys.modules
        if not found.stop() and hooked:
            self.wrapped_over += 1

    def _hook(self, found: ModuleType, name: str) -> None:
        if name == ASYNCIO:
            found.callbacks(sys.modules[ASYNCIO].Handle, describe)
        else:
            self.uvloop_slots = found.iterations()

    def _imported(self, name: str, _: ModuleType) -> None:
        found = self._native
        if found is not None:
            self._hook(found, name)

    def after_fork(self) -> None:
        """In a child: the runs of the parent's are over; what always stands goes on."""
        found, listeners = self._native, self._listeners
        if found is None:
            self._lock = allocate_lock()
            return
        found.after_fork()
        self._lock = allocate_lock()
        self._listeners = {one: ns for one, ns in listeners.items() if one is stay}
        if self._listeners:
            found.start(self._listeners[stay])
        else:
            self._switch_off(found)


def stay(_: Stall | Pause) -> None:
    """The listener of a watch that always stands: it needs no more than the timeline's events."""


def describe(handle: object) -> tuple[str, str, str]:
    """Callback, task and coroutine of a handle of asyncio's that has just run. Nothing of the user's is called."""
    core.ask_tick()
    callback = getattr(handle, "_callback", None)
    owner: Any = getattr(callback, "__self__", None) if type(callback) in BOUND or _is_step(callback) else None
    if _is_task(owner):
        coroutine = owner.get_coro()
        known = isinstance(coroutine, (types.CoroutineType, types.GeneratorType))
        return "", str(owner.get_name()), coroutine.__qualname__ if known else type(coroutine).__qualname__
    return name_of(callback), "", ""


def _is_step(callback: object) -> bool:
    return type(callback).__module__ == "_asyncio" or type(callback).__name__ == "TaskStepMethWrapper"


def _is_task(owner: object) -> bool:
    tasks = sys.modules.get("asyncio.tasks")
    return tasks is not None and isinstance(owner, (tasks.Task, getattr(tasks, "_PyTask", tasks.Task)))


def _tell_timeline(one: Stall | Pause) -> None:
    if isinstance(one, Pause):
        where = f" at {one.line}" if one.line else ""
        text = f"garbage collection of generation {one.generation}: {one.duration_ns / _MS:.1f} ms{where}"
        attributes = {
            "sonde.gc.generation": str(one.generation),
            "sonde.gc.collected": str(one.collected),
            "thread.id": str(one.tid),
        }
        name = "sonde.gc_pause"
    else:
        name = "sonde.stall"
        text = f"{one.duration_ns / _MS:.1f} ms, {told_cause(one)}" + (f" at {one.line}" if one.line else "")
        attributes = {"sonde.stall.cause": one.cause, "sonde.stall.kind": one.kind, "thread.id": str(one.tid)}
        told = {
            "callback": one.callback,
            "task": one.task,
            "coroutine": one.coroutine,
            "system_call": one.call,
            "held_by": one.held_by,
        }
        attributes |= {f"sonde.stall.{key}": value for key, value in told.items() if value}
    if one.line is not None:
        attributes |= {
            "code.file.path": one.line.file,
            "code.line.number": str(one.line.line),
            "code.function.name": one.line.name,
            "code.stacktrace": stack_text(one.stack),
        }
    log_records.event(
        name,
        one.began_unix_ns,
        text,
        attributes,
        duration_ns=one.duration_ns,
        trace_id=one.trace_id,
        span_id=one.span_id,
    )


def told_cause(stall: Stall) -> str:
    """For people."""
    if stall.cause == "system_call" and stall.call:
        return f"in {stall.call}()"
    if stall.cause == "gil_wait" and stall.held_by:
        return f"waiting for the GIL, which {stall.held_by} had"
    return {
        "python": "running Python",
        "c_call": "in C, with the GIL",
        "c_call_without_gil": "in C, without the GIL",
        "gil_wait": "waiting for the GIL",
        "gc": "collecting garbage",
        "system_call": "in a system call",
        "lock_wait": "waiting for a lock",
        "cpu_wait": "waiting for a processor",
    }.get(stall.cause, "not seen")


watch = Watch()


def _after_fork() -> None:
    try:
        watch.after_fork()
    except Exception:
        fault("stalls.after_fork")


os.register_at_fork(after_in_child=_after_fork)
