"""What a rule about endpoints would do, before it is made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sonde.server.reports.statistics import NamePreview, NamePreviewRow
from sonde.server.store.queries import rollups
from sonde.server.store.queries.scope import APPS, SLOTS, scope
from sonde.server.store.queries.series import whole

if TYPE_CHECKING:
    from datetime import datetime

    from sonde.server.accounts.name_rules import Wish
    from sonde.server.store.client import StoreClient

MOST_ROWS = 100


def preview(client: StoreClient, app: str, wish: Wish, start: datetime, end: datetime) -> NamePreview:
    """Endpoints of the app as they are recorded that the rule's pattern matches, whatever other rules say."""
    rows = client.rows(
        f"""
        SELECT service, endpoint, sum(count) AS requests, count() OVER () AS matched, sum(requests) OVER () AS of_all
        FROM {rollups.requests(client, start, end, ("endpoint",))}
        WHERE {APPS} AND {SLOTS} AND match(endpoint, {{pattern:String}})
            AND ({{service:String}} = '' OR service = {{service:String}})
        GROUP BY service, endpoint
        ORDER BY requests DESC, service, endpoint LIMIT {MOST_ROWS}
        """,
        scope([app], start, end) | {"pattern": whole(wish.pattern), "service": wish.service},
    )
    return NamePreview(
        matched=rows[0][3] if rows else 0,
        requests=rows[0][4] if rows else 0,
        items=[
            NamePreviewRow(service=service, endpoint=endpoint, name=wish.name, requests=requests)
            for service, endpoint, requests, *_ in rows
        ],
    )
