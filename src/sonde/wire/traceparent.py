"""W3C Trace Context, the `traceparent` header. Source: https://www.w3.org/TR/trace-context/#traceparent-header."""

from __future__ import annotations

import re
from typing import NamedTuple

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16


class TraceParent(NamedTuple):
    """Where a request comes from. Ids in lower-case hex: 32 and 16 digits."""

    trace_id: str
    span_id: str
    flags: int

    def __str__(self) -> str:
        return f"00-{self.trace_id}-{self.span_id}-{self.flags:02x}"


def parse(header: str) -> TraceParent | None:
    """What the header says; None where it breaks a rule, and a fresh trace has to be started."""
    match = _FORM.fullmatch(header.strip())
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "ff" or (version == "00" and more) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return TraceParent(trace_id, span_id, int(flags, 16))
