"""The OTLP/gRPC port, and calls as a client's library makes them; raw frames where no library would send such."""

from __future__ import annotations

import contextlib
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from intake_world import TOKEN

from sonde.server.grpc_server import GrpcServer
from sonde.server.intake.message_reader import MessageReader
from sonde.server.intake.otlp_grpc import METHODS, OtlpGrpcIntake
from sonde.server.spool.entry import Signal

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator, Mapping

    from sonde.server.intake.acceptance import Acceptance

METHOD_OF = {signal: method for method, signal in METHODS.items()}
BEARER = (("authorization", f"Bearer {TOKEN}"),)


def _retry_info() -> Any:
    """google.rpc.Status with details, google.rpc.RetryInfo and what they are made of, as their .proto have them."""
    file = descriptor_pb2.FileDescriptorProto(name="google/rpc/retry.proto", package="google.rpc", syntax="proto3")
    for name, fields in {
        "Any": [("type_url", 1, 9, 1, ""), ("value", 2, 12, 1, "")],
        "Status": [("code", 1, 5, 1, ""), ("message", 2, 9, 1, ""), ("details", 3, 11, 3, "Any")],
        "Duration": [("seconds", 1, 3, 1, ""), ("nanos", 2, 5, 1, "")],
        "RetryInfo": [("retry_delay", 1, 11, 1, "Duration")],
    }.items():
        message = file.message_type.add(name=name)
        for field, number, kind, label, of in fields:
            message.field.add(
                name=field, number=number, type=kind, label=label, type_name=f".google.rpc.{of}" if of else None
            )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return [
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"google.rpc.{name}"))
        for name in ("Status", "RetryInfo")
    ]


Status, RetryInfo = _retry_info()


@dataclass
class Told:
    """How a call ended. `retry_s` is of the RetryInfo, None without one."""

    code: grpc.StatusCode
    details: str
    body: bytes = b""
    retry_s: int | None = None


@contextlib.asynccontextmanager
async def serving(
    acceptance: Acceptance, port: Mapping[str, float] | None = None, calls: Mapping[str, Any] | None = None, **more: Any
) -> AsyncIterator[int]:
    """The port of a server that stops when the block ends. Every app's token is known.

    `port`: of GrpcServer; `calls`: of OtlpGrpcIntake; the others of MessageReader.
    """

    async def look_up(_authorization: str) -> bool:
        return True

    reader = MessageReader(acceptance.max_body_bytes, **more)
    intake = OtlpGrpcIntake(acceptance, **({"look_up": look_up, "reader": reader} | dict(calls or {})))
    server = GrpcServer("127.0.0.1:0", [intake], max_message_bytes=acceptance.max_body_bytes, **(port or {}))
    async with server:
        yield server.port


def channel(port: int) -> grpc.aio.Channel:
    options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
    return grpc.aio.insecure_channel(f"127.0.0.1:{port}", options)


async def export(
    to: grpc.aio.Channel,
    body: bytes,
    signal: Signal | str = Signal.TRACES,
    *,
    packed: bool = False,
    metadata: tuple[tuple[str, str], ...] = BEARER,
) -> Told:
    """One call. `signal` may be the name of a method, too."""
    method = METHOD_OF[Signal(signal)] if signal in METHOD_OF else signal
    compression = grpc.Compression.Gzip if packed else grpc.Compression.NoCompression
    try:
        answer: bytes = await to.unary_unary(method)(body, metadata=metadata, compression=compression)
    except grpc.aio.AioRpcError as error:
        return told(error)
    return Told(grpc.StatusCode.OK, "", answer)


def told(error: grpc.aio.AioRpcError) -> Told:
    """With what grpc-status-details-bin says, which has to agree with the call's own status."""
    said = Told(error.code(), error.details() or "")
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            status = Status.FromString(value)
            assert (status.code, status.message) == (said.code.value[0], said.details)
            for detail in status.details:
                assert detail.type_url == "type.googleapis.com/google.rpc.RetryInfo"
                said.retry_s = RetryInfo.FromString(detail.value).retry_delay.seconds
    return said


# -- HTTP/2 by hand, RFC 9113 ------------------------------------------------------------------------------------------
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS = 0, 1, 4
END_STREAM, END_HEADERS = 1, 4


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def call_headers(method: str, token: str = TOKEN) -> bytes:
    """A HEADERS frame's payload, each field a literal without indexing (RFC 7541, 6.2.2)."""
    fields = {
        b":method": b"POST",
        b":scheme": b"http",
        b":path": method.encode(),
        b":authority": b"localhost",
        b"te": b"trailers",
        b"content-type": b"application/grpc",
        b"authorization": b"Bearer " + token.encode(),
    }
    return b"".join(
        b"\x00" + bytes((len(name),)) + name + bytes((len(value),)) + value for name, value in fields.items()
    )


def open_call(connection: socket.socket, method: str, stream: int = 1, token: str = TOKEN) -> None:
    """A call whose message is still to come."""
    if stream == 1:
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0))
    connection.sendall(frame(HEADERS, END_HEADERS, stream, call_headers(method, token)))
