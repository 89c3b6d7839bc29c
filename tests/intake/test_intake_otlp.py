"""OTLP/HTTP: what is accepted, and what each bad request is told."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from backports import zstd
from google.protobuf import json_format
from intake_world import APP, Answer, Sender, bodies, in_folder, recorded, traces
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from sonde.server.intake.acceptance import INLINE_MAX_BYTES, Acceptance
from sonde.server.intake.answers import Encoding
from sonde.server.intake.otlp import OtlpIntake
from sonde.server.spool.entry import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from sonde.server.intake.hints import Hints
    from sonde.server.spool.spool import Spool

JSON = "application/json"
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd.compress,
}
REQUESTS = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
}


@pytest.mark.parametrize("encoding", COMPRESS)
@pytest.mark.parametrize("signal", REQUESTS)
def test_what_an_sdk_sends_is_in_the_spool_byte_for_byte_when_it_hears_200(
    sender: Sender, spool: Spool, signal: Signal, encoding: str
) -> None:
    body = recorded(f"python-sdk.{signal}.pb")

    answer = sender.post(COMPRESS[encoding](body), f"/v1/{signal}", content_encoding=encoding)

    assert (answer.status, answer.body) == (200, b"")
    (entry,) = in_folder(spool.folder)
    assert (entry.signal, entry.app, entry.body) == (signal, APP, body)
    assert sender.app.acceptance.counters.requests == {(signal, Encoding.PROTOBUF): 1}


@pytest.mark.parametrize("signal", REQUESTS)
def test_json_becomes_the_protobuf_that_the_same_sdk_sends(sender: Sender, spool: Spool, signal: Signal) -> None:
    document = recorded(f"python-sdk.{signal}.json")

    answer = sender.post(json.dumps(document).encode(), f"/v1/{signal}", content_type=JSON)

    assert (answer.status, answer.json) == (200, {})
    (stored,) = bodies(spool.folder, signal)
    kind = REQUESTS[signal]
    assert kind.FromString(stored) == kind.FromString(recorded(f"python-sdk.{signal}.pb"))


def test_segments_that_an_agent_of_ours_forwards_are_in_the_spool_byte_for_byte(sender: Sender, spool: Spool) -> None:
    body = recorded("python-agent.segments.pb")

    answer = sender.post(gzip.compress(body), "/v1/segments", content_encoding="gzip")

    assert (answer.status, answer.body) == (200, b"")
    (entry,) = in_folder(spool.folder)
    assert (entry.signal, entry.app, entry.body) == (Signal.SEGMENTS, APP, body)
    assert sender.app.acceptance.counters.items == {Signal.SEGMENTS: 23}


def test_segments_that_cannot_be_read_are_refused(sender: Sender, spool: Spool) -> None:
    whole = recorded("python-agent.segments.pb")

    assert sender.post(whole[:-3], "/v1/segments").status == 400
    assert sender.post(b"{}", "/v1/segments", content_type=JSON).status == 415
    assert in_folder(spool.folder) == []


def test_json_of_the_js_sdk_is_read_chunked_and_with_numbers_for_int64(sender: Sender, spool: Spool) -> None:
    body = json.dumps(recorded("js-sdk.traces.json")).encode()
    chunks = [body[at : at + 100] for at in range(0, len(body), 100)]

    assert sender.post(chunks, content_type="application/json; charset=utf-8").status == 200

    span = ExportTraceServiceRequest.FromString(bodies(spool.folder)[0]).resource_spans[0].scope_spans[0].spans[0]
    assert span.trace_id.hex() == "2268d755b78c3d19d0396e8bbb3e6bb9"
    assert span.attributes[3].value.int_value == 3306


def test_unknown_fields_of_json_and_unknown_enum_numbers_are_no_error(sender: Sender, spool: Spool) -> None:
    document = recorded("js-sdk.traces.json")
    document["shape"] = [1, {"traceId": "no id of ours"[:0]}]
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["kind"] = 77

    assert sender.post(json.dumps(document).encode(), content_type=JSON).status == 200

    request = ExportTraceServiceRequest.FromString(bodies(spool.folder)[0])
    assert request.resource_spans[0].scope_spans[0].spans[0].kind == 77


@pytest.mark.parametrize(("content_type", "empty"), [("application/x-protobuf", b""), (JSON, b""), (JSON, b"{}")])
def test_a_request_without_content_is_accepted_and_leaves_nothing(
    sender: Sender, spool: Spool, content_type: str, empty: bytes
) -> None:
    assert sender.post(empty, content_type=content_type).status == 200
    assert in_folder(spool.folder) == []


def _truncated() -> bytes:
    return traces(1, spans=3)[:-5]


BAD: dict[str, tuple[int, int, str, bytes, dict[str, str]]] = {
    "truncated": (400, 3, "bad_protobuf", _truncated(), {}),
    "random": (400, 3, "bad_protobuf", random.Random(4).randbytes(500), {}),
    "text": (400, 3, "bad_protobuf", b"hello, world", {}),
    "json called protobuf": (400, 3, "bad_protobuf", b'{"resourceSpans": []}', {}),
    "protobuf called json": (400, 3, "bad_json", traces(1), {"content_type": JSON}),
    "truncated json": (400, 3, "bad_json", b'{"resourceSpans": [', {"content_type": JSON}),
    "json array": (400, 3, "bad_json", b"[]", {"content_type": JSON}),
    "json of another shape": (400, 3, "bad_json", b'{"resourceSpans": 5}', {"content_type": JSON}),
    "json without end": (400, 3, "bad_json", b"[" * 100_000, {"content_type": JSON}),
    "json nested too deeply": (
        400,
        3,
        "bad_json",
        b'{"resourceSpans":' + b'[{"x":' * 900 + b"1" + b"}]" * 900 + b"}",
        {"content_type": JSON},
    ),
    "json with an id that is no hex": (
        400,
        3,
        "bad_id",
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"xyz"}]}]}]}',
        {"content_type": JSON},
    ),
    "not gzip": (400, 3, "bad_compression", traces(1), {"content_encoding": "gzip"}),
    "truncated gzip": (400, 3, "bad_compression", gzip.compress(traces(1))[:-9], {"content_encoding": "gzip"}),
    "rubbish after gzip": (400, 3, "bad_compression", gzip.compress(traces(1)) + b"x", {"content_encoding": "gzip"}),
    "not zstd": (400, 3, "bad_compression", traces(1), {"content_encoding": "zstd"}),
    "truncated zstd": (400, 3, "bad_compression", zstd.compress(traces(1))[:-3], {"content_encoding": "zstd"}),
    "not deflate": (400, 3, "bad_compression", b"\xff" * 90, {"content_encoding": "deflate"}),
    "empty gzip": (400, 3, "bad_compression", b"", {"content_encoding": "gzip"}),
    "gzip without saying so": (400, 3, "bad_protobuf", gzip.compress(traces(1)), {}),
    "gzip of rubbish": (400, 3, "bad_protobuf", gzip.compress(b"\xff" * 99), {"content_encoding": "gzip"}),
    "unknown compression": (415, 3, "content_encoding", traces(1), {"content_encoding": "br"}),
    "unknown type": (415, 3, "content_type", traces(1), {"content_type": "text/plain"}),
    "no type": (415, 3, "content_type", traces(1), {"content_type": ""}),
    "no token": (401, 16, "unauthenticated", traces(1), {"authorization": ""}),
    "wrong token": (401, 16, "unauthenticated", traces(1), {"authorization": "Bearer other"}),
    "other scheme": (401, 16, "unauthenticated", traces(1), {"authorization": "Basic token-of-shop"}),
    "length that is no number": (400, 3, "bad_length", traces(1), {"content_length": "many"}),
    "too large": (413, 8, "too_large", bytes(1 << 20) + b"x", {}),
    "said to be too large": (413, 8, "too_large", b"", {"content_length": str(10 << 30)}),
    "too large when decompressed": (413, 8, "too_large", gzip.compress(bytes(200 << 20)), {"content_encoding": "gzip"}),
    "zstd too large when decompressed": (
        413,
        8,
        "too_large",
        zstd.compress(bytes(200 << 20)),
        {"content_encoding": "zstd"},
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_request_gets_the_protocols_error_and_a_counted_reason_and_the_next_good_one_is_accepted(
    sender: Sender, spool: Spool, case: str
) -> None:
    status, code, reason, body, headers = BAD[case]

    answer = sender.post(body, **headers)

    assert answer.status == status
    assert answer.error[0] == code
    assert answer.error[1]
    assert answer.headers["content-type"] == ("application/x-protobuf" if headers.get("content_type") is None else JSON)
    assert "retry-after" not in answer.headers  # what is bad stays bad
    assert sender.app.acceptance.counters.refused == {(Signal.TRACES, reason): 1}
    assert sender.post(traces(2)).status == 200
    assert bodies(spool.folder) == [traces(2)]


def test_other_methods_and_addresses_are_told_what_there_is(sender: Sender) -> None:
    got = sender.post(b"", method="GET")
    assert (got.status, got.headers["allow"]) == (405, "POST")
    assert sender.post(traces(1), path="/v1/profiles").status == 404
    assert sender.app.acceptance.counters.refused == {(Signal.TRACES, "not_post"): 1, ("none", "unknown_path"): 1}


def test_a_chunked_body_is_cut_off_at_the_limit(sender: Sender) -> None:
    answer = sender.post([bytes(100_000)] * 11)

    assert (answer.status, sender.app.acceptance.counters.refused) == (413, {(Signal.TRACES, "too_large"): 1})


def test_large_and_small_bodies_take_different_ways_to_the_same_end(sender: Sender, spool: Spool) -> None:
    small, large = traces(1), traces(2, spans=2 * INLINE_MAX_BYTES // 50)
    assert len(small) < INLINE_MAX_BYTES < len(large)

    assert sender.post(small).status == sender.post(large).status == 200
    assert bodies(spool.folder) == [small, large]


def _with_bad_ids() -> tuple[ExportTraceServiceRequest, list[str]]:
    request = ExportTraceServiceRequest.FromString(traces(1, spans=6))
    spans = request.resource_spans[0].scope_spans[0].spans
    spans[0].trace_id = b""
    spans[1].trace_id = b"short"
    spans[3].span_id = bytes(8)
    spans[4].trace_id = bytes(16)
    return request, [spans[2].span_id.hex(), spans[5].span_id.hex()]


@pytest.mark.parametrize("encoding", Encoding)
def test_spans_with_invalid_ids_are_left_out_and_reported_as_partial_success(
    sender: Sender, spool: Spool, encoding: Encoding
) -> None:
    request, good = _with_bad_ids()
    if encoding is Encoding.PROTOBUF:
        answer = sender.post(request.SerializeToString())
        partial = answer.message(ExportTraceServiceResponse).partial_success
    else:
        answer = sender.post(_as_otlp_json(request), content_type=JSON)
        partial = json_format.ParseDict(answer.json, ExportTraceServiceResponse()).partial_success

    assert (answer.status, partial.rejected_spans) == (200, 4)
    assert "trace_id" in partial.error_message
    stored = ExportTraceServiceRequest.FromString(bodies(spool.folder)[0])
    assert [span.span_id.hex() for span in stored.resource_spans[0].scope_spans[0].spans] == good
    assert sender.app.acceptance.counters.rejected_items == {Signal.TRACES: 4}
    assert sender.app.acceptance.counters.items == {Signal.TRACES: 2}


def _as_otlp_json(request: ExportTraceServiceRequest) -> bytes:
    document: Any = json_format.MessageToDict(request)
    for span, original in zip(
        document["resourceSpans"][0]["scopeSpans"][0]["spans"],
        request.resource_spans[0].scope_spans[0].spans,
        strict=True,
    ):
        span["traceId"], span["spanId"] = original.trace_id.hex(), original.span_id.hex()
    return json.dumps(document).encode()


def test_a_request_with_nothing_but_invalid_spans_is_answered_and_not_stored(sender: Sender, spool: Spool) -> None:
    request = ExportTraceServiceRequest.FromString(traces(1))
    request.resource_spans[0].scope_spans[0].spans[0].ClearField("trace_id")

    answer = sender.post(request.SerializeToString())

    assert answer.message(ExportTraceServiceResponse).partial_success.rejected_spans == 1
    assert in_folder(spool.folder) == []


@pytest.mark.parametrize("content_type", ["application/x-protobuf", JSON])
def test_a_body_that_is_sent_again_is_acknowledged_counted_and_not_stored_twice(
    sender: Sender, spool: Spool, content_type: str
) -> None:
    body = json.dumps(recorded("js-sdk.traces.json")).encode() if content_type == JSON else traces(1)

    first, second = sender.post(body, content_type=content_type), sender.post(body, content_type=content_type)

    assert (first.status, second.status) == (200, 200)
    assert len(in_folder(spool.folder)) == 1
    assert sender.app.acceptance.counters.duplicates == {Signal.TRACES: 1}
    assert sender.app.acceptance.counters.items == {Signal.TRACES: 2 if content_type == JSON else 1}


def test_equal_bodies_at_the_same_time_wait_for_one_write(sender: Sender, spool: Spool) -> None:
    async def all_at_once() -> list[Answer]:
        return await asyncio.gather(*(sender.send(traces(1)) for _ in range(20)))

    assert {answer.status for answer in asyncio.run(all_at_once())} == {200}
    assert bodies(spool.folder) == [traces(1)]
    assert sender.app.acceptance.counters.duplicates == {Signal.TRACES: 19}


def test_the_same_body_of_two_apps_is_two_bodies(spool: Spool, hints: Hints) -> None:
    acceptance = Acceptance(authenticate=lambda token: token, spool=spool, hints=hints)
    intake = OtlpIntake(acceptance)
    for app in ("shop", "billing"):
        assert Sender(intake).post(traces(1), authorization=f"Bearer {app}").status == 200
    acceptance.close()

    assert [entry.app for entry in in_folder(spool.folder)] == ["shop", "billing"]


def test_a_sender_that_goes_away_in_the_middle_leaves_nothing(intake: OtlpIntake, spool: Spool) -> None:
    messages: list[dict[str, Any]] = [
        {"type": "http.request", "body": traces(1)[:20], "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(_message: dict[str, Any]) -> None:
        pytest.fail("there is nobody to answer")

    headers = [(name.encode(), value.encode()) for name, value in Sender(intake).headers.items()]
    asyncio.run(intake({"type": "http", "method": "POST", "path": "/v1/traces", "headers": headers}, receive, send))

    assert intake.acceptance.counters.refused == {(Signal.TRACES, "disconnected"): 1}
    assert in_folder(spool.folder) == []


def test_too_many_large_bodies_at_one_time_are_told_to_come_again(intake: OtlpIntake) -> None:
    """Four times the largest body is held, whatever the number of senders."""

    async def five_large_ones() -> list[int]:
        full = asyncio.Event()
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/v1/traces",
            "headers": [(name.encode(), value.encode()) for name, value in Sender(intake).headers.items()],
        }
        statuses: list[int] = []

        async def one() -> None:
            pieces = [bytes(1 << 20)]

            async def receive() -> dict[str, Any]:
                if pieces:
                    return {"type": "http.request", "body": pieces.pop(), "more_body": True}
                await full.wait()
                return {"type": "http.disconnect"}

            async def send(message: dict[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    statuses.append(message["status"])
                    full.set()

            await intake(scope, receive, send)

        await asyncio.gather(*(one() for _ in range(5)))
        return statuses

    assert asyncio.run(five_large_ones()) == [429]
    assert intake.acceptance.counters.refused[Signal.TRACES, "too_many_bodies"] == 1
    assert Sender(intake).post(traces(1)).status == 200
