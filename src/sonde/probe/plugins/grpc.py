"""grpc: one client span per call, until its status has arrived, and one server span per call served, until its last
message is sent. Unary and streaming, threads and asyncio. A call repeated by an interceptor is a call of its own.

Records service, method, status code, a client's server address and port, exceptions of handlers with their stack. Never
records messages, metadata, details of a status, or peers.

The trace goes through the metadata; what the user gave as such is copied.
"""

from __future__ import annotations

import inspect
import sys
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import beside
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.leaf import failed, is_given_up
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.topics import getter
from sonde.probe.propagation import incoming, outgoing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from sonde.probe.core import Operation, Span
    from sonde.probe.plugins.plugin import Wrapper

_METADATA_AT = 2
"""Position of `metadata` among a call's arguments, where it is not a keyword."""
_TARGET = "_sonde_target"
_CANCELLED, _UNKNOWN = 1, 2
_FAULTS_OF_SERVERS = frozenset({2, 4, 12, 13, 14, 15})
"""UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS; the others say something of the caller.

Source: https://opentelemetry.io/docs/specs/semconv/rpc/grpc/.
"""


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _facts(method: Any) -> tuple[str, dict[str, object]]:
    name = _text(method).lstrip("/")
    service, _, short = name.rpartition("/")
    return name, {"rpc.system": "grpc", "rpc.service": service, "rpc.method": short}


def _client_operation(key: tuple[Any, Any]) -> Operation:
    name, facts = _facts(key[0])
    host, port = _address(_text(key[1] or ""))
    if host:
        facts["server.address"] = host
    if port:
        facts["server.port"] = port
    return core.operation(name, core.CLIENT, facts)


def _address(target: str) -> tuple[str, int]:
    """`host:port`, `dns:///host:port`, `ipv4:1.2.3.4:5`, `unix:/path`."""
    scheme, separator, rest = target.partition(":")
    if separator and scheme in {"dns", "ipv4", "ipv6", "unix", "unix-abstract", "xds", "passthrough", "google-c2p"}:
        target = rest.rpartition("/")[2] if scheme != "unix" else rest
        if scheme.startswith("unix"):
            return target, 0
    host, colon, port = target.rpartition(":")
    return (host.strip("[]"), int(port)) if colon and port.isdigit() else (target, 0)


def _server_operation(method: Any) -> Operation:
    name, facts = _facts(method)
    return core.operation(name, core.SERVER, facts)


_calling: Learned[tuple[Any, Any], Operation] = Learned(_client_operation, room=1024)
_serving: Learned[Any, Operation] = Learned(_server_operation, room=1024)


def _number(code: Any) -> int:
    """Of a `StatusCode`, which has it and a name as its value, or a plain number; None means that all went well."""
    if code is None:
        return 0
    return code if isinstance(code, int) else int(code.value[0])


def _metadata(span: Span, given: Any) -> Any:
    pairs = tuple(given or ())
    present = {pair[0] for pair in pairs}
    return pairs + tuple(pair for pair in outgoing(span) if pair[0] not in present)


def _answered(span: Span, code: int) -> None:
    span.set("rpc.grpc.status_code", code)
    if code == _CANCELLED:
        span.set("sonde.cancelled", True)
    elif code:
        span.set("error.type", str(code))
        span.fail(None)
    span.finish()


def _begun(
    self: Any, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Span, tuple[Any, ...], dict[str, Any]]:
    span = core.leaf(_calling[self._method, target])
    if len(args) > _METADATA_AT:
        metadata = _metadata(span, args[_METADATA_AT])
        return span, (*args[:_METADATA_AT], metadata, *args[_METADATA_AT + 1 :]), kwargs
    return span, args, {**kwargs, "metadata": _metadata(span, kwargs.get("metadata"))}


def _refused(span: Span, error: BaseException) -> None:
    """A call raised: an RpcError has a status."""
    try:
        code = getattr(error, "code", None)
        number = _number(code()) if callable(code) else None
        if number is not None and not is_given_up(error):
            _answered(span, number)
            return
    except Exception:
        fault("grpc.call")
    failed(span, error, "grpc.call")


def _client(end: Callable[[Span, Any], None]) -> Wrapper:
    """A blocking call, or one whose answer, an object, ends later."""

    def wrapper(wrapped: Callable[..., Any]) -> Callable[..., Any]:
        def call(self: Any, *args: Any, **kwargs: Any) -> Any:
            span = None
            plain = (args, kwargs)
            try:
                span, args, kwargs = _begun(self, self._channel.target(), args, kwargs)
            except Exception:
                fault("grpc.call")
                args, kwargs = plain
            if span is None:
                return wrapped(self, *args, **kwargs)
            try:
                answer = wrapped(self, *args, **kwargs)
            except BaseException as error:
                _refused(span, error)
                raise
            try:
                end(span, answer)
            except Exception:
                fault("grpc.call")
            return answer

        return call

    return wrapper


