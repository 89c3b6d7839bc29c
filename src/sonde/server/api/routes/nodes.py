"""/nodes: hosts, what runs on them, and how their agents do."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.moments import Moment, TimeRange, time_range
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports.nodes import Node, NodeReport, ProcessHistory, TopProcesses
from sonde.server.reports.page import Page
from sonde.server.store.queries import node_processes, nodes


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

    # Before the page of a host, whose name may have slashes in it.
    @router.get("/nodes/{host:path}/top", response_model=TopProcesses)
    async def top(
        request: Request,
        host: str,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
        at: Annotated[Moment | None, Query(description="The minute before this; else the newest of the range.")] = None,
    ) -> Response:
        """The processes that used most CPU and memory in one minute, and which minutes there are in the range."""
        return await parts.answers(
            request,
            lambda: node_processes.top(parts.store, caller.apps, host, span.start, span.end, at),
            "list of processes of that host near that time",
        )

    @router.get("/nodes/{host:path}/top/{pid}", response_model=ProcessHistory)
    async def history(
        request: Request,
        host: str,
        pid: Annotated[int, Path(ge=1, lt=1 << 31)],
        started: Annotated[Moment, Query(description="When it began, as the list says: process ids come again.")],
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
    ) -> Response:
        """One process in the minutes in which it was among those that used most."""
        return await parts.answers(
            request,
            lambda: node_processes.history(parts.store, caller.apps, host, pid, started, span.start, span.end),
            "process of that kind among those that used most",
        )

    @router.get("/nodes/{host:path}", response_model=NodeReport)
    async def report(
        request: Request,
        host: str,
        caller: Annotated[Caller, Depends(reader)],
        span: Annotated[TimeRange, Depends(time_range)],
    ) -> Response:
        """Charts of one host, the services on it, and what its agent and probes lost."""
        return await parts.answers(
            request,
            lambda: nodes.report(parts.store, caller.apps, host, span.start, span.end),
            "node of that name in this span of time",
        )

    return router
