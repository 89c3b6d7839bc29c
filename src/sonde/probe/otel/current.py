"""Two notions of the current span, ours and that of OpenTelemetry's context, and how they stay one.

Each lives in a context variable of its own, so tasks and threads see to both alike. Theirs holds an immutable dict in
which the span is one of the values. What is attached through their API becomes current with us, too. Where ours has
changed since, by a plugin's request or `sonde.span`, it is the newer one, and their API is shown a view of it.

What has no span of ours (a caller's ids alone, or nothing at all) leaves ours as it is.
"""

from __future__ import annotations

import contextvars
from typing import TYPE_CHECKING, Any

from opentelemetry import context as api
from opentelemetry import trace
from opentelemetry.context import Context

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.otel.span import CALL, WORK, Span, view
from sonde.probe.plugins.points import PointError
from sonde.probe.propagation import Carried

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation
    from sonde.probe.core import Span as Recorded

KEY = next(iter(trace.set_span_in_context(trace.INVALID_SPAN, Context())))
"""Under which their contexts have the current span."""


class Attached(Context):
    """A context of theirs that has been made current."""

    __slots__ = ("above",)

    above: Recorded | None
    """What was current with us from then on."""


class Token:
    """Of an `attach` that changed what is current with us: theirs, and what was current before."""

    __slots__ = ("before", "theirs")

    def __init__(self, theirs: Any, before: Recorded | None) -> None:
        self.theirs = theirs
        self.before = before

    def detach(self, plain: Callable[..., Any], runtime: Any) -> Any:
        """For their `detach`: what was current with us before is so again."""
        answer = plain(runtime, self.theirs)  # raises in another context than that of `attach`
        ours.set(self.before)
        return answer


def _variable_holding(value: object) -> contextvars.ContextVar[Any]:
    for variable, held in contextvars.copy_context().items():
        if held is value:
            return variable
    raise PointError("the current context of OpenTelemetry is not kept in a context variable")


def _theirs() -> contextvars.ContextVar[Any]:
    """It has no public name, so it is made to hold something that can be recognised."""
    mark = Context()
    token = api.attach(mark)
    try:
        return _variable_holding(mark)
    finally:
        api.detach(token)


ours: contextvars.ContextVar[Recorded | None] = core.CURRENT
theirs = contextvars.Context().run(_theirs)
_NOTHING = Context()
SHOWN: contextvars.ContextVar[tuple[Context, Recorded, Attached] | None] = contextvars.ContextVar(
    "sonde_opentelemetry_shown", default=None
)
"""Their context and our span of the last look, and what was shown: libraries ask again and again within a request."""


def attached(context: Context, above: Recorded | None, span: trace.Span | None = None) -> Attached:
    """`context`, with `span` if that is another one, to be made current."""
    made = Attached(context)
    if span is not None:
        dict.__setitem__(made, KEY, span)
    made.above = above
    return made


def attach(plain: Callable[..., Any], runtime: Any, context: Context) -> Any:
    """For their `attach`: a span of ours in `context` becomes current with us as well."""
    before = above = ours.get()
    try:
        span = context.get(KEY)
        if type(span) is Span:
            above = span.recorded
        context = attached(context, above, seen(above) if span is WORK else None)
    except Exception:
        fault("otel.attach")
    token = plain(runtime, context)
    if above is before:
        return token
    ours.set(above)
    return Token(token, before)


def get_current(plain: Callable[..., Any], runtime: Any) -> Any:
    """For their `get_current`: with a span of ours if that is newer than theirs."""
    context = plain(runtime)
    above = ours.get()
    if above is None or (type(context) is Attached and context.above is above):
        return context
    known = SHOWN.get()
    if known is not None and known[0] is context and known[1] is above:
        return known[2]
    try:
        made = attached(context, above, view(above))
        SHOWN.set((context, above, made))
    except Exception:
        fault("otel.get_current")
        return context
    return made


def seen(above: Recorded | None) -> trace.Span:
    """The current span of ours as they see it."""
    return trace.INVALID_SPAN if above is None else view(above)


def leaf(operation: Operation, context: Context | None) -> Recorded:
    """A span below what `context` says, or below the current one. It does not become current."""
    above = ours.get()
    parent = _parent(context, above)
    if parent is above:
        return core.leaf(operation)
    try:
        if type(parent) is tuple:
            return core.scope(operation, None, parent)  # a leaf has no parent elsewhere
        ours.set(parent)
        return core.leaf(operation)
    finally:
        ours.set(above)


def scope(operation: Operation, context: Context | None) -> Recorded:
    """The same, and it becomes current. Whoever ends it calls `back`."""
    above = ours.get()
    parent = _parent(context, above)
    if parent is above:
        return core.scope(operation)
    return core.scope(operation, None, parent) if type(parent) is tuple else hold(operation, context)


def hold(operation: Operation, context: Context | None) -> Recorded:
    """The same, but it does not cease to be current when it ends: only by `back`."""
    recorded = leaf(operation, context)
    if recorded.recording:
        ours.set(recorded)
    return recorded


def back(recorded: Recorded, before: Recorded | None) -> None:
    """`scope` is over: `before` is current again, if the recorder has not seen to it."""
    if ours.get() is recorded:
        ours.set(before)


def _parent(context: Context | None, above: Recorded | None) -> Any:
    """`above` where that is it, another span of ours, a caller's ids, or None for a new trace."""
    if above is not None and not above.recording:
        return above  # nothing below it is to be recorded, whoever asks
    if context is None:
        context = theirs.get(_NOTHING)
        if above is not None and (type(context) is not Attached or context.above is not above):
            return above
    span = context.get(KEY)
    if type(span) is Span:
        return span.recorded
    if span is CALL or span is WORK:
        return above
    return remote(span.get_span_context()) if isinstance(span, trace.Span) else None


def remote(caller: trace.SpanContext) -> tuple[bytes, bytes, int, Carried | None] | None:
    """What the recorder takes for a parent in another process."""
    if not caller.is_valid:
        return None
    carried = Carried(caller.trace_state.to_header()) if caller.trace_state else None
    return caller.trace_id.to_bytes(16, "big"), caller.span_id.to_bytes(8, "big"), caller.trace_flags & 0xFF, carried


def is_within_ours() -> bool:
    """Whether what runs here is part of a span that a plugin or `sonde.span` has made."""
    above = ours.get()
    if above is None or above.finished:
        return False
    span = theirs.get(_NOTHING).get(KEY)
    return not (type(span) is Span and span.recorded is above and span.mine)


def show(span: trace.Span) -> contextvars.Token[Any]:
    """Make `span` their current one; with us it is already."""
    return theirs.set(attached(theirs.get(_NOTHING), ours.get(), span))


def show_again(token: contextvars.Token[Any]) -> None:
    """Show what was their current one before."""
    try:
        theirs.reset(token)
    except ValueError:  # this is not the context of `show`, and nothing to undo: a generator that is closed elsewhere
        return
