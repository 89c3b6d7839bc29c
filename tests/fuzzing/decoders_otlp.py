"""OTLP, as protobuf and as JSON: refused as the protocol says, or a request that the store's parser reads."""

import gzip
import json
import zlib
from pathlib import Path

from decoder import Decoder, chosen
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sonde.server.intake.answers import Encoding, RefusedError, refused
from sonde.server.intake.body import CONTENT_ENCODINGS, decompress
from sonde.server.intake.check import check, check_by_parsing
from sonde.server.intake.skywalking.skywalking_pb2 import SegmentCollection
from sonde.server.spool.entry import Signal

DATA = Path(__file__).parents[1] / "intake" / "data"
REQUEST = {
    Signal.TRACES: ExportTraceServiceRequest,
    Signal.METRICS: ExportMetricsServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
    Signal.SEGMENTS: SegmentCollection,
}
SIGNALS = list(REQUEST)
"""In the order of native/tests/fuzz_shapes.py."""
LARGEST = 1 << 16
MOST_GROWTH = 40
"""Bytes of protobuf a byte of JSON can become: none does, but for what every request has."""


def taken(signal, encoding, body):
    """What was checked; None where it was refused."""
    try:
        return check(signal, encoding, body)
    except RefusedError as refusal:
        assert refusal.status in {400, 415}
        assert refused(refusal, encoding).body  # it can be told in its own encoding
        return None


def spans_of(signal, body):
    request = REQUEST[signal].FromString(body)
    if signal is Signal.TRACES:
        return [span for it in request.resource_spans for scope in it.scope_spans for span in scope.spans]
    return []


def protobuf(data):
    which, body = chosen(data, len(SIGNALS))
    signal = SIGNALS[which]
    found = taken(signal, Encoding.PROTOBUF, body)
    if found is None:
        return
    if signal is not Signal.SEGMENTS:
        assert check_by_parsing(signal, Encoding.PROTOBUF, body) == found, "the walk says otherwise"
    holds(signal, found)


def otlp_json(data):
    which, body = chosen(data, 3)
    found = taken(SIGNALS[which], Encoding.JSON, body)
    if found is not None:
        assert len(found.body) <= MOST_GROWTH * len(body) + 100
        holds(SIGNALS[which], found)


def holds(signal, found):
    """A parser reads it, it is taken again as it is, and ids are what OTLP says."""
    for span in spans_of(signal, found.body):
        assert len(span.trace_id) == 16
        assert len(span.span_id) == 8
    again = check(signal, Encoding.PROTOBUF, found.body)
    assert (again.items, again.rejected) == (found.items, 0)


def compressed(data):
    """Never more than the limit, whatever is in it."""
    encodings = sorted(CONTENT_ENCODINGS)
    which, body = chosen(data, len(encodings))
    try:
        assert len(decompress(body, encodings[which], LARGEST)) <= LARGEST
    except RefusedError as refusal:
        assert refusal.status in {400, 413}


def recorded(suffix):
    return [
        bytes([at]) + path.read_bytes()
        for at, signal in enumerate(SIGNALS)
        for path in sorted(DATA.glob(f"*.{signal}.{suffix}"))
    ]


def recorded_json():
    bodies = []
    for line in (DATA / "otlp-exchanges.jsonl").read_text().splitlines():
        body = json.loads(line).get("body")
        for at, key in enumerate(("resourceSpans", "resourceMetrics", "resourceLogs")):
            if body and key in body:
                bodies.append(bytes([at]) + json.dumps(body).encode())
    return recorded("json") + bodies


def streams():
    raw = b'{"resourceSpans":[]}' * 20
    zstd = bytes.fromhex("28b52ffd20050900007b7d0a7b7d")
    bomb = gzip.compress(bytes(1 << 20))
    by_name = {"gzip": gzip.compress(raw), "deflate": zlib.compress(raw), "x-gzip": bomb, "zstd": zstd}
    return [bytes([at]) + by_name[name] for at, name in enumerate(sorted(CONTENT_ENCODINGS))]


DECODERS = (
    Decoder("otlp-protobuf", protobuf, lambda: recorded("pb")),
    Decoder("otlp-json", otlp_json, recorded_json, json=True, head=1, longest=16_384),
    Decoder("compression", compressed, streams),
)
