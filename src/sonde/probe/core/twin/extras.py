"""What most spans have nothing of: events, links, a failure, things dropped for want of room."""

from __future__ import annotations

from sonde.probe.core.failures import STACKTRACE_MAX_BYTES, Failure
from sonde.probe.core.twin import counting
from sonde.probe.core.twin.encode import EVENT_ATTRIBUTE, any_value, field, key_field, key_value
from sonde.wire.protobuf import fixed64, integer

MAX_EVENTS = MAX_LINKS = 128
"""OpenTelemetry's default limits for one span."""

MAX_BYTES = 1 << 16
"""Room for a span's attributes, and again for its events and links."""


class Extras:
    """Fields that follow a span's attributes."""

    __slots__ = ("_dropped", "_events", "_fields", "_links", "status")

    def __init__(self) -> None:
        self._fields = b""
        self._events = self._links = 0
        self._dropped = {"attributes": 0, "events": 0, "links": 0}
        self.status = b""
        """Span.status; empty: not failed."""

    def drop(self, what: str) -> None:
        """Count one of `attributes`, `events`, `links` that had no room."""
        self._dropped[what] += 1
        counting.count(f"dropped_{what}")

    def add_event(self, time_unix_ns: int, name: bytes, facts: bytes) -> None:
        """Span.Event of a name and encoded attributes."""
        event = field(b"\x5a", fixed64(1, time_unix_ns) + field(b"\x12", name) + facts)
        if self._events >= MAX_EVENTS or len(self._fields) + len(event) > MAX_BYTES:
            self.drop("events")
            return
        self._events += 1
        self._fields += event

    def add_link(self, trace_id: bytes, span_id: bytes) -> None:
        """Span.Link."""
        link = field(b"\x6a", field(b"\x0a", trace_id) + field(b"\x12", span_id))
        if self._links >= MAX_LINKS or len(self._fields) + len(link) > MAX_BYTES:
            self.drop("links")
            return
        self._links += 1
        self._fields += link

    def size(self) -> int:
        """Bytes of events, links and status."""
        return len(self._fields) + len(self.status)

    def encoded(self) -> bytes:
        """Everything, in field order but for events and links, which are as they came."""
        numbers = zip((10, 12, 14), self._dropped.values(), strict=True)
        dropped = b"".join(integer(number, count) for number, count in numbers if count)
        return self._fields + dropped + self.status


def error_status(message: bytes) -> bytes:
    """Span.status with code ERROR."""
    return field(b"\x7a", (field(b"\x12", message) if message else b"") + b"\x18\x02")


def exception_facts(failure: Failure, max_value_bytes: int) -> bytes:
    """The attributes of OpenTelemetry's `exception` event."""
    facts = (
        ("exception.type", failure.type, max_value_bytes),
        ("exception.message", failure.message, max_value_bytes),
        ("exception.stacktrace", failure.stacktrace, STACKTRACE_MAX_BYTES),
    )
    return b"".join(
        key_value(EVENT_ATTRIBUTE, key_field(key, max_value_bytes), any_value(text, most)) for key, text, most in facts
    )


def link_ids(trace_id: object, span_id: object) -> tuple[bytes, bytes] | None:
    """Both ids as bytes; None where one is no id of W3C's."""
    if not isinstance(trace_id, str) or not isinstance(span_id, str) or len(trace_id) != 32 or len(span_id) != 16:
        return None
    try:
        pair = bytes.fromhex(trace_id), bytes.fromhex(span_id)
    except ValueError:
        return None
    return pair if len(pair[0]) == 16 and len(pair[1]) == 8 and any(pair[0]) and any(pair[1]) else None
