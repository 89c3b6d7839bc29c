"""A leaf span around a call, for any plugin: the plugin says how the span starts and what the result adds to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation, Span
    from sonde.probe.plugins.plugin import Wrapper

    Start = Callable[..., Operation | Span | None]
    """Gets the call's own arguments. An operation is the shortest answer: a leaf of it. None: no span for this call."""


def failed(span: Span, error: BaseException, place: str) -> None:
    """End `span` with `error`. What its caller gave up (a cancelled task, a closed generator) is marked, no failure."""
    try:
        if is_given_up(error):
            span.set("sonde.cancelled", True)
        else:
            span.set("error.type", type(error).__qualname__)
            span.fail(error)
        span.finish()
    except Exception:
        fault(place)


def is_given_up(error: BaseException) -> bool:
    """Whether the call was ended from outside. By name: asyncio is not imported for the sake of a question."""
    return isinstance(error, GeneratorExit) or type(error).__name__ == "CancelledError"


def around(start: Start, result: Callable[[Span, Any], None] | None = None) -> Wrapper:
    """Wrapper for a plain function. `result` gets the span and what the call returned, before the span ends."""
    return lambda wrapped: core.around(wrapped, start, result, failed, fault)


def around_async(start: Start, result: Callable[[Span, Any], None] | None = None) -> Wrapper:
    """The same for a coroutine function: the span lasts from the first step of the coroutine to its end.

    What it makes is no Python function. Where the user's own function is wrapped, see `api`.
    """
    return lambda wrapped: core.around_async(wrapped, start, result, failed, fault)


def outermost(wrapper: Wrapper) -> Wrapper:
    """`wrapper`, but not inside of a call that a library above is making: that one has the span already."""
    return lambda wrapped: core.unless_calling(wrapped, wrapper(wrapped))


def kept(path: tuple[str, ...], attribute: str, index: int, start: Start) -> Start:
    """`start`, asked only for what is not kept yet.

    The object at `path` of the first argument keeps a dict in `attribute`: the argument at `index` → operation. None in
    its place means no span. It is `start` that keeps what it finds.
    """
    return core.kept(path, attribute, index, start) if core.NATIVE else start
