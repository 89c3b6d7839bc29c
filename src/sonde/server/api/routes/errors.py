"""/errors: failures by type and place."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.failures import bad_parameter
from sonde.server.api.moments import TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.api.routes.traces import LONGEST_NAME
from sonde.server.reports.errors import ErrorPage, ErrorReport
from sonde.server.store.queries import failures

Service = Annotated[str | None, Query(max_length=LONGEST_NAME, description="Errors of this service alone.")]


def routes(parts: Parts) -> APIRouter:
    """What fails, and since when."""
    router = APIRouter(prefix=PREFIX, tags=["errors"])
    reader = parts.access.needs("read")

    @router.get("/errors", response_model=ErrorPage)
    async def errors(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
        service: Service = None,
        order: Annotated[
            failures.Order, Query(description="Most frequent, seen last, or seen for the first time last, on top.")
        ] = "times",
        limit: Annotated[int, Query(ge=1, le=failures.MOST_GROUPS)] = 100,
    ) -> Response:
        """Failures of one type at one place are one group. What is in no group of the answer is counted in `rest`."""
        return await parts.answers(
            request,
            lambda: failures.errors(
                parts.store, caller.apps, span.start, span.end, service=service, order=order, limit=limit
            ),
            "error",
        )

    @router.get("/errors/{group}", response_model=ErrorReport)
    async def one(
        request: Request,
        group: Annotated[str, Path(max_length=40, description="`id` of a group.")],
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
        service: Service = None,
    ) -> Response:
        """A group over time, with the deploys meanwhile, where it happens, and failures with their stacks."""
        wanted = failures.group_id(group)
        if wanted is None:
            raise bad_parameter("group", "is the id of a group: 16 hex digits")
        return await parts.answers(
            request,
            lambda: failures.report(parts.store, caller.apps, wanted, span.start, span.end, service=service),
            "error of that group in this span of time",
        )

    return router
