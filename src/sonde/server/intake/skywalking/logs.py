"""Log lines as OTLP log records. A line that knows its trace joins it: ids are made by the rules of wire/sw8.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, SeverityNumber

from sonde.server.intake.skywalking.resource import attribute
from sonde.wire import sw8

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sonde.server.intake.skywalking.skywalking_pb2 import LogData, LogDataBody

MOST_TAGS = 128
_SEVERITY = {
    "TRACE": SeverityNumber.SEVERITY_NUMBER_TRACE,
    "FINEST": SeverityNumber.SEVERITY_NUMBER_TRACE,
    "DEBUG": SeverityNumber.SEVERITY_NUMBER_DEBUG,
    "FINE": SeverityNumber.SEVERITY_NUMBER_DEBUG,
    "INFO": SeverityNumber.SEVERITY_NUMBER_INFO,
    "NOTICE": SeverityNumber.SEVERITY_NUMBER_INFO2,
    "WARN": SeverityNumber.SEVERITY_NUMBER_WARN,
    "WARNING": SeverityNumber.SEVERITY_NUMBER_WARN,
    "ERROR": SeverityNumber.SEVERITY_NUMBER_ERROR,
    "SEVERE": SeverityNumber.SEVERITY_NUMBER_ERROR,
    "CRITICAL": SeverityNumber.SEVERITY_NUMBER_FATAL,
    "FATAL": SeverityNumber.SEVERITY_NUMBER_FATAL,
    "ALERT": SeverityNumber.SEVERITY_NUMBER_FATAL2,
    "EMERGENCY": SeverityNumber.SEVERITY_NUMBER_FATAL4,
}
"""Of OTLP, for the words that log libraries of Python, Java and PHP use."""


def record(log: LogData, instance: str, time_ns: int, received_ns: int, *, clamped: bool) -> LogRecord:
    """`instance`: as it calls itself, for `log` may leave that out. `time_ns`: of the line, or of its receipt where it
    is `clamped`; then the time that was said stays readable.
    """
    tags = [(tag.key, tag.value) for tag in log.tags.data[:MOST_TAGS] if tag.key]
    level = next((value for key, value in tags if key.lower() == "level"), "")
    attributes = _attributes(tags)
    if log.endpoint:
        attributes.append(attribute("sw8.endpoint", log.endpoint))
    if clamped:
        attributes.append(attribute("sw8.timestamp", log.timestamp))
    made = LogRecord(
        time_unix_nano=time_ns,
        observed_time_unix_nano=received_ns,
        severity_number=_SEVERITY.get(level.upper(), SeverityNumber.SEVERITY_NUMBER_UNSPECIFIED),
        severity_text=level,
        body=AnyValue(string_value=_text(log.body)),
    )
    context = log.traceContext
    if context.traceId:
        made.trace_id = sw8.trace_id_of(context.traceId)
        attributes.append(attribute("sw8.trace_id", context.traceId))
    if context.traceSegmentId:
        made.span_id = sw8.span_id_of(instance, context.traceSegmentId, context.spanId)
        attributes.append(attribute("sw8.segment_id", context.traceSegmentId))
        attributes.append(attribute("sw8.span_id", context.spanId))
    made.attributes.extend(attributes)
    return made


def _attributes(tags: Iterable[tuple[str, str]]) -> list[KeyValue]:
    """A tag may come several times; the last one stands, for a table has one value for each name."""
    return [attribute(key, value) for key, value in dict(tags).items()]


def _text(body: LogDataBody) -> str:
    """Whichever of the three forms it has."""
    kind = body.WhichOneof("content")
    if kind == "json":
        return body.json.json
    if kind == "yaml":
        return body.yaml.yaml
    return body.text.text
