"""The API as one application: routes, errors, headers, description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.utils import get_openapi

from sonde import __version__
from sonde.server.api.body_limit import BodyLimit
from sonde.server.api.console_files import console
from sonde.server.api.failures import ErrorAnswer, answer_errors
from sonde.server.api.routes import (
    PREFIX,
    alarms,
    app_settings,
    apps,
    comparisons,
    connect,
    dashboards,
    deploys,
    errors,
    health,
    jaeger,
    jobs,
    live,
    mcp,
    names,
    nodejs,
    nodes,
    processes,
    prometheus,
    runtime,
    sampling,
    service_map,
    services,
    session,
    slow,
    statistics,
    tokens,
    tools,
    traces,
)
from sonde.server.api.security_headers import SecurityHeaders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.types import ASGIApp

    from sonde.server.api.parts import Parts
    from sonde.server.api.readiness import Readiness
    from sonde.server.api.request_counters import RequestCounters

_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "A parameter cannot be used; the message names it."},
    401: {"model": ErrorAnswer, "description": "No credentials, or unknown ones."},
    403: {"model": ErrorAnswer, "description": "The credentials do not reach that far."},
    404: {"model": ErrorAnswer, "description": "There is no such thing."},
    503: {"model": ErrorAnswer, "description": "Come again: a part of the server is away or busy."},
}
_MORE_ERRORS: dict[str, dict[int | str, dict[str, Any]]] = {
    "session": {429: {"model": ErrorAnswer, "description": "Too many wrong passwords; Retry-After says how long."}},
    "dashboards": {409: {"model": ErrorAnswer, "description": "Somebody saved it meanwhile, or there are too many."}},
    "apps": {409: {"model": ErrorAnswer, "description": "Somebody has that name."}},
    "alarms": {
        409: {"model": ErrorAnswer, "description": "A name is taken, something is in use, or there are too many."}
    },
    "names": {409: {"model": ErrorAnswer, "description": "The app has as many rules as it can have."}},
    "sampling": {409: {"model": ErrorAnswer, "description": "It would be more than the probes of an app take."}},
    "processes": {
        409: {"model": ErrorAnswer, "description": "The node is not connected, or refuses; the message says why."},
        429: {"model": ErrorAnswer, "description": "Too many processes are being asked."},
        504: {"model": ErrorAnswer, "description": "The process does not answer."},
    },
    "nodejs": {
        409: {"model": ErrorAnswer, "description": "The agent is not connected, or refuses; the message says why."},
        504: {"model": ErrorAnswer, "description": "The agent does not answer."},
    },
    "comparisons": {409: {"model": ErrorAnswer, "description": "The jobs have no results that can be compared."}},
    "jobs": {
        409: {"model": ErrorAnswer, "description": "The job has no such result."},
        429: {"model": ErrorAnswer, "description": "Too many jobs of that node are under way."},
    },
}


def application(
    parts: Parts,
    readiness: Readiness,
    counters: RequestCounters,
    metrics_page: Callable[[], str],
    console_folder: Path,
) -> ASGIApp:
    """Everything but OTLP."""
    app = FastAPI(
        title="Sonde",
        version=__version__,
        description="What runs, what it does and why. Times are RFC 3339; durations have their unit in the name.",
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )
    app.add_middleware(BodyLimit)
    answer_errors(app)
    for module in (
        session,
        services,
        statistics,
        names,
        app_settings,
        alarms,
        runtime,
        service_map,
        traces,
        live,
        nodes,
        nodejs,
        apps,
        tokens,
        connect,
        sampling,
        processes,
        tools,
        jobs,
        comparisons,
        dashboards,
        slow,
        errors,
        deploys,
    ):
        name = module.__name__.rpartition(".")[2]
        app.include_router(module.routes(parts), responses=_ERRORS | _MORE_ERRORS.get(name, {}))
    for module in (prometheus, jaeger, mcp):
        app.include_router(module.routes(parts))
    app.include_router(health.routes(parts, readiness, metrics_page), responses={503: _ERRORS[503]})
    app.include_router(_description(app, parts))
    # Not mounted at `/`: a mount would answer for addresses of ours that were asked with a wrong method.
    app.router.default = console(console_folder)
    return counters.middleware(
        SecurityHeaders(app, parts.embed_origins)
    )  # around the framework, so that its own errors have them, too


def _description(app: FastAPI, parts: Parts) -> APIRouter:
    router = APIRouter(prefix=PREFIX, dependencies=[Depends(parts.access.needs("read"))])

    @router.get("/openapi.json", include_in_schema=False)
    async def openapi() -> dict[str, Any]:
        """The API in its own words."""
        return described(app)

    return router


def described(app: FastAPI) -> dict[str, Any]:
    """OpenAPI, without the framework's own error shape, which no answer of ours has."""
    if app.openapi_schema is None:
        schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        for path in schema["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
        for name in ("HTTPValidationError", "ValidationError"):
            schema["components"]["schemas"].pop(name, None)
        app.openapi_schema = schema
    return app.openapi_schema
