"""/connect: what helps to connect an application."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports import ConnectHint, Page


def routes(parts: Parts) -> APIRouter:
    """Who was refused, and why."""
    router = APIRouter(prefix=f"{PREFIX}/connect", tags=["connect"])
    reader = parts.access.needs("read")

    @router.get("/hints", response_model=Page[ConnectHint])
    async def hints(request: Request, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Senders that were refused since the server started, the newest first, at most 1,000."""

        def query() -> Page[ConnectHint]:
            found = parts.hints.seen_by(caller.apps)
            return Page(items=[ConnectHint.model_validate(hint, from_attributes=True) for hint in found])

        return await parts.answers(request, query, "hint")

    return router
