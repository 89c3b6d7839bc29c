"""A profile as an indented tree: the branches that matter, the heaviest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.cli.debugging.page import cut, plain, shown
from sonde.wire.profile import NO_PARENT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sonde.wire.profile import Profile

MAX_LINES = 40
LEAST_SHARE = 0.02
MAX_DEPTH = 60
_KEYS = {"nanoseconds": "_ns", "bytes": "bytes", "count": ""}


def lines(profile: Profile, width: int) -> Iterator[str]:
    """At most MAX_LINES of them, with the part of the whole that each branch has."""
    weights = [0] * len(profile.nodes)
    for sample in profile.samples:
        weights[sample.node] += sample.weight
    children: list[list[int]] = [[] for _ in profile.nodes]
    roots: list[int] = []
    for at in range(len(profile.nodes) - 1, -1, -1):
        parent = profile.nodes[at].parent
        if parent == NO_PARENT:
            roots.append(at)
        else:
            weights[parent] += weights[at]
            children[parent].append(at)
    whole = sum(weights[at] for at in roots)
    if not whole:
        return
    waiting = [(at, 0) for at in sorted(roots, key=weights.__getitem__)]
    left = MAX_LINES
    while waiting and left:
        at, depth = waiting.pop()
        if weights[at] < LEAST_SHARE * whole:
            continue
        left -= 1
        node = profile.nodes[at]
        frame = profile.frames[node.frame]
        place = f"  {frame.file}:{node.line}" if frame.file else ""
        head = f"{weights[at] / whole:6.1%} {shown(_KEYS.get(profile.unit, ''), weights[at]):>8}  {' ' * depth}"
        yield head + cut(plain(f"{frame.name}{place}"), max(20, width - len(head)))
        if depth < MAX_DEPTH:
            waiting += [(child, depth + 1) for child in sorted(children[at], key=weights.__getitem__)]
    if waiting:
        yield f"       … branches of less than {LEAST_SHARE:.0%}, or further down, are in the file"
