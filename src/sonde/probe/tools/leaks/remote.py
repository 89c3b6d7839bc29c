"""The tool `leaks`, switched on from outside: requests are marked for as long as the run lasts."""

from __future__ import annotations

import gc
import json
import sys
import sysconfig
from typing import TYPE_CHECKING, Any, ClassVar

from sonde.probe.tools.leaks.report import ROWS, report
from sonde.probe.tools.tool import Artifact, Option, Result, State, ToolError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sonde.probe.tools.leaks.lines import Line
    from sonde.probe.tools.leaks.requests import Requests
    from sonde.probe.tools.leaks.tracker import Told, Tracker

_MOST_LOG_BYTES = 1 << 20
_EXACT = sys.version_info >= (3, 13)


def _why_not() -> str:
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "this Python has no GIL"
    try:
        from sonde.probe.tools import _leaks  # noqa: F401 - whether it is there
    except ImportError:
        return "the native part was not built for this Python"
    return ""


class Leaks:
    """One run."""

    name: ClassVar[str] = "leaks"
    heavy: ClassVar[bool] = True
    at_once: ClassVar[bool] = False
    options: ClassVar[Mapping[str, Option]] = {
        "endpoint": Option(
            default="", doc="only requests of this route, as `GET /orders/{id}` or `/orders/*`; empty: all"
        ),
        "one_in": Option(default=1, doc="of so many requests one is looked at", at_least=1, at_most=1_000_000),
        "max_loops": Option(default=1000, doc="requests looked at, at most", at_least=4, at_most=100_000),
        "max_blocks": Option(
            default=1 << 20, doc="allocations kept in mind, 40 bytes each", at_least=1000, at_most=1 << 24
        ),
        "confirm": Option(
            default=True,
            doc="until Python 3.12: look at ten requests with tracemalloc, which costs several times as much, to find "
            "the right line of dicts, lists, tuples and floats",
        ),
    }

    def __init__(self) -> None:
        self._tracker: Tracker | None = None
        self._requests: Requests | None = None
        self._log: list[str] = []
        self._log_bytes = 0
        self._log_cut = False

    @classmethod
    def state(cls) -> State:
        """What is exact on this version."""
        why_not = _why_not()
        if _EXACT:
            exact = "line and type of what is kept"
            approximate = (
                "" if not _tracemalloc_runs() else "lines of dicts, lists, tuples and floats: tracemalloc runs"
            )
        else:
            exact = "type of what is kept, and its line"
            approximate = "lines of dicts, lists, tuples and floats, until `confirm` has found them"
        return State(
            available=not why_not,
            why_not=why_not,
            unlock="a wheel of sonde for this platform" if why_not else "",
            exact=exact,
            approximate=approximate,
        )

    def start(self, options: Mapping[str, Any], seconds: float) -> None:  # noqa: ARG002 - the host ends it
        """Mark requests from now on."""
        why_not = _why_not()
        if why_not:
            raise ToolError("unavailable", f"leaks: {why_not}")
        from sonde.probe.tools.leaks.requests import Requests
        from sonde.probe.tools.leaks.tracker import Tracker, native

        if native().running():
            raise ToolError(
                "busy", "leaks: the program tracks its leaks itself (sonde.track_leaks); see `sonde leaks analyze`"
            )
        tracker = Tracker(self._told, most_blocks=options["max_blocks"], confirm=options["confirm"])
        try:
            tracker.start()
        except MemoryError as error:
            raise ToolError("no_memory", "leaks: no memory for its tables; ask for less max_blocks") from error
        except RuntimeError as error:
            raise ToolError("busy", f"leaks: {error}") from error
        self._tracker = tracker
        self._requests = Requests(tracker, options["endpoint"], options["one_in"], options["max_loops"])
        self._requests.begin()

    def progress(self) -> str:
        """How many requests so far."""
        tracker, requests = self._tracker, self._requests
        if tracker is None or requests is None:
            return ""
        return f"{requests.marked:,} of {requests.seen:,} requests looked at; they keep {tracker.ledger.size:,} bytes"

    def cpu_s(self) -> float:
        """Of judging; what each allocation costs is in the requests' own time."""
        return self._tracker.cpu_s if self._tracker is not None else 0.0

    def stop(self) -> Result:
        """Say what was kept."""
        tracker, requests = self._tracker, self._requests
        self._tracker = self._requests = None
        if tracker is None or requests is None:
            raise ToolError("error", "leaks: it does not run")
        requests.end()
        try:
            if gc.isenabled():
                gc.collect()
            tracker.finish()
            document = report(tracker)
            notes = _notes(tracker, requests, document)
            figures = tracker.figures()
        finally:
            clean = tracker.stop()
        if not clean:
            notes.append("Another tool has set its allocation hooks above ours: ours stay below, and do nothing.")
        summary = {key: document[key] for key in ("loops", "exact", "bytes", "leaked_bytes", "routes", "growing")} | {
            "requests_seen": requests.seen,
            "requests_marked": requests.marked,
            "allocations": figures["tracked"],
            "leaks": sum(row["verdict"] == "leak" for row in document["sites"]),
            "sites": [
                {key: value for key, value in row.items() if key not in {"series", "chain"}}
                for row in document["sites"][:ROWS]
            ],
        }
        summary["routes"] = summary["routes"][:ROWS]
        log = "".join(self._log) or "no request was judged\n"
        return Result(
            summary,
            notes,
            [
                Artifact("leaks.json", "application/json", json.dumps(document, separators=(",", ":")).encode()),
                Artifact("leaks.log", "text/plain", log.encode("utf-8", "surrogateescape")),
            ],
        )

    def abort(self) -> None:
        """Mark nothing any more."""
        tracker, requests = self._tracker, self._requests
        self._tracker = self._requests = None
        if requests is not None:
            requests.end()
        if tracker is not None:
            tracker.stop()

    def after_fork(self) -> None:
        """The child's requests are not looked at."""
        tracker, requests = self._tracker, self._requests
        self._tracker = self._requests = None
        if requests is not None:
            requests.end()
        if tracker is not None:
            tracker.after_fork()

    def _told(self, told: Told) -> None:
        import os

        from sonde.probe.tools.leaks.lines import written

        if self._log_bytes > _MOST_LOG_BYTES:
            self._log_cut = True
            return
        lines: list[Line] = told.lines
        text = written(os.getpid(), told.loop, lines, told.growing)
        self._log.append(text)
        self._log_bytes += len(text)


