"""A profile: a tree of frames with weights (`sonde.profile.v1` of docs/debugger.md), made of stacks, written and read.

All of it is bounded: a tree that is full takes no new stack and counts what it leaves out.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FORMAT = "sonde.profile.v1"
MEDIA_TYPE = "application/json"
UNITS = ("nanoseconds", "bytes", "count")
NO_PARENT = -1

_PIECE = 500
"""Rows that are written at once: the encoder holds the interpreter's lock meanwhile, and the application waits."""


class Frame(NamedTuple):
    """A function."""

    name: str
    file: str
    first_line: int


class Node(NamedTuple):
    """A frame below another: index of the parent node (`NO_PARENT`: a root), index of the frame, the line that ran."""

    parent: int
    frame: int
    line: int


class Sample(NamedTuple):
    """What was seen at a node: its weight in the profile's unit, and how many times."""

    node: int
    weight: int
    times: int


@dataclass(slots=True)
class Profile:
    """Parents come before their children; a node may have several samples."""

    tool: str
    unit: str
    frames: list[Frame] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    period_ns: int = 0
    duration_ns: int = 0


def written(profile: Profile) -> bytes:
    """`profile.json`."""
    head = {"format": FORMAT, "tool": profile.tool, "unit": profile.unit}
    tail = {"period_ns": profile.period_ns, "duration_ns": profile.duration_ns}
    return "".join(
        (
            json.dumps(head)[:-1],
            *(_rows(",\n", "frames", profile.frames)),
            *(_rows(",\n", "nodes", profile.nodes)),
            *(_rows(",\n", "samples", profile.samples)),
            ",\n",
            json.dumps(tail)[1:],
            "\n",
        )
    ).encode()


def _rows(before: str, name: str, rows: list[Any]) -> Iterator[str]:
    yield f'{before}"{name}": ['
    for start in range(0, len(rows), _PIECE):
        yield ("," if start else "") + json.dumps(rows[start : start + _PIECE], separators=(",", ":"))[1:-1]
    yield "]"


def read(content: bytes) -> Profile:
    """The other way round. ValueError: it is no such profile, and which part of it is not."""
    document = json.loads(content)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"no {FORMAT}")
    profile = Profile(tool=str(document.get("tool", "")), unit=str(document.get("unit")))
    if profile.unit not in UNITS:
        raise ValueError(f"a profile's unit is one of {', '.join(UNITS)}, not {profile.unit!r}")
    profile.period_ns = _number(document.get("period_ns", 0))
    profile.duration_ns = _number(document.get("duration_ns", 0))
    for row in _list(document, "frames", 3):
        profile.frames.append(Frame(str(row[0]), str(row[1]), _number(row[2])))
    for at, row in enumerate(_list(document, "nodes", 3)):
        node = Node(*map(_number, row))
        if not (NO_PARENT <= node.parent < at and 0 <= node.frame < len(profile.frames)):
            raise ValueError(f"a profile's node {at} leads nowhere: {list(row)}")
        profile.nodes.append(node)
    for row in _list(document, "samples", 3):
        sample = Sample(*map(_number, row))
        if not 0 <= sample.node < len(profile.nodes):
            raise ValueError(f"a profile's sample leads nowhere: {list(row)}")
        profile.samples.append(sample)
    return profile


def _list(document: dict[str, Any], name: str, width: int) -> list[list[Any]]:
    rows = document.get(name)
    if not isinstance(rows, list) or not all(isinstance(row, list) and len(row) == width for row in rows):
        raise ValueError(f"a profile's {name} are lists of {width}")
    return rows


def _number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(f"a whole number is needed in a profile, not {value!r}")  # noqa: TRY004
    return value


class Tree:
    """Makes a profile out of stacks, in memory that has an end."""

    def __init__(self, max_nodes: int) -> None:
        self.dropped = 0
        """Samples that found no room."""
        self._max_nodes = max_nodes
        self._frames: dict[Frame, int] = {}
        self._nodes: dict[Node, int] = {}
        self._samples: dict[int, list[int]] = {}

    def add(self, stack: Iterable[tuple[Frame, int]], weight: int, count: int = 1) -> bool:
        """A stack, the outermost frame first, each with the line that ran. False: there was no room, or no frame."""
        at = NO_PARENT
        for frame, line in stack:
            node = Node(at, self._frames.setdefault(frame, len(self._frames)), line)
            known = self._nodes.get(node)
            if known is None:
                if len(self._nodes) >= self._max_nodes:
                    self.dropped += count
                    return False
                known = self._nodes[node] = len(self._nodes)
            at = known
        if at == NO_PARENT:
            return False
        seen = self._samples.setdefault(at, [0, 0])
        seen[0] += weight
        seen[1] += count
        return True

    def profile(self, tool: str, unit: str, period_ns: int, duration_ns: int) -> Profile:
        """What was added so far."""
        samples = [Sample(node, weight, count) for node, (weight, count) in self._samples.items()]
        return Profile(tool, unit, list(self._frames), list(self._nodes), samples, period_ns, duration_ns)


class Share(NamedTuple):
    """What one function has of a profile: by itself, and with all that it called (twice in a stack: once)."""

    frame: Frame
    self_weight: int
    total_weight: int
    self_count: int


def shares(profile: Profile) -> list[Share]:
    """Every function that was seen, the one with the most of its own first."""
    below = [0] * len(profile.nodes)
    own = [0] * len(profile.frames)
    own_count = [0] * len(profile.frames)
    for node, weight, count in profile.samples:
        below[node] += weight
        frame = profile.nodes[node].frame
        own[frame] += weight
        own_count[frame] += count
    for at in range(len(profile.nodes) - 1, -1, -1):
        parent = profile.nodes[at].parent
        if parent != NO_PARENT:
            below[parent] += below[at]
    total = [0] * len(profile.frames)
    for at, place in _outermost(profile):
        total[place.frame] += below[at]
    found = [
        Share(frame, own[at], total[at], own_count[at])
        for at, frame in enumerate(profile.frames)
        if total[at] or own_count[at]
    ]
    return sorted(found, key=lambda share: (share.self_weight, share.total_weight), reverse=True)


def _outermost(profile: Profile) -> Iterator[tuple[int, Node]]:
    """The nodes whose function is in none of the nodes above them."""
    children: list[list[int]] = [[] for _ in profile.nodes]
    waiting: list[tuple[int, bool]] = []
    for at, node in enumerate(profile.nodes):
        if node.parent == NO_PARENT:
            waiting.append((at, False))
        else:
            children[node.parent].append(at)
    inside: dict[int, int] = {}
    while waiting:
        at, leaving = waiting.pop()
        node = profile.nodes[at]
        if leaving:
            inside[node.frame] -= 1
            continue
        if not inside.get(node.frame):
            yield at, node
        inside[node.frame] = inside.get(node.frame, 0) + 1
        waiting.append((at, True))
        waiting.extend((child, False) for child in children[at])