def _at_once(span: Span, _answer: Any) -> None:
    _answered(span, 0)


def _later(span: Span, call: Any) -> None:
    """`call` is a future or an iterator of answers."""

    def over() -> None:
        try:
            _answered(span, _number(call.code()))
        except Exception:
            fault("grpc.call")

    if not call.add_callback(over):
        over()


def _client_async(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a call object at once, in every case."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        span = None
        plain = (args, kwargs)
        try:
            span, args, kwargs = _begun(self, beside.kept(self, _TARGET), args, kwargs)
        except Exception:
            fault("grpc.aio.call")
            args, kwargs = plain
        if span is None:
            return wrapped(self, *args, **kwargs)
        try:
            answer = wrapped(self, *args, **kwargs)
        except BaseException as error:
            failed(span, error, "grpc.aio.call")
            raise
        try:
            _watch(span, answer)
        except Exception:
            fault("grpc.aio.call")
        return answer

    return call


def _watch(span: Span, call: Any) -> None:
    def over(_call: Any) -> None:
        try:
            _answered(span, _number(_known(call.code())))
        except Exception:
            fault("grpc.aio.call")

    call.add_done_callback(over)


def _known(coroutine: Any) -> Any:
    """What a coroutine that need not wait any more returns. UNKNOWN for one that would."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    except BaseException as error:  # a task that was cancelled
        return _CANCELLED if is_given_up(error) else _UNKNOWN
    coroutine.close()
    return _UNKNOWN


def _remember_target(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
        beside.keep(self, _TARGET, target)
        return wrapped(self, target, *args, **kwargs)

    return call


def _pass_target(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        callable_ = wrapped(self, *args, **kwargs)
        try:
            beside.keep(callable_, _TARGET, beside.kept(self, _TARGET))
        except Exception:
            fault("grpc.aio.channel")
        return callable_

    return call


def _entered(method: Any, metadata: Any) -> Span | None:
    try:
        get = getter(metadata)

        def text(name: str) -> str | None:
            value = get(name)
            return None if value is None else _text(value)

        return core.scope(_serving[method], None, incoming(text))
    except Exception:
        fault("grpc.serve")
        return None


def _served(span: Span, code: Any, error: BaseException | None = None) -> None:
    """End a server's span. An exception is one that no status was meant by."""
    try:
        number = _number(code)
        span.set("rpc.grpc.status_code", number)
        if error is not None and is_given_up(error):
            span.set("sonde.cancelled", True)
        elif error is not None:
            span.set("error.type", type(error).__qualname__)
            span.fail(error)
        elif number in _FAULTS_OF_SERVERS:
            span.set("error.type", str(number))
            span.fail(None)
        span.finish()
    except Exception:
        fault("grpc.serve")


class _Responses:
    """The iterator of a handler's answers; keeps what it raises."""

    __slots__ = ("_answers", "_raised")

    def __init__(self, answers: Any, raised: list[BaseException]) -> None:
        self._answers = answers
        self._raised = raised

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._answers)
        except StopIteration:
            raise
        except BaseException as error:
            self._raised.append(error)
            raise

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answers, name)


