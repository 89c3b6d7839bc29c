"""/runtime: how the interpreters of a service are doing."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.moments import TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports.runtime import RuntimeReport
from sonde.server.store.queries import runtime


def routes(parts: Parts) -> APIRouter:
    """Charts of a service's processes."""
    router = APIRouter(prefix=PREFIX, tags=["services"])
    reader = parts.access.needs("read")

    # Not below /services/{name}: names with a slash are names, too.
    @router.get("/runtime/{name:path}", response_model=RuntimeReport)
    async def report(
        request: Request,
        name: str,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
    ) -> Response:
        """Requests being served, garbage collections, event loops, threads and the GIL, over all processes."""
        return await parts.answers(
            request,
            lambda: runtime.report(parts.store, caller.apps, name, span.start, span.end),
            "report on the processes of a service of that name in this span of time",
        )

    return router
