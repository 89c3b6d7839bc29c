"""OTLP/HTTP: POST /v1/traces, /v1/metrics, /v1/logs; and /v1/segments.

Plain ASGI without a framework, for this is where all data comes in. Source: https://opentelemetry.io/docs/specs/otlp/.
/v1/segments is our own: a SegmentCollection of SkyWalking, as our agent forwards what PHP processes gave to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.server.intake.acceptance import OTLP_SIGNALS, Sender
from sonde.server.intake.answers import Answer, Code, Encoding, RefusedError, accepted, bad_body, refused
from sonde.server.intake.body import CONTENT_ENCODINGS, DisconnectedError
from sonde.server.spool.entry import Signal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sonde.server.intake.acceptance import Acceptance

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

PATHS = {f"/v1/{signal}": signal for signal in (*OTLP_SIGNALS, Signal.SEGMENTS)}
_ENCODINGS = {
    "application/x-protobuf": Encoding.PROTOBUF,
    "application/protobuf": Encoding.PROTOBUF,
    "application/json": Encoding.JSON,
}


class OtlpIntake:
    """An ASGI app; the same one may serve several ports of one event loop."""

    def __init__(self, acceptance: Acceptance) -> None:
        self.acceptance = acceptance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            raise RuntimeError(f"OTLP is spoken over HTTP, not {scope['type']}")
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        content_type = headers.get(b"content-type", "").partition(";")[0].strip().lower()
        encoding = _ENCODINGS.get(content_type)
        signal = PATHS.get(scope["path"].rstrip("/"))
        sender = Sender(
            "otlp_http",
            (scope.get("client") or ("an unknown address",))[0],
            headers.get(b"user-agent", ""),
            headers.get(b"authorization", ""),
        )
        try:
            answer = await self._accept(scope["method"], signal, encoding, sender, headers, receive)
        except RefusedError as refusal:
            self.acceptance.note(sender, signal, scope["path"], refusal)
            answer = refused(refusal, encoding or Encoding.JSON)
        except DisconnectedError:
            self.acceptance.counters.refused[signal or "none", "disconnected"] += 1
            return
        await answer.send(send)

    async def _accept(
        self,
        method: str,
        signal: Signal | None,
        encoding: Encoding | None,
        sender: Sender,
        headers: dict[bytes, str],
        receive: Receive,
    ) -> Answer:
        if signal is None:
            raise RefusedError(404, Code.NOT_FOUND, "unknown_path", f"there are {', '.join(PATHS)}")
        if method != "POST":
            raise RefusedError(405, Code.UNIMPLEMENTED, "not_post", "OTLP is sent with POST")
        app = self.acceptance.app_of(sender)
        if encoding is None:
            raise RefusedError(415, Code.INVALID_ARGUMENT, "content_type", f"OTLP comes as {' or '.join(_ENCODINGS)}")
        content_encoding = headers.get(b"content-encoding", "").strip().lower()
        if content_encoding in {"", "identity"}:
            content_encoding = ""
        elif content_encoding not in CONTENT_ENCODINGS:
            known = ", ".join(sorted(CONTENT_ENCODINGS))
            raise RefusedError(415, Code.INVALID_ARGUMENT, "content_encoding", f"bodies may be compressed by {known}")
        body = self.acceptance.new_body()
        try:
            await body.read(receive, _length(headers.get(b"content-length", "0")))
            checked = await self.acceptance.store(signal, app, encoding, content_encoding, body)
        finally:
            body.let_go()
        return accepted(signal, encoding, checked.rejected, checked.why)


def _length(header: str) -> int:
    try:
        return int(header)
    except ValueError:
        raise bad_body("bad_length", f"Content-Length is no number: {header[:40]!r}") from None
