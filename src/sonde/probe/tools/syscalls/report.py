"""What a run has seen, in memory that has an end: every slow call counted by call and line, the longest kept whole."""

from __future__ import annotations

import errno
import json

from sonde.probe.tools.longest import Longest
from sonde.probe.tools.places import Place, place_row, stack_rows
from sonde.wire.profile import Frame, Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sonde.probe.tools.syscalls.slow import Slow
    from sonde.wire.profile import Profile

FORMAT = "sonde.syscalls.v1"
MAX_KEPT = 200
MAX_LINES = 1000
MAX_NODES = 20_000
ROWS = 100
"""Of the table in the summary."""
NO_LINE = Place("(no Python)", "", 0, 0)
OTHERS = Place("(others)", "", 0, 0)


class Line:
    """All slow calls of one kind from one line."""

    def __init__(self, slow: Slow) -> None:
        self.slow = slow
        """The longest of them."""
        self.count = self.ns = self.longest_ns = self.errors = 0

    def add(self, slow: Slow) -> None:
        """One more."""
        self.count += 1
        self.ns += slow.duration_ns
        self.errors += slow.error != 0
        if slow.duration_ns >= self.longest_ns:
            self.longest_ns, self.slow = slow.duration_ns, slow


class Report:
    """`add` is the watch's listener."""

    def __init__(self, threshold_ns: int) -> None:
        self.threshold_ns = threshold_ns
        self.calls = Longest(MAX_KEPT)
        self.ns = self.longest_ns = 0
        self._lines: dict[tuple[str, Place], Line] = {}
        self._tree = Tree(MAX_NODES)

    def add(self, one: Slow) -> None:
        """Shorter ones are somebody else's."""
        if one.duration_ns < self.threshold_ns:
            return
        self.ns += one.duration_ns
        self.longest_ns = max(self.longest_ns, one.duration_ns)
        key = (one.call, one.line or NO_LINE)
        if key not in self._lines and len(self._lines) >= MAX_LINES:
            key = (one.call, OTHERS)
        self._lines.setdefault(key, Line(one)).add(one)
        stack = [(Frame(*place[:3]), place.line) for place in one.stack]
        self._tree.add([*stack, (Frame(f"{one.call}()", "", 0), 0)], one.duration_ns)
        self.calls.add(one.duration_ns, one)

    def lines(self) -> list[dict[str, Any]]:
        """By call and line, what took longest in all first."""
        rows = [
            {
                "call": call,
                **place_row(place),
                "count": line.count,
                "ns": line.ns,
                "longest_ns": line.longest_ns,
                "errors": line.errors,
                "what": line.slow.what,
                "endpoint": line.slow.endpoint,
                "trace_id": line.slow.trace_id.hex(),
            }
            for (call, place), line in self._lines.items()
        ]
        return sorted(rows, key=lambda row: row["ns"], reverse=True)

    def profile(self, duration_ns: int) -> Profile:
        """The stacks, each with its call on top."""
        return self._tree.profile("syscalls", "nanoseconds", 0, duration_ns)

    def document(self, duration_ns: int, names: Mapping[int, str]) -> bytes:
        """`syscalls.json`."""
        return json.dumps(
            {
                "format": FORMAT,
                "threshold_ms": self.threshold_ns / 1e6,
                "duration_ns": duration_ns,
                "count": self.calls.count,
                "ns": self.ns,
                "lines": self.lines(),
                "calls": [row(one, names) for one in self.calls.all()],
            },
            separators=(",", ":"),
        ).encode()

    def summary(self, duration_ns: int, counts: Mapping[str, Any], idle: int) -> dict[str, Any]:
        """For a table without any artifact."""
        return {
            "threshold_ms": self.threshold_ns / 1e6,
            "duration_ns": duration_ns,
            "slots": counts["slots"],
            "libraries": counts["libraries"],
            "count": self.calls.count,
            "idle": idle,
            "ns": self.ns,
            "longest_ns": self.longest_ns,
            "lines": self.lines()[:ROWS],
        }


def row(slow: Slow, names: Mapping[int, str]) -> dict[str, Any]:
    """A call of `syscalls.json`."""
    return {
        "call": slow.call,
        "began_unix_ns": slow.began_unix_ns,
        "ns": slow.duration_ns,
        "thread": names.get(slow.tid, f"thread {slow.tid}"),
        "tid": slow.tid,
        "error": errno.errorcode.get(slow.error, str(slow.error)) if slow.error else "",
        "descriptor": slow.descriptor,
        "what": slow.what,
        "endpoint": slow.endpoint,
        "trace_id": slow.trace_id.hex(),
        "span_id": slow.span_id.hex(),
        "line": place_row(slow.line) if slow.line else None,
        "stack": stack_rows(slow.stack),
    }
