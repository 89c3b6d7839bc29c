"""Thread snapshots of SkyWalking's agents as a profile.

A snapshot is a list of texts, the outermost frame first: `/app/shop.py.price: 17` of Python, `com.acme.Shop.price:17`
of Java. It says which line ran and not where the function begins, so all of a function's frames begin in line 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sonde.wire.profile import Frame, Tree, shares, written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sonde.server.intake.skywalking.skywalking_pb2 import ThreadSnapshot

MOST_NODES = 50_000
MOST_FRAMES = 1000
LONGEST_SIGNATURE = 1000
MOST_SEGMENTS = 10_000
ROWS = 100
_LINE = re.compile(r"(.*?)\s*:\s*(\d{1,9})", re.DOTALL)
_PYTHON = re.compile(r"(.*\.py[cdwx]?|<[^<>]+>)\.([^.]+)", re.DOTALL)


def frame_of(signature: str) -> tuple[Frame, int]:
    """A frame and the line that ran; 0 where that is not said."""
    signature = signature[:LONGEST_SIGNATURE]
    match = _LINE.fullmatch(signature)
    place, line = (match[1], int(match[2])) if match else (signature, 0)
    if python := _PYTHON.fullmatch(place):
        return Frame(python[2], python[1], 0), line
    return Frame(place, "", 0), line


@dataclass(slots=True)
class Snapshots:
    """What has come of one task."""

    period_ms: int
    count: int = 0
    tree: Tree = field(default_factory=lambda: Tree(MOST_NODES))
    segments: set[str] = field(default_factory=set)

    def add(self, snapshot: ThreadSnapshot) -> None:
        """One more. It stands for the time until the next."""
        self.count += 1
        if len(self.segments) < MOST_SEGMENTS:
            self.segments.add(snapshot.traceSegmentId)
        stack = [frame_of(signature) for signature in snapshot.stack.codeSignatures[-MOST_FRAMES:]]
        self.tree.add(stack, self.period_ms * 1_000_000)

    def profile(self, tool: str, seconds: float) -> tuple[bytes, dict[str, Any]]:
        """`profile.json`, and the figures of the run's document."""
        profile = self.tree.profile(tool, "nanoseconds", self.period_ms * 1_000_000, round(seconds * 1e9))
        summary: dict[str, Any] = {
            "mode": "wall",
            "hz": round(1000 / self.period_ms, 1),
            "duration_ns": profile.duration_ns,
            "total_ns": sum(sample.weight for sample in profile.samples),
            "samples": self.count,
            "requests": len(self.segments),
            "dropped": self.tree.dropped,
            "functions": [
                {
                    "name": share.frame.name,
                    "file": share.frame.file,
                    "line": share.frame.first_line,
                    "self_ns": share.self_weight,
                    "total_ns": share.total_weight,
                    "samples": share.self_count,
                }
                for share in shares(profile)[:ROWS]
            ],
        }
        return written(profile), summary

    def notes(self, endpoint: str) -> Sequence[str]:
        """What to know about it."""
        way = (
            f"Of SkyWalking's own agent: threads that serve {endpoint}, looked at each {self.period_ms} ms as long"
            " as the request goes on, waiting included."
        )
        notes = [way]
        if not self.count:
            notes.append(f"No request of {endpoint} was looked at: did one come in that time, and take long enough?")
        if self.tree.dropped:
            notes.append(f"{self.tree.dropped:,} samples found no room in the tree.")
        return notes
