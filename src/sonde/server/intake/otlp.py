"""OTLP/HTTP: POST /v1/traces, /v1/metrics, /v1/logs. Check, spool, and only when it is synced: 200.

Plain ASGI without a framework, for this is where all data comes in. Source: https://opentelemetry.io/docs/specs/otlp/.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from sonde import settings as rows
from sonde.server.intake.answers import Answer, Code, Encoding, RefusedError, accepted, bad_body, refused
from sonde.server.intake.body import CONTENT_ENCODINGS, Budget, DisconnectedError, HeldBody, decompress
from sonde.server.intake.check import Checked, check
from sonde.server.intake.counters import IntakeCounters
from sonde.server.spool.entry import Signal
from sonde.server.spool.spool import SpoolRefusedError, Submission

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sonde.server.intake.hints import Hints
    from sonde.server.spool.spool import Spool

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

PATHS = {f"/v1/{signal}": signal for signal in (Signal.TRACES, Signal.METRICS, Signal.LOGS)}
INLINE_MAX_BYTES = 16 << 10
"""A larger body, or a compressed one, is worked on in a thread: the loop answers others meanwhile."""
RETRY_AFTER_S = 5
_THREADS = 2
_BODIES_AT_ONCE = 4
_OF_THE_MOMENT = frozenset({405, 408, 429, 503})
"""Refusals that a sender gets over by itself, or that are a browser's: no hint is made of them."""
_ENCODINGS = {
    "application/x-protobuf": Encoding.PROTOBUF,
    "application/protobuf": Encoding.PROTOBUF,
    "application/json": Encoding.JSON,
}


class OtlpIntake:
    """An ASGI app; the same one may serve several ports of one event loop."""

    def __init__(
        self,
        *,
        authenticate: Callable[[str], str | None],
        spool: Spool,
        hints: Hints,
        max_body_bytes: int = rows.INTAKE_MAX_BODY_BYTES.default,
    ) -> None:
        """`authenticate`: a token → the id of its app, or None. Called on the event loop, so it must not wait."""
        self._authenticate = authenticate
        self._spool = spool
        self._hints = hints
        self._max_body_bytes = max_body_bytes
        self._budget = Budget(_BODIES_AT_ONCE * max_body_bytes)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="intake")
        self.counters = IntakeCounters()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            raise RuntimeError(f"OTLP is spoken over HTTP, not {scope['type']}")
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        content_type = headers.get(b"content-type", "").partition(";")[0].strip().lower()
        encoding = _ENCODINGS.get(content_type)
        signal = PATHS.get(scope["path"].rstrip("/"))
        try:
            answer = await self._accept(scope["method"], signal, encoding, headers, receive)
        except RefusedError as refusal:
            self.counters.refused[signal or "none", refusal.reason] += 1
            self._hint(scope, headers, refusal)
            answer = refused(refusal, encoding or Encoding.JSON)
        except DisconnectedError:
            self.counters.refused[signal or "none", "disconnected"] += 1
            return
        await answer.send(send)

    async def _accept(
        self,
        method: str,
        signal: Signal | None,
        encoding: Encoding | None,
        headers: dict[bytes, str],
        receive: Receive,
    ) -> Answer:
        if signal is None:
            raise RefusedError(404, Code.NOT_FOUND, "unknown_path", f"OTLP has {', '.join(PATHS)}")
        if method != "POST":
            raise RefusedError(405, Code.UNIMPLEMENTED, "not_post", "OTLP is sent with POST")
        app = self._app_of(headers.get(b"authorization", ""))
        if encoding is None:
            raise RefusedError(415, Code.INVALID_ARGUMENT, "content_type", f"OTLP comes as {' or '.join(_ENCODINGS)}")
        content_encoding = headers.get(b"content-encoding", "").strip().lower()
        if content_encoding in {"", "identity"}:
            content_encoding = ""
        elif content_encoding not in CONTENT_ENCODINGS:
            known = ", ".join(sorted(CONTENT_ENCODINGS))
            raise RefusedError(415, Code.INVALID_ARGUMENT, "content_encoding", f"bodies may be compressed by {known}")
        body = HeldBody(self._budget, self._max_body_bytes)
        try:
            await body.read(receive, _length(headers.get(b"content-length", "0")))
            return await self._store(signal, app, encoding, content_encoding, body)
        finally:
            body.let_go()

    def _hint(self, scope: Scope, headers: dict[bytes, str], refusal: RefusedError) -> None:
        if refusal.status in _OF_THE_MOMENT:
            return
        address = (scope.get("client") or ("an unknown address",))[0]
        app = self._find_app(headers.get(b"authorization", ""))
        sender = headers.get(b"user-agent", "") or "a sender without a User-Agent"
        self._hints.note(
            "otlp_http", refusal.reason, address, f"{sender} sent {scope['path']} and was told: {refusal}", app or ""
        )

    def _find_app(self, authorization: str) -> str | None:
        scheme, _, token = authorization.partition(" ")
        return self._authenticate(token.strip()) if scheme.lower() == "bearer" else None

    def _app_of(self, authorization: str) -> str:
        app = self._find_app(authorization)
        if app is None:
            raise RefusedError(
                401, Code.UNAUTHENTICATED, "unauthenticated", "Authorization: Bearer <app token> is needed"
            )
        return app

    async def _store(
        self, signal: Signal, app: str, encoding: Encoding, content_encoding: str, body: HeldBody
    ) -> Answer:
        if content_encoding:
            body.replace(await self._in_thread(decompress, body.bytes, content_encoding, self._max_body_bytes))
        size = len(body.bytes)
        try:
            if size > INLINE_MAX_BYTES:
                checked, submission = await self._in_thread(self._submit, signal, app, encoding, body.bytes)
            else:
                checked, submission = self._submit(signal, app, encoding, body.bytes)
            if submission is not None:
                await asyncio.wrap_future(submission.synced)
        except SpoolRefusedError as refusal:
            raise RefusedError(503, Code.UNAVAILABLE, refusal.reason, str(refusal), RETRY_AFTER_S) from None
        self.counters.requests[signal, encoding] += 1
        self.counters.bytes[signal, encoding] += size
        if submission is not None and submission.duplicate:
            self.counters.duplicates[signal] += 1
        else:
            self.counters.items[signal] += checked.items
        self.counters.rejected_items[signal] += checked.rejected
        return accepted(signal, encoding, checked.rejected, checked.why)

    def _submit(self, signal: Signal, app: str, encoding: Encoding, body: bytes) -> tuple[Checked, Submission | None]:
        """What the body holds, and its way into the spool; None where nothing is left to store."""
        checked = check(signal, encoding, body)
        return checked, self._spool.store(signal, app, checked.body, checked.items) if checked.items else None

    async def _in_thread(self, work: Callable[..., Any], *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)

    def close(self) -> None:
        """Wait for the threads. No request may be under way."""
        self._threads.shutdown()


def _length(header: str) -> int:
    try:
        return int(header)
    except ValueError:
        raise bad_body("bad_length", f"Content-Length is no number: {header[:40]!r}") from None
