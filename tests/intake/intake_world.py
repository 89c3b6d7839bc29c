"""What tests of the intake send, how, and what they find in the spool afterwards."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sonde.server.spool.entry import Entry, Signal, entries
from sonde.server.spool.names import OPEN_SUFFIX, signal_of, spool_files

if TYPE_CHECKING:
    from sonde.server.intake.otlp import OtlpIntake

DATA = Path(__file__).parent / "data"


def _rpc_status() -> Any:
    """google.rpc.Status, as its .proto has it: `int32 code = 1; string message = 2`."""
    file = descriptor_pb2.FileDescriptorProto(name="google/rpc/status.proto", package="google.rpc", syntax="proto3")
    status = file.message_type.add(name="Status")
    status.field.add(name="code", number=1, type=5, label=1)
    status.field.add(name="message", number=2, type=9, label=1)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("google.rpc.Status"))


RpcStatus = _rpc_status()
TOKEN, APP = "token-of-shop", "shop"


def traces(number: int, spans: int = 1, start_ns: int = 1_790_000_000_000_000_000) -> bytes:
    """A request with `spans` spans, different for each `number`, its trace_id one more than that."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "orders"
    scope = resource.scope_spans.add()
    for position in range(1, spans + 1):
        span = scope.spans.add(name="GET /orders/{id}", kind=2)
        span.trace_id = (number + 1).to_bytes(16, "big")
        span.span_id = position.to_bytes(8, "big")
        span.start_time_unix_nano = start_ns
        span.end_time_unix_nano = span.start_time_unix_nano + 5_000_000
    return request.SerializeToString()


def recorded(name: str) -> Any:
    """A request as an SDK sent it, tests/intake/data/<name>."""
    content = (DATA / name).read_bytes()
    return json.loads(content) if name.endswith(".json") else content


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["content-type"] == "application/json"
        return json.loads(self.body)

    def message(self, kind: Any) -> Any:
        assert self.headers["content-type"] == "application/x-protobuf"
        return kind.FromString(self.body)

    @property
    def error(self) -> tuple[int, str]:
        """Code and message of the google.rpc.Status."""
        if self.headers["content-type"] == "application/json":
            return self.json["code"], self.json["message"]
        status = self.message(RpcStatus)
        return status.code, status.message


@dataclass
class Sender:
    """Speaks ASGI to the intake, as uvicorn does."""

    app: OtlpIntake
    headers: dict[str, str] = field(
        default_factory=lambda: {"authorization": f"Bearer {TOKEN}", "content-type": "application/x-protobuf"}
    )

    def post(self, body: bytes | list[bytes], path: str = "/v1/traces", method: str = "POST", **headers: str) -> Answer:
        return asyncio.run(self.send(body, path, method, **headers))

    async def send(
        self, body: bytes | list[bytes], path: str = "/v1/traces", method: str = "POST", **headers: str
    ) -> Answer:
        given = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        pieces = [body] if isinstance(body, bytes) else body
        if isinstance(body, bytes):
            given.setdefault("content-length", str(len(body)))
        messages = [
            {"type": "http.request", "body": piece, "more_body": position < len(pieces) - 1}
            for position, piece in enumerate(pieces)
        ]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return messages.pop(0) if messages else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "headers": [(name.encode(), value.encode()) for name, value in given.items() if value],
        }
        await self.app(scope, receive, send)
        start, end = sent
        return Answer(start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, end["body"])


def in_folder(folder: Path) -> list[Entry]:
    """Entries of a spool folder that a start would find, in the order of the files."""
    contents: dict[str, bytes] = {}
    for path in (*spool_files(folder, OPEN_SUFFIX), *spool_files(folder), *spool_files(folder / "loaded")):
        try:
            contents[path.name.removesuffix(OPEN_SUFFIX)] = path.read_bytes()
        except FileNotFoundError:
            continue  # closed or loaded since it was listed: found again under its next name
    return [
        Entry(signal_of(name), e.app, e.received_unix_nano, e.digest, data[e.body_start : e.end])
        for name, data in sorted(contents.items())
        for e in entries(memoryview(data), signal_of(name), verify=True)
    ]


def bodies(folder: Path, signal: Signal = Signal.TRACES) -> list[bytes]:
    return [entry.body for entry in in_folder(folder) if entry.signal is signal]
