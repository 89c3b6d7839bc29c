"""The map: who calls whom."""

from __future__ import annotations

from typing import Any

from sonde.server.mcp.tool import Asker, InTime, Tool
from sonde.server.store.queries import topology


async def _map(asker: Asker, question: InTime) -> dict[str, Any]:
    start, end = question.between(asker.now)
    parts = asker.parts
    found = await parts.store_workers(lambda: topology.service_map(parts.store, asker.apps, start, end))
    return found.model_dump(mode="json", by_alias=True) | {"link": asker.links.at(start, end, "map")}


SERVICE_MAP = Tool(
    "service_map",
    "Map of services",
    "Services, databases, caches, queues and others that are called, and the calls between them with traffic, errors "
    "and latency.",
    InTime,
    _map,
    lists=("edges", "nodes"),
)
