"""SkyWalking over HTTP: JSON on POST, answered with `{}`. Enums come as names or numbers, 64-bit numbers as text too.

Source: https://skywalking.apache.org/docs/main/next/en/api/. Other than over gRPC, an error is told as such: of the
agents that speak HTTP none looks at the status, and whoever else does had better know.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from google.protobuf import json_format

from sonde.server.intake.answers import Answer, Code, RefusedError, bad_body
from sonde.server.intake.body import CONTENT_ENCODINGS, Budget, DisconnectedError, HeldBody, decompress
from sonde.server.intake.skywalking.errors import AwayError, BadMessageError, UnknownSenderError
from sonde.server.intake.skywalking.receiver import INLINE_MAX_BYTES, Call
from sonde.server.intake.skywalking.services import Kind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from concurrent.futures import Executor

    from sonde.server.intake.hints import Hints
    from sonde.server.intake.skywalking.counters import SkywalkingCounters
    from sonde.server.intake.skywalking.receiver import Receiver
    from sonde.server.intake.skywalking.senders import Senders

    Scope = dict[str, Any]
    Receive = Callable[[], Awaitable[dict[str, Any]]]
    Send = Callable[[dict[str, Any]], Awaitable[None]]

PATHS = {
    "/v3/segment": Kind.SEGMENT,
    "/v3/segments": Kind.SEGMENT,
    "/v3/management/reportProperties": Kind.PROPERTIES,
    "/v3/management/keepAlive": Kind.KEEP_ALIVE,
    "/v3/logs": Kind.LOG,
    "/v3/events": Kind.EVENT,
    "/browser/perfData": Kind.BROWSER_PERF,
    "/browser/perfData/webVitals": Kind.COUNTED,
    "/browser/perfData/resources": Kind.COUNTED,
    "/browser/perfData/webInteractions": Kind.COUNTED,
    "/browser/errorLog": Kind.BROWSER_ERROR,
    "/browser/errorLogs": Kind.BROWSER_ERROR,
}
"""Each takes one object or an array of them."""
RETRY_AFTER_S = 5
_BODIES_AT_ONCE = 4
_JSON = b"application/json"


class SkywalkingHttp:
    """An ASGI app."""

    def __init__(
        self,
        receiver: Receiver,
        senders: Senders,
        counters: SkywalkingCounters,
        hints: Hints,
        threads: Executor,
        max_body_bytes: int,
    ) -> None:
        self._receiver = receiver
        self._senders = senders
        self._counters = counters
        self._hints = hints
        self._threads = threads
        self._max_body_bytes = max_body_bytes
        self._budget = Budget(_BODIES_AT_ONCE * max_body_bytes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        try:
            await self._accept(scope, headers, receive)
            answer = _answer(200, b"{}")
        except RefusedError as refusal:
            self._counters.refused["http", refusal.reason] += 1
            answer = _answer(refusal.status, json.dumps({"message": str(refusal)}).encode())
            if refusal.retry_after_s is not None:
                answer.headers.append((b"retry-after", str(refusal.retry_after_s).encode()))
            if refusal.status == 405:
                answer.headers.append((b"allow", b"POST"))
        except DisconnectedError:
            self._counters.refused["http", "disconnected"] += 1
            return
        await answer.send(send)

    async def _accept(self, scope: Scope, headers: dict[bytes, str], receive: Receive) -> None:
        kind = PATHS.get(scope["path"].rstrip("/"))
        if kind is None:
            raise RefusedError(404, Code.NOT_FOUND, "unknown_path", f"SkyWalking has {', '.join(PATHS)}")
        if scope["method"] != "POST":
            raise RefusedError(405, Code.UNIMPLEMENTED, "not_post", "everything is sent with POST")
        content_encoding = headers.get(b"content-encoding", "").strip().lower()
        if content_encoding not in {"", "identity", *CONTENT_ENCODINGS}:
            known = ", ".join(sorted(CONTENT_ENCODINGS))
            raise RefusedError(415, Code.INVALID_ARGUMENT, "content_encoding", f"bodies may be compressed by {known}")
        app = await self._app_of(headers, scope)
        body = HeldBody(self._budget, self._max_body_bytes)
        try:
            await body.read(receive, _length(headers.get(b"content-length", "0")))
            if content_encoding in CONTENT_ENCODINGS:
                body.replace(await self._in_thread(decompress, body.bytes, content_encoding, self._max_body_bytes))
            await self._take(app, kind, body.bytes)
        finally:
            body.let_go()

    async def _app_of(self, headers: dict[bytes, str], scope: Scope) -> str:
        """The token comes as over gRPC, or the way OTLP has it."""
        try:
            return await self._senders.app_of(headers.get(b"authentication") or headers.get(b"authorization", ""))
        except AwayError as error:
            raise RefusedError(503, Code.UNAVAILABLE, "away", str(error), RETRY_AFTER_S) from None
        except UnknownSenderError as error:
            subject = f"an agent at {(scope.get('client') or ('an unknown address',))[0]}"
            text = f"{subject} {error}"
            self._hints.note("skywalking", error.reason, subject, text, code="sender", who=subject, said=error)
            raise RefusedError(401, Code.UNAUTHENTICATED, error.reason, f"this {error}") from None

    async def _take(self, app: str, kind: Kind, body: bytes) -> None:
        self._counters.bytes["http"] += len(body)
        parsed: _Parsed
        if len(body) > INLINE_MAX_BYTES:
            parsed = await self._in_thread(self._parsed, kind, body)
        else:
            parsed = self._parsed(kind, body)
        self._counters.messages["http", kind] += len(parsed.messages) or parsed.counted
        call = Call(app)
        try:
            for message in parsed.messages:
                await self._receiver.take(call, kind, message)
        except BadMessageError as error:
            raise bad_body(error.reason, str(error)) from None
        if dropped := await call.settled():
            raise RefusedError(503, Code.UNAVAILABLE, dropped, "the server cannot store more now", RETRY_AFTER_S)

    def _parsed(self, kind: Kind, body: bytes) -> _Parsed:
        """Raises RefusedError."""
        try:
            document = msgspec.json.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise bad_body("bad_json", f"the body is no JSON: {error}") from None
        except RecursionError:
            raise bad_body("bad_json", "the body is nested too deeply") from None
        items = document if isinstance(document, list) else [document]
        if kind is Kind.COUNTED:
            return _Parsed([], len(items))
        message_type = self._receiver.type_of(kind)
        return _Parsed([_message(item, at, message_type()) for at, item in enumerate(items)], 0)

    async def _in_thread(self, work: Callable[..., Any], *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


class _Parsed(NamedTuple):
    messages: list[Any]
    counted: int


def _message(item: object, at: int, message: Any) -> Any:
    """`message`, filled. Raises RefusedError."""
    name = message.DESCRIPTOR.name
    if not isinstance(item, dict):
        raise bad_body("bad_json", f"item {at} is no object, as a {name} is")
    try:
        return json_format.ParseDict(item, message, ignore_unknown_fields=True)
    except json_format.ParseError as error:
        raise bad_body("bad_json", f"item {at} is no {name}: {error}") from None
    except RecursionError:
        raise bad_body("bad_json", f"item {at} is nested too deeply") from None


def _answer(status: int, body: bytes) -> Answer:
    return Answer(status, body, [(b"content-type", _JSON), (b"content-length", str(len(body)).encode())])


def _length(header: str) -> int:
    try:
        return int(header)
    except ValueError:
        raise bad_body("bad_length", f"Content-Length is no number: {header[:40]!r}") from None
