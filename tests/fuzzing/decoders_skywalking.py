"""Messages of SkyWalking's agents, over gRPC and over HTTP, through the whole intake into a real spool."""

import base64
import json
import sys
import tempfile
from functools import cache
from pathlib import Path

from decoder import Decoder, chosen
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from sonde.server.intake.answers import RefusedError
from sonde.server.intake.skywalking import skywalking_pb2 as pb
from sonde.server.intake.skywalking.errors import BadMessageError
from sonde.server.intake.skywalking.http_side import PATHS as HTTP_PATHS
from sonde.server.intake.skywalking.receiver import Call
from sonde.server.intake.skywalking.services import PATHS
from sonde.server.spool.entry import Signal

sys.path.insert(0, str(Path(__file__).parents[1] / "skywalking"))
from skywalking_world import RECORDED, World  # of the tests next door

KINDS = sorted(set(PATHS.values()) | set(HTTP_PATHS.values()))
OF_HTTP = sorted(HTTP_PATHS)
PARSER = {
    Signal.SEGMENTS: pb.SegmentCollection,
    Signal.METRICS: ExportMetricsServiceRequest,
    Signal.LOGS: ExportLogsServiceRequest,
}
CHECK_EVERY = 2000
runs = 0


@cache
def world():
    """Its loop runs only while it is asked something: what takes a turn of two threads is slow."""
    here = World(Path(tempfile.mkdtemp(prefix="sonde-fuzz-")))
    here.loop.call_soon_threadsafe(here.loop.stop)
    here._thread.join()
    here.do = here.loop.run_until_complete
    return here


def grpc(data):
    """A message of any kind: taken, or refused as one that cannot be read."""
    which, body = chosen(data, len(KINDS))
    here = world()
    call = Call(here.app)
    try:
        answer = here.do(here.intake.grpc._receiver.take_bytes(call, KINDS[which], body))
        pb.Commands.FromString(answer)
    except BadMessageError as error:
        assert error.reason
    now_and_then()


def http(data):
    """A body at any of the addresses; it is stored with others, and not waited for."""
    which, body = chosen(data, len(OF_HTTP))
    here = world()
    call, kind = Call(here.app), HTTP_PATHS[OF_HTTP[which]]
    try:
        for message in here.intake.http._parsed(kind, body).messages:
            here.do(here.intake.grpc._receiver.take(call, kind, message))
    except RefusedError as refusal:
        assert refusal.status == 400
    except BadMessageError as error:
        assert error.reason
    now_and_then()


def now_and_then():
    """What came into the spool is what the store's parser reads."""
    global runs  # noqa: PLW0603
    runs += 1
    if runs % CHECK_EVERY == 0:
        check_spool()


def check_spool():
    for signal, parser in PARSER.items():
        for body in world().stored(signal):
            parser.FromString(body)


def recorded_grpc():
    found = []
    for exchange in RECORDED.values():
        kind = PATHS.get(exchange.get("path", ""))
        if kind is not None:
            at = KINDS.index(kind)
            found += [bytes([at]) + base64.b64decode(body) for body in exchange.get("wire_b64", [])[:3]]
    return found


def recorded_http():
    """As recorded, and of what only gRPC was recorded of, an example."""
    found = [
        bytes([OF_HTTP.index(exchange["path"])]) + json.dumps(exchange["body"]).encode()
        for exchange in RECORDED.values()
        if exchange.get("path") in HTTP_PATHS and "body" in exchange
    ]
    return found + [bytes([OF_HTTP.index(path)]) + json.dumps(body).encode() for path, body in EXAMPLES.items()]


WHOSE = {"service": "shop", "serviceInstance": "shop-1"}
PAGE = {"service": "web", "serviceVersion": "v1", "pagePath": "/"}
EXAMPLES = {
    "/v3/management/reportProperties": WHOSE
    | {"properties": [{"key": "language", "value": "php"}], "layer": "GENERAL"},
    "/v3/management/keepAlive": WHOSE,
    "/v3/events": [
        {"uuid": "u", "source": WHOSE, "name": "Start", "type": "Error", "parameters": {"a": "b"}, "startTime": "1"}
    ],
    "/v3/logs": [
        WHOSE
        | {
            "timestamp": "1795211222194",
            "traceContext": {"traceId": "a.1.2", "traceSegmentId": "s", "spanId": 0},
            "tags": {"data": [{"key": "level", "value": "ERROR"}]},
            "body": {"type": "text", "text": {"text": "line"}},
        }
    ],
    "/v3/segment": WHOSE
    | {
        "traceId": "t",
        "traceSegmentId": "s",
        "spans": [{"spanId": 0, "parentSpanId": -1, "startTime": 1795211222194, "spanType": "Entry", "refs": []}],
    },
    "/browser/perfData": PAGE | {"dnsTime": 3, "loadPageTime": 500, "time": 1795211222194},
    "/browser/errorLog": PAGE | {"uniqueId": "u", "category": "js", "message": "no", "stack": "at x", "line": 3},
}

DECODERS = (
    Decoder("skywalking-grpc", grpc, recorded_grpc),
    Decoder("skywalking-http", http, recorded_http, json=True, head=1, longest=16_384),
)
