"""/tools: what there is to look into a process with."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.control.catalogue import CATALOGUE
from sonde.server.reports.jobs import Tool
from sonde.server.reports.page import Page


def routes(parts: Parts) -> APIRouter:
    """The catalogue."""
    router = APIRouter(prefix=PREFIX, tags=["tools"])
    reader = parts.access.needs("read")
    page = Page[Tool](items=list(CATALOGUE))

    @router.get("/tools", response_model=Page[Tool])
    async def list_tools(request: Request, _: Annotated[Caller, Depends(reader)]) -> Response:
        """The tools of this version; what a process can do with each, that process says."""
        return await parts.own_answers(request, lambda: page, "tool")

    return router
