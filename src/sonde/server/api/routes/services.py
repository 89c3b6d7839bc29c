"""/services: the overview, and one service's page."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.moments import TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.api.thresholds import apdex_t_ms_of
from sonde.server.reports.page import Page
from sonde.server.reports.services import Service, ServiceReport
from sonde.server.store.queries import services


def routes(parts: Parts) -> APIRouter:
    """Statistics of services."""
    router = APIRouter(prefix=PREFIX, tags=["services"])
    reader = parts.access.needs("read")

    @router.get("/services", response_model=Page[Service])
    async def overview(
        request: Request, caller: Annotated[Caller, Depends(reader)], span: Annotated[TimeRange, Depends(time_range)]
    ) -> Response:
        """Every service that answered a request in the span of time."""

        def query() -> Page[Service]:
            store = parts.store
            return Page(items=services.overview(store, caller.apps, span.start, span.end, apdex_t_ms_of(parts)))

        return await parts.answers(request, query, "service")

    # `path`: a service may be called after an address, and names with a slash are names, too.
    @router.get("/services/{name:path}", response_model=ServiceReport)
    async def report(
        request: Request,
        name: str,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
    ) -> Response:
        """Charts, endpoints, instances, callers, callees and errors of one service."""
        return await parts.answers(
            request,
            lambda: services.report(parts.store, caller.apps, name, span.start, span.end, apdex_t_ms_of(parts)),
            "service of that name in this span of time",
        )

    return router
