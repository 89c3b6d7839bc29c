"""Counts of spans that were not sampled, as they are sent: one summary span for each kind of span and slot of 30 s.

A summary is an OTLP Span with the name, kind and constant attributes that its spans had, and an attribute
`sonde.tally`, numbers separated by commas: count, sum, least and most of the durations in ns, how many were satisfied
and tolerated, start of the last one in Unix seconds, then pairs of bucket and count. The store adds them to its
statistics and to nothing else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.probe import core
from sonde.wire.protobuf import fixed64, integer, key_value, message, text

if TYPE_CHECKING:
    from collections.abc import Iterable

ATTRIBUTE = "sonde.tally"
SLOT_NS = 30_000_000_000
_TRACE, _SPAN, _PARENT = b"\xff" * 16, b"\xff" * 8, b"\xff" * 8
"""A summary belongs to no trace, but a span without ids is none. A parent says that its spans had one."""


def taken() -> bytes:
    """What was counted since the last time, as ScopeSpans.spans fields; empty: nothing."""
    return b"".join(message(2, span) for span in summaries())


def summaries() -> Iterable[bytes]:
    """Encoded spans."""
    for name, kind, constants, is_root, failed, status, slot, count, total, *rest, buckets in core.take_tallies():
        least, most, satisfied, tolerating, last = rest
        numbers = [count, total, least, most, satisfied, tolerating, last // 1_000_000_000]
        for bucket in sorted(buckets):
            numbers += (bucket, buckets[bucket])
        start = slot * SLOT_NS
        body = message(1, _TRACE) + message(2, _SPAN)
        if not is_root:
            body += message(4, _PARENT)
        body += text(5, name) + integer(6, kind) + fixed64(7, start) + fixed64(8, start) + constants
        if status:
            body += key_value(9, "http.response.status_code", status)
        body += key_value(9, ATTRIBUTE, ",".join(map(str, numbers)))
        if failed:
            body += message(15, integer(3, 2))
        yield body
