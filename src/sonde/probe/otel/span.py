"""OpenTelemetry's Span over one of ours."""

from __future__ import annotations

from time import time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState

from sonde.probe import core
from sonde.probe.core.failures import describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType

    from sonde.probe.core import Span as Recorded

KINDS = (SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.CLIENT, SpanKind.PRODUCER, SpanKind.CONSUMER)
"""Theirs by number; ours are one more."""

NOTICED_NS = 1_000_000
"""The recorder takes all times itself. A time that is given and differs by more than this is kept as an attribute."""

_STACK_CHARS = 1000
"""Of an exception that is recorded and is no failure: as much as an attribute may have, the end of it."""


class Span(trace.Span):
    """A span that our tracer made; with `view`, one of our own that OpenTelemetry sees as the current one."""

    _context: SpanContext | None = None
    _status: StatusCode = StatusCode.UNSET
    _message = ""
    _failed = False
    _notes_exceptions = True
    _fails_by_exceptions = True
    mine = True
    """Made by a tracer of ours; False: a view."""

    def __init__(self, recorded: Recorded, name: str, kind: SpanKind) -> None:
        self.recorded = recorded
        self.name = name
        self.kind = kind

    @property
    def context(self) -> SpanContext:
        """As the SDK's spans have it."""
        return self.get_span_context()

    def get_span_context(self) -> SpanContext:
        """Its ids, flags and trace state. Not valid for a span that is not recorded: nobody shall hear of it."""
        known = self._context
        if known is None:
            known = self._context = context_of(self.recorded)
        return known

    def is_recording(self) -> bool:
        """Until it has ended; also where its trace was not sampled, for then it is counted."""
        return self.recorded.recording and not self.recorded.finished

    def set_attribute(self, key: str, value: Any) -> None:
        """Record an attribute."""
        self.recorded.set(key, value)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Record several."""
        self.recorded.set_many(attributes)

    def add_event(self, name: str, attributes: Mapping[str, Any] | None = None, timestamp: int | None = None) -> None:
        """Record that something happened, now as far as the recorder is concerned."""
        if timestamp is not None and _is_elsewhen(timestamp):
            attributes = {**(attributes or {}), "otel.time_unix_nano": timestamp}
        self.recorded.event(name, attributes)

    def add_link(
        self,
        context: SpanContext,
        attributes: Mapping[str, Any] | None = None,  # noqa: ARG002 - the recorder has no place for them
    ) -> None:
        """Point at another span. Attributes of links are not kept."""
        if context.is_valid:
            self.recorded.link(format(context.trace_id, "032x"), format(context.span_id, "016x"))

    def add_links(self, links: Iterable[trace.Link]) -> None:
        """Those a span is started with."""
        for link in links:
            self.add_link(link.context)

    def update_name(self, name: str) -> None:
        """Give it another name."""
        self.name = name
        self.recorded.rename(name)

    def set_status(self, status: Status | StatusCode, description: str | None = None) -> None:
        """OK stays, whatever comes later; UNSET says nothing."""
        if isinstance(status, Status):
            code, description = status.status_code, status.description
        else:
            code = status
        if self._status is StatusCode.OK or code is StatusCode.UNSET:
            return
        self._status, self._message = code, description or ""
        if code is StatusCode.ERROR and not self.mine:
            self.recorded.fail(None, self._message)

    def record_exception(
        self,
        exception: BaseException,
        attributes: Mapping[str, Any] | None = None,
        timestamp: int | None = None,
        escaped: bool = False,
    ) -> None:
        """An event with its type, message and the end of its stack. The span has not failed by that."""
        failure = describe(exception)
        facts: dict[str, Any] = {
            "exception.type": failure.type,
            "exception.message": failure.message,
            "exception.stacktrace": failure.stacktrace[-_STACK_CHARS:],
        }
        if escaped:
            facts["exception.escaped"] = True
        self.add_event("exception", {**facts, **(attributes or {})}, timestamp)

    def end(self, end_time: int | None = None) -> None:
        """End it, once. A view's own end is not OpenTelemetry's to decide."""
        recorded = self.recorded
        if not self.mine or recorded.finished:
            return
        if end_time is not None and _is_elsewhen(end_time):
            recorded.set("otel.end_time_unix_nano", end_time)
        if self._status is StatusCode.ERROR and not self._failed:
            recorded.fail(None, self._message)
        recorded.finish()

    def started_at(self, start_time: int) -> None:
        """When its maker says that it started."""
        if _is_elsewhen(start_time):
            self.recorded.set("otel.start_time_unix_nano", start_time)

    def about_exceptions(self, noted: bool, failing: bool) -> None:
        """What an exception that leaves its block does to it."""
        self._notes_exceptions, self._fails_by_exceptions = noted, failing

    def left_by(self, error: BaseException | None) -> None:
        """An exception leaves its block. Only those of kind `Exception` are errors, as OpenTelemetry has it."""
        if not isinstance(error, Exception) or not self.is_recording():
            return
        failing = self._fails_by_exceptions and self._status is not StatusCode.OK
        if failing and self._notes_exceptions:
            self._status, self._failed = StatusCode.ERROR, True
            self.recorded.set("error.type", type(error).__qualname__)
            self.recorded.fail(error)
        elif failing:
            self.set_status(StatusCode.ERROR, f"{type(error).__name__}: {error}")
        elif self._notes_exceptions:
            self.record_exception(error)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.left_by(error)
        self.end()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Span) and other.recorded is self.recorded

    def __hash__(self) -> int:
        return hash(self.recorded)

    def __repr__(self) -> str:
        return f"<OpenTelemetry's {self.recorded!r}>"


def view(recorded: Recorded) -> Span:
    """How OpenTelemetry sees a span of a plugin or of `sonde.span`."""
    operation = recorded.operation
    seen = Span(recorded, operation.name, KINDS[operation.kind - 1])
    seen.mine = False
    return seen


def context_of(recorded: Recorded) -> SpanContext:
    """Ids, flags and trace state of one of our spans."""
    if not recorded.recording:
        return INVALID_SPAN_CONTEXT
    _, trace_id, span_id, flags = recorded.traceparent().split("-")
    state = getattr(recorded.carried, "tracestate", "")
    return SpanContext(
        int(trace_id, 16),
        int(span_id, 16),
        is_remote=False,
        trace_flags=TraceFlags(int(flags, 16)),
        trace_state=TraceState.from_header([state]) if state else None,
    )


def _is_elsewhen(time_unix_ns: int) -> bool:
    return abs(time_ns() - time_unix_ns) > NOTICED_NS


class CoveredWork(trace.NonRecordingSpan):
    """Handed out where one of our plugins has the span of this work: forgets everything, has that span's ids."""

    def get_span_context(self) -> SpanContext:
        """Those of the current span of ours."""
        recorded = core.current()
        return INVALID_SPAN_CONTEXT if recorded is None else context_of(recorded)


WORK = CoveredWork(INVALID_SPAN_CONTEXT)
CALL = trace.NonRecordingSpan(INVALID_SPAN_CONTEXT)
"""Likewise for a call to somebody else. It has no ids, so a propagator writes none, and the plugin's go out."""