def _in_pool(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """In a thread of the server's pool, from the request's arrival to the status. Exceptions do not leave it."""

    def call(rpc_event: Any, state: Any, behavior: Any, *more: Any) -> Any:
        raised: list[BaseException] = []

        def watched(request: Any, *context: Any, **kwargs: Any) -> Any:
            try:
                answer = behavior(request, *context, **kwargs)
            except BaseException as error:
                raised.append(error)
                raise
            return _Responses(answer, raised) if hasattr(answer, "__next__") else answer

        span = None
        try:
            span = _entered(rpc_event.call_details.method, rpc_event.invocation_metadata)
        except Exception:
            fault("grpc.serve")
        if span is None:
            return wrapped(rpc_event, state, behavior, *more)
        # Attributes of the handler say how it wants to be called: `experimental_non_blocking`.
        watched.__dict__.update(getattr(behavior, "__dict__", {}))
        try:
            return wrapped(rpc_event, state, watched, *more)
        finally:
            if raised and not state.aborted:
                _served(span, _UNKNOWN if state.code is None else state.code, raised[-1])
            else:
                _served(span, state.code)

    return call


def _async_server(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """An interceptor of our own comes first; it is what the library offers."""

    def call(self: Any, thread_pool: Any, handlers: Any, interceptors: Any, *more: Any, **kwargs: Any) -> Any:
        given = interceptors
        try:
            interceptors = (_interceptor(), *(interceptors or ()))
        except Exception:
            fault("grpc.aio.server")
            interceptors = given
        return wrapped(self, thread_pool, handlers, interceptors, *more, **kwargs)

    return call


def _interceptor() -> Any:
    grpc = sys.modules["grpc"]
    aio: Any = sys.modules["grpc.aio"]

    async def intercept_service(_self: Any, continuation: Any, details: Any) -> Any:
        handler = await continuation(details)
        try:
            return _watched_handler(grpc, handler, details.method, details.invocation_metadata)
        except Exception:
            fault("grpc.aio.serve")
            return handler

    return type("Entry", (aio.ServerInterceptor,), {"intercept_service": intercept_service})()


def _watched_handler(grpc: Any, handler: Any, method: Any, metadata: Any) -> Any:
    if handler is None:
        return None
    kind = f"{'stream' if handler.request_streaming else 'unary'}_{'stream' if handler.response_streaming else 'unary'}"
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    behavior = _watched(getattr(handler, kind), method, metadata)
    return make(behavior, handler.request_deserializer, handler.response_serializer)


def _context_code(context: Any) -> Any:
    try:
        return context.code()
    except Exception:
        return 0


def _failed_async(span: Span, context: Any, error: BaseException) -> None:
    code = _context_code(context)
    if type(error).__name__ in {"AbortError", "BaseError"}:  # context.abort: it has set the status
        _served(span, code)
    else:
        _served(span, code or _UNKNOWN, error)


def _watched(behavior: Any, method: Any, metadata: Any) -> Any:
    """The handler under a server span. It stays of its kind: the library asks for it."""

    async def answer(request: Any, context: Any) -> Any:
        span = _entered(method, metadata)
        try:
            value = await behavior(request, context)
        except BaseException as error:
            if span is not None:
                _failed_async(span, context, error)
            raise
        if span is not None:
            _served(span, _context_code(context))
        return value

    async def answers(request: Any, context: Any) -> AsyncIterator[Any]:
        span = _entered(method, metadata)
        try:
            async for value in behavior(request, context):
                yield value
        except BaseException as error:
            if span is not None:
                _failed_async(span, context, error)
            raise
        if span is not None:
            _served(span, _context_code(context))

    def in_thread(request: Any, context: Any) -> Any:
        if inspect.isgeneratorfunction(behavior):
            # Each of its steps may be made by another thread: the span is current in none.
            span = copy_context().run(_entered, method, metadata)
        else:
            span = _entered(method, metadata)
        try:
            value = behavior(request, context)
            if inspect.isgenerator(value):
                return _followed(value, span, context)
        except BaseException as error:
            if span is not None:
                _failed_async(span, context, error)
            raise
        if span is not None:
            _served(span, _context_code(context))
        return value

    if inspect.isasyncgenfunction(behavior):
        return answers
    return answer if inspect.iscoroutinefunction(behavior) else in_thread


def _followed(values: Any, span: Span | None, context: Any) -> Iterator[Any]:
    try:
        yield from values
    except BaseException as error:
        if span is not None:
            _failed_async(span, context, error)
        raise
    if span is not None:
        _served(span, _context_code(context))


_now, _then = _client(_at_once), _client(_later)

PLUGIN = Plugin(
    library="grpcio",
    supports=">=1.51,<2",
    points={
        "grpc._channel:_UnaryUnaryMultiCallable.__call__": _now,
        "grpc._channel:_UnaryUnaryMultiCallable.with_call": _now,
        "grpc._channel:_UnaryUnaryMultiCallable.future": _then,
        "grpc._channel:_UnaryStreamMultiCallable.__call__": _then,
        "grpc._channel:_SingleThreadedUnaryStreamMultiCallable.__call__": _then,
        "grpc._channel:_StreamUnaryMultiCallable.__call__": _now,
        "grpc._channel:_StreamUnaryMultiCallable.with_call": _now,
        "grpc._channel:_StreamUnaryMultiCallable.future": _then,
        "grpc._channel:_StreamStreamMultiCallable.__call__": _then,
        "grpc._server:_unary_response_in_pool": _in_pool,
        "grpc._server:_stream_response_in_pool": _in_pool,
        "grpc.aio._channel:Channel.__init__": _remember_target,
        "grpc.aio._channel:Channel.unary_unary": _pass_target,
        "grpc.aio._channel:Channel.unary_stream": _pass_target,
        "grpc.aio._channel:Channel.stream_unary": _pass_target,
        "grpc.aio._channel:Channel.stream_stream": _pass_target,
        "grpc.aio._channel:UnaryUnaryMultiCallable.__call__": _client_async,
        "grpc.aio._channel:UnaryStreamMultiCallable.__call__": _client_async,
        "grpc.aio._channel:StreamUnaryMultiCallable.__call__": _client_async,
        "grpc.aio._channel:StreamStreamMultiCallable.__call__": _client_async,
        "grpc.aio._server:Server.__init__": _async_server,
    },
)
