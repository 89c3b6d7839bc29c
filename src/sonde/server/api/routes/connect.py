"""/connect: what helps to connect an application."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import Response

from sonde.server.api.access import Caller
from sonde.server.api.moments import Moment
from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.reports.connect import Arrival, ConnectHint, ConnectPorts
from sonde.server.reports.page import Page
from sonde.server.store.queries import arrivals


def routes(parts: Parts) -> APIRouter:
    """Where to send, who does, and who was refused."""
    router = APIRouter(prefix=f"{PREFIX}/connect", tags=["connect"])
    reader = parts.access.needs("read")

    @router.get("/ports")
    async def ports(request: Request, _: Annotated[Caller, Depends(reader)]) -> ConnectPorts:
        """Where this server listens for each protocol."""
        host = request.url.hostname or "127.0.0.1"
        return ConnectPorts(host=host, tokenless_skywalking=parts.skywalking_app, **parts.ports)

    @router.get("/arrivals", response_model=Page[Arrival])
    async def arrived(
        request: Request,
        caller: Annotated[Caller, Depends(reader)],
        app: Annotated[str, Query(max_length=64, description="Its id.")],
        since: Annotated[Moment, Query(description="Time of receipt.")],
    ) -> Response:
        """Services of an app that sent something since then, the latest first."""

        def query() -> Page[Arrival]:
            seen = caller.sees(app)
            return Page(items=arrivals.arrivals(parts.recorded, app, since) if seen else [])

        return await parts.answers(request, query, "arrival")

    @router.get("/hints", response_model=Page[ConnectHint])
    async def hints(request: Request, caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Senders that were refused since the server started, the newest first, at most 1,000."""

        def query() -> Page[ConnectHint]:
            found = parts.hints.seen_by(caller.apps)
            return Page(items=[ConnectHint.model_validate(hint, from_attributes=True) for hint in found])

        return await parts.own_answers(request, query, "hint")

    return router
