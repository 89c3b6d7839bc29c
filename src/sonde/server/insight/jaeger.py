"""Traces as Jaeger's query API writes them. Source: https://www.jaegertracing.io/docs/latest/architecture/apis/ (HTTP
JSON, what its user interface and Grafana ask); times and durations are microseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.server.store.queries.scope import micros

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sonde.server.reports.service_map import ServiceMap
    from sonde.server.reports.traces import Span, SpanEvent, Trace


def jaeger_trace(trace: Trace) -> dict[str, Any]:
    """A trace; each process of it stands once in `processes`."""
    processes: dict[tuple[str, str, str], str] = {}
    spans = []
    for span in trace.spans:
        key = span.service, span.instance, span.app
        process = processes.setdefault(key, f"p{len(processes) + 1}")
        spans.append(_span(trace.trace_id, span, process))
    return {
        "traceID": trace.trace_id,
        "spans": spans,
        "processes": {
            process: {
                "serviceName": service,
                "tags": _tags({"service.instance.id": instance, "sonde.app": app}),
            }
            for (service, instance, app), process in processes.items()
        },
        "warnings": ["only the earliest spans are shown"] if trace.truncated else None,
    }


def _span(trace_id: str, span: Span, process: str) -> dict[str, Any]:
    references = [{"refType": "CHILD_OF", "traceID": trace_id, "spanID": span.parent_id}] if span.parent_id else []
    references += [{"refType": "FOLLOWS_FROM", "traceID": link.trace_id, "spanID": link.span_id} for link in span.links]
    tags = _tags({**span.attributes, "span.kind": span.kind})
    if span.error:
        tags.append({"key": "error", "type": "bool", "value": True})
        tags += _tags({"otel.status_code": "ERROR", "otel.status_description": span.status_message})
    return {
        "traceID": trace_id,
        "spanID": span.span_id,
        "flags": 1,
        "operationName": span.name,
        "references": references,
        "startTime": micros(span.start_time),
        "duration": round(span.duration_ms * 1000),
        "tags": tags,
        "logs": [_log(event) for event in span.events],
        "processID": process,
        "warnings": None,
    }


def _log(event: SpanEvent) -> dict[str, Any]:
    return {"timestamp": micros(event.time), "fields": _tags({"event": event.name, **event.attributes})}


def _tags(attributes: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "type": "string", "value": value} for key, value in attributes.items() if value]


def jaeger_dependencies(shown: ServiceMap) -> list[dict[str, Any]]:
    """Calls between services; what is no service has no place there."""
    names = {node.id: node.name for node in shown.nodes if node.type == "service"}
    return [
        {"parent": names[edge.source], "child": names[edge.target], "callCount": edge.requests}
        for edge in shown.edges
        if edge.source in names and edge.target in names
    ]
