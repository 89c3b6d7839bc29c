"""How a trace crosses to another process: the headers that are read from a caller and written for a callee.

Imported with the first plugin that needs it. What is written is told the recorder at start, see `propagators`.

Read: W3C traceparent, tracestate and baggage; SkyWalking's sw8 and sw8-correlation; B3 in one header and in several;
`x-swoole-traceid` with `-spanid`. The first of them that is there counts; one that breaks a rule starts a fresh trace,
is counted, and never goes on to anybody. Written is what the setting `propagators` names, and sw8 in traces that came
by it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sonde.wire import b3, baggage, sw8, traceparent, tracestate

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from sonde.probe.core import Span

    Get = Callable[[str], str | None]
    Remote = tuple[bytes, bytes, int, object]

READ = (
    "traceparent",
    "tracestate",
    "baggage",
    "sw8",
    "sw8-correlation",
    "b3",
    "x-b3-traceid",
    "x-swoole-traceid",
)
"""Headers of which one says that there is something to read."""

_SWOOLE_ID = re.compile(r"[0-9a-f]{16}")
_BROKEN = ""  # no traceparent: the recorder counts it and starts a fresh trace


class Carried:
    """What comes with a request beside its ids, and goes on with its calls. Never changed: replaced."""

    __slots__ = ("baggage", "correlation", "sw8_trace_id", "tracestate")

    def __init__(
        self,
        tracestate: str = "",
        baggage: Mapping[str, str] | None = None,
        correlation: Mapping[str, str] | None = None,
        sw8_trace_id: str | None = None,
    ) -> None:
        self.tracestate = tracestate
        self.baggage = dict(baggage or {})
        self.correlation = dict(correlation or {})
        self.sw8_trace_id = sw8_trace_id
        """A text where the trace came by sw8: its id there where that is no id of ours, else empty."""

    def with_baggage(self, values: Mapping[str, str | None]) -> Carried:
        """The same with these values; None takes one away."""
        merged = {**self.baggage, **values}
        kept = {key: value for key, value in merged.items() if value is not None}
        return Carried(self.tracestate, kept, self.correlation, self.sw8_trace_id)


def incoming(get: Get) -> str | Remote | None:
    """What `core.scope` takes as `remote`. `get` gives a header's value by its lower-case name, None without."""
    header = get("traceparent")
    if header is None:
        return _incoming_otherwise(get)
    state, values = get("tracestate"), get("baggage")
    their_sw8, correlation = get("sw8"), get("sw8-correlation")
    if not (state or values or their_sw8 or correlation):
        return header
    parent = traceparent.parse(header)
    if parent is None:
        return _BROKEN
    return _remote(parent, _carried(state, values, correlation, _opaque(their_sw8, parent.trace_id)))


def _incoming_otherwise(get: Get) -> str | Remote | None:
    values = get("baggage")
    their_sw8 = get("sw8")
    if their_sw8 is not None:
        caller = sw8.parse(their_sw8)
        if caller is None:
            return _BROKEN
        trace, span = caller.ids()
        opaque = caller.trace_id if caller.trace_id != trace.hex() else ""
        return trace, span, int(caller.sampled), _carried(None, values, get("sw8-correlation"), opaque)
    single = get("b3")
    if single is not None and "-" in single:  # without, it is a decision and no parent
        parent = b3.parse_single(single)
    elif get("x-b3-traceid") is not None:
        parent = b3.parse_several(get)
    elif get("x-swoole-traceid"):
        parent = _swoole(get("x-swoole-traceid") or "", get("x-swoole-spanid") or "")
    else:
        return (b"", b"", 0, _carried(None, values, None, None)) if values else None
    return _remote(parent, _carried(None, values, None, None)) if parent is not None else _BROKEN


def _remote(parent: traceparent.TraceParent, carried: Carried | None) -> Remote:
    return bytes.fromhex(parent.trace_id), bytes.fromhex(parent.span_id), parent.flags, carried


def _swoole(trace: str, span: str) -> traceparent.TraceParent | None:
    if not _SWOOLE_ID.fullmatch(trace) or not _SWOOLE_ID.fullmatch(span) or not int(trace, 16) or not int(span, 16):
        return None
    return traceparent.TraceParent(trace.zfill(32), span, 1)


def _opaque(header: str | None, trace_id: str) -> str | None:
    """`Carried.sw8_trace_id` for an sw8 that came with a traceparent. None if it is of another trace."""
    caller = sw8.parse(header) if header else None
    if caller is None or caller.ids()[0].hex() != trace_id:
        return None
    return "" if caller.trace_id == trace_id else caller.trace_id


def _carried(state: str | None, values: str | None, correlation: str | None, opaque: str | None) -> Carried | None:
    """None where nothing of it can be passed on."""
    kept_state = tracestate.passed_on(state) if state else ""
    kept_values = baggage.parse(values) if values else {}
    kept_correlation = sw8.parse_correlation(correlation) if correlation else {}
    if not (kept_state or kept_values or kept_correlation) and opaque is None:
        return None
    return Carried(kept_state, kept_values, kept_correlation, opaque)


def outgoing(span: Span, peer: str | None = None) -> tuple[tuple[str, str], ...]:
    """The headers, lower-case name and value, that make a callee at `peer` continue the trace below `span`."""
    return span.headers(peer)


def written(span: Span, names: Collection[str]) -> list[tuple[str, str]]:
    """The headers beside traceparent and sw8; `names` are those of the setting `propagators`."""
    pairs: list[tuple[str, str]] = []
    carried = span.carried
    if carried is not None:
        if carried.tracestate and "tracecontext" in names:
            pairs.append(("tracestate", carried.tracestate))
        if carried.baggage and "baggage" in names:
            pairs.append(("baggage", baggage.written(carried.baggage)))
        if carried.correlation and (carried.sw8_trace_id is not None or "sw8" in names):
            pairs.append(("sw8-correlation", sw8.written_correlation(carried.correlation)))
    this = traceparent.TraceParent(span.trace_id, span.span_id, int(span.sampled))
    if "b3" in names:
        pairs.append(("b3", b3.written_single(this)))
    if "b3multi" in names:
        pairs += b3.written_several(this)
    return pairs
