"""The hooks in this process's libraries: on while anybody wants them, a run of the tool or the setting
`syscalls_threshold_ms`. What was slow goes to them, and to the timeline as events.
"""

from __future__ import annotations

import errno
import os
from _thread import allocate_lock

from sonde.probe.guard import fault
from sonde.probe.log_records import log_records
from sonde.probe.tools.places import stack_text
from sonde.probe.tools.syscalls.slow import Slow, told
from sonde.probe.tools.tool import ToolError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    Listener = Callable[[Slow], None]

_MS = 1_000_000


def native() -> tuple[ModuleType | None, str]:
    """The C part, or why it cannot be used here."""
    try:
        from sonde.probe.tools import _syscalls
    except ImportError as error:
        return None, f"the native hooks are not there for this Python: {error}"
    why_not = _syscalls.init()
    return (None, why_not) if why_not else (_syscalls, "")


class Watch:
    """There is one in a process, `watch`."""

    def __init__(self) -> None:
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._lock = allocate_lock()
        self._listeners: dict[Listener, tuple[int, bool]] = {}
        self._native: ModuleType | None = None
        self.idle = 0
        """Slow calls of threads that waited for work, since the watch began."""

    def begin(self, listener: Listener, threshold_ms: float, *, locks: bool = False) -> None:
        """Tell the listener of calls that take at least so long, and maybe of shorter ones. Raises ToolError."""
        found, why_not = native()
        if found is None:
            raise ToolError("unavailable", f"syscalls: {why_not}")
        with self._lock:
            self._listeners[listener] = max(1, round(threshold_ms * _MS)), locks
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
                self._fill(self._native)
            else:
                self._switch_off(self._native)

    def drain(self) -> None:
        """Pass on what was found, and hook the libraries that have come since."""
        with self._lock:
            if self._native is None:
                return
            self._native.rescan()
            found = [told(raw) for raw in self._native.taken()]
            listeners = list(self._listeners)
        for one in found:
            if one.is_ours:
                continue
            if one.is_idle:
                self.idle += 1
                continue
            _tell_timeline(one)
            for listener in listeners:
                listener(one)

    def _fill(self, found: ModuleType) -> None:
        found.start(min(ns for ns, _ in self._listeners.values()), any(locks for _, locks in self._listeners.values()))

    def _switch_on(self, found: ModuleType) -> None:
        first = self._native is None
        if first:
            found.forget()
            self.idle = 0
        self._fill(found)
        if first:
            if wrong := _self_test(found):
                raise ToolError("unavailable", f"syscalls: the hooks were tried out and do not work here: {wrong}")
            self._native = found
            log_records.sources.append(self.drain)

    def _switch_off(self, found: ModuleType) -> None:
        self._native = None
        if self.drain in log_records.sources:
            log_records.sources.remove(self.drain)
        found.stop()

    def after_fork(self) -> None:
        """In a child: the runs of the parent's are over; what always stands goes on."""
        found, listeners = self._native, self._listeners
        self._lock = allocate_lock()
        if found is None:
            return
        found.after_fork()
        self._listeners = {one: how for one, how in listeners.items() if one is stay}
        if self._listeners:
            self._fill(found)
        else:
            self._switch_off(found)


def stay(_: Slow) -> None:
    """The listener of a watch that always stands: it needs no more than the timeline's events."""


def _self_test(found: ModuleType) -> str:
    """Make a call that fails, and see that it is told as it was; what is wrong, or nothing."""
    found.test(True)
    try:
        os.read(-1, 1)
        number = 0
    except OSError as error:
        number = error.errno or 0
    finally:
        found.test(False)
    seen = [told(raw) for raw in found.taken()]
    if number != errno.EBADF:
        return f"read(-1) failed with errno {number}"
    calls = [one for one in seen if (one.call, one.error) == ("read", errno.EBADF)]
    if not calls:
        return "read() was not seen"
    if not calls[0].stack or calls[0].stack[-1].name != _self_test.__qualname__:
        return "the stack of who called it was not read"
    return ""


def _tell_timeline(one: Slow) -> None:
    what = f" of {one.what}" if one.what else ""
    where = f" at {one.line}" if one.line else ""
    attributes = {"sonde.syscall.name": one.call, "sonde.syscall.what": one.what, "thread.id": str(one.tid)}
    if one.error:
        attributes["error.type"] = errno.errorcode.get(one.error, str(one.error))
    if one.line is not None:
        attributes |= {
            "code.file.path": one.line.file,
            "code.line.number": str(one.line.line),
            "code.function.name": one.line.name,
            "code.stacktrace": stack_text(one.stack),
        }
    log_records.event(
        "sonde.slow_syscall",
        one.began_unix_ns,
        f"{one.call}(){what}: {one.duration_ns / _MS:.1f} ms{where}",
        attributes,
        duration_ns=one.duration_ns,
        trace_id=one.trace_id,
        span_id=one.span_id,
    )


watch = Watch()


def _after_fork() -> None:
    try:
        watch.after_fork()
    except Exception:
        fault("syscalls.after_fork")


os.register_at_fork(after_in_child=_after_fork)
