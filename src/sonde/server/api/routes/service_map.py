"""/map: who calls whom."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.moments import TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports.service_map import ServiceMap
from sonde.server.store.queries import topology


def routes(parts: Parts) -> APIRouter:
    """The service map."""
    router = APIRouter(prefix=PREFIX, tags=["map"])
    reader = parts.access.needs("read")

    @router.get("/map", response_model=ServiceMap)
    async def service_map(
        request: Request, caller: Annotated[Caller, Depends(reader)], span: Annotated[TimeRange, Depends(time_range)]
    ) -> Response:
        """Services, what they call, and the calls between them."""
        return await parts.answers(
            request, lambda: topology.service_map(parts.store, caller.apps, span.start, span.end), "map"
        )

    return router