def _tracemalloc_runs() -> bool:
    tracemalloc = sys.modules.get("tracemalloc")
    return tracemalloc is not None and bool(tracemalloc.is_tracing())


def _notes(tracker: Tracker, requests: Requests, document: Mapping[str, Any]) -> list[str]:
    notes = ["The first request is never judged, and the last one not before another has followed."]
    figures = tracker.figures()
    if not requests.seen:
        notes.append("No request came in that time, or none that the probe sees.")
    elif document["loops"] < 12:
        notes.append(f"{document['loops']} requests were judged: with a dozen and more the verdict is firm.")
    if not gc.isenabled():
        notes.append("The application has switched garbage collection off: what only cycles hold counts as kept.")
    if not document["exact"]:
        notes.append(_approximate_note(tracker))
    if tracker.gave_up_waiting:
        notes.append(
            f"{tracker.gave_up_waiting} requests were judged while tasks or callbacks of theirs still lived; what "
            "those allocated later is left out."
        )
    lost = figures["blocks_lost"] + figures["events_lost"] + figures["sites_lost"] + tracker.ledger.beyond
    if lost:
        notes.append(f"{lost} allocations or places found no room in the tables: sums are too small.")
    unexplained = tracker.resident.unexplained()
    if unexplained is not None:
        process, tracked = unexplained
        notes.append(
            f"The process grew by {process:,} bytes while what requests keep grew by {tracked:,}: the rest is "
            "fragmentation, or memory that native code keeps and Python's allocators never see."
        )
    return notes


def _approximate_note(tracker: Tracker) -> str:
    if _EXACT:
        return "Lines of dicts, lists, tuples and floats are approximate: tracemalloc was told of new objects, not we."
    if tracker.confirmation.done:
        return "Lines of dicts, lists, tuples and floats were confirmed with tracemalloc in ten requests."
    return "Lines of dicts, lists, tuples and floats are approximate: this Python re-uses dead ones."
