"""Two runs of a tool beside each other: what changed from the earlier one to this one."""

from __future__ import annotations

from datetime import datetime  # noqa: TC003 - pydantic reads it at run time
from typing import Literal

from pydantic import BaseModel

ChangeState = Literal["new", "grown", "same", "shrunk", "gone"]


class ComparedRun(BaseModel):
    """Whose result it is."""

    id: str
    service: str
    instance: str
    pid: int
    created_at: datetime


class HeapChange(BaseModel):
    """A type, a root or a holder. None: the run's file does not tell of it, since its table is cut there."""

    name: str
    where: str
    """The way to a holder from its root; empty of types and roots."""
    state: ChangeState
    before_objects: int | None
    now_objects: int | None
    change_objects: int | None
    before_bytes: int | None
    now_bytes: int | None
    change_bytes: int
    at_least: bool
    """`change_bytes` is nearer to 0 than the truth: one of both runs does not tell of it."""


class HeapComparison(BaseModel):
    """What fills memory, then and now. Those that changed most come first, whatever the sign."""

    before_objects: int
    now_objects: int
    before_bytes: int
    now_bytes: int
    types: list[HeapChange]
    """Bytes are the objects' own."""
    roots: list[HeapChange]
    """Bytes are what they keep alive; objects are not counted."""
    holders: list[HeapChange]
    """Likewise; those with the same type and way but for indexes are one row."""
    untold: int
    """Rows of which a cut table does not even tell whether they grew."""


class LeakChange(BaseModel):
    """A line and what it keeps. None: that run has not seen it keep anything."""

    file: str
    line: int
    type: str
    via: str
    """Where in a library it was allocated: `file:line`, or empty."""
    state: ChangeState
    before_verdict: str | None
    now_verdict: str | None
    before_bytes: int | None
    now_bytes: int | None
    before_blocks: int | None
    now_blocks: int | None
    before_bytes_per_request: float | None
    now_bytes_per_request: float | None
    change_bytes_per_request: float
    approximate: bool
    held_by: str


class LeaksComparison(BaseModel):
    """Lines that keep memory, then and now. Runs differ in length: what counts is bytes a request."""

    before_requests: int
    now_requests: int
    before_leaked_bytes: int
    now_leaked_bytes: int
    lines: list[LeakChange]
    """New ones first, then grown, shrunk, gone, and those that are the same; in each the largest change first."""
    cut: bool
    """One of both files has no room for more lines: what is new or gone may be below the last of them."""


class JobComparison(BaseModel):
    """`before` is the other run. One of the rest is there, by the tool."""

    tool: Literal["heap", "leaks"]
    now: ComparedRun
    before: ComparedRun
    heap: HeapComparison | None = None
    leaks: LeaksComparison | None = None
