"""What a request waited for, moment by moment: the chain of spans that made it take as long as it did.

Walked from the end of the root backwards: the parent waits for the child that ended last, before it for the child that
had ended when that one began, and so on; what lies between is the parent's own. Each child is asked in the same way. So
the stretches follow each other without gap from the start of the root to its end.

Who is not waited for is not on the path: a message's consumer, and a child that runs on when its parent has ended. A
server's span may end after its caller's all the same, for two hosts have two clocks: it counts as far as the caller's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Step:
    """A span in drawing order. Times in ns; `kind` as OTel names it."""

    start_ns: int
    end_ns: int
    depth: int
    kind: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """The trace waited for this step, by its place in drawing order, from then until then."""

    step: int
    start_ns: int
    end_ns: int


def critical_path(steps: Sequence[Step]) -> list[Stretch]:
    """Of the longest root, by time. None where there is no span, or none of any length."""
    roots = [number for number, step in enumerate(steps) if step.depth == 0]
    if not roots:
        return []
    root = max(roots, key=lambda number: (steps[number].end_ns - steps[number].start_ns, -number))
    children = _children(steps)
    found: list[Stretch] = []
    waiting = [(root, steps[root].start_ns, steps[root].end_ns)]
    while waiting:
        number, start, reached = waiting.pop()
        for child, child_start, child_end in _waited_for(steps, number, children[number], start, reached):
            if child_end > reached:
                continue  # ran beside the one that ended last
            if child_end < reached:
                found.append(Stretch(number, child_end, reached))
            waiting.append((child, child_start, child_end))
            reached = child_start
        if start < reached:
            found.append(Stretch(number, start, reached))
    return sorted(found, key=lambda stretch: stretch.start_ns)


def _children(steps: Sequence[Step]) -> list[list[int]]:
    """Places of the children of each step."""
    children: list[list[int]] = [[] for _ in steps]
    open_: list[int] = []
    for number, step in enumerate(steps):
        del open_[step.depth :]
        if open_:
            children[open_[-1]].append(number)
        open_.append(number)
    return children


def _waited_for(
    steps: Sequence[Step], parent: int, children: Sequence[int], start: int, end: int
) -> list[tuple[int, int, int]]:
    """(child, from, until) inside of the parent's time, who ended last first; of two, who took longer."""
    waited = []
    for child in children:
        step = steps[child]
        runs_on = step.end_ns > steps[parent].end_ns and step.kind != "server"
        if step.kind == "consumer" or runs_on:
            continue
        child_start, child_end = max(step.start_ns, start), min(step.end_ns, end)
        if child_start < child_end:
            waited.append((child, child_start, child_end))
    return sorted(waited, key=lambda one: (-one[2], one[1], one[0]))
