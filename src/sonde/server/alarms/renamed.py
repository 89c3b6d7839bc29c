"""Groups that are called something else since a rule about names was changed: they are over, and not silent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sonde.server.alarms.matching import Labels
    from sonde.server.store.queries.naming import Naming


def is_renamed(app: str, labels: Labels, before: Naming, now: Naming) -> bool:
    """Of a group that is not found any more, whether its names say why."""
    said = dict(labels)
    service = said.get("service")
    if (
        service is not None
        and not now.makes(app, service)
        and (now.unmakes(app, service) or before.makes(app, service))
    ):
        return True
    return "endpoint" in said and before.patterns(app) != now.patterns(app)
