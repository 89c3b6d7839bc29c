"""/traces: search, and the waterfall of one."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.failures import bad_parameter
from sonde.server.api.moments import TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports.page import Page
from sonde.server.reports.traces import Moments, Trace, TraceRow
from sonde.server.store.queries import moments, traces

MOST_ROWS = 1000
LONGEST_NAME = 1000
GONE = "trace with that id; it may have been dropped by retention"

TraceId = Annotated[str, Path(pattern="^[0-9a-fA-F]{32}$", description="32 hex digits.")]


def routes(parts: Parts) -> APIRouter:
    """Requests and where their time went."""
    router = APIRouter(prefix=PREFIX, tags=["traces"])
    reader = parts.access.needs("read")
    Text = Annotated[str | None, Query(max_length=LONGEST_NAME)]  # noqa: N806 - a type

    @router.get("/traces", response_model=Page[TraceRow])
    async def search(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
        service: Text = None,
        endpoint: Text = None,
        min_ms: Annotated[float | None, Query(ge=0, le=1e9, allow_inf_nan=False)] = None,
        error: Annotated[bool | None, Query(description="Only failed ones, or only those that did not.")] = None,
        attribute: Annotated[str | None, Query(max_length=LONGEST_NAME, description="`key=value`.")] = None,
        order: Literal["newest", "slowest"] = "newest",
        limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
        cursor: Annotated[str | None, Query(max_length=LONGEST_NAME, description="`next` of the page before.")] = None,
    ) -> Response:
        """Entry spans (server, consumer or root) that match all filters."""
        wanted = _attribute(attribute)

        def query() -> Page[TraceRow]:
            try:
                return traces.search(
                    parts.store,
                    caller.apps,
                    service=service,
                    endpoint=endpoint,
                    min_ms=min_ms,
                    error=error,
                    attribute=wanted,
                    start=span.start,
                    end=span.end,
                    limit=limit,
                    cursor=cursor,
                    order=order,
                )
            except traces.BadCursorError:
                raise bad_parameter("cursor", "not one that an earlier page of this search gave") from None

        return await parts.answers(request, query, "trace")

    @router.get("/traces/{trace_id}", response_model=Trace)
    async def trace(request: Request, trace_id: TraceId, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Every span of one trace, in drawing order."""
        return await parts.answers(request, lambda: traces.trace(parts.store, caller.apps, trace_id.lower()), GONE)

    @router.get("/traces/{trace_id}/moments", response_model=Moments)
    async def what_else(request: Request, trace_id: TraceId, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Its log lines, and what held up its processes meanwhile: stalls, pauses, slow system calls, tools."""
        return await parts.answers(request, lambda: moments.moments(parts.store, caller.apps, trace_id.lower()), GONE)

    return router


def _attribute(given: str | None) -> tuple[str, str] | None:
    """`key=value` → both halves; the key may not be empty."""
    if given is None:
        return None
    key, equals, value = given.partition("=")
    if not key or not equals:
        raise bad_parameter("attribute", "comes as key=value")
    return key, value
