"""A trace as it is drawn: children after their parent, by start time, and how much time a span spent by itself.

Traces come as the world sends them. A parent may be missing (not sampled, not sent yet, another vendor's), clocks of
two hosts may disagree, spans may have been sent twice, two spans may share an id (Zipkin's client and server do),
parents may even form a ring. Every span is drawn exactly once.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


@dataclass(frozen=True, slots=True)
class Timing:
    """What of a span decides its place. Times in ns; `number` tells spans apart whatever their ids are."""

    number: int
    span_id: bytes
    parent_id: bytes
    start_ns: int
    duration_ns: int

    @property
    def end_ns(self) -> int:
        """When it ended."""
        return self.start_ns + self.duration_ns


@dataclass(frozen=True, slots=True)
class Bar:
    """A drawn span: how deep below its root, and the time in which none of its children ran."""

    number: int
    depth: int
    self_ns: int


def waterfall(spans: Sequence[Timing]) -> list[Bar]:
    """All spans in drawing order. A span whose parent is not among them is a root."""
    children, roots = _family(spans)
    bars: list[Bar] = []
    drawn: set[int] = set()
    by_start = sorted(spans, key=lambda span: (span.start_ns, span.number))
    # What no root leads to hangs in a ring: the ring is cut before its earliest span.
    for root in [*roots, *by_start]:
        waiting = [(root, 0)] if root.number not in drawn else []
        while waiting:
            span, depth = waiting.pop()
            if span.number in drawn:
                continue
            drawn.add(span.number)
            below = [child for child in children[span.number] if child.number not in drawn]
            bars.append(Bar(span.number, depth, _self_ns(span, children[span.number])))
            waiting.extend((child, depth + 1) for child in reversed(below))
    return bars


def _family(spans: Sequence[Timing]) -> tuple[dict[int, list[Timing]], list[Timing]]:
    """Children by the number of their parent, and the roots, all by start time."""
    sharing: dict[bytes, list[Timing]] = defaultdict(list)
    by_start = sorted(spans, key=lambda span: (span.start_ns, -span.duration_ns, span.number))
    for span in by_start:
        sharing[span.span_id].append(span)
    children: dict[int, list[Timing]] = defaultdict(list)
    roots: list[Timing] = []
    for span in by_start:
        parent = _parent(span, sharing)
        (roots if parent is None else children[parent.number]).append(span)
    return children, roots


def _parent(span: Timing, sharing: dict[bytes, list[Timing]]) -> Timing | None:
    """Of spans with one id the earlier is the parent of the later, and the last has the children."""
    twins = sharing[span.span_id]
    if twins[0] is not span:
        return twins[twins.index(span) - 1]
    parents = sharing.get(span.parent_id)
    if not parents or span.parent_id == span.span_id:
        return None
    return parents[-1]


def _self_ns(span: Timing, children: Iterable[Timing]) -> int:
    """Its duration less the time in which at least one child ran; what of a child lies outside does not count."""
    covered, reached = 0, span.start_ns
    for child in sorted(children, key=lambda child: child.start_ns):
        start, end = max(child.start_ns, reached), min(child.end_ns, span.end_ns)
        if end > start:
            covered += end - start
            reached = end
    return span.duration_ns - covered
