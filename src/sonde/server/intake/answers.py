"""What an OTLP sender is told, in the encoding it spoke.

Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp-response and #otlpgrpc-response. Errors are a
google.rpc.Status, success is an Export…ServiceResponse, empty unless some items were refused for good.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, Any

from sonde.server.spool.entry import Signal
from sonde.wire import protobuf

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    Send = Callable[[dict[str, Any]], Awaitable[None]]


class Encoding(StrEnum):
    """How a request is written; the value is the word in counters."""

    PROTOBUF = "protobuf"
    JSON = "json"
    GRPC = "grpc"
    """Protobuf as the message of a gRPC call."""


CONTENT_TYPE = {Encoding.PROTOBUF: b"application/x-protobuf", Encoding.JSON: b"application/json"}
_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
_REJECTED_NAME = {
    Signal.TRACES: "rejectedSpans",
    Signal.METRICS: "rejectedDataPoints",
    Signal.LOGS: "rejectedLogRecords",
}


class Code(IntEnum):
    """google.rpc.Code, those in use here."""

    CANCELLED = 1
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


class RefusedError(Exception):
    """A request that is not accepted. `reason` is a word for the counter; with `retry_after_s` it shall come again."""

    def __init__(self, status: int, code: Code, reason: str, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.reason = reason
        self.retry_after_s = retry_after_s


def bad_body(reason: str, message: str) -> RefusedError:
    """A body that no repetition makes better."""
    return RefusedError(400, Code.INVALID_ARGUMENT, reason, message)


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete HTTP answer."""

    status: int
    body: bytes
    headers: list[tuple[bytes, bytes]]

    async def send(self, send: Send) -> None:
        """Over ASGI."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def accepted(signal: Signal, encoding: Encoding, rejected: int = 0, why: str = "") -> Answer:
    """200; with `rejected` items that were left out, and why."""
    return _answer(200, encoding, accepted_body(signal, encoding, rejected, why))


def accepted_body(signal: Signal, encoding: Encoding, rejected: int = 0, why: str = "") -> bytes:
    """Export…ServiceResponse; ExportTracePartialSuccess and its like in it where something was left out."""
    if encoding is Encoding.JSON:
        partial = {_REJECTED_NAME[signal]: str(rejected), "errorMessage": why}  # int64 is text in protobuf's JSON
        return json.dumps({"partialSuccess": partial} if rejected else {}).encode()
    return protobuf.message(1, protobuf.integer(1, rejected) + protobuf.text(2, why)) if rejected else b""


def refused(refusal: RefusedError, encoding: Encoding) -> Answer:
    """The refusal as google.rpc.Status."""
    if encoding is Encoding.JSON:
        body = json.dumps({"code": int(refusal.code), "message": str(refusal)}).encode()
    else:
        body = rpc_status(refusal)
    answer = _answer(refusal.status, encoding, body)
    if refusal.retry_after_s is not None:
        answer.headers.append((b"retry-after", str(refusal.retry_after_s).encode()))
    if refusal.status == 401:
        answer.headers.append((b"www-authenticate", b"Bearer"))
    if refusal.status == 405:
        answer.headers.append((b"allow", b"POST"))
    return answer


def rpc_status(refusal: RefusedError) -> bytes:
    """google.rpc.Status, with google.rpc.RetryInfo where the sender shall come again.

    Source: https://github.com/googleapis/googleapis/tree/master/google/rpc (status.proto, error_details.proto).
    """
    status = protobuf.integer(1, refusal.code) + protobuf.text(2, str(refusal))
    if refusal.retry_after_s is None:
        return status
    retry_info = protobuf.message(1, protobuf.integer(1, refusal.retry_after_s))
    return status + protobuf.message(3, protobuf.text(1, _RETRY_INFO) + protobuf.message(2, retry_info))


def _answer(status: int, encoding: Encoding, body: bytes) -> Answer:
    return Answer(
        status,
        body,
        [(b"content-type", CONTENT_TYPE[encoding]), (b"content-length", str(len(body)).encode())],
    )
