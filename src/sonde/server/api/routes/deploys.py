"""/deploys: when services got another version, and when their processes were started anew."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.moments import TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.api.routes.traces import LONGEST_NAME
from sonde.server.reports.deploys import DeployMark
from sonde.server.reports.page import Page
from sonde.server.store.queries import deploys


def routes(parts: Parts) -> APIRouter:
    """Marks for time axes."""
    router = APIRouter(prefix=PREFIX, tags=["deploys"])
    reader = parts.access.needs("read")

    @router.get("/deploys", response_model=Page[DeployMark])
    async def found(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
        service: Annotated[str | None, Query(max_length=LONGEST_NAME, description="Of this service alone.")] = None,
    ) -> Response:
        """Deploys and restarts in the span of time, the newest first; of more than 500 those."""
        services = None if service is None else [service]
        return await parts.answers(
            request,
            lambda: deploys.deploys(parts.store, caller.apps, span.start, span.end, services),
            "deploy",
        )

    return router
