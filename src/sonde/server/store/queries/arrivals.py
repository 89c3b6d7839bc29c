"""Who has sent something lately: the first sign that an application is connected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.reports.connect import Arrival

if TYPE_CHECKING:
    from datetime import datetime

    from sonde.server.store.client import StoreClient

MOST_SERVICES = 50


def arrivals(client: StoreClient, app: str, since: datetime) -> list[Arrival]:
    """Services of an app of which anything was received since then, the latest first."""
    rows = client.rows(
        f"""
        SELECT service, argMax(language, (language != '', last_seen)) AS said, max(last_seen) AS seen FROM instances
        WHERE app = {{app:String}} AND last_seen >= {{since:DateTime('UTC')}}
        GROUP BY service ORDER BY seen DESC, service LIMIT {MOST_SERVICES}
        """,
        {"app": app, "since": since},
    )
    return [Arrival(service=service, language=language, last_seen=seen) for service, language, seen in rows]
