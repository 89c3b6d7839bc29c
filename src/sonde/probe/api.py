"""What a user writes into a program, see `sonde`: spans of their own, tags and events on the current one.

Everything here works, and does nothing, while the probe is off; nothing here raises because of the probe.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.leaf import failed
from sonde.probe.plugins.points import dressed
from sonde.probe.propagation import Carried
from sonde.probe.service import identity

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Generator
    from types import TracebackType

    from sonde.probe.core import Operation, Span
    from sonde.probe.plugins.plugin import Wrapper
    from sonde.probe.tools.leaks.handles import Tracked

P = ParamSpec("P")
R = TypeVar("R")


def _operation(name: str) -> Operation:
    return core.operation(name, core.INTERNAL)


_operations: Learned[str, Operation] = Learned(_operation, room=1024)


class Block:
    """A span around a `with` or `async with` block. What happens inside is below it."""

    __slots__ = ("_attributes", "_name", "_span")

    def __init__(self, name: str, attributes: dict[str, Any]) -> None:
        self._name = name
        self._attributes = attributes
        self._span: Span | None = None

    def __enter__(self) -> Span:
        span = self._span = core.scope(_operations[self._name])
        span.set_many(self._attributes)
        return span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        span, self._span = self._span, None
        if span is None:
            return
        if error is not None:
            failed(span, error, "api.span")
        else:
            span.finish()

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, traceback)


def span(name: str, /, **attributes: Any) -> Block:
    """A span of your own: `with sonde.span("price basket", items=3) as span: …`, or `async with`.

    In the block the span has `set(key, value)`, `event(name, {…})`, `link(trace_id, span_id)` and `fail(error)`. An
    exception that leaves the block marks it failed. Names shall be few; what varies belongs into attributes.
    """
    return Block(name, attributes)


@overload
def traced(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def traced(name: str | None = None, /, **attributes: Any) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def traced(function: Any = None, /, **attributes: Any) -> Any:
    """A span around each call of a function: `@sonde.traced`, or `@sonde.traced("name", key=value)`.

    For plain and coroutine functions what happens inside is below the span. A generator's span lasts from its first
    step to its end and stays beside: between two steps, its consumer's work goes on.
    """
    if callable(function):
        return _traced(function, function.__qualname__, {})

    def decorate(decorated: Any) -> Any:
        return _traced(decorated, function or decorated.__qualname__, attributes)

    return decorate


def _traced(function: Any, name: str, attributes: dict[str, Any]) -> Any:
    def scope() -> Span:
        started = core.scope(_operations[name])
        started.set_many(attributes)
        return started

    def leaf() -> Span:
        started = core.leaf(_operations[name])
        started.set_many(attributes)
        return started

    if inspect.iscoroutinefunction(function):
        wrapper = _around_coroutine(scope)
    elif inspect.isgeneratorfunction(function):
        wrapper = _around_generator(leaf)
    elif inspect.isasyncgenfunction(function):
        wrapper = _around_async_generator(leaf)
    else:
        wrapper = _around_function(scope)
    return dressed(function, wrapper)


def _started(start: Callable[[], Span]) -> Span | None:
    try:
        return start()
    except Exception:
        fault("api.traced")
        return None


# Python functions, not what plugins put around a library's: frameworks look at what kind a user's function is.


def _around_function(start: Callable[[], Span]) -> Wrapper:
    def wrapper(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            span = _started(start)
            try:
                answer = wrapped(*args, **kwargs)
            except BaseException as error:
                if span is not None:
                    failed(span, error, "api.traced")
                raise
            if span is not None:
                span.finish()
            return answer

        return call

    return wrapper


def _around_coroutine(start: Callable[[], Span]) -> Wrapper:
    def wrapper(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            span = _started(start)
            try:
                answer = await wrapped(*args, **kwargs)
            except BaseException as error:
                if span is not None:
                    failed(span, error, "api.traced")
                raise
            if span is not None:
                span.finish()
            return answer

        return call

    return wrapper


def _around_generator(start: Callable[[], Span]) -> Wrapper:
    def wrapper(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            span = _started(start)
            try:
                answer = yield from wrapped(*args, **kwargs)
            except BaseException as error:
                if span is not None:
                    failed(span, error, "api.traced")
                raise
            if span is not None:
                span.finish()
            return answer

        return call

    return wrapper


def _around_async_generator(start: Callable[[], Span]) -> Wrapper:
    def wrapper(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        async def call(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            span = _started(start)
            inner = wrapped(*args, **kwargs)
            try:
                # What `yield from` would be: hands values and exceptions in, items out.
                sent: Any = None
                while True:
                    try:
                        item = await inner.asend(sent)
                    except StopAsyncIteration:
                        break
                    try:
                        sent = yield item
                    except GeneratorExit:
                        await inner.aclose()
                        raise
                    except BaseException as error:
                        try:
                            item = await inner.athrow(error)
                        except StopAsyncIteration:
                            break
                        sent = yield item
            except BaseException as error:
                if span is not None:
                    failed(span, error, "api.traced")
                raise
            if span is not None:
                span.finish()

        return call

    return wrapper


def wsgi(application: Any, service: str = "") -> Any:
    """A WSGI application with a server span around each request: `application = sonde.wsgi(application, "orders")`.

    For servers and frameworks that no plugin knows; where one does, there still is one span. `service`, if given, is
    the name of the service this process is part of.
    """
    from sonde.probe.plugins.wsgi import entrance

    identity.named(service)
    return entrance(application)


def asgi(application: Any, service: str = "") -> Any:
    """The same for an ASGI application."""
    from sonde.probe.plugins.asgi import entrance

    identity.named(service)
    return entrance(application)


class Silence:
    """Nothing of a `with` or `async with` block is recorded, counted, or told to those it calls."""

    __slots__ = ("_span",)

    def __init__(self) -> None:
        self._span: Span | None = None

    def __enter__(self) -> None:
        self._span = core.silence(_operations["ignored"])

    def __exit__(self, *_error: object) -> None:
        span, self._span = self._span, None
        if span is not None:
            span.finish()

    async def __aenter__(self) -> None:
        self.__enter__()

    async def __aexit__(self, *_error: object) -> None:
        self.__exit__()


def ignore() -> Silence:
    """Leave out what happens in a block: `with sonde.ignore(): …`, or `async with`.

    For housekeeping that would only be in the way: a queue that is asked again and again, a health check of one's own.
    """
    return Silence()


@overload
def track_leaks(function: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def track_leaks() -> Tracked: ...
def track_leaks(function: Any = None, /) -> Any:
    """Look for memory that each request, or each run of a block or function, keeps: `sonde.track_leaks()`.

    At the top of a handler it lasts until the request's end; where no request is known, until it is called again. As
    `with sonde.track_leaks(): …` until the block's end; as `@sonde.track_leaks` each call is looked at, and each
    request, if what it decorates is a WSGI or ASGI application. What is found stands in the leak log: see `sonde leaks
    analyze`. Works with the probe switched off, too.
    """
    from sonde.probe.tools.leaks.handles import Tracked, around

    return Tracked() if function is None else around(function)


def baggage(**values: str | None) -> dict[str, str]:
    """Values that travel with the request to every service it reaches: `sonde.baggage(tenant="acme")`.

    Gives all there are, those that came with the request included; None takes one away. They go to whomever is called,
    in W3C's `baggage` header. Outside of any span there is no request, and nothing is kept.
    """
    current = core.current()
    if current is None:
        return {}
    carried = current.carried
    if values:
        carried = (carried or Carried()).with_baggage(values)
        current.carried = carried
    return dict(carried.baggage) if carried is not None else {}


def tag(key: str, value: Any) -> None:
    """Record an attribute on the current span: the request's, or your own innermost one."""
    current = core.current()
    if current is not None:
        current.set(key, value)


def event(name: str, /, **attributes: Any) -> None:
    """Record on the current span that something happened now."""
    current = core.current()
    if current is not None:
        current.event(name, attributes)


def current_trace_id() -> str | None:
    """Id of the current trace, 32 hex digits, for a log line or an error page; None outside of any span."""
    current = core.current()
    return current.trace_id if current is not None else None
