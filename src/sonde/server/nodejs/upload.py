"""`POST /xapi/upload_from_xtransit`: an agent sends a file that it was asked for.

The address and the answers are xtransit's: JSON with status 200, `ok` says how it went, and the message is what the
agent repeats in its answer to the command. Plain ASGI: the body is a stream of any length, and goes to the disk as it
comes.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sqlalchemy.exc import DBAPIError

from sonde.server.api.failures import RefusedError
from sonde.server.nodejs.errors import UploadError
from sonde.server.nodejs.multipart import Multipart, PartBegins, PartData, boundary_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from starlette.types import ASGIApp, Receive, Scope, Send

    from sonde.server.api.workers import Workers
    from sonde.server.intake.hints import Hints
    from sonde.server.nodejs.files import File, Files, Part
    from sonde.server.nodejs.storage import Incoming, Storage
    from sonde.server.spool.spool import Sample

log = logging.getLogger(__name__)

PATH = "/xapi/upload_from_xtransit"
WINDOW_MS = 60_000.0
MOST_NONCES = 100_000
PAUSE_S = 60.0
"""A sender that is silent for longer has gone."""
AT_ONCE = 16
_WRITE_BYTES = 1 << 20
_DRAIN_BYTES = 1 << 20
"""Of a body that nobody wants, so much is read: an agent hears the answer only when it has sent."""
_NAMES = ("fileId", "fileType", "nonce", "timestamp", "signature")


class _GoneError(Exception):
    """The sender went away."""


class Uploads:
    """An ASGI app for that one address, in front of another one."""

    def __init__(
        self,
        files: Files,
        storage: Storage,
        workers: Workers,
        hints: Hints,
        others: ASGIApp,
        clock_ms: Callable[[], float] = lambda: time.time() * 1000,
    ) -> None:
        """`others`: what answers at every other address."""
        self._files = files
        self._storage = storage
        self._workers = workers
        self._hints = hints
        self._others = others
        self._clock_ms = clock_ms
        self._nonces: OrderedDict[str, float] = OrderedDict()
        self._running = 0
        self.ended: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._others(scope, receive, send)
            return
        answer: dict[str, Any]
        reason, body = "stored", _Body(receive)
        self._running += 1
        try:
            file = await self._whose(scope)
            parts = await self._take(file, scope, body)
            answer = {"ok": True, "data": {"storage": "\0".join(part.storage for part in parts)}}
        except UploadError as error:
            reason = error.reason
            answer = {"ok": False, "message": str(error)}
            await body.drain()
        except (DBAPIError, RefusedError) as error:
            log.warning("an upload cannot be taken: %s", error)
            reason, answer = "unavailable", {"ok": False, "message": "the server is busy; try again"}
            await body.drain()
        except _GoneError:
            self.ended["disconnected"] += 1
            return
        finally:
            self._running -= 1
        self.ended[reason] += 1
        said = json.dumps(answer).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(said)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": said})

    def samples(self) -> Iterator[Sample]:
        """For /metrics."""
        for reason, count in self.ended.items():
            yield "sonde_nodejs_uploads_total", {"result": reason}, count
        yield "sonde_nodejs_uploads_running", {}, self._running

    async def _whose(self, scope: Scope) -> File:
        """The file that this is; its token signs the request. Raises UploadError."""
        if scope["method"] != "POST":
            raise UploadError("not_post", "files are sent with POST")
        if self._running > AT_ONCE:
            raise UploadError("busy", "too many files are being sent; try again")
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        file_id, kind, nonce, timestamp, signature = (query.get(name, "") for name in _NAMES)
        if (
            not file_id.isdecimal()
            or len(file_id) > 18
            or not timestamp.isdecimal()
            or len(timestamp) > 15
            or not nonce
        ):
            raise UploadError("bad_request", f"these are needed: {', '.join(_NAMES)}")
        if abs(self._clock_ms() - int(timestamp)) > WINDOW_MS:
            raise UploadError("too_old", "the request is not of this minute; are both clocks right?")
        file = await self._workers(self._files.find, int(file_id))
        if file is None or file.kind != kind or file.state != "transferring" or not file.token:
            raise UploadError("not_wanted", "no such file is wanted")
        signed = json.dumps(
            {"agentId": file.agent, "fileId": file_id, "fileType": kind, "nonce": nonce, "timestamp": timestamp},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        expected = hmac.new(file.token.encode(), signed.encode(), hashlib.sha1).hexdigest()
        if not hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace")):
            self._hints.note(
                "xtransit",
                "wrong_upload_token",
                file.agent,
                f"an upload for {file.agent} has a wrong signature",
                file.app,
                code="wrong_upload_token",
                who=file.agent,
            )
            raise UploadError("signature", "signature error")
        self._use_once(f"{file_id}:{nonce}")
        return file

    def _use_once(self, nonce: str) -> None:
        now = self._clock_ms()
        while self._nonces and (
            next(iter(self._nonces.values())) < now - 2 * WINDOW_MS or len(self._nonces) >= MOST_NONCES
        ):
            self._nonces.popitem(last=False)
        if nonce in self._nonces:
            raise UploadError("repeated", "the request was made before")
        self._nonces[nonce] = now

    async def _take(self, file: File, scope: Scope, body: _Body) -> tuple[Part, ...]:
        """The body, on the disk and in its row. Raises UploadError."""
        content_type = next((value for name, value in scope["headers"] if name == b"content-type"), b"")
        reader = Multipart(boundary_of(content_type.decode("latin-1")))
        most = 2 if file.kind == "core" else 1
        incoming: list[Incoming] = []
        kept = False
        try:
            held = bytearray()
            async for data in body.pieces():
                for event in reader.feed(data):
                    if isinstance(event, PartData):
                        held += event.data
                        if len(held) >= _WRITE_BYTES:
                            await asyncio.to_thread(incoming[-1].write, bytes(held))
                            held.clear()
                    elif isinstance(event, PartBegins):
                        if len(incoming) >= most:
                            raise UploadError("bad_multipart", f"a file of the kind {file.kind} has {most} parts")
                        incoming.append(self._storage.begin(event.name if event.name != "file" else event.file_name))
                    elif held:
                        await asyncio.to_thread(incoming[-1].write, bytes(held))
                        held.clear()
            if not reader.ended or len(incoming) != most:
                raise UploadError("bad_multipart", "the body ends too early")
            parts = tuple([await asyncio.to_thread(it.finish) for it in incoming])
            before = await self._workers(self._files.keep, file.id, parts)
            if before is None:
                raise UploadError("not_wanted", "no such file is wanted any more")
            kept = True
        finally:
            if not kept:
                for it in incoming:
                    it.drop()
        for part in before:
            await asyncio.to_thread(self._storage.remove, part)
        return parts


class _Body:
    """A request's body, which is read once."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._more = True

    async def pieces(self) -> AsyncIterator[bytes]:
        """As they come. Raises UploadError, _GoneError."""
        while self._more:
            try:
                async with asyncio.timeout(PAUSE_S):
                    message = await self._receive()
            except TimeoutError:
                raise UploadError("slow", f"nothing came for {PAUSE_S:.0f} s") from None
            if message["type"] == "http.disconnect":
                raise _GoneError
            self._more = message.get("more_body", False)
            if data := message.get("body", b""):
                yield data

    async def drain(self) -> None:
        """Read on for a while, so that the sender hears our answer."""
        left = _DRAIN_BYTES
        try:
            async for data in self.pieces():
                left -= len(data)
                if left < 0:
                    return
        except (UploadError, _GoneError):
            return
