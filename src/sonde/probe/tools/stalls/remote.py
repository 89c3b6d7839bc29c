"""stalls as a tool: one run."""

from __future__ import annotations

import platform
from time import monotonic_ns

from sonde.probe.tools.stalls.report import Report
from sonde.probe.tools.stalls.watch import native, watch
from sonde.probe.tools.thread_names import thread_names
from sonde.probe.tools.tool import Artifact, Option, Result, State, ToolError
from sonde.wire.profile import MEDIA_TYPE, written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar


class Stalls:
    """One run."""

    name: ClassVar[str] = "stalls"
    heavy: ClassVar[bool] = False
    at_once: ClassVar[bool] = False
    options: ClassVar[Mapping[str, Option]] = {
        "threshold_ms": Option(
            default=10.0,
            doc="a loop that does not come back for so long is blocked; so are long pauses of the collector counted",
            at_least=1,
            at_most=60_000,
        ),
    }

    def __init__(self) -> None:
        self._report: Report | None = None
        self._names: dict[int, str] = {}
        self._began_ns = 0
        self._before: dict[str, Any] = {}

    @classmethod
    def state(cls) -> State:
        """It needs the native part."""
        found, why_not = native()
        if found is None:
            return State(available=False, why_not=why_not, unlock="a wheel of sonde for CPython 3.11 to 3.13")
        return State(
            exact="how long each stall took, and each pause of the collector, on CPython "
            f"{platform.python_version()}: asyncio's callbacks and uvloop's iterations",
            approximate="the line and the cause: by looks each 2 ms or so while the loop was blocked; a stall that "
            "ends before the watchdog gets a processor is missed; a uvloop's task is not known by name, and its first "
            "iteration is not timed",
        )

    def start(self, options: Mapping[str, Any], seconds: float) -> None:  # noqa: ARG002 - the host ends it
        """Watch the loops that there are, and those that come."""
        threshold_ms = float(options["threshold_ms"])
        report = Report(round(threshold_ms * 1e6))
        self._names = thread_names()
        watch.begin(report.add, threshold_ms)
        self._report, self._began_ns = report, monotonic_ns()
        self._before = self._counts()

    def progress(self) -> str:
        """How many so far."""
        watch.drain()
        self._names.update(thread_names())
        report = self._report
        if report is None:
            return ""
        seen = f"{report.stalls.count:,} stalls, {report.ns / 1e6:,.0f} ms in all"
        return seen if self._counts()["loops"] else "no event loop has run a callback yet"

    def cpu_s(self) -> float:
        """Of the watchdog's thread."""
        if self._report is None:
            return 0.0
        return float(self._counts()["own_cpu_ns"] - self._before["own_cpu_ns"]) / 1e9

    def stop(self) -> Result:
        """End it, and say what blocked."""
        report, self._report = self._report, None
        if report is None:
            raise ToolError("error", "stalls: it does not run")
        self._names.update(thread_names())
        duration_ns = monotonic_ns() - self._began_ns
        try:
            ongoing = [one for one in watch.ongoing() if one.duration_ns >= report.threshold_ns]
            counts = self._since()
        finally:
            watch.end(report.add)
        return Result(
            report.summary(duration_ns, counts, ongoing),
            self._notes(report, counts, len(ongoing)),
            [
                Artifact("stalls.json", "application/json", report.document(duration_ns, counts, ongoing, self._names)),
                Artifact("profile.json", MEDIA_TYPE, written(report.profile(duration_ns))),
            ],
        )

    def abort(self) -> None:
        """End it."""
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
            raise ToolError("unavailable", f"stalls: {why_not}")
        counts: dict[str, Any] = found.counts()
        return counts

    def _since(self) -> dict[str, Any]:
        """The watch may have stood before this run, and go on after it."""
        now, before = self._counts(), self._before
        rising = ("stalls", "unseen", "dropped", "untold", "gc_dropped", "refused_loops", "foreign_slots")
        for key in rising:
            now[key] -= before[key]
        for key in ("gc_count", "gc_ns"):
            now[key] = tuple(a - b for a, b in zip(now[key], before[key], strict=True))
        return now

    def _notes(self, report: Report, counts: Mapping[str, Any], ongoing: int) -> list[str]:
        notes = []
        if not counts["loops"]:
            notes.append("No event loop ran a callback in that time: is this a process with a loop?")
        if ongoing:
            notes.append(f"{ongoing} had not ended yet when the run did; they are in stalls.json, and not counted.")
        if counts["dropped"]:
            notes.append(f"{counts['dropped']:,} more stalls were counted only: too many came at once.")
        if counts["unseen"]:
            notes.append(
                f"{counts['unseen']:,} stalls were over before anybody could look; what ran is known, not where."
            )
        if counts["gc_dropped"]:
            notes.append(f"{counts['gc_dropped']:,} more long pauses of the collector were counted only.")
        if counts["refused_loops"]:
            notes.append(f"{counts['refused_loops']:,} loops are not watched: 64 threads at once are.")
        if watch.uvloop_slots:
            notes.append(
                "uvloop: what is timed is a whole iteration, all callbacks between two waits for the network; the line "
                "is where at least half of it went."
            )
        if report.stalls.count > len(report.stalls.all()):
            notes.append(f"stalls.json has the {len(report.stalls.all())} longest of {report.stalls.count:,} stalls.")
        return notes
