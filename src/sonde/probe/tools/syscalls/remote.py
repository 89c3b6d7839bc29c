"""syscalls as a tool: one run."""

from __future__ import annotations

from time import monotonic_ns, thread_time

from sonde.probe.tools.syscalls.report import Report
from sonde.probe.tools.syscalls.watch import native, watch
from sonde.probe.tools.thread_names import thread_names
from sonde.probe.tools.tool import Artifact, Option, Result, State, ToolError
from sonde.wire.profile import MEDIA_TYPE, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar


class Syscalls:
    """One run."""

    name: ClassVar[str] = "syscalls"
    heavy: ClassVar[bool] = False
    at_once: ClassVar[bool] = False
    options: ClassVar[Mapping[str, Option]] = {
        "threshold_ms": Option(default=10.0, doc="a call that takes so long is slow", at_least=0.1, at_most=60_000),
        "locks": Option(
            default=False, doc="also waits for locks of Python's: many are of threads that have nothing to do"
        ),
    }

    def __init__(self) -> None:
        self._report: Report | None = None
        self._names: dict[int, str] = {}
        self._began_ns = 0
        self._began_cpu_s = 0.0
        self._dropped = self._idle = 0

    @classmethod
    def state(cls) -> State:
        """It needs the native part, and glibc."""
        found, why_not = native()
        if found is None:
            return State(
                available=False, why_not=why_not, unlock="a wheel of sonde for CPython 3.11 to 3.13 on Linux with glibc"
            )
        return State(
            exact="which call, how long and from which line, of every call that Python and its libraries make through "
            "functions of the C library",
            approximate="calls that a library makes without the C library are not seen, nor is epoll; what a "
            "descriptor is was looked up right after the call",
        )

    def start(self, options: Mapping[str, Any], seconds: float) -> None:  # noqa: ARG002 - the host ends it
        """Hook what is loaded; what will be is hooked within a second."""
        threshold_ms = float(options["threshold_ms"])
        report = Report(round(threshold_ms * 1e6))
        self._names = thread_names()
        self._began_cpu_s = thread_time()
        watch.begin(report.add, threshold_ms, locks=bool(options["locks"]))
        self._report, self._began_ns = report, monotonic_ns()
        self._dropped, self._idle = self._counts()["dropped"], watch.idle

    def progress(self) -> str:
        """How many so far."""
        watch.drain()
        self._names.update(thread_names())
        report = self._report
        return f"{report.calls.count:,} slow calls, {report.ns / 1e6:,.0f} ms in all" if report else ""

    def cpu_s(self) -> float:
        """Of this thread: the hooks' own is too small to tell."""
        return thread_time() - self._began_cpu_s if self._report is not None else 0.0

    def stop(self) -> Result:
        """Put all back, and say what was slow."""
        report, self._report = self._report, None
        if report is None:
            raise ToolError("error", "syscalls: it does not run")
        self._names.update(thread_names())
        duration_ns = monotonic_ns() - self._began_ns
        counts = self._counts()
        watch.end(report.add)
        after = self._counts()
        idle = watch.idle - self._idle
        return Result(
            report.summary(duration_ns, counts, idle),
            self._notes(report, counts, after, idle),
            [
                Artifact("syscalls.json", "application/json", report.document(duration_ns, self._names)),
                Artifact("profile.json", MEDIA_TYPE, written(report.profile(duration_ns))),
            ],
        )

    def abort(self) -> None:
        """Put all back."""
        report, self._report = self._report, None
        if report is not None:
            watch.end(report.add)

    def after_fork(self) -> None:
        """The watch looks after itself."""
        self._report = None

    @staticmethod
    def _counts() -> dict[str, Any]:
        found, why_not = native()
        if found is None:
            raise ToolError("unavailable", f"syscalls: {why_not}")
        counts: dict[str, Any] = found.counts()
        return counts

    def _notes(self, report: Report, counts: Mapping[str, Any], after: Mapping[str, Any], idle: int) -> list[str]:
        notes = []
        dropped = counts["dropped"] - self._dropped
        if idle:
            notes.append(f"{idle:,} more waits were of threads that had nothing to do, and are left out.")
        if dropped:
            notes.append(f"{dropped:,} more slow calls were counted only: too many came at once.")
        if counts["refused_slots"]:
            notes.append(f"{counts['refused_slots']:,} places could not be hooked: calls from there are not seen.")
        if after["foreign_slots"]:
            notes.append(
                f"{after['foreign_slots']:,} hooks had been replaced by somebody else's meanwhile, and were left alone."
            )
        if report.calls.count > len(report.calls.all()):
            notes.append(f"syscalls.json has the {len(report.calls.all())} longest of {report.calls.count:,} calls.")
        return notes
