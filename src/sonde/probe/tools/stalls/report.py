"""What a run has seen, in memory that has an end: every stall counted by line and cause, the longest kept whole."""

from __future__ import annotations

import json

from sonde.probe.tools.longest import Longest
from sonde.probe.tools.places import Place, place_row, stack_rows
from sonde.probe.tools.stalls.pauses import Pause
from sonde.wire.profile import Frame, Tree

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from sonde.probe.tools.stalls.verdict import Stall
    from sonde.wire.profile import Profile

FORMAT = "sonde.stalls.v1"
MAX_KEPT = 200
MAX_PAUSES = 100
MAX_LINES = 1000
MAX_NODES = 20_000
ROWS = 100
"""Of the table in the summary."""
NOT_SEEN = Place("(not seen)", "", 0, 0)
OTHERS = Place("(others)", "", 0, 0)


class Line:
    """All stalls of one line, for one cause."""

    def __init__(self, stall: Stall) -> None:
        self.stall = stall
        """The longest of them."""
        self.count = self.ns = self.longest_ns = 0

    def add(self, stall: Stall) -> None:
        """One more."""
        self.count += 1
        self.ns += stall.duration_ns
        if stall.duration_ns >= self.longest_ns:
            self.longest_ns, self.stall = stall.duration_ns, stall


class Report:
    """`add` is the watch's listener."""

    def __init__(self, threshold_ns: int) -> None:
        self.threshold_ns = threshold_ns
        self.stalls, self.pauses = Longest(MAX_KEPT), Longest(MAX_PAUSES)
        self.ns = self.longest_ns = self.gc_ns = self.untraced = 0
        self.causes: dict[str, list[int]] = {}
        self._lines: dict[tuple[Place, str], Line] = {}
        self._tree = Tree(MAX_NODES)

    def add(self, one: Stall | Pause) -> None:
        """Shorter ones are somebody else's."""
        if one.duration_ns < self.threshold_ns:
            return
        if isinstance(one, Pause):
            self.pauses.add(one.duration_ns, one)
            return
        self.ns += one.duration_ns
        self.longest_ns = max(self.longest_ns, one.duration_ns)
        self.gc_ns += one.gc_ns
        of_cause = self.causes.setdefault(one.cause, [0, 0])
        of_cause[0] += 1
        of_cause[1] += one.duration_ns
        key = (one.line or NOT_SEEN, one.cause)
        if key not in self._lines and len(self._lines) >= MAX_LINES:
            key = (OTHERS, one.cause)
        self._lines.setdefault(key, Line(one)).add(one)
        for held in one.held:
            self._tree.add([(Frame(*place[:3]), place.line) for place in held.stack], held.ns, held.looks)
        self.stalls.add(one.duration_ns, one._replace(held=()))

    def lines(self) -> list[dict[str, Any]]:
        """By line and cause, what blocked for longest in all first."""
        rows = [
            {
                **place_row(place),
                "cause": cause,
                "system_call": line.stall.call,
                "held_by": line.stall.held_by,
                "count": line.count,
                "ns": line.ns,
                "longest_ns": line.longest_ns,
                "coroutine": line.stall.coroutine,
                "callback": line.stall.callback,
                "endpoint": line.stall.endpoint,
                "innermost": place_row(line.stall.innermost) if line.stall.innermost else None,
                "trace_id": line.stall.trace_id.hex(),
            }
            for (place, cause), line in self._lines.items()
        ]
        return sorted(rows, key=lambda row: row["ns"], reverse=True)

    def profile(self, duration_ns: int) -> Profile:
        """The stacks that stood while a loop was blocked."""
        return self._tree.profile("stalls", "nanoseconds", 0, duration_ns)

    def document(
        self, duration_ns: int, counts: Mapping[str, Any], ongoing: list[Stall], names: dict[int, str]
    ) -> bytes:
        """`stalls.json`."""
        return json.dumps(
            {
                "format": FORMAT,
                "threshold_ms": self.threshold_ns / 1e6,
                "duration_ns": duration_ns,
                "count": self.stalls.count,
                "ns": self.ns,
                "causes": self._causes(),
                "lines": self.lines(),
                "stalls": [row(one, names) for one in (*ongoing, *self.stalls.all())],
                "gc": gc_row(counts),
                "gc_pauses": [pause_row(one, names) for one in self.pauses.all()],
            },
            separators=(",", ":"),
        ).encode()

    def summary(self, duration_ns: int, counts: Mapping[str, Any], ongoing: list[Stall]) -> dict[str, Any]:
        """For a table without any artifact."""
        return {
            "threshold_ms": self.threshold_ns / 1e6,
            "duration_ns": duration_ns,
            "loops": counts["loops"],
            "count": self.stalls.count,
            "ongoing": len(ongoing),
            "ns": self.ns,
            "longest_ns": self.longest_ns,
            "causes": self._causes(),
            "gc": gc_row(counts),
            "lines": self.lines()[:ROWS],
        }

    def _causes(self) -> dict[str, dict[str, int]]:
        return {cause: {"count": seen[0], "ns": seen[1]} for cause, seen in self.causes.items()}


def row(stall: Stall, names: dict[int, str]) -> dict[str, Any]:
    """A stall of `stalls.json`."""
    return {
        "began_unix_ns": stall.began_unix_ns,
        "ns": stall.duration_ns,
        "ended": stall.ended,
        "kind": stall.kind,
        "thread": names.get(stall.tid, f"thread {stall.tid}"),
        "tid": stall.tid,
        "cause": stall.cause,
        "causes_ns": stall.causes,
        "system_call": stall.call,
        "held_by": stall.held_by,
        "gc_ns": stall.gc_ns,
        "callback": stall.callback,
        "task": stall.task,
        "coroutine": stall.coroutine,
        "endpoint": stall.endpoint,
        "trace_id": stall.trace_id.hex(),
        "span_id": stall.span_id.hex(),
        "line": place_row(stall.line) if stall.line else None,
        "innermost": place_row(stall.innermost) if stall.innermost else None,
        "stack": stack_rows(stall.stack),
    }


def pause_row(pause: Pause, names: dict[int, str]) -> dict[str, Any]:
    """A pause of `stalls.json`."""
    return {
        "began_unix_ns": pause.began_unix_ns,
        "ns": pause.duration_ns,
        "thread": names.get(pause.tid, f"thread {pause.tid}"),
        "generation": pause.generation,
        "collected": pause.collected,
        "uncollectable": pause.uncollectable,
        "trace_id": pause.trace_id.hex(),
        "span_id": pause.span_id.hex(),
        "line": place_row(pause.line) if pause.line else None,
        "stack": stack_rows(pause.stack),
    }


def gc_row(counts: Mapping[str, Any]) -> dict[str, Any]:
    """All collections of the run, short ones included."""
    return {
        "collections": list(counts["gc_count"]),
        "ns": list(counts["gc_ns"]),
        "longest_ns": counts["gc_longest_ns"],
    }
