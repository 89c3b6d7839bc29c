"""/slow: statements and other calls by what they look like; and what a trace does again and again."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.failures import bad_parameter
from sonde.server.api.moments import TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.api.routes.traces import GONE, LONGEST_NAME, TraceId
from sonde.server.insight.repeated_calls import LEAST_CALLS
from sonde.server.reports.slow import CallKind, Findings, SlowPage, SlowReport
from sonde.server.store.queries import findings, statements

KINDS: dict[str, tuple[CallKind, ...]] = {
    "sql": ("sql",),
    "cache": ("cache",),
    "http": ("http",),
    "rpc": ("rpc",),
    "outgoing": ("http", "rpc"),
    "mq": ("mq",),
}

Service = Annotated[str | None, Query(max_length=LONGEST_NAME, description="Calls of this service alone.")]
Kinds = Literal["sql", "cache", "http", "rpc", "outgoing", "mq"]


def routes(parts: Parts) -> APIRouter:
    """What takes long, and where."""
    router = APIRouter(prefix=PREFIX, tags=["slow"])
    reader = parts.access.needs("read")

    @router.get("/slow", response_model=SlowPage)
    async def slow(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
        kind: Annotated[Kinds, Query(description="`sql`: databases; `outgoing`: http and rpc.")] = "sql",
        service: Service = None,
        order: Annotated[statements.Order, Query(description="By what the groups are chosen and sorted.")] = "total",
        limit: Annotated[int, Query(ge=1, le=statements.MOST_GROUPS)] = 100,
    ) -> Response:
        """Calls that differ in values alone are one group. What is in no group of the answer is counted in `rest`."""
        return await parts.answers(
            request,
            lambda: statements.slow(
                parts.store,
                caller.apps,
                KINDS[kind],
                span.start,
                span.end,
                service=service,
                order=order,
                limit=limit,
            ),
            "group",
        )

    @router.get("/slow/{group}", response_model=SlowReport)
    async def one(
        request: Request,
        group: Annotated[str, Path(max_length=40, description="`id` of a group.")],
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
        service: Service = None,
    ) -> Response:
        """A group over time, who makes its calls in which requests, whom they go to, and the slowest of them."""
        wanted = statements.kind_of(group)
        if wanted is None:
            raise bad_parameter("group", "is the id of a group, such as sql-0123456789abcdef")
        return await parts.answers(
            request,
            lambda: statements.report(parts.store, caller.apps, wanted, span.start, span.end, service=service),
            "call of that group in this span of time",
        )

    @router.get("/traces/{trace_id}/findings", response_model=Findings)
    async def of_trace(
        request: Request,
        trace_id: TraceId,
        caller: Annotated[Caller, Depends(reader)],
        at_least: Annotated[int, Query(ge=2, le=10_000, description="So many calls of one span.")] = LEAST_CALLS,
    ) -> Response:
        """Calls that differ in values alone and that one span makes again and again."""
        return await parts.answers(
            request, lambda: findings.findings(parts.store, caller.apps, trace_id.lower(), at_least), GONE
        )

    return router
