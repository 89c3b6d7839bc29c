"""A function of a library with a leaf span around each call: what stands at a plugin's wrap point.

`start` gets the call's own arguments and gives an operation (a leaf of it is made), a span, or None for no span.
`result`, if there is one, gets the span and what was returned. `failed(span, error, place)` ends the span of a call
that raised. What raises on our side is told to `fault(place)`, in its `except` block; the call's result and exception
pass untouched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.probe.core.twin.context import current
from sonde.probe.core.twin.operation import CLIENT, Operation
from sonde.probe.core.twin.recorder import recorder
from sonde.probe.core.twin.span import Span

if TYPE_CHECKING:
    from collections.abc import Callable

    Start = Callable[..., Operation | Span | None]
    Result = Callable[[Span, Any], None] | None
    Failed = Callable[[Span, BaseException, str], None]
    Fault = Callable[[str], None]


def around(
    wrapped: Callable[..., Any], start: Start, result: Result, failed: Failed, fault: Fault, /
) -> Callable[..., Any]:
    """A plain function that calls `wrapped` under a span."""
    place = wrapped.__qualname__

    def call(*args: Any, **kwargs: Any) -> Any:
        span = None
        try:
            if recorder.on:
                started = start(*args, **kwargs)
                span = Span(started, None, current(), None) if type(started) is Operation else _span(started)
        except Exception:
            fault(place)
        if span is None:
            return wrapped(*args, **kwargs)
        try:
            value = wrapped(*args, **kwargs)
        except BaseException as error:
            failed(span, error, place)
            raise
        try:
            if result is not None:
                result(span, value)
        except Exception:
            fault(place)
        span.finish()
        return value

    return call


def around_async(
    wrapped: Callable[..., Any], start: Start, result: Result, failed: Failed, fault: Fault, /
) -> Callable[..., Any]:
    """The same for a coroutine function: the span lasts from the first step of the coroutine to its end."""
    place = wrapped.__qualname__

    async def call(*args: Any, **kwargs: Any) -> Any:
        span = None
        try:
            if recorder.on:
                started = start(*args, **kwargs)
                span = Span(started, None, current(), None) if type(started) is Operation else _span(started)
        except Exception:
            fault(place)
        if span is None:
            return await wrapped(*args, **kwargs)
        try:
            value = await wrapped(*args, **kwargs)
        except BaseException as error:
            failed(span, error, place)
            raise
        try:
            if result is not None:
                result(span, value)
        except Exception:
            fault(place)
        span.finish()
        return value

    return call


def unless_calling(wrapped: Callable[..., Any], instead: Callable[..., Any], /) -> Callable[..., Any]:
    """`instead` is called, but `wrapped` while a call of a library above is being made."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return (instead if recorder.on and calling() is None else wrapped)(*args, **kwargs)

    return call


def calling() -> Span | None:
    """The client span that is the current one and runs: a library above is making a call."""
    span = current()
    return span if span is not None and span.operation.kind == CLIENT and not span.finished else None


def _span(started: object) -> Span | None:
    if started is None or isinstance(started, Span):
        return started
    raise TypeError(f"an Operation or a Span is needed, not {type(started).__name__}")
