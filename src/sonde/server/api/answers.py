"""From a query to bytes: asked, turned into JSON and compressed in a thread, so that the event loop stays free."""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.responses import Response

from sonde.server.api.failures import not_found

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic import BaseModel
    from starlette.requests import Request

    from sonde.server.api.workers import Workers

COMPRESS_FROM_BYTES = 1400
"""A smaller answer fits into one packet anyway."""
_LEVEL = 4
_GZIP = 16 + zlib.MAX_WBITS


@dataclass(frozen=True, slots=True)
class _Body:
    content: bytes
    etag: str
    compressed: bool


class Answers:
    """Answers GET requests with what a query returns."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    async def __call__(self, request: Request, query: Callable[[], BaseModel | None], what: str) -> Response:
        """200, or 304 where the client has it, or 404 for None, which says there is no `what`."""
        gzip = "gzip" in request.headers.get("accept-encoding", "")
        known = request.headers.get("if-none-match", "")

        def work() -> _Body | None:
            found = query()
            return None if found is None else _body(found, gzip=gzip, known=known)

        body = await self._workers(work)
        if body is None:
            raise not_found(what)
        headers = {"ETag": body.etag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
        if _matches(known, body.etag):
            return Response(status_code=304, headers=headers)
        if body.compressed:
            headers["Content-Encoding"] = "gzip"
        return Response(body.content, media_type="application/json", headers=headers)


def unchanged(request: Request, etag: str) -> bool:
    """Whether the client has what is called `etag`."""
    return _matches(request.headers.get("if-none-match", ""), etag)


def _body(answer: BaseModel, *, gzip: bool, known: str) -> _Body:
    content = answer.model_dump_json(by_alias=True).encode()
    etag = f'W/"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    if not gzip or len(content) < COMPRESS_FROM_BYTES or _matches(known, etag):
        return _Body(content, etag, compressed=False)
    packer = zlib.compressobj(_LEVEL, wbits=_GZIP)
    return _Body(packer.compress(content) + packer.flush(), etag, compressed=True)


def _matches(known: str, etag: str) -> bool:
    return etag in (tag.strip() for tag in known.split(","))
