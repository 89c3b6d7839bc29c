"""Metrics, in PromQL."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sonde.server.mcp.tool import Asker, InTime, NotAnswered, Tool
from sonde.server.promql import answer
from sonde.server.promql.errors import PromqlError
from sonde.server.promql.limits import LONGEST_QUERY, Deadline
from sonde.server.promql.select import Asker as PromqlAsker
from sonde.server.store.queries.scope import micros

POINTS = 60


class _Query(InTime):
    query: str = Field(min_length=1, max_length=LONGEST_QUERY, description="PromQL.")
    step_s: int | None = Field(None, ge=1, le=86_400, description=f"Default: a step that makes {POINTS} points.")


async def _query(asker: Asker, question: _Query) -> dict[str, Any]:
    start, end = question.between(asker.now)
    step_ms = (question.step_s or max(1, round((end - start).total_seconds() / POINTS))) * 1000

    def query() -> dict[str, Any]:
        promql = PromqlAsker(asker.parts.store, asker.apps, Deadline())
        try:
            return answer.over_range(promql, question.query, micros(start) // 1000, micros(end) // 1000, step_ms)
        except PromqlError as error:
            raise NotAnswered(str(error)) from None

    found = await asker.parts.store_workers(query)
    return {
        "from": start,
        "to": end,
        "step_s": step_ms / 1000,
        "series": found["result"],
        "link": asker.links.at(start, end, "services"),
    }


QUERY_METRICS = Tool(
    "query_metrics",
    "Query metrics",
    "Evaluates PromQL over a span of time. Values are texts, times seconds since the epoch. Names and labels are "
    "Prometheus' for OpenTelemetry's metrics, such as system_cpu_utilization_ratio or process_runtime_…",
    _Query,
    _query,
    lists=("series",),
)
