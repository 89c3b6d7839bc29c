"""The leak log's lines, as written and as read back."""

from __future__ import annotations

import re
from typing import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NO_LEAK = "✅ Nice!! No Leak Were Detected In This Loop"
TOTAL = "❌ This Loop TotalLeak:"
GROWTH = "The Possible Leak As Malloc Size Keep Growth:"


class Line(NamedTuple):
    """What a loop keeps of one line of code, or has freed or grown of an earlier loop's."""

    place: str
    """`file:line`."""
    size: int
    """Bytes; below 0: more was freed than kept."""
    earlier: tuple[tuple[int, str, int], ...] = ()
    """Of memory that earlier loops left, what was freed: (loop, its place, bytes)."""


class Growing(NamedTuple):
    """A line that allocates more each time, even where all is freed."""

    place: str
    times: int
    size: int


def written(pid: int, loop: int, lines: Iterable[Line], growing: Iterable[Growing] = ()) -> str:
    """A loop's text. Its total is the sum of its lines."""
    head = f"[{pid} (Loop {loop})]"
    out = []
    total = 0
    for line in lines:
        out.append(f"{head} {line.place} => [{line.size}]")
        out += [f"Free Pre (Loop {number}) : {place} => [{size}]" for number, place, size in line.earlier]
        total += line.size
    out.append(f"{head} {TOTAL} [{total}]" if out else f"{head} {NO_LEAK}")
    grown = [f"{one.place} => Growth Times : [{one.times}]; Growth Size : [{one.size}]" for one in growing]
    if grown:
        out += [f"{head} {GROWTH}", *grown]
    return "\n".join(out) + "\n"


class Read(NamedTuple):
    """One line of a log. `kind`: `clean`, `line`, `total`, `freed` (of an earlier loop), `growing`."""

    kind: str
    pid: int
    loop: int
    place: str = ""
    size: int = 0
    times: int = 0


_HEAD = re.compile(r"\[(\d+) \(Loop (\d+)\)\] (.*)")
_LINE = re.compile(r"(.+:\d+|\?) => \[(-?\d+)\]")
_FREED = re.compile(r"Free Pre \(Loop (\d+)\) : (.+) => \[(-?\d+)\]")
_GROWING = re.compile(r"(.+) => Growth Times : \[(\d+)\]; Growth Size : \[(\d+)\]")
_TOTAL = re.compile(re.escape(TOTAL) + r" \[(-?\d+)\]")


def read(text: Iterable[str]) -> Iterator[Read]:
    """What stands in a log; other lines are passed over."""
    pid = loop = 0
    for raw in text:
        line = raw.rstrip("\n")
        if found := _HEAD.fullmatch(line):
            pid, loop = int(found[1]), int(found[2])
            rest = found[3]
            if rest == NO_LEAK:
                yield Read("clean", pid, loop)
            elif total := _TOTAL.fullmatch(rest):
                yield Read("total", pid, loop, size=int(total[1]))
            elif kept := _LINE.fullmatch(rest):
                yield Read("line", pid, loop, kept[1], int(kept[2]))
        elif freed := _FREED.fullmatch(line):
            yield Read("freed", pid, int(freed[1]), freed[2], int(freed[3]))
        elif growing := _GROWING.fullmatch(line):
            yield Read("growing", pid, loop, growing[1], int(growing[3]), int(growing[2]))
