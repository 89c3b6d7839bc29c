"""`collectors.py SOCKET`: takes what Sonde and its peers send, answers as each of them wants, and counts spans.

One process: an agent's unix socket, HTTP for OTLP, Datadog, Sentry and Elastic, gRPC for SkyWalking, TCP for Pinpoint.
The first line on standard output says where, as JSON. What arrives is kept as it is and looked into only when somebody
asks, by GET /_counts, which also begins anew: while an application is measured, this process does as little as it can.
"""

from __future__ import annotations

import gzip
import json
import socketserver
import sys
import threading
import zlib
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import grpc
import msgpack
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sonde.agent.protobuf_fields import fields
from sonde.wire.frames import FrameReader, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def otlp(body: bytes) -> int:
    """Spans of an ExportTraceServiceRequest."""
    request = ExportTraceServiceRequest.FromString(body)
    return sum(len(scope.spans) for resource in request.resource_spans for scope in resource.scope_spans)


def sonde(stream: bytes) -> int:
    """Spans of a connection to an agent."""
    return sum(otlp(payload) for kind, payload in FrameReader().feed(stream) if kind == Kind.TRACES)


def datadog(body: bytes) -> int:
    """Spans of /v0.4/traces: a list of traces, which are lists of spans; /v0.5: a table of texts, then the same."""
    document = msgpack.unpackb(body, strict_map_key=False)
    traces = document[1] if len(document) == 2 and document[0] and isinstance(document[0][0], str) else document
    return sum(len(trace) for trace in traces)


def sentry(body: bytes) -> int:
    """Spans of an envelope's transactions, and the transactions themselves."""
    spans = 0
    for line in body.splitlines():
        document = json.loads(line)
        if document.get("type") == "transaction" and "spans" in document:
            spans += 1 + len(document["spans"])
    return spans


def elastic(body: bytes) -> int:
    """Lines that are a transaction or a span."""
    return sum(line.startswith((b'{"transaction"', b'{"span"')) for line in body.splitlines())


def skywalking(segment: bytes) -> int:
    """Field 3 of a SegmentObject."""
    return sum(number == 3 for number, _ in fields(segment))


def pinpoint(stream: bytes) -> int:
    """A request and each call below it have a begin, `:S`, relative to what is above."""
    return stream.count(b'":S":')


class Kept:
    """What arrived since somebody asked: bodies, or the pieces of a connection, and who counts the spans in them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bodies: list[tuple[Callable[[bytes], int] | None, list[bytes]]] = []

    def add(self, counted: Callable[[bytes], int] | None, *pieces: bytes) -> list[bytes]:
        """One body. More may be appended to what is returned."""
        body = list(pieces)
        with self._lock:
            self._bodies.append((counted, body))
        return body

    def counts(self) -> dict[str, int]:
        """Bodies, bytes and spans."""
        with self._lock:
            bodies, self._bodies = self._bodies, []
        whole = [(counted, b"".join(pieces)) for counted, pieces in bodies]
        return {
            "bodies": len(whole),
            "bytes": sum(len(body) for _, body in whole),
            "spans": sum(counted(body) for counted, body in whole if counted is not None),
        }


kept = Kept()


class Stream(socketserver.BaseRequestHandler):
    """A connection on which nothing is answered."""

    counted: Callable[[bytes], int]

    def handle(self) -> None:
        """Read to the end."""
        body = kept.add(self.counted)
        while data := self.request.recv(1 << 20):
            body.append(data)


class Agent(Stream):
    """Of Sonde's."""

    counted = staticmethod(sonde)


class PinpointAgent(Stream):
    """Of Pinpoint's."""

    counted = staticmethod(pinpoint)


DATADOG_INFO = {
    "version": "7.70.0",
    "endpoints": ["/v0.4/traces", "/v0.5/traces"],
    "client_drop_p0s": False,
    "span_events": True,
}


class Collector(BaseHTTPRequestHandler):
    """Answers 200 to everything, with what the sender needs to be content."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer in two parts would wait 40 ms for the first one's acknowledgement

    def do_GET(self) -> None:
        """Serve a question."""
        if self.path == "/_counts":
            self._answer(json.dumps(kept.counts()).encode())
        elif self.path == "/info":
            self._answer(json.dumps(DATADOG_INFO).encode())
        else:
            self._answer(b'{"version":"9.0.0","build_date":"2025-01-01T00:00:00Z","build_sha":"0"}')

    def do_POST(self) -> None:
        """Serve an export."""
        body = b"".join(self._pieces())
        path = self.path.partition("?")[0]
        encoding = self.headers.get("Content-Encoding", "")
        counted = COUNTED.get(path)
        kept.add(counted and (lambda sent: counted(inflated(sent, encoding))), body)
        if "/v0." in path:
            self._answer(b'{"rate_by_service":{"service:,env:":1}}')
        elif path.startswith("/intake/"):
            self._answer(b"{}", status=202)
        else:
            self._answer(b"" if path.startswith("/v1/") else b"{}")

    do_PUT = do_POST  # noqa: N815 - Datadog's

    def _pieces(self) -> Iterable[bytes]:
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield self.rfile.read(int(self.headers.get("Content-Length", 0)))
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_args: object) -> None:  # type: ignore[override]
        """Say nothing."""


COUNTED: dict[str, Callable[[bytes], int]] = {
    "/v1/traces": otlp,
    "/v0.4/traces": datadog,
    "/v0.5/traces": datadog,
    "/api/1/envelope/": sentry,
    "/intake/v2/events": elastic,
}


def inflated(body: bytes, encoding: str) -> bytes:
    """The body as its sender made it."""
    if encoding == "gzip":
        return gzip.decompress(body)
    return zlib.decompress(body) if encoding == "deflate" else body


class SkyWalking(grpc.GenericRpcHandler):
    """Every method of every service, answered with an empty message."""

    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler:
        """How a call of that method is served."""
        counted = skywalking if handler_call_details.method.endswith("SegmentReportService/collect") else None

        def stream(messages: Iterable[bytes], _context: object) -> bytes:
            for message in messages:
                kept.add(counted, message)
            return b""

        def single(message: bytes, _context: object) -> bytes:
            kept.add(None, message)
            return b""

        if handler_call_details.method.endswith(("/collect", "/collectSnapshot")):
            return grpc.stream_unary_rpc_method_handler(stream)
        return grpc.unary_unary_rpc_method_handler(single)


def main(path: str) -> None:
    """Serve until killed."""
    agent = socketserver.ThreadingUnixStreamServer(path, Agent)
    pinpoint_agent = socketserver.ThreadingTCPServer(("127.0.0.1", 0), PinpointAgent)
    for server in (agent, pinpoint_agent):
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
    skywalking_server = grpc.server(futures.ThreadPoolExecutor(8), handlers=[SkyWalking()])
    skywalking_port = skywalking_server.add_insecure_port("127.0.0.1:0")
    skywalking_server.start()
    collector = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    addresses = {
        "socket": path,
        "http": f"http://127.0.0.1:{collector.server_port}",
        "grpc": f"127.0.0.1:{skywalking_port}",
        "tcp": f"127.0.0.1:{pinpoint_agent.server_address[1]}",
    }
    print(json.dumps(addresses), flush=True)
    collector.serve_forever()


main(sys.argv[1])
