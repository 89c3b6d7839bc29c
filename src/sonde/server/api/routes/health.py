"""/healthz, /readyz and /metrics: for those who watch the server itself."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel
from starlette.responses import PlainTextResponse

from sonde.server.api.access import Caller
from sonde.server.api.exposition import CONTENT_TYPE
from sonde.server.api.failures import RefusedError
from sonde.server.api.parts import Parts
from sonde.server.api.readiness import Readiness


class Health(BaseModel):
    """The process lives."""

    status: str


class Ready(BaseModel):
    """Whether the server does its work. `reasons` says by part why not."""

    ready: bool
    reasons: dict[str, str]


def routes(parts: Parts, readiness: Readiness, metrics_page: Callable[[], str]) -> APIRouter:
    """`metrics_page` collects the figures of every part; it may block."""
    router = APIRouter(tags=["health"])
    reader = parts.access.needs("read")

    @router.get("/healthz")
    async def healthz() -> Health:
        """200 while the process lives. Open to everybody."""
        return Health(status="ok")

    @router.get("/readyz", responses={503: {"model": Ready, "description": "Not ready, and why."}})
    async def readyz(response: Response) -> Ready:
        """200 when the store answers, its tables are there, and the spool can be written; else 503. Open to everybody:
        it tells which part is not ready, and nothing else.
        """
        reasons = await readiness.reasons()
        response.status_code = 503 if reasons else 200
        response.headers["Cache-Control"] = "no-store"
        return Ready(ready=not reasons, reasons=reasons)

    @router.get("/metrics", response_class=PlainTextResponse)
    async def metrics(caller: Annotated[Caller, Depends(reader)]) -> Response:
        """Counters of intake, spool, loader, API and store in Prometheus' text format: of every app together."""
        if caller.apps is not None:
            raise RefusedError(403, "forbidden", "these counters are of every app, and the token is for some")
        return Response(await parts.account_workers(metrics_page), media_type=CONTENT_TYPE)

    return router
