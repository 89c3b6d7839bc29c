"""rq: one producer span per job put into a queue or scheduled, and one consumer span per job performed by a worker,
below the producer's. A job of a queue with `is_async=False` is an internal span below its caller's.

Records the name of the job's function, its id, the queue, the address and port of Redis, exceptions with their stack.
Never records arguments, results or descriptions. Forked work horses send what they have recorded before they end.

The trace goes through the job's `meta`, in which there is a `traceparent` then; a dict that the user gave as `meta` is
copied. A retry, and a job that waited for another one or for its time, stays below the span that first enqueued it.
"""

from __future__ import annotations

from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from sonde.probe import core
from sonde.probe.guard import fault
from sonde.probe.plugins.bounded import Learned
from sonde.probe.plugins.leaf import failed
from sonde.probe.plugins.messaging import Destination, injected, processing, publishing, remote
from sonde.probe.plugins.plugin import Plugin

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.probe.core import Operation, Span

_FLUSH_S = 0.5

_enqueuing: ContextVar[bool] = ContextVar("sonde_rq_enqueuing", default=False)
_working: ContextVar[Span | None] = ContextVar("sonde_rq_working", default=None)


def _inline_operation(function: str) -> Operation:
    return core.operation(f"process {function}", core.INTERNAL, {"rq.job.function": function})


_inline: Learned[str, Operation] = Learned(_inline_operation, room=512)
_titles: Learned[tuple[str, str], str] = Learned(" ".join, room=1024)


def _destination(queue: Any) -> Destination:
    get = queue.connection.connection_pool.connection_kwargs.get
    port = get("port")
    return Destination("redis", queue.name, str(get("host") or get("path") or ""), port if isinstance(port, int) else 0)


def _named(span: Span, job: Any, verb: str) -> None:
    # Where a job's data cannot be unpacked there is no name; the job itself will say so.
    with suppress(Exception):
        function = job.func_name
        if function:
            span.rename(_titles[verb, function])
            span.set("rq.job.function", function)


def _enqueue(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, job: Any, *args: Any, **kwargs: Any) -> Any:
        span = token = None
        try:
            if not _enqueuing.get() and (core.current() is not None or "traceparent" not in job.meta):
                span = core.scope(publishing[_destination(self)])
                _named(span, job, "publish")
                span.set("messaging.message.id", job.id)
                job.meta = injected(span, job.meta)
                token = _enqueuing.set(True)
        except Exception:
            fault("rq.enqueue")
        try:
            answer = wrapped(self, job, *args, **kwargs)
        except BaseException as error:
            if span is not None:
                failed(span, error, "rq.enqueue")
            raise
        finally:
            if token is not None:
                _enqueuing.reset(token)
        if span is not None:
            span.finish()
        return answer

    return call


def _perform_job(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """In the work horse, or in the worker itself where it does not fork."""

    def call(self: Any, job: Any, queue: Any, *args: Any, **kwargs: Any) -> Any:
        span = token = None
        try:
            span = core.scope(processing[_destination(queue)], None, remote(job.meta.get))
            span.set("messaging.message.id", job.id)
            token = _working.set(span)
        except Exception:
            fault("rq.perform_job")
        try:
            answer = wrapped(self, job, queue, *args, **kwargs)
        except BaseException as error:
            if span is not None:
                failed(span, error, "rq.perform_job")
            raise
        finally:
            if token is not None:
                _working.reset(token)
            try:
                if span is not None:
                    span.finish()
                if getattr(self, "_is_horse", False):
                    core.flush(_FLUSH_S)  # after this comes `os._exit`
            except Exception:
                fault("rq.perform_job")
        return answer

    return call


def _perform(wrapped: Callable[..., Any]) -> Callable[..., Any]:
    """Runs the user's function: the only place where the name and the exception are to be seen."""

    def call(self: Any) -> Any:
        outer = _working.get()
        span = None
        try:
            if outer is not None:
                _named(outer, self, "process")
            else:
                span = core.scope(_inline[str(self.func_name)])
                span.set("messaging.message.id", self.id)
        except Exception:
            fault("rq.perform")
        try:
            answer = wrapped(self)
        except BaseException as error:
            if span is not None:
                failed(span, error, "rq.perform")
            elif outer is not None:
                _mark(outer, error)
            raise
        if span is not None:
            span.finish()
        return answer

    return call


def _mark(span: Span, error: BaseException) -> None:
    try:
        span.set("error.type", type(error).__qualname__)
        span.fail(error)
    except Exception:
        fault("rq.perform")


PLUGIN = Plugin(
    library="rq",
    supports=">=1.15,<3",
    points={
        "rq.queue:Queue.enqueue_job": _enqueue,
        "rq.queue:Queue._enqueue_job": _enqueue,
        "rq.queue:Queue.schedule_job": _enqueue,
        "rq.job:Job.perform": _perform,
        "rq.worker:Worker.perform_job": _perform_job,
        "rq.worker.base:BaseWorker.perform_job": _perform_job,
    },
    optional=frozenset({"rq.queue:Queue._enqueue_job", "rq.worker.base:BaseWorker.perform_job"}),
)
