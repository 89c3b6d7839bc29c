"""Hosts."""

from __future__ import annotations

from typing import Any

from sonde.server.mcp.tool import Asker, Question, Tool
from sonde.server.store.queries import nodes


async def _hosts(asker: Asker, _: Question) -> dict[str, Any]:
    found = await asker.parts.store_workers(nodes.list_nodes, asker.parts.store, asker.apps, asker.now)
    return {
        "hosts": [node.model_dump(mode="json") | {"link": asker.links.page("nodes", node.host)} for node in found],
        "link": asker.links.page("nodes"),
    }


LIST_HOSTS = Tool(
    "list_hosts",
    "List hosts",
    "Hosts that reported in the last day, as last seen: CPU, load, memory, disks, network, which services run there, "
    "and how their agent is.",
    Question,
    _hosts,
    lists=("hosts",),
)
