"""OTLP/gRPC: what is accepted, and what each bad call is told."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from grpc_world import METHOD_OF, Told, channel, export, serving
from intake_world import APP, bodies, in_folder, recorded, traces
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from sonde.server.intake.acceptance import OTLP_SIGNALS, Acceptance
from sonde.server.intake.answers import Encoding
from sonde.server.spool.entry import Signal
from sonde.server.spool.limits import SpoolLimits
from sonde.server.spool.spool import Spool

if TYPE_CHECKING:
    from pathlib import Path

    from intake_world import Sender

    from sonde.server.intake.hints import Hints

OK = grpc.StatusCode.OK
LIMIT = 1 << 20


@pytest.fixture
def acceptance(sender: Sender) -> Acceptance:
    return sender.app.acceptance


def call(acceptance: Acceptance, body: bytes, *more: Any, **named: Any) -> Told:
    """One call to a server of its own."""

    async def run() -> Told:
        async with serving(acceptance) as port, channel(port) as to:
            return await export(to, body, *more, **named)

    return asyncio.run(run())


@pytest.mark.parametrize("packed", [False, True], ids=["identity", "gzip"])
@pytest.mark.parametrize("signal", OTLP_SIGNALS)
def test_what_an_sdk_sends_is_in_the_spool_byte_for_byte_when_it_hears_ok(
    acceptance: Acceptance, spool: Spool, signal: Signal, packed: bool
) -> None:
    body = recorded(f"python-sdk.{signal}.pb")

    assert call(acceptance, body, signal, packed=packed) == Told(OK, "")

    (entry,) = in_folder(spool.folder)
    assert (entry.signal, entry.app, entry.body) == (signal, APP, body)
    assert acceptance.counters.requests == {(signal, Encoding.GRPC): 1}
    assert acceptance.counters.bytes == {(signal, Encoding.GRPC): len(body)}


def test_an_empty_request_is_accepted_and_leaves_nothing(acceptance: Acceptance, spool: Spool) -> None:
    assert call(acceptance, b"").code is OK
    assert in_folder(spool.folder) == []


def test_spans_with_invalid_ids_are_left_out_and_reported(acceptance: Acceptance, spool: Spool) -> None:
    request = ExportTraceServiceRequest.FromString(traces(1, spans=3))
    request.resource_spans[0].scope_spans[0].spans[1].span_id = bytes(8)

    answer = call(acceptance, request.SerializeToString())

    partial = ExportTraceServiceResponse.FromString(answer.body).partial_success
    assert (answer.code, partial.rejected_spans) == (OK, 1)
    assert "span_id" in partial.error_message
    stored = ExportTraceServiceRequest.FromString(bodies(spool.folder)[0])
    assert len(stored.resource_spans[0].scope_spans[0].spans) == 2
    assert acceptance.counters.rejected_items == {Signal.TRACES: 1}


BAD: dict[str, tuple[grpc.StatusCode, str, bytes, dict[str, Any]]] = {
    "truncated": (grpc.StatusCode.INVALID_ARGUMENT, "bad_protobuf", traces(1, spans=3)[:-5], {}),
    "json": (grpc.StatusCode.INVALID_ARGUMENT, "bad_protobuf", b'{"resourceSpans": []}', {}),
    "gzip of rubbish": (grpc.StatusCode.INVALID_ARGUMENT, "bad_protobuf", b"\xff" * 99, {"packed": True}),
    "truncated gzip": (grpc.StatusCode.INVALID_ARGUMENT, "bad_compression", gzip.compress(traces(1))[:-9], {}),
    "rubbish after gzip": (grpc.StatusCode.INVALID_ARGUMENT, "bad_compression", gzip.compress(traces(1)) + b"x", {}),
    "too large when decompressed": (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "too_large",
        bytes(LIMIT + 1),
        {"packed": True},
    ),
    "a bomb": (grpc.StatusCode.RESOURCE_EXHAUSTED, "too_large", gzip.compress(bytes(50 << 20)), {}),
    "no token": (grpc.StatusCode.UNAUTHENTICATED, "unauthenticated", traces(1), {"metadata": ()}),
    "wrong token": (
        grpc.StatusCode.UNAUTHENTICATED,
        "unauthenticated",
        traces(1),
        {"metadata": (("authorization", "Bearer other"),)},
    ),
    "other scheme": (
        grpc.StatusCode.UNAUTHENTICATED,
        "unauthenticated",
        traces(1),
        {"metadata": (("authorization", "Basic token-of-shop"),)},
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_call_gets_the_protocols_error_and_a_counted_reason_and_the_next_good_one_is_accepted(
    acceptance: Acceptance, spool: Spool, hints: Hints, case: str
) -> None:
    code, reason, body, how = BAD[case]

    async def run() -> tuple[Told, Told]:
        async with serving(acceptance) as port, channel(port) as to:
            return await export(to, body, **how), await export(to, traces(2))

    bad, good = asyncio.run(run())

    assert (bad.code, bad.retry_s) == (code, None), "no sender sends this again"
    assert acceptance.counters.refused == {(Signal.TRACES, reason): 1}
    assert [(hint.protocol, hint.reason, hint.subject) for hint in hints.seen_by(None)] == [
        ("otlp_grpc", reason, "127.0.0.1")
    ]
    assert good.code is OK
    assert bodies(spool.folder) == [traces(2)]
    assert acceptance._budget.held == 0


def test_a_message_that_is_too_large_as_sent_is_refused_for_good(acceptance: Acceptance, hints: Hints) -> None:
    assert call(acceptance, bytes(LIMIT + 1)).code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert acceptance.counters.refused == {(Signal.TRACES, "cut_off"): 1}
    (hint,) = hints.seen_by(None)
    assert f"larger than {LIMIT} bytes" in hint.text


@pytest.mark.parametrize("method", ["/opentelemetry.proto.collector.trace.v1.TraceService/Import", "/x.Y/Z"])
def test_a_method_that_otlp_does_not_have_is_unimplemented(acceptance: Acceptance, method: str) -> None:
    assert call(acceptance, traces(1), method).code is grpc.StatusCode.UNIMPLEMENTED
    assert acceptance.counters.refused == {("none", "unknown_path"): 1}


def test_a_call_without_a_message_is_refused(acceptance: Acceptance) -> None:
    async def run() -> grpc.StatusCode:
        async with serving(acceptance) as port, channel(port) as to:
            opened = to.stream_unary(METHOD_OF[Signal.TRACES])(metadata=(("authorization", "Bearer token-of-shop"),))
            await opened.done_writing()
            code: grpc.StatusCode = await opened.code()
            return code

    assert asyncio.run(run()) is grpc.StatusCode.INVALID_ARGUMENT
    assert acceptance.counters.refused == {(Signal.TRACES, "no_message"): 1}


def test_a_full_spool_is_unavailable_with_a_time_to_come_again(tmp_path: Path, hints: Hints) -> None:
    limits = SpoolLimits(min_free_bytes=0, file_max_age_s=3600, max_bytes=2000)
    with Spool(tmp_path / "spool", limits) as spool:
        acceptance = Acceptance(authenticate=lambda _: APP, spool=spool, hints=hints)
        answer = call(acceptance, traces(1, spans=100))
        acceptance.close()

    assert (answer.code, answer.retry_s) == (grpc.StatusCode.UNAVAILABLE, 5)
    assert "full" in answer.details
    assert acceptance.counters.refused == {(Signal.TRACES, "spool_full"): 1}
    assert hints.seen_by(None) == [], "it passes by itself"


def test_tokens_that_cannot_be_checked_are_not_called_wrong(acceptance: Acceptance) -> None:
    async def look_up(_authorization: str) -> bool:
        return False

    async def run() -> Told:
        async with serving(acceptance, calls={"look_up": look_up}) as port, channel(port) as to:
            return await export(to, traces(1))

    answer = asyncio.run(run())

    assert (answer.code, answer.retry_s) == (grpc.StatusCode.UNAVAILABLE, 1)
    assert acceptance.counters.refused == {(Signal.TRACES, "tokens_unavailable"): 1}


def test_a_budget_that_is_used_up_is_exhausted_with_a_time_to_come_again(acceptance: Acceptance) -> None:
    """The same budget as that of OTLP/HTTP: what one transport holds the other has not."""
    holding = acceptance.new_body()
    acceptance._budget.take(4 * LIMIT - 10)

    answer = call(acceptance, traces(1))
    acceptance._budget.give_back(4 * LIMIT - 10)
    holding.let_go()

    assert (answer.code, answer.retry_s) == (grpc.StatusCode.RESOURCE_EXHAUSTED, 1)
    assert acceptance.counters.refused == {(Signal.TRACES, "too_many_bodies"): 1}
    assert call(acceptance, traces(1)).code is OK


def test_a_message_that_comes_by_both_transports_is_stored_once(
    sender: Sender, acceptance: Acceptance, spool: Spool
) -> None:
    assert call(acceptance, traces(1)).code is OK
    assert sender.post(traces(1)).status == 200

    assert bodies(spool.folder) == [traces(1)]
    assert acceptance.counters.duplicates == {Signal.TRACES: 1}
