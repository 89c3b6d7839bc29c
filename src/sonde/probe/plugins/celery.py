"""celery: one producer span per message sent, and one consumer span per task run by a worker, below the sender's, in
every kind of pool. A task that runs eagerly is an internal span below its caller's.

Records the task's name and id, the queue, the broker's kind, address and port, how often the task was retried and the
state it ended in, exceptions with their stack. A task that is revoked or has expired before it could run, and one whose
process was lost, has a span without length that says so; one that a time limit or a revocation ends while it runs, ends
with SystemExit. Never records arguments, results or headers.

A retry is a message of its own, sent by the run that failed. The trace goes through the message's headers. What is said
to a broker on Redis for that, or to ask it for messages, has no spans of its own; what is said to a result backend has.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins import beside
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.leaf import failed
from sonde.probe.plugins.messaging import Destination, constants, inject, remote
from sonde.probe.plugins.plugin import Plugin
from sonde.probe.plugins.redis import SILENT
from sonde.probe.propagation import outgoing

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation, Span

    _Broker = tuple[str, str, int]
    """Kind, host, port."""

_SYSTEMS = {
    "amqp": ("rabbitmq", 5672),
    "amqps": ("rabbitmq", 5671),
    "azureservicebus": ("servicebus", 0),
    "confluentkafka": ("kafka", 9092),
    "gcpubsub": ("gcp_pubsub", 0),
    "librabbitmq": ("rabbitmq", 5672),
    "py-amqp": ("rabbitmq", 5672),
    "pyamqp": ("rabbitmq", 5672),
    "redis": ("redis", 6379),
    "rediss": ("redis", 6379),
    "sqs": ("aws_sqs", 0),
}
"""kombu's name of a transport → `messaging.system` and the usual port."""
_BROKER = "_sonde_broker"
_FLUSH_S = 0.5

_sending: ContextVar[Span | None] = ContextVar("sonde_celery_sending", default=None)
"""The span of the `send_task` that is under way: what it calls tells it the queue and the task's id."""


def _publish_operation(key: tuple[str, _Broker]) -> Operation:
    task, (system, host, port) = key
    said = constants(Destination(system, "", host, port), "send", "publish")
    return core.operation(f"publish {task}", core.PRODUCER, {**said, "celery.task_name": task})


def _process_operation(key: tuple[str, str, _Broker]) -> Operation:
    task, queue, (system, host, port) = key
    said = constants(Destination(system, queue, host, port), "process", "process")
    return core.operation(f"process {task}", core.CONSUMER, {**said, "celery.task_name": task})


def _eager_operation(task: str) -> Operation:
    return core.operation(f"process {task}", core.INTERNAL, {"celery.task_name": task, "celery.is_eager": True})


_publishing: Learned[tuple[str, _Broker], Operation] = Learned(_publish_operation, room=1024)
_processing: Learned[tuple[str, str, _Broker], Operation] = Learned(_process_operation, room=1024)
_eager: Learned[str, Operation] = Learned(_eager_operation, room=512)


def _described(connection: Any) -> _Broker:
    """Of a kombu connection, which need not be open."""
    transport = connection.transport_cls
    system, port = _SYSTEMS.get(transport, (transport, 0)) if isinstance(transport, str) else ("kombu", 0)
    if not port:
        return system, "", 0
    return system, connection.hostname or "localhost", int(connection.port or port)


def _broker(app: Any) -> _Broker:
    """Kept with the app from the second time on: its settings are slow to ask."""
    known: _Broker | None = beside.kept(app, _BROKER)
    if known is None:
        known = _described(app.connection_for_write())
        beside.keep(app, _BROKER, known)
    return known


