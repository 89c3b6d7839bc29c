"""Files of the tools `heap` and `leaks` as far as they are compared. A process wrote them: they are not believed."""

from __future__ import annotations

from typing import Annotated, NamedTuple, TypeVar

import msgspec

MOST_ROWS = 10_000
"""Of one table; no probe writes as many."""

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
Step = tuple[str, str, Count]
"""Via, type, bytes."""


class TypeRow(NamedTuple):
    """A type, its module, how many objects, their bytes."""

    type: str
    module: str
    objects: Count
    bytes: Count


class RootRow(NamedTuple):
    """What a root keeps alive."""

    root: str
    bytes: Count


class Holder(msgspec.Struct):
    """An object that keeps much alive, and the way to it."""

    type: str
    retained_bytes: Count
    chain: Annotated[list[Step], msgspec.Meta(max_length=1000)] = []


class HeapFile(msgspec.Struct):
    """`sonde.heap.v1`, see docs/tools/heap.md."""

    objects: Count
    bytes: Count
    types: Annotated[list[TypeRow], msgspec.Meta(max_length=MOST_ROWS)]
    type_count: Count = 0
    roots: Annotated[list[RootRow], msgspec.Meta(max_length=MOST_ROWS)] = []
    retained: Annotated[list[Holder], msgspec.Meta(max_length=MOST_ROWS)] = []


class Via(msgspec.Struct):
    """A line of a library."""

    file: str
    line: Count


class LeakSite(msgspec.Struct):
    """A line that keeps memory. It may keep less at the end than at the beginning of the judged requests."""

    file: str
    line: Count
    type: str
    verdict: str
    bytes: Count
    blocks: Count
    bytes_per_loop: Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
    via: Via | None = None
    approximate: bool = False
    held_by: str = ""


class LeaksFile(msgspec.Struct):
    """`sonde.leaks.v1`, see docs/tools/leaks.md."""

    loops: Count
    leaked_bytes: Count
    sites: Annotated[list[LeakSite], msgspec.Meta(max_length=MOST_ROWS)]


File = TypeVar("File", HeapFile, LeaksFile)


def read(content: bytes, kind: type[File]) -> File:
    """The file. ValueError: it is no such one, and which part of it is not."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(str(error)) from None
