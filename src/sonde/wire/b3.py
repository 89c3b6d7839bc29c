"""Zipkin's B3 headers, single and several. Source: https://github.com/openzipkin/b3-propagation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sonde.wire.traceparent import TraceParent

if TYPE_CHECKING:
    from collections.abc import Callable

_TRACE = re.compile(r"(?:[0-9a-f]{16})?[0-9a-f]{16}")
_SPAN = re.compile(r"[0-9a-f]{16}")
_YES, _NO = frozenset({"1", "d", "true"}), frozenset({"0", "false"})


def parse_single(header: str) -> TraceParent | None:
    """`b3: {trace}-{span}[-{sampled}[-{parent}]]`. None where it breaks a rule or only says a decision."""
    parts = header.strip().lower().split("-")
    if not 2 <= len(parts) <= 4 or (len(parts) == 4 and not _SPAN.fullmatch(parts[3])):
        return None
    return _parent(parts[0], parts[1], parts[2] if len(parts) > 2 else "")


def parse_several(get: Callable[[str], str | None]) -> TraceParent | None:
    """`x-b3-traceid` and its companions; `get` gives a header by its lower-case name."""
    sampled = "d" if (get("x-b3-flags") or "").strip() == "1" else get("x-b3-sampled") or ""
    return _parent(get("x-b3-traceid") or "", get("x-b3-spanid") or "", sampled)


def _parent(trace: str, span: str, sampled: str) -> TraceParent | None:
    trace, span, sampled = trace.strip().lower(), span.strip().lower(), sampled.strip().lower()
    if not _TRACE.fullmatch(trace) or not _SPAN.fullmatch(span) or not trace.strip("0") or not span.strip("0"):
        return None
    if sampled and sampled not in _YES and sampled not in _NO:
        return None
    return TraceParent(trace.zfill(32), span, int(sampled not in _NO))


def written_single(caller: TraceParent) -> str:
    """The header `b3`."""
    return f"{caller.trace_id}-{caller.span_id}-{caller.flags & 1}"


def written_several(caller: TraceParent) -> tuple[tuple[str, str], ...]:
    """The headers of the other form."""
    return (
        ("x-b3-traceid", caller.trace_id),
        ("x-b3-spanid", caller.span_id),
        ("x-b3-sampled", str(caller.flags & 1)),
    )
