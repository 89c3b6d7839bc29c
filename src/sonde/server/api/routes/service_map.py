"""/map: who calls whom, and how much of it there was over time."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.moments import TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports.service_map import MapHistory, ServiceMap
from sonde.server.store.queries import topology

MOST_STEPS = 500


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

    @router.get("/map/history", response_model=MapHistory)
    async def history(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
        points: Annotated[int, Query(ge=1, le=MOST_STEPS, description="About so many steps at most.")] = 120,
    ) -> Response:
        """All requests step by step; the map of a step is `/map` from its `time` on, for `step_s`."""
        return await parts.answers(
            request,
            lambda: topology.history(parts.store, caller.apps, span.start, span.end, points=points),
            "map",
        )

    return router
