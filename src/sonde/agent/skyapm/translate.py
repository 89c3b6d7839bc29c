"""A segment as SkyAPM 3 writes it in JSON, as the SegmentObject that the server takes.

Field numbers: https://github.com/apache/skywalking-data-collect-protocol, language-agent/Tracing.proto.
"""

from __future__ import annotations

from typing import Any

from sonde.agent.skyapm.lines import LineError
from sonde.wire.protobuf import integer, message, text

_MOST_SPANS = 10_000
_INT32, _INT64 = 1 << 31, 1 << 63


def segment_object(said: dict[str, Any], service: str, instance: str) -> bytes:
    """Of the whole message; `service` and `instance` are whose it is. Raises LineError.

    `globalTraceIds` is not looked at: below another service's request it holds whatever was in memory.
    """
    segment = said["segment"]
    trace, spans = _text(said, "traceId"), segment.get("spans")
    if not isinstance(spans, list) or not 0 < len(spans) <= _MOST_SPANS:
        raise LineError("bad_segment", "a segment has no list of spans")
    head = text(1, trace) + text(2, _text(segment, "traceSegmentId"))
    tail = text(4, service) + text(5, instance) + (integer(6, 1) if _number(segment, "isSizeLimited") else b"")
    return head + b"".join(message(3, _span(span, trace)) for span in spans) + tail


def _span(span: Any, trace: str) -> bytes:
    if not isinstance(span, dict):
        raise LineError("bad_segment", "a span is no object")
    return b"".join(
        (
            integer(1, _number(span, "spanId")),
            integer(2, _number(span, "parentSpanId")),
            integer(3, _number(span, "startTime", _INT64)),
            integer(4, _number(span, "endTime", _INT64)),
            *(message(5, _reference(ref, trace)) for ref in _list(span, "refs")),
            text(6, _text(span, "operationName")),
            text(7, _text(span, "peer")),
            integer(8, _number(span, "spanType")),
            integer(9, _number(span, "spanLayer")),
            integer(10, _number(span, "componentId")),
            integer(11, 1) if _number(span, "isError") else b"",
            *(message(12, text(1, key) + text(2, _said(value))) for key, value in _tags(span).items()),
        )
    )


def _reference(ref: Any, trace: str) -> bytes:
    """Before version 8 a caller's service is not said, and its instance is a number."""
    if not isinstance(ref, dict):
        raise LineError("bad_segment", "a reference is no object")
    instance = ref.get("parentServiceInstance", ref.get("parentApplicationInstanceId", ""))
    endpoint = ref.get("parentEndpoint", ref.get("parentServiceName", ""))
    address = ref.get("targetAddress", ref.get("networkAddress", ""))
    return b"".join(
        (
            integer(1, _number(ref, "type")),
            text(2, _said(ref.get("traceId", trace))),
            text(3, _text(ref, "parentTraceSegmentId")),
            integer(4, _number(ref, "parentSpanId")),
            text(5, _text(ref, "parentService")),
            text(6, _said(instance)),
            text(7, _said(endpoint).removeprefix("#")),
            text(8, _said(address).removeprefix("#")),
        )
    )


def _said(value: Any) -> str:
    """PHP writes a number where it has one."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    raise LineError("bad_segment", f"a text or number is wanted, not {type(value).__name__}")


def _text(of: dict[str, Any], key: str) -> str:
    return _said(of.get(key, ""))


def _number(of: dict[str, Any], key: str, limit: int = _INT32) -> int:
    """0 where it is not said, as in protobuf."""
    value = of.get(key, 0)
    if not isinstance(value, int) or not -limit <= value < limit:
        raise LineError("bad_segment", f"{key} is no number of its size: {str(value)[:40]}")
    return int(value)


def _list(of: dict[str, Any], key: str) -> list[Any]:
    value = of.get(key, [])
    if not isinstance(value, list):
        raise LineError("bad_segment", f"{key} is no list")
    return value


def _tags(span: dict[str, Any]) -> dict[str, Any]:
    """An empty object is an empty list in PHP."""
    tags = span.get("tags", {})
    if tags == []:
        return {}
    if not isinstance(tags, dict):
        raise LineError("bad_segment", "tags are no object")
    return tags
