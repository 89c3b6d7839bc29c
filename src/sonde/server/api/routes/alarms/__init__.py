"""/alarms: what fires, the rules, whom to tell."""

from fastapi import APIRouter

from sonde.server.api.parts import Parts
from sonde.server.api.routes import PREFIX
from sonde.server.api.routes.alarms.current import add_current
from sonde.server.api.routes.alarms.notifiers import add_notifiers
from sonde.server.api.routes.alarms.rules import add_rules
from sonde.server.api.routes.alarms.shared import Seen
from sonde.server.api.routes.alarms.silences import add_silences


def routes(parts: Parts) -> APIRouter:
    """Everything of alarms."""
    router = APIRouter(prefix=f"{PREFIX}/alarms", tags=["alarms"])
    seen = Seen(parts)
    add_current(router, parts, seen)
    add_rules(router, parts, seen)
    add_silences(router, parts, seen)
    add_notifiers(router, parts, seen)
    return router
