"""/nodejs: processes that easy-monitor's agent, xtransit, looks after."""

from fastapi import APIRouter

from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.api.routes.nodejs.agents import add_agents
from sonde.server.api.routes.nodejs.files import add_files


def routes(parts: Parts) -> APIRouter:
    """Look, record, configure, fetch."""
    router = APIRouter(prefix=f"{PREFIX}/nodejs", tags=["nodejs"])
    add_agents(router, parts)
    add_files(router, parts)
    return router
