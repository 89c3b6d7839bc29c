"""Two heaps beside each other: types, roots and holders that grew, shrank, came and went.

A table of a heap's file is cut: what stands in one file and not in a cut table of the other had, there, at most as much
as that table's last row. Then the change is told as far as it is certain.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from sonde.server.reports.comparisons import HeapChange, HeapComparison

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sonde.server.insight.run_files import HeapFile, Holder, Step
    from sonde.server.reports.comparisons import ChangeState

MOST_CHANGES = 1000
"""Of each kind in the answer."""
_TOP = 100
"""So many roots and holders are in a file at most; see docs/tools/heap.md."""
_INDEX = re.compile(r"\[\d+\]")


class _Amount(NamedTuple):
    objects: int
    bytes: int


class _Table(NamedTuple):
    rows: Mapping[tuple[str, str], _Amount]
    """By name and way."""
    floor: int
    """What is not in it has at most so many bytes an object, or a type; 0: it is whole."""


def compared(before: HeapFile, now: HeapFile) -> HeapComparison:
    """What changed from `before` to `now`."""
    types = _changes(_types(before), _types(now), each=False)
    roots = _changes(_roots(before), _roots(now), each=False)
    holders = _changes(_holders(before), _holders(now), each=True)
    return HeapComparison(
        before_objects=before.objects,
        now_objects=now.objects,
        before_bytes=before.bytes,
        now_bytes=now.bytes,
        types=types[0][:MOST_CHANGES],
        roots=[row.model_copy(update=_UNCOUNTED) for row in roots[0][:MOST_CHANGES]],
        holders=holders[0][:MOST_CHANGES],
        untold=types[1] + roots[1] + holders[1],
    )


_UNCOUNTED = {"before_objects": None, "now_objects": None, "change_objects": None}


def _types(heap: HeapFile) -> _Table:
    rows: dict[tuple[str, str], _Amount] = {}
    for row in heap.types:
        _add(rows, (row.type, ""), _Amount(row.objects, row.bytes))
    cut = heap.type_count > len(heap.types)
    return _Table(rows, min((row.bytes for row in heap.types), default=0) if cut else 0)


def _roots(heap: HeapFile) -> _Table:
    rows: dict[tuple[str, str], _Amount] = {}
    for row in heap.roots:
        _add(rows, (row.root, ""), _Amount(1, row.bytes))
    return _Table(rows, _floor([row.bytes for row in heap.roots]))


def _holders(heap: HeapFile) -> _Table:
    rows: dict[tuple[str, str], _Amount] = {}
    for row in heap.retained:
        _add(rows, (row.type, _way(row)), _Amount(1, row.retained_bytes))
    return _Table(rows, _floor([row.retained_bytes for row in heap.retained]))


def _floor(sizes: Sequence[int]) -> int:
    return min(sizes) if len(sizes) >= _TOP else 0


def _add(rows: dict[tuple[str, str], _Amount], key: tuple[str, str], amount: _Amount) -> None:
    """Classes of one name are one row, as are roots and holders."""
    known = rows.get(key, _Amount(0, 0))
    rows[key] = _Amount(known.objects + amount.objects, known.bytes + amount.bytes)


def _way(holder: Holder) -> str:
    """`module shop.CACHE[str][*].name`: where in a list it stands is another place in each run."""
    if not holder.chain:
        return ""
    root, *steps = holder.chain
    return "".join((root[0], *(_step(step) for step in steps)))


def _step(step: Step) -> str:
    via = step[0]
    return _INDEX.sub("[*]", via) if via[:1] in {".", "["} else f" → {via or f'({step[1]})'}"


def _changes(before: _Table, now: _Table, *, each: bool) -> tuple[list[HeapChange], int]:
    """Those that changed most first, and of how many nothing is certain. `each`: a floor is of one object."""
    found = []
    untold = 0
    for key in before.rows.keys() | now.rows.keys():
        then, here = before.rows.get(key), now.rows.get(key)
        missing_in = before if then is None else now
        known = here or then or _Amount(0, 0)
        at_least = (then is None or here is None) and missing_in.floor > 0
        most = missing_in.floor * (known.objects if each else 1) if at_least else 0
        if at_least and known.bytes <= most:
            untold += 1
            continue
        size = (here.bytes if here else most) - (then.bytes if then else most)
        count = (here.objects if here else 0) - (then.objects if then else 0)
        absent = None if at_least else _Amount(0, 0)
        was, is_ = then or absent, here or absent
        found.append(
            HeapChange(
                name=key[0],
                where=key[1],
                state=_state(was, is_, size),
                before_objects=was.objects if was else None,
                now_objects=is_.objects if is_ else None,
                change_objects=None if at_least else count,
                before_bytes=was.bytes if was else None,
                now_bytes=is_.bytes if is_ else None,
                change_bytes=size,
                at_least=at_least,
            )
        )
    found.sort(key=lambda row: (-abs(row.change_bytes), row.name, row.where))
    return found, untold


def _state(was: _Amount | None, is_: _Amount | None, size: int) -> ChangeState:
    """None: there may have been some."""
    if was == _Amount(0, 0):
        return "new"
    if is_ == _Amount(0, 0):
        return "gone"
    return "grown" if size > 0 else "shrunk" if size < 0 else "same"
