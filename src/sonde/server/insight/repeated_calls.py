"""Calls that one span of a trace makes again and again: a query for each row of another query, a request for each item.

Pure: from the spans of a trace to what is worth a word, the costliest first.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

LEAST_CALLS = 5
"""So many calls of one parent that are alike are told, unless somebody asks otherwise."""


@dataclass(frozen=True, slots=True)
class Call:
    """A span that calls somebody. `alike`: what calls of one sort have in common. Times in ns."""

    span_id: bytes
    parent_id: bytes
    alike: Hashable
    start_ns: int
    duration_ns: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """Calls of one parent that are alike, by start."""

    calls: Sequence[Call]

    @property
    def total_ns(self) -> int:
        """Their durations, added up."""
        return sum(call.duration_ns for call in self.calls)

    @property
    def elapsed_ns(self) -> int:
        """The time in which at least one of them ran: less than the total where they overlap."""
        elapsed = reached = 0
        for call in self.calls:
            end = call.start_ns + call.duration_ns
            elapsed += max(0, end - max(call.start_ns, reached))
            reached = max(reached, end)
        return elapsed


def repeated_calls(calls: Iterable[Call], least: int = LEAST_CALLS) -> list[Repeated]:
    """At least `least` calls of one parent that are alike, those that took longest first.

    A span that was stored twice counts once. Spans without a parent have none in common.
    """
    by_parent: dict[tuple[bytes, Hashable], dict[bytes, Call]] = defaultdict(dict)
    for call in calls:
        if any(call.parent_id):
            by_parent[call.parent_id, call.alike].setdefault(call.span_id, call)
    found = [
        Repeated(sorted(group.values(), key=lambda call: (call.start_ns, call.span_id)))
        for group in by_parent.values()
        if len(group) >= least
    ]
    return sorted(found, key=lambda one: (-one.total_ns, one.calls[0].start_ns, one.calls[0].span_id))
