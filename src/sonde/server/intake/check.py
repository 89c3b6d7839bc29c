"""Is this body an OTLP request? Asked once, before it is acknowledged; after that nobody decodes it in Python.

The store reads a spool file whole or not at all, so what protobuf's own parser does not accept must not get in.
Spans whose ids OTLP calls invalid (not 16 and 8 bytes, or all zero) are left out and reported as partial success.

The parser and a look at each span's ids cost several times what walking the bytes does, and hold the GIL. So the
native walk goes first and answers what is plainly in order; for everything else, and where it could not be built, the
parser decides. What the walk accepts the parser accepts: a test keeps it so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sonde.server.intake import otlp_json, shape
from sonde.server.intake.answers import Code, Encoding, RefusedError, bad_body
from sonde.server.intake.skywalking import segments
from sonde.server.spool.entry import Signal

try:
    from sonde.server.intake import _walk
except ImportError:  # no compiler where it was installed
    _walk = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from collections.abc import Iterable

_REQUEST: dict[Signal, Any] = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
}
_SHAPES = {signal: shape.shapes(request.DESCRIPTOR) for signal, request in _REQUEST.items()}
_NO_TRACE = bytes(16)
_NO_SPAN = bytes(8)


@dataclass(frozen=True, slots=True)
class Checked:
    """A request as it goes into the spool: protobuf, untouched where it came as protobuf and nothing was left out."""

    body: bytes
    items: int
    """Spans, log records or metrics."""
    rejected: int = 0
    why: str = ""


def check(signal: Signal, encoding: Encoding, body: bytes) -> Checked:
    """The request in `body`. Raises RefusedError."""
    if signal is Signal.SEGMENTS:
        return _segments(encoding, body)
    if encoding is not Encoding.JSON and _walk is not None:
        items = _walk.count(_SHAPES[signal], body)
        if items >= 0:
            return Checked(body, items)
    return check_by_parsing(signal, encoding, body)


def check_by_parsing(signal: Signal, encoding: Encoding, body: bytes) -> Checked:
    """The same for every body, the bad ones too. Raises RefusedError."""
    kind = _REQUEST[signal]
    if encoding is Encoding.JSON:
        request = otlp_json.parse(body, kind())
        body = request.SerializeToString()
    else:
        try:
            request = kind.FromString(body)
        except DecodeError as error:
            raise bad_body("bad_protobuf", f"the body is no {kind.DESCRIPTOR.name}: {error}") from None
    if signal is Signal.TRACES:
        return _traces(request, body)
    if signal is Signal.LOGS:
        records = sum(len(scope.log_records) for resource in request.resource_logs for scope in resource.scope_logs)
        return Checked(body, records)
    metrics = sum(len(scope.metrics) for resource in request.resource_metrics for scope in resource.scope_metrics)
    return Checked(body, metrics)


def _traces(request: ExportTraceServiceRequest, body: bytes) -> Checked:
    spans = rejected = 0
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            bad = _with_bad_ids(scope.spans)
            for position in reversed(bad):
                del scope.spans[position]
            rejected += len(bad)
            spans += len(scope.spans)
    if not rejected:
        return Checked(body, spans)
    why = f"{rejected} spans without a valid trace_id (16 bytes), span_id and parent_span_id (8 bytes), none all zero"
    return Checked(request.SerializeToString(), spans, rejected, why)


def _with_bad_ids(spans: Iterable[Any]) -> list[int]:
    return [
        position
        for position, span in enumerate(spans)
        if len(trace_id := span.trace_id) != 16
        or len(span_id := span.span_id) != 8
        or trace_id == _NO_TRACE
        or span_id == _NO_SPAN
        or len(span.parent_span_id) not in (0, 8)
    ]


def _segments(encoding: Encoding, body: bytes) -> Checked:
    """A SegmentCollection, as agents of ours forward what SkyWalking's gave to them."""
    if encoding is Encoding.JSON:
        raise RefusedError(415, Code.INVALID_ARGUMENT, "content_type", "segments come as application/x-protobuf")
    try:
        return Checked(body, segments.spans_of_many(body))
    except segments.BadSegmentError as error:
        raise bad_body("bad_protobuf", str(error)) from None
