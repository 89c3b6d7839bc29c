"""A system call that took long."""

from __future__ import annotations

from typing import NamedTuple

from sonde.probe.tools.places import Place, own_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Slow(NamedTuple):
    """One."""

    call: str
    began_unix_ns: int
    duration_ns: int
    tid: int
    error: int
    """errno; 0: it went well."""
    descriptor: int
    what: str
    """Which file, address or name: never what is in it."""
    trace_id: bytes
    span_id: bytes
    endpoint: str
    line: Place | None
    """The innermost of the application's own code, else of a library."""
    stack: tuple[Place, ...]
    """The outermost frame first."""

    @property
    def is_ours(self) -> bool:
        """Whether a thread of the probe's made it, which waits for its agent."""
        return bool(self.stack) and "/sonde/probe/" in self.stack[0].file

    @property
    def is_idle(self) -> bool:
        """Whether the thread had nothing to do, and waited for work."""
        if self.call == "accept":
            return True
        innermost, callers = self.stack[-1:], self.stack[-6:-1]
        return any(
            self.call in calls and _stands(innermost, inner) and (outer is _NOBODY or _stands(callers, outer))
            for calls, inner, outer in _IDLE
        )


_WAITS = frozenset({"poll", "select"})
_READS = frozenset({"recv", "read"})
_LOCKS = frozenset({"lock"})
_NOBODY = ("", "")
_IDLE: tuple[tuple[frozenset[str], tuple[str, str], tuple[str, str]], ...] = (
    (_WAITS, ("select", "/selectors.py"), ("_run_once", "/asyncio/base_events.py")),
    (_WAITS, ("select", "/selectors.py"), ("serve_forever", "/socketserver.py")),
    (_WAITS, ("select", "/selectors.py"), ("run", "/gunicorn/workers/gthread.py")),
    (_WAITS, ("select", "/selectors.py"), ("_wait_for_updates", "/multiprocessing/pool.py")),
    (_WAITS, ("select", "/selectors.py"), ("serve_forever", "/multiprocessing/managers.py")),
    (_WAITS, ("wait", "/gunicorn/workers/sync.py"), _NOBODY),
    (_WAITS, ("sleep", "/gunicorn/arbiter.py"), _NOBODY),
    (_WAITS, ("poll", "/waitress/wasyncore.py"), _NOBODY),
    (_WAITS, ("poll2", "/waitress/wasyncore.py"), _NOBODY),
    (_READS, ("_recv", "/multiprocessing/connection.py"), ("get", "/multiprocessing/queues.py")),
    (_READS, ("readinto", "/socket.py"), ("handle_one_request", "/http/server.py")),
    (_LOCKS, ("_worker", "/concurrent/futures/thread.py"), _NOBODY),
    (_LOCKS, ("wait", "/threading.py"), ("get", "/queue.py")),
)
"""Calls, the innermost function, and one of those that called it."""


def _stands(places: tuple[Place, ...], function: tuple[str, str]) -> bool:
    name, file = function
    return any(place.name.rpartition(".")[2] == name and place.file.endswith(file) for place in places)


def told(raw: tuple[Any, ...]) -> Slow:
    """Of a tuple of the native part, see _syscalls.pyi."""
    (call, began, duration, tid, error, descriptor, what, trace_id, span_id, endpoint, rows, numbers) = raw
    places = [Place(*row) for row in rows]
    stack = tuple(places[at] for at in reversed(numbers))
    what = what.strip()
    return Slow(
        call, began, duration, tid, error, descriptor, what, trace_id, span_id, endpoint, own_line(stack), stack
    )
