"""/nodejs/files: profiles, snapshots, reports and cores."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import FileResponse, Response, StreamingResponse

from sonde.server.api.access import Caller
from sonde.server.api.failures import RefusedError, bad_parameter, not_found
from sonde.server.api.parts import Parts
from sonde.server.api.routes.nodejs.asking import MOST_ROWS, asked
from sonde.server.api.routes.processes import Text
from sonde.server.nodejs.diag_report import LARGEST_BYTES, BadReportError, without_secrets
from sonde.server.nodejs.files import LONGEST_NOTE, File, FileFilter, Part
from sonde.server.nodejs.storage import Storage
from sonde.server.reports.nodejs import FileKind, NodejsFile
from sonde.server.reports.page import Page

FileId = Annotated[int, Path(ge=1, lt=1 << 53, description="Id of the file.")]
_CONTENT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {}}, "description": "A file."},
}


class Marks(BaseModel):
    """What shall stand beside a file. What is left out stays."""

    model_config = ConfigDict(extra="forbid", strict=True)

    favourite: bool | None = None
    note: str | None = Field(None, max_length=LONGEST_NOTE, pattern=r"^[^\x00]*$")


def add_files(router: APIRouter, parts: Parts) -> None:
    """Looking at files, fetching, marking and deleting them."""
    reader, writer = parts.access.needs("read"), parts.access.needs("write")
    nodejs = parts.nodejs

    async def seen(file_id: int, caller: Caller) -> File:
        file = await nodejs.workers(nodejs.files.find, file_id)
        if file is None or not caller.sees(file.app):
            raise not_found("file with that id")
        return file

    @router.get("/files", response_model=Page[NodejsFile])
    async def files(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        app: Text = None,
        agent: Text = None,
        pid: Annotated[int | None, Query(ge=0, lt=1 << 31)] = None,
        kind: FileKind | None = None,
        favourite: bool | None = None,
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
        cursor: Annotated[str | None, Query(max_length=20, description="`next` of the page before.")] = None,
    ) -> Response:
        """Files that match all filters, newest first."""
        apps = caller.apps_of(app)
        if cursor is not None and (not cursor.isascii() or not cursor.isdecimal() or len(cursor) > 15):
            raise bad_parameter("cursor", "not one that an earlier page of this search gave")
        before = int(cursor) if cursor is not None else None

        def query() -> Page[NodejsFile]:
            wanted = FileFilter(apps, agent, pid, kind, favourite)
            found, following = nodejs.files.search(wanted, limit, before)
            items = [file.report(nodejs.now()) for file in found]
            return Page(items=items, next=str(following) if following is not None else None)

        return await parts.own_answers(request, query, "file")

    @router.get("/files/{file_id}")
    async def look(file_id: FileId, caller: Annotated[Caller, Depends(reader)]) -> NodejsFile:
        """One file as of now."""
        return (await seen(file_id, caller)).report(nodejs.now())

    @router.post("/files/{file_id}/transfer")
    async def transfer(file_id: FileId, caller: Annotated[Caller, Depends(writer)]) -> NodejsFile:
        """Fetch it from the agent's host; one that is stored is fetched again."""
        file = await seen(file_id, caller)
        return (await asked(nodejs.transfer(file, caller.who))).report(nodejs.now())

    @router.patch("/files/{file_id}")
    async def mark(marks: Marks, file_id: FileId, caller: Annotated[Caller, Depends(writer)]) -> NodejsFile:
        """Favourite and note."""
        await seen(file_id, caller)
        await nodejs.workers(nodejs.files.mark, file_id, marks.favourite, marks.note)
        return (await seen(file_id, caller)).report(nodejs.now())

    @router.delete("/files/{file_id}", status_code=204)
    async def remove(file_id: FileId, caller: Annotated[Caller, Depends(writer)]) -> None:
        """Delete it here. On the agent's host it stays."""
        await nodejs.remove(await seen(file_id, caller), caller.who)

    @router.get("/files/{file_id}/content", response_class=FileResponse, responses=_CONTENT)
    async def content(
        request: Request,
        file_id: FileId,
        caller: Annotated[Caller, Depends(reader)],
        part: Annotated[int, Query(ge=0, le=1, description="Of a core: 0 is the core, 1 its executable.")] = 0,
        raw: Annotated[bool, Query(description="A diagnostic report with its secrets. Needs `admin`.")] = False,
    ) -> Response:
        """What is stored: as it came, in gzip, where the client takes that, else without.

        Of a diagnostic report the values of the environment that look secret are hidden.
        """
        file = await seen(file_id, caller)
        masked = file.kind == "diag" and not raw
        if raw and caller.scope != "admin":
            raise RefusedError(403, "forbidden", f"`raw` needs the scope `admin`, yours is `{caller.scope}`")
        if part >= len(file.parts):
            raise not_found("stored file; it may have to be fetched first")
        it = file.parts[part]
        path = nodejs.storage.path(it)
        if not path.is_file():
            raise not_found("stored file any more")
        if masked:
            return await _masked(nodejs.storage, it)
        if file.kind == "diag":
            await nodejs.workers(nodejs.files.note_raw, file, caller.who)
        headers = {"ETag": f'"{it.storage}"', "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return FileResponse(path, media_type="application/octet-stream", filename=it.name, headers=headers)
        headers["Content-Length"] = str(it.plain_bytes)
        pieces = _in_threads(nodejs.storage.plain(it))
        return StreamingResponse(pieces, media_type="application/octet-stream", headers=headers)


async def _masked(storage: Storage, part: Part) -> Response:
    """A diagnostic report, without secrets. Raises RefusedError."""
    if part.plain_bytes > LARGEST_BYTES:
        raise RefusedError(409, "not_masked", "the report is too large to be searched for secrets")
    try:
        report = await asyncio.to_thread(lambda: without_secrets(b"".join(storage.plain(part))))
    except BadReportError as error:
        raise RefusedError(409, "not_masked", f"{error}: what is secret in it is not known") from None
    headers = {
        "ETag": f'"{part.storage}-masked"',
        "Cache-Control": "private, no-cache",
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(part.name)}",
    }
    return Response(report, media_type="application/octet-stream", headers=headers)


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
