"""Which span is the current one: per thread, per task, per copied context.

Coming back from a scope restores what was current before it. Two cases need care. A task that was started inside a
scope keeps that scope as its current span after it has ended: it goes on belonging to that trace. But a scope that
ends while another one is current (its inner scope is still open, or it ends in another thread) cannot be restored to:
whoever would come back to it later goes on to the one before, or a thread would stay inside a request that is over.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sonde.probe.core.twin.span import Span

CURRENT: ContextVar[Span | None] = ContextVar("sonde_current_span", default=None)


current = CURRENT.get
"""The innermost scope of this context; a task may get one that has ended meanwhile. None outside of any."""


def enter(span: Span) -> None:
    """Make `span` current until it ends."""
    span.previous = _reachable(CURRENT.get())
    span.scoped = True
    CURRENT.set(span)


def leave(span: Span) -> None:
    """`span` has ended: go back to what was current before it, if this context is in it."""
    if CURRENT.get() is span:
        CURRENT.set(_reachable(span.previous))
        span.previous = None
    else:
        span.left_behind = True


def _reachable(span: Span | None) -> Span | None:
    while span is not None and span.left_behind:
        span = span.previous
    return span
