"""Services: which there are and how they are, and the report of one."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sonde.server.api.thresholds import apdex_t_ms_of
from sonde.server.mcp.tool import Asker, InTime, Name, NotAnswered, Tool
from sonde.server.store.queries import services


async def _list(asker: Asker, question: InTime) -> dict[str, Any]:
    start, end = question.between(asker.now)
    parts = asker.parts
    found = await parts.store_workers(
        lambda: services.overview(parts.store, asker.apps, start, end, apdex_t_ms_of(parts))
    )
    return {
        "from": start,
        "to": end,
        "services": [
            service.model_dump(mode="json", exclude={"series"})
            | {"link": asker.links.at(start, end, "services", service.service, app=service.app)}
            for service in found
        ],
        "link": asker.links.at(start, end, "services"),
    }


LIST_SERVICES = Tool(
    "list_services",
    "List services",
    "Services that answered requests in a span of time, the busiest first: traffic, success rate, latency percentiles "
    "(from merged sketches, so true for the whole span) and Apdex.",
    InTime,
    _list,
    lists=("services",),
)


class _Report(InTime):
    service: Name = Field(description="Name of the service, as list_services gives it.")


async def _report(asker: Asker, question: _Report) -> dict[str, Any]:
    start, end = question.between(asker.now)
    parts = asker.parts
    found = await parts.store_workers(
        lambda: services.report(parts.store, asker.apps, question.service, start, end, apdex_t_ms_of(parts))
    )
    if found is None:
        raise NotAnswered("no service of that name had requests in that span of time; list_services says which had")
    return found.model_dump(mode="json", by_alias=True) | {
        "link": asker.links.at(start, end, "services", question.service, app=found.app)
    }


SERVICE_REPORT = Tool(
    "service_report",
    "Report on a service",
    "One service: its figures beside those of yesterday and last week, a series of them, its endpoints, instances, "
    "callers and callees, status codes, and errors with the id of a trace for each.",
    _Report,
    _report,
    lists=("series", "endpoints", "instances", "errors", "callers", "callees"),
)
