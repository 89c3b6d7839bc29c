"""Traces: finding requests, and where the time of one went."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from sonde.server.mcp.tool import Asker, InTime, Name, NotAnswered, Question, Tool
from sonde.server.store.queries import traces
from sonde.server.store.queries.attributes import BadConditionError, Condition

MOST_CONDITIONS = 10
LONGEST_TEXT = 500
"""Of an attribute's value; statements and stack traces have no end."""


class _Search(InTime):
    service: Name | None = None
    endpoint: Name | None = None
    min_ms: float | None = Field(None, ge=0, le=1e9, allow_inf_nan=False, description="Requests at least that long.")
    error: bool | None = Field(None, description="Only failed requests, or only those that did not fail.")
    attributes: list[Name] = Field(
        default_factory=list,
        max_length=MOST_CONDITIONS,
        description="Conditions, all of them to be met: key=value; instead of = also !=, ~ (contains), >, <, or key?",
    )
    order: Literal["newest", "slowest"] = "newest"
    limit: int = Field(20, ge=1, le=200)


async def _search(asker: Asker, question: _Search) -> dict[str, Any]:
    start, end = question.between(asker.now)
    try:
        conditions = [Condition.parse(text) for text in question.attributes]
    except BadConditionError as error:
        raise NotAnswered(f"attributes: {error}") from None

    def query() -> list[dict[str, Any]]:
        page = traces.search(
            asker.parts.store,
            asker.apps,
            start=start,
            end=end,
            limit=question.limit,
            order=question.order,
            service=question.service,
            endpoint=question.endpoint,
            min_ms=question.min_ms,
            error=question.error,
            attributes=conditions,
        )
        return [row.model_dump(mode="json") for row in page.items]

    rows = await asker.parts.store_workers(query)
    return {
        "from": start,
        "to": end,
        "requests": [row | {"link": asker.links.page("traces", row["trace_id"])} for row in rows],
        "link": asker.links.at(
            start,
            end,
            "traces",
            service=question.service,
            endpoint=question.endpoint,
            min_ms=question.min_ms,
            error="true" if question.error else None,
            order=question.order,
        ),
    }


SEARCH_TRACES = Tool(
    "search_traces",
    "Search for requests",
    "Requests that match all filters, each with the id of its trace.",
    _Search,
    _search,
    lists=("requests",),
)


class _Trace(Question):
    trace_id: str = Field(pattern="^[0-9a-fA-F]{32}$", description="32 hex digits.")


async def _trace(asker: Asker, question: _Trace) -> dict[str, Any]:
    found = await asker.parts.store_workers(traces.trace, asker.parts.store, asker.apps, question.trace_id.lower())
    if found is None:
        raise NotAnswered("there is no trace with that id; it may have been dropped by retention")
    answer = found.model_dump(mode="json")
    for span in answer["spans"]:
        span["statement"] = span["statement"][:LONGEST_TEXT]
        span["attributes"] = {key: value[:LONGEST_TEXT] for key, value in span["attributes"].items()}
        for event in span["events"]:
            event["attributes"] = {key: value[:LONGEST_TEXT] for key, value in event["attributes"].items()}
    return answer | {"link": asker.links.page("traces", found.trace_id)}


GET_TRACE = Tool(
    "get_trace",
    "One trace",
    "All spans of a trace in drawing order, children after their parent, each with the time that it spent by itself, "
    f"and the critical path. Texts are cut after {LONGEST_TEXT} characters.",
    _Trace,
    _trace,
    lists=("spans", "critical_path"),
)
