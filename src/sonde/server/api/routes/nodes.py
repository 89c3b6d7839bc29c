"""/nodes: hosts with an agent."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.moments import TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports.nodes import Node, NodeReport
from sonde.server.reports.page import Page
from sonde.server.store.queries import nodes


def routes(parts: Parts) -> APIRouter:
    """Hosts and their charts."""
    router = APIRouter(prefix=PREFIX, tags=["nodes"])
    reader = parts.access.needs("read")

    @router.get("/nodes", response_model=Page[Node])
    async def list_nodes(request: Request, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Every host that reported lately, as last seen."""

        def query() -> Page[Node]:
            return Page(items=nodes.list_nodes(parts.store, caller.apps, datetime.now(UTC)))

        return await parts.answers(request, query, "node")

    @router.get("/nodes/{host:path}", response_model=NodeReport)
    async def report(
        request: Request,
        host: str,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
    ) -> Response:
        """Charts of one host."""
        return await parts.answers(
            request,
            lambda: nodes.report(parts.store, caller.apps, host, span.start, span.end),
            "node of that name in this span of time",
        )

    return router
