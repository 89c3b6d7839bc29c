"""What Jaeger's query API asks: services, their operations, and traces that have a span of some kind."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sonde.server.store.queries import rollups
from sonde.server.store.queries.scope import APPS, SLOTS, SPAN_TIMES, scope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sonde.server.store.client import StoreClient

MOST_NAMES = 10_000


@dataclass(frozen=True)
class Wanted:
    """A span that a trace must have. Durations in microseconds; `tags`: attributes, all of them."""

    service: str
    start: datetime
    end: datetime
    operation: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    least_us: int | None = None
    most_us: int | None = None


def services(client: StoreClient, apps: Sequence[str] | None, start: datetime, end: datetime) -> list[str]:
    """By name, those that did or asked for anything in that time."""
    rows = client.rows(
        f"SELECT DISTINCT service FROM {rollups.requests(client, start, end, ('service',))}"
        f" WHERE {APPS} AND {SLOTS} ORDER BY service LIMIT {MOST_NAMES}",
        scope(apps, start, end),
    )
    return [str(name) for (name,) in rows]


def operations(
    client: StoreClient, apps: Sequence[str] | None, service: str, start: datetime, end: datetime
) -> list[tuple[str, str]]:
    """(name, kind) of the service's requests and outgoing calls. What it does inside has no statistics to list."""
    rows = client.rows(
        f"""
        SELECT DISTINCT endpoint, toString(kind) AS kind_name FROM {rollups.requests(client, start, end, ("endpoint",))}
        WHERE {APPS} AND {SLOTS} AND service = {{service:String}}
        ORDER BY endpoint, kind_name LIMIT {MOST_NAMES}
        """,
        scope(apps, start, end) | {"service": service},
    )
    return [(str(name), str(kind)) for name, kind in rows]


def find(client: StoreClient, apps: Sequence[str] | None, wanted: Wanted, limit: int) -> list[str]:
    """Ids, in hex, of the traces whose wanted span began last, the newest first."""
    conditions = "service = {service:String}"
    parameters: dict[str, object] = scope(apps, wanted.start, wanted.end) | {"service": wanted.service, "limit": limit}
    if wanted.operation:
        conditions += " AND endpoint = {operation:String}"
        parameters["operation"] = wanted.operation
    if wanted.least_us is not None:
        conditions += " AND duration_ns >= {least_ns:UInt64}"
        parameters["least_ns"] = wanted.least_us * 1000
    if wanted.most_us is not None:
        conditions += " AND duration_ns <= {most_ns:UInt64}"
        parameters["most_ns"] = wanted.most_us * 1000
    for number, (key, value) in enumerate(wanted.tags.items()):
        parameters |= {f"key_{number}": key, f"value_{number}": value}
        conditions += f" AND {_tag(key, number)} = {{value_{number}:String}}"
    rows = client.rows(
        f"""
        SELECT lower(hex(trace_id)) AS trace FROM spans
        WHERE {APPS} AND {SPAN_TIMES} AND {conditions}
        GROUP BY trace_id ORDER BY max(start_time) DESC, trace_id LIMIT {{limit:UInt32}}
        """,
        parameters,
    )
    return [str(trace) for (trace,) in rows]


def _tag(key: str, number: int) -> str:
    """Some of Jaeger's tags are columns of ours."""
    if key == "error":
        return "if(is_error, 'true', 'false')"
    if key == "span.kind":
        return "toString(kind)"
    if key in {"http.status_code", "http.response.status_code"}:
        return "toString(status_code)"
    return f"attributes[{{key_{number}:String}}]"
