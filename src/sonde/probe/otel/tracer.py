"""OpenTelemetry's Tracer over our recorder."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.otel import current
from sonde.probe.otel.covered import is_covered
from sonde.probe.otel.span import CALL, WORK, Span
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.opentelemetry import bridge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from types import TracebackType

    from opentelemetry.context import Context

    from sonde.probe.core import Operation
    from sonde.probe.core import Span as Recorded

    Begin = Callable[[Operation, Context | None], Recorded]


def _named(kind: int) -> Learned[str, Operation]:
    return Learned(lambda name: core.operation(name, kind), room=1024)


_OPERATIONS = tuple(map(_named, (core.INTERNAL, core.SERVER, core.CLIENT, core.PRODUCER, core.CONSUMER)))
"""By OpenTelemetry's number of the kind, then by name."""


class Tracer(trace.Tracer):
    """Starts spans."""

    def __init__(self, name: str) -> None:
        self._is_covered = is_covered(name)
        """None: no plugin of ours does what this tracer is for."""

    def start_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[trace.Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> trace.Span:
        """A span that is not current until it is made so."""
        return self.begin(
            current.leaf, name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
        )

    def start_as_current_span(  # type: ignore[override] # theirs is a generator, and costs more
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[trace.Link] | None = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Block:
        """A span that is current in a `with` block, or in each call of a function that this decorates."""
        given = (name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception)
        return Block(self, given, end_on_exit)

    def begin(
        self,
        begin: Begin,
        name: str,
        context: Context | None,
        kind: SpanKind,
        attributes: Mapping[str, Any] | None,
        links: Sequence[trace.Link] | None,
        start_time: int | None,
        record_exception: bool,
        set_status_on_exception: bool,
    ) -> trace.Span:
        """A span by `begin`, or what stands for one where a plugin has it. Raises nothing."""
        try:
            number = kind._value_
            if self._is_covered is not None and self._is_covered(kind):
                return CALL if number in _CALLS else WORK
            recorded = begin(_OPERATIONS[number][name], context)
            span = Span(recorded, name, kind)
            if attributes:
                recorded.set_many(attributes)
            if links:
                span.add_links(links)
            if start_time is not None:
                span.started_at(start_time)
            if not record_exception or not set_status_on_exception:
                span.about_exceptions(record_exception, set_status_on_exception)
        except Exception:
            fault("otel.start_span")
            return trace.INVALID_SPAN
        return span

    def other(self) -> trace.Tracer | None:
        """The tracer that has taken over meanwhile."""
        return None


_CALLS = frozenset({SpanKind.CLIENT.value, SpanKind.PRODUCER.value})


class StandIn(Tracer):
    """Stands in for a tracer of theirs that waits for the program to set a provider."""

    def __init__(self, proxy: trace.Tracer) -> None:
        super().__init__(vars(proxy).get("_instrumenting_module_name") or "")
        self._proxy = proxy

    def other(self) -> trace.Tracer | None:
        """The one that waited, when it has come to its own."""
        return self._proxy if bridge.superseded else None


class Block:
    """What `start_as_current_span` gives."""

    __slots__ = ("_before", "_end_on_exit", "_given", "_other", "_span", "_token", "_tracer")

    def __init__(self, tracer: Tracer, given: tuple[Any, ...], end_on_exit: bool) -> None:
        self._tracer = tracer
        self._given = given
        self._end_on_exit = end_on_exit

    def __enter__(self) -> trace.Span:
        tracer = self._tracer
        other = tracer.other()
        if other is not None:
            return self._enter_other(other)
        self._other: AbstractContextManager[trace.Span] | None = None
        self._before = current.ours.get()
        span = self._span = tracer.begin(current.scope if self._end_on_exit else current.hold, *self._given)
        self._token = None if span is WORK else current.show(span)
        return span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        if self._other is not None:
            return self._other.__exit__(kind, error, traceback)
        if self._token is not None:
            current.show_again(self._token)
        span = self._span
        if type(span) is Span:
            if error is not None:
                span.left_by(error)
            if self._end_on_exit:
                span.end()
            current.back(span.recorded, self._before)
        return None

    def _enter_other(self, tracer: Any) -> trace.Span:
        other: AbstractContextManager[trace.Span] = tracer.start_as_current_span(*self._given, self._end_on_exit)
        self._other = other
        return other.__enter__()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """As a decorator: a span around each call, or around each run of a coroutine."""

        def again() -> Block:
            return Block(self._tracer, self._given, self._end_on_exit)

        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def run(*args: Any, **kwargs: Any) -> Any:
                with again():
                    return await function(*args, **kwargs)

            return run

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with again():
                return function(*args, **kwargs)

        return call
