"""What a SkyWalking segment is worth, said once more in Python: what the views are compared with, field by field.

Written from the protocol and from what agents were recorded to send, not from the SQL.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime, timedelta

from sonde.wire import sw8

NONE, EPOCH = b"\0" * 8, datetime(1970, 1, 1, tzinfo=UTC)
_SYSTEMS = {"mysql": "mysql", "sqlite": "sqlite", "redis": "redis", "memcached": "memcached", "memcache": "memcached"}
_BY_COMPONENT = {3: "apache_dubbo", 23: "grpc", 40: "kafka", 41: "kafka", 52: "rabbitmq", 53: "rabbitmq", 8004: "mysql"}
_BY_LAYER = {1: "other_sql", 2: "rpc", 5: "cache"}
_SYSTEM_KEY = {1: "db.system.name", 2: "rpc.system", 4: "messaging.system", 5: "db.system.name"}
_OTEL = {
    "http.method": "http.request.method",
    "http.status_code": "http.response.status_code",
    "status_code": "http.response.status_code",
    "http.params": "url.query",
    "db.instance": "db.namespace",
    "db.statement": "db.query.text",
    "mq.topic": "messaging.destination.name",
    "rpc.status_code": "rpc.response.status_code",
}
_VALUES = (
    ("{id}", r"\d+"),
    ("{uuid}", r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    ("{date}", r"\d{4}-\d\d(-\d\d)?(T.*)?"),
    ("{hex}", r"[0-9a-fA-F]{8,}"),
    ("{email}", r"[^@]+@[^@]+\.[^@]+"),
    ("{id}", r"(?=(.*\d){4})[A-Za-z0-9_.~-]*"),
)


def rows(segment) -> list[dict]:
    """Of a SegmentObject, by span id, as the table `spans` has them."""
    return sorted((row(segment, span) for span in segment.spans), key=lambda made: made["span_id"])


def row(segment, span) -> dict:
    tags = {}
    for tag in span.tags:
        tags.setdefault(tag.key, tag.value)
    callers = [
        (
            sw8.trace_id_of(ref.traceId),
            sw8.span_id_of(ref.parentServiceInstance, ref.parentTraceSegmentId, ref.parentSpanId),
        )
        for ref in span.refs
    ]
    trace = sw8.trace_id_of(segment.traceId)
    parent = NONE
    if span.parentSpanId >= 0 and span.parentSpanId != span.spanId:
        parent = sw8.span_id_of(segment.serviceInstance, segment.traceSegmentId, span.parentSpanId)
    elif callers and callers[0][0] == trace:
        parent, callers = callers[0][1], callers[1:]
    kind = _kind(span)
    system = _system(span, tags)
    peer = _peer(span, tags, system) if kind in {"client", "producer", "consumer"} else ""
    endpoint = span.operationName[:150]
    if span.spanLayer == 3:
        endpoint = "/".join(_template(part) for part in endpoint.split("/"))
    events = [_event(log, span) for log in span.logs]
    told = [event["attributes"].get("exception.message", "") for event in events]
    attributes = {**{_OTEL[key]: value for key, value in tags.items() if key in _OTEL}, **tags}
    attributes |= {"sw8.trace_id": segment.traceId, "sw8.segment_id": segment.traceSegmentId}
    attributes["sw8.span_id"] = str(span.spanId)
    for ref in span.refs[:1]:
        attributes |= {"sw8.parent_service": ref.parentService, "sw8.parent_instance": ref.parentServiceInstance}
        attributes |= {"sw8.parent_endpoint": ref.parentEndpoint, "sw8.address": ref.networkAddressUsedAtPeer}
    url = tags.get("http.url") or tags.get("url") or ""
    maybe = {
        _SYSTEM_KEY.get(span.spanLayer, ""): system,
        "db.operation.name": _operation(span, tags, system),
        "url.path": span.operationName[span.operationName.find("/") :] if endpoint != span.operationName else "",
        "url.full": url if url.startswith("http") else "",
        "sw8.peer": span.peer if span.peer != peer else "",
        "sw8.span_type": str(span.spanType) if span.skipAnalysis else "",
        "sw8.skip_analysis": "true" if span.skipAnalysis else "",
    }
    status = tags.get("http.status_code") or tags.get("status_code") or tags.get("rpc.status_code") or ""
    return {
        "service": segment.service[:70] or "unknown_service",
        "instance": segment.serviceInstance[:70],
        "endpoint": endpoint,
        "kind": kind,
        "start_time": EPOCH + timedelta(milliseconds=span.startTime),
        "duration_ns": max(span.endTime - span.startTime, 0) * 1_000_000,
        "trace_id": trace,
        "span_id": sw8.span_id_of(segment.serviceInstance, segment.traceSegmentId, span.spanId),
        "parent_id": parent,
        "is_entry": kind in {"server", "consumer"} or (parent == NONE and not span.skipAnalysis),
        "is_error": span.isError,
        "status_code": int(status) if status.isdecimal() else 0,
        "status_message": next((message for message in told if message), "") if span.isError else "",
        "peer": peer,
        "system": system,
        "statement": tags.get("db.statement", ""),
        "attributes": attributes | {key: value for key, value in maybe.items() if key and value},
        "events": events,
        "links": [{"trace_id": of, "span_id": caller} for of, caller in callers],
    }


def _kind(span) -> str:
    if span.skipAnalysis or span.spanType not in {0, 1}:
        return "internal"
    return (("server", "consumer"), ("client", "producer"))[span.spanType][span.spanLayer == 4]


def _system(span, tags) -> str:
    if span.spanLayer == 3:
        return "http"
    named = (tags.get("db.type") or tags.get("cache.type") or "").lower()
    return _SYSTEMS.get(named, named) or _BY_COMPONENT.get(span.componentId) or _BY_LAYER.get(span.spanLayer, "")


def _peer(span, tags, system) -> str:
    if span.peer and not span.peer.startswith("not_found:"):
        return span.peer
    source = dict(part.split("=", 1) for part in tags.get("db.data_source", "").split(";") if "=" in part)
    if "host" in source:
        return f"{source['host']}:{source.get('port', {'mysql': 3306}.get(system))}"
    if tags.get("db.host"):
        return f"{tags['db.host']}:{tags['db.port']}"
    return tags.get("mq.broker") or tags.get("mq.topic") or ("" if span.spanLayer == 3 else system)


def _operation(span, tags, system) -> str:
    if span.spanLayer != 5 and system not in {"redis", "memcached"}:
        return ""
    command = tags.get("redis.command") or tags.get("memcached.command") or ""
    name = re.split("->|/", span.operationName)[-1]
    return (tags.get("cache.cmd") or command.split(" ")[0] or name).upper()


def _template(part: str) -> str:
    return next((name for name, form in _VALUES if re.fullmatch(form, part)), part)


def _event(log, span) -> dict:
    data = {pair.key: pair.value for pair in log.data}
    last_line = data.get("Traceback", "").rstrip("\n").rpartition("\n")[2]
    kind, _, message = last_line.partition(": ")
    said = {
        "exception.type": data.get("error.kind") or kind,
        "exception.message": data.get("message") or message or data.get("error") or data.get("Error") or "",
        "exception.stacktrace": data.get("stack") or data.get("Traceback") or "",
    }
    said["exception.message"] = said["exception.message"] or data.get("CURL_ERROR", "")
    said = {key: value for key, value in said.items() if value}
    kept = {key: value for key, value in data.items() if value not in said.values()}
    time_ms = min(max(log.time, span.startTime), max(span.startTime, span.endTime))
    return {
        "time": EPOCH + timedelta(milliseconds=time_ms),
        "name": "exception" if said else data.get("event") or "log",
        "attributes": kept | said,
    }


def md5(text: str) -> bytes:
    """Of ids that are not ours."""
    return hashlib.md5(text.encode(), usedforsecurity=False).digest()
