"""Every recorded OTLP exchange, sent over real sockets as its client sent it: in the spool as it was meant."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import gzip
import http.client
import json
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import uvicorn
from grpc_world import channel, export, serving
from intake_world import APP, DATA, TOKEN, in_folder
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sonde.server.intake import otlp_json

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sonde.server.intake.otlp import OtlpIntake
    from sonde.server.spool.spool import Spool

EXCHANGES = {
    exchange["id"]: exchange
    for exchange in map(json.loads, (DATA / "otlp-exchanges.jsonl").read_text("utf-8").splitlines())
    if "request" in exchange
}
MESSAGES = {
    kind.DESCRIPTOR.full_name: kind
    for kind in (ExportTraceServiceRequest, ExportMetricsServiceRequest, ExportLogsServiceRequest)
}


def meant(exchange: dict[str, Any]) -> Any:
    """The request as a message, from its rendering as JSON."""
    return otlp_json.parse(json.dumps(exchange["body"]).encode(), MESSAGES[exchange["message_type"]]())


def test_the_recordings_are_of_each_kind() -> None:
    kinds = {(exchange["transport"], exchange["headers"].get("content-type")) for exchange in EXCHANGES.values()}

    assert kinds == {("grpc", None), ("http", "application/x-protobuf"), ("http", "application/json")}
    assert {"chunked"} < {exchange["headers"].get("transfer-encoding", "") for exchange in EXCHANGES.values()}


@pytest.mark.parametrize("name", [name for name, exchange in EXCHANGES.items() if exchange["transport"] == "grpc"])
def test_a_recorded_call_is_accepted(intake: OtlpIntake, spool: Spool, name: str) -> None:
    exchange = EXCHANGES[name]
    wire = base64.b64decode(exchange["wire_b64"])

    async def run() -> grpc.StatusCode:
        async with serving(intake.acceptance) as port, channel(port) as to:
            return (await export(to, wire, exchange["request"])).code

    assert asyncio.run(run()) is grpc.StatusCode.OK

    (entry,) = in_folder(spool.folder)
    assert (entry.app, entry.body) == (APP, wire)
    assert type(meant(exchange)).FromString(entry.body) == meant(exchange)


@contextlib.asynccontextmanager
async def http_port(intake: OtlpIntake) -> AsyncIterator[int]:
    server = uvicorn.Server(uvicorn.Config(intake, port=0, http="httptools", lifespan="off", log_config=None))
    serving_http = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn offers nothing to wait for
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving_http


@pytest.mark.parametrize("name", [name for name, exchange in EXCHANGES.items() if exchange["transport"] == "http"])
def test_a_recorded_request_is_accepted_and_answered_in_its_own_encoding(
    intake: OtlpIntake, spool: Spool, name: str
) -> None:
    exchange = EXCHANGES[name]
    method, path = exchange["request"].split()
    headers = exchange["headers"] | {"authorization": f"Bearer {TOKEN}"}
    wire = base64.b64decode(exchange["wire_b64"]) if "wire_b64" in exchange else json.dumps(exchange["body"]).encode()
    body = gzip.compress(wire) if headers.get("content-encoding") == "gzip" else wire
    chunked = headers.get("transfer-encoding") == "chunked"

    def send(port: int) -> tuple[int, str | None, bytes]:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=30)) as connection:
            pieces = iter([body[:100], body[100:]]) if chunked else body
            connection.request(method, path, pieces, headers, encode_chunked=chunked)
            answer = connection.getresponse()
            return answer.status, answer.getheader("content-type"), answer.read()

    async def run() -> tuple[int, str | None, bytes]:
        async with http_port(intake) as port:
            return await asyncio.get_running_loop().run_in_executor(None, send, port)

    is_json = headers["content-type"] == "application/json"
    assert asyncio.run(run()) == (200, headers["content-type"], b"{}" if is_json else b"")

    (entry,) = in_folder(spool.folder)
    assert type(meant(exchange)).FromString(entry.body) == meant(exchange)
    assert is_json or entry.body == wire
