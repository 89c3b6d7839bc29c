"""The native walk says yes only where protobuf's parser does, and counts the same; the parser decides all the rest."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from intake_world import recorded, traces
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sonde.server.intake import shape
from sonde.server.intake.answers import Encoding, RefusedError
from sonde.server.intake.check import Checked, check, check_by_parsing
from sonde.server.spool.entry import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

walk = pytest.importorskip("sonde.server.intake._walk", reason="the native walk is not built here")

SHAPES = {
    Signal.TRACES: shape.shapes(ExportTraceServiceRequest.DESCRIPTOR),
    Signal.METRICS: shape.shapes(ExportMetricsServiceRequest.DESCRIPTOR),
    Signal.LOGS: shape.shapes(ExportLogsServiceRequest.DESCRIPTOR),
}
GOOD = {signal: recorded(f"python-sdk.{signal}.pb") for signal in SHAPES}


def parsed(signal: Signal, body: bytes) -> Checked | None:
    try:
        return check_by_parsing(signal, Encoding.PROTOBUF, body)
    except RefusedError:
        return None


def agrees(signal: Signal, body: bytes) -> int:
    """What the walk says, after a look that the parser does not say otherwise."""
    items = walk.count(SHAPES[signal], body)
    if items >= 0:
        found = parsed(signal, body)
        assert found is not None
        assert (found.items, found.rejected, found.body) == (items, 0, body)
    return int(items)


@pytest.mark.parametrize("signal", SHAPES)
def test_what_sdks_send_needs_no_parser(signal: Signal) -> None:
    assert agrees(signal, GOOD[signal]) > 0
    assert agrees(signal, b"") == 0


@pytest.mark.parametrize("signal", SHAPES)
def test_a_request_cut_at_any_byte_is_judged_alike(signal: Signal) -> None:
    for length in range(len(GOOD[signal])):
        agrees(signal, GOOD[signal][:length])


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(list(SHAPES)), st.integers(0, 2**32), st.integers(1, 6))
def test_a_request_with_changed_bytes_is_judged_alike(signal: Signal, seed: int, changes: int) -> None:
    dice, body = random.Random(seed), bytearray(GOOD[signal])
    for _ in range(changes):
        at = dice.randrange(len(body))
        if dice.random() < 0.7:
            body[at] = dice.choice((0, 1, 8, 0x0A, 0x12, 0x7F, 0x80, 0xFF, dice.randrange(256)))
        elif dice.random() < 0.5:
            del body[at]
        else:
            body.insert(at, dice.randrange(256))
    agrees(signal, bytes(body))


@given(st.sampled_from(list(SHAPES)), st.binary(max_size=60))
def test_any_bytes_are_judged_alike(signal: Signal, body: bytes) -> None:
    agrees(signal, body)


@given(st.binary(max_size=12) | st.text(max_size=6).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_text_is_utf8_where_the_parser_says_so(name: bytes) -> None:
    span = ExportTraceServiceRequest.FromString(traces(1))
    body = span.SerializeToString().replace(b"\x2a\x10GET /orders/{id}", b"\x2a\x10" + name[:16].ljust(16, b"x"))

    assert (agrees(Signal.TRACES, body) == 1) is (parsed(Signal.TRACES, body) is not None)


def _without_trace_id(span: object) -> None:
    span.ClearField("trace_id")  # type: ignore[attr-defined]


CHANGES: dict[str, Callable[..., object]] = {
    "no trace id": _without_trace_id,
    "no span id": lambda span: span.ClearField("span_id"),
    "short trace id": lambda span: setattr(span, "trace_id", b"x" * 15),
    "zero trace id": lambda span: setattr(span, "trace_id", bytes(16)),
    "zero span id": lambda span: setattr(span, "span_id", bytes(8)),
    "long parent id": lambda span: setattr(span, "parent_span_id", b"x" * 9),
}


@pytest.mark.parametrize("change", CHANGES)
def test_spans_with_invalid_ids_are_left_to_the_parser_which_rejects_them(change: str) -> None:
    request = ExportTraceServiceRequest.FromString(traces(1, spans=3))
    CHANGES[change](request.resource_spans[0].scope_spans[0].spans[1])
    body = request.SerializeToString()

    assert agrees(Signal.TRACES, body) == -1
    checked = check(Signal.TRACES, Encoding.PROTOBUF, body)
    assert (checked.items, checked.rejected) == (2, 1)


def test_nesting_deeper_than_the_walk_goes_is_left_to_the_parser() -> None:
    request = ExportTraceServiceRequest.FromString(traces(1))
    value = request.resource_spans[0].resource.attributes.add(key="deep").value
    for _ in range(40):
        value = value.array_value.values.add()
    value.string_value = "x"
    assert agrees(Signal.TRACES, request.SerializeToString()) == -1
    assert check(Signal.TRACES, Encoding.PROTOBUF, request.SerializeToString()).items == 1


def test_unknown_fields_are_passed_over() -> None:
    body = traces(1) + bytes.fromhex("fa3f03") + b"abc" + bytes.fromhex("f83f05")  # fields 1023

    assert agrees(Signal.TRACES, body) == 1


@pytest.mark.parametrize("table", [b"", b"x", bytes(63), b"\x00\x05" * 32])
def test_a_table_that_leads_nowhere_is_refused(table: bytes) -> None:
    with pytest.raises(ValueError, match="table"):
        walk.count(table, b"")
