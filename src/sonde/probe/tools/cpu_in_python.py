"""A sampler that takes the GIL, for where the native one cannot be had: sys._current_frames() so many times a second.

It gets the GIL when the application lets go of it, so a busy program is seen less often than asked, and not at random.
"""

from __future__ import annotations

import sys
import time
from time import monotonic

from sonde.probe.tools.originals import original
from sonde.probe.tools.thread_names import chosen, thread_names
from sonde.wire.profile import Frame, Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType
    from typing import Any

_MAX_DEPTH = 4096
_ENDS_WITHIN_S = 2.0
_THREAD_CPU = 6
"""What pthread_getcpuclockid() puts below a native id."""


class PythonSampler:
    """Options are those of Cpu. `start` and `stop` once each."""

    def __init__(self, options: Mapping[str, Any], never: int) -> None:
        self.tree = Tree(options["max_nodes"])
        self.rounds = self.missed = self.samples = 0
        self._options = options
        self._period_s = 1 / options["hz"]
        self._never = never
        self._tid = 0
        self._cpu_ns: dict[int, int] = {}
        self._names: dict[int, str] = {}
        self._tids: dict[int, int] = {}
        self._wanted: list[int] | None = None
        self._on = True
        self._ended = False
        self._own_cpu_s = 0.0

    def start(self) -> None:
        """Begin to look, in a thread of its own."""
        self._learn_threads()
        for tid in self._names:
            self._ran_ns(tid)
        original("_thread", "start_new_thread")(self._run, ())

    def stop(self) -> None:
        """End, and wait for it."""
        self._on = False
        sleep, until = original("time", "sleep"), monotonic() + _ENDS_WITHIN_S
        while not self._ended and monotonic() < until:
            sleep(0.002)

    def cpu_s(self) -> float:
        """Of the thread, as of its last round."""
        return self._own_cpu_s

    def counts(self) -> dict[str, int]:
        """As the native sampler's, where it has them."""
        return {
            "rounds": self.rounds,
            "missed": self.missed,
            "samples": self.samples,
            "dropped": self.tree.dropped,
            "own_cpu_ns": int(self._own_cpu_s * 1e9),
        }

    def _learn_threads(self) -> None:
        import threading

        self._names = thread_names()
        self._tids = {ident: thread.native_id or 0 for ident, thread in list(threading._active.items())}  # type: ignore[attr-defined]  # noqa: SLF001
        self._wanted = chosen(self._options["threads"], self._names)

    def _run(self) -> None:
        sleep = original("time", "sleep")
        get_ident = original("_thread", "get_ident")
        last = due = monotonic()
        while self._on:
            due += self._period_s
            sleep(max(0.0, due - monotonic()))
            now = monotonic()
            if self.rounds % max(1, self._options["hz"]) == 0:
                self._learn_threads()
            self._look(get_ident(), int((now - last) * 1e9))
            last = now
            self.rounds += 1
            self._own_cpu_s = time.thread_time()
            late = int((monotonic() - due) / self._period_s)
            if late > 0:
                self.missed += late
                due += late * self._period_s
        self._ended = True

    def _look(self, own: int, passed_ns: int) -> None:
        for ident, frame in sys._current_frames().items():  # noqa: SLF001
            tid = self._tids.get(ident, 0)
            if ident == own or tid == self._never or (self._wanted is not None and tid not in self._wanted):
                continue
            weight = passed_ns if self._options["mode"] == "wall" else self._ran_ns(tid)
            if weight and self.tree.add(_stack(frame), weight):
                self.samples += 1

    def _ran_ns(self, tid: int) -> int:
        """Since the last time it was asked."""
        try:
            now = time.clock_gettime_ns(~tid << 3 | _THREAD_CPU) if tid else 0
        except OSError:
            return 0  # it has ended
        ran = now - self._cpu_ns.get(tid, 0)
        self._cpu_ns[tid] = now
        return ran


def _stack(frame: FrameType | None) -> Iterator[tuple[Frame, int]]:
    frames: list[tuple[Frame, int]] = []
    while frame is not None and len(frames) < _MAX_DEPTH:
        code = frame.f_code
        frames.append((Frame(code.co_qualname, code.co_filename, code.co_firstlineno), frame.f_lineno or 0))
        frame = frame.f_back
    return reversed(frames)