def send_task(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """All ways to send a task lead here."""

    def call(self: Any, name: Any, *args: Any, **kwargs: Any) -> Any:
        span = token = None
        try:
            connection = kwargs.get("connection")
            broker = _described(connection) if connection else _broker(self)
            span = core.scope(_publishing[str(name), broker])
            if kwargs.get("retries"):
                span.set("celery.retries", kwargs["retries"])
            if kwargs.get("headers"):
                kwargs["headers"] = _without_own(self, kwargs["headers"], span)
            token = _sending.set(span)
        except Exception:
            fault("celery.send_task")
        try:
            answer = wrapped(self, name, *args, **kwargs)
        except BaseException as error:
            if span is not None:
                failed(span, error, "celery.send_task")
            raise
        finally:
            if token is not None:
                _sending.reset(token)
        if span is not None:
            span.finish()
        return answer

    return call


def _without_own(app: Any, headers: Any, span: Span) -> Any:
    """A retry sends the headers of the run that failed once more, ours among them. The user's stay."""
    names = [name for name, _ in outgoing(span) if name in headers]
    if not names:
        return headers
    task = app.current_worker_task
    received = (task.request.headers if task is not None else None) or {}
    own = {name for name in names if received.get(name) == headers[name]}
    return {name: value for name, value in headers.items() if name not in own}


def route(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Here the queue is found."""

    def call(*args: Any, **kwargs: Any) -> Any:
        options = wrapped(*args, **kwargs)
        span = _sending.get()
        if span is not None:
            try:
                queue, key = options.get("queue"), options.get("routing_key")
                name = key if key and options.get("exchange") else getattr(queue, "name", queue)
                if isinstance(name, str):
                    span.set("messaging.destination.name", name)
            except Exception:
                fault("celery.route")
        return options

    return call


def task_message(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Here the message's headers are made; the user's are put over them later, and win."""

    def call(self: Any, task_id: Any, *args: Any, **kwargs: Any) -> Any:
        message = wrapped(self, task_id, *args, **kwargs)
        try:
            span = _sending.get() or core.current()
            if span is not None and span.recording:
                inject(span, message.headers)
                if span is _sending.get():
                    span.set("messaging.message.id", task_id)
        except Exception:
            fault("celery.task_message")
        return message

    return call


def build_tracer(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Makes the function that a worker calls for a message, once per task; that one gets the span around it."""

    def call(name: Any, task: Any, *args: Any, **kwargs: Any) -> Any:
        tracer = wrapped(name, task, *args, **kwargs)
        try:
            return _traced(tracer, str(name), task, eager=bool(kwargs.get("eager")))
        except Exception:
            fault("celery.build_tracer")
            return tracer

    return call


def _traced(tracer: Callable[..., Any], name: str, task: Any, *, eager: bool) -> Callable[..., Any]:
    def trace_task(uuid: Any, args: Any, kwargs: Any, request: Any = None) -> Any:
        span = None
        try:
            get = (request or {}).get
            span = core.scope(_eager[name]) if eager else _consumer(name, task.app, get)
            span.set("messaging.message.id", uuid)
            if get("retries"):
                span.set("celery.retries", get("retries"))
        except Exception:
            fault("celery.trace_task")
        try:
            answer = tracer(uuid, args, kwargs, request)
        except BaseException as error:
            if span is not None:
                failed(span, error, "celery.trace_task")
            raise
        if span is not None:
            try:
                _ended(span, answer[1])
                span.finish()
            except Exception:
                fault("celery.trace_task")
        return answer

    trace_task.__wrapped__ = tracer  # type: ignore[attr-defined]
    return trace_task


def _consumer(name: str, app: Any, get: Callable[[str], Any]) -> Span:
    queue = (get("delivery_info") or {}).get("routing_key") or ""
    return core.scope(_processing[name, queue, _broker(app)], None, remote(get))


def _ended(span: Span, info: Any) -> None:
    """`info` is None where all went well, else it has a state and the exception."""
    if info is None:
        span.set("celery.state", "SUCCESS")
        return
    span.set("celery.state", info.state)
    error = info.retval
    if info.state == "RETRY":
        cause = getattr(error, "exc", None)
        if isinstance(cause, BaseException):
            span.set("celery.retry.reason", type(cause).__qualname__)
    elif info.state == "FAILURE":
        span.set("error.type", type(error).__qualname__)
        span.fail(error if isinstance(error, BaseException) else None)


def _announce_revoked(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The worker will not run the task. One that is running is ended by a signal, which its own span sees."""

    def call(self: Any, reason: Any, terminated: Any, *args: Any, **kwargs: Any) -> Any:
        if not terminated:
            _never_ran(self, "REVOKED", "celery.revoked.reason", reason)
        return wrapped(self, reason, terminated, *args, **kwargs)

    return call


def _on_failure(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """In the worker's own process. What failed in the pool has been recorded there; a process that died could not."""

    def call(self: Any, exc_info: Any, *args: Any, **kwargs: Any) -> Any:
        lost = False
        try:
            error = exc_info.exception
            lost = type(getattr(error, "exc", error)).__name__ == "WorkerLostError"
        except Exception:
            fault("celery.on_failure")
        if lost:
            _never_ran(self, "FAILURE", "error.type", "WorkerLostError")
        return wrapped(self, exc_info, *args, **kwargs)

    return call


def _never_ran(request: Any, state: str, key: str, value: object) -> None:
    """A span for a task of which there is none from where tasks run."""
    try:
        span = _consumer(str(request.name), request.task.app, request.request_dict.get)
        span.set("messaging.message.id", request.id)
        span.set("celery.state", state)
        span.set(key, value)
        if state == "FAILURE":
            span.fail(None)
        span.finish()
    except Exception:
        fault("celery.request")


def process_destructor(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """The last that a process of the pool does; after it comes `os._exit`."""

    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return wrapped(*args, **kwargs)
        finally:
            try:
                core.flush(_FLUSH_S)
            except Exception:
                fault("celery.process_destructor")

    return call


def _pool_of_broker(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Of kombu's connections to Redis: a span for the message is there already, the rest is upkeep."""

    def call(*args: Any, **kwargs: Any) -> Any:
        pool = wrapped(*args, **kwargs)
        try:
            beside.keep(pool, SILENT, True)
        except Exception:
            fault("celery.pool_of_broker")
        return pool

    return call


PLUGIN = Plugin(
    library="celery",
    supports=">=5.2,<6",
    points={
        "celery.app.base:Celery.send_task": send_task,
        "celery.app.routes:Router.route": route,
        "celery.app.amqp:AMQP.as_task_v1": task_message,
        "celery.app.amqp:AMQP.as_task_v2": task_message,
        "celery.app.trace:build_tracer": build_tracer,
        "celery.worker.consumer.consumer:build_tracer": build_tracer,  # imported by name
        "celery.worker.request:Request._announce_revoked": _announce_revoked,
        "celery.worker.request:Request.on_failure": _on_failure,
        "celery.concurrency.prefork:process_destructor": process_destructor,
        "kombu.transport.redis:Channel._get_pool": _pool_of_broker,
        "kombu.transport.redis:SentinelChannel._get_pool": _pool_of_broker,
    },
)
