"""/live: the last seconds."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports.live import Live
from sonde.server.store.queries import live


def routes(parts: Parts) -> APIRouter:
    """The live view."""
    router = APIRouter(prefix=PREFIX, tags=["live"])
    reader = parts.access.needs("read")

    @router.get("/live", response_model=Live)
    async def now(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        window_s: Annotated[int, Query(ge=10, le=300, description="Seconds back from now.")] = 60,
    ) -> Response:
        """Raw spans of the last seconds, one step a second."""
        return await parts.answers(
            request, lambda: live.live(parts.store, caller.apps, datetime.now(UTC), window_s), "live view"
        )

    return router
