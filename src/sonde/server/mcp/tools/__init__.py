"""What can be asked, a file for each topic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sonde.server.mcp.tools.debugger import DEBUGGER_RUN, DEBUGGER_RUNS
from sonde.server.mcp.tools.failing import LIST_ALARMS, LIST_ERRORS, SLOW_CALLS
from sonde.server.mcp.tools.hosts import LIST_HOSTS
from sonde.server.mcp.tools.metrics import QUERY_METRICS
from sonde.server.mcp.tools.service_map import SERVICE_MAP
from sonde.server.mcp.tools.services import LIST_SERVICES, SERVICE_REPORT
from sonde.server.mcp.tools.traces import GET_TRACE, SEARCH_TRACES

if TYPE_CHECKING:
    from sonde.server.mcp.tool import Tool

TOOLS: dict[str, Tool[Any]] = {
    tool.name: tool
    for tool in (
        LIST_SERVICES,
        SERVICE_REPORT,
        SERVICE_MAP,
        SEARCH_TRACES,
        GET_TRACE,
        LIST_ERRORS,
        SLOW_CALLS,
        LIST_ALARMS,
        LIST_HOSTS,
        QUERY_METRICS,
        DEBUGGER_RUNS,
        DEBUGGER_RUN,
    )
}
"""By name, in the order in which one would ask."""
