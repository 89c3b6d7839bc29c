"""What is slow, what fails, and what was told about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from sonde.server.mcp.tool import Asker, InTime, Name, Question, Tool
from sonde.server.store.queries import failures, statements

if TYPE_CHECKING:
    from sonde.server.reports.slow import CallKind

_KINDS: dict[str, tuple[CallKind, ...]] = {
    "sql": ("sql",),
    "cache": ("cache",),
    "outgoing": ("http", "rpc"),
    "mq": ("mq",),
}


class _Slow(InTime):
    kind: Literal["sql", "cache", "outgoing", "mq"] = Field("sql", description="outgoing: HTTP and RPC.")
    service: Name | None = None
    order: statements.Order = Field("total", description="By what the groups are chosen and sorted.")
    limit: int = Field(20, ge=1, le=100)


async def _slow(asker: Asker, question: _Slow) -> dict[str, Any]:
    start, end = question.between(asker.now)
    found = await asker.parts.store_workers(
        statements.slow,
        asker.parts.store,
        asker.apps,
        _KINDS[question.kind],
        start,
        end,
        service=question.service,
        order=question.order,
        limit=question.limit,
    )
    return found.model_dump(mode="json", by_alias=True) | {
        "link": asker.links.at(start, end, "slow", kind=question.kind, service=question.service)
    }


SLOW_CALLS = Tool(
    "slow_calls",
    "Slow calls",
    "Statements, cache commands, outgoing requests or messages, grouped by what they are without values: how often, "
    "how long in all, p95, and who makes them.",
    _Slow,
    _slow,
    lists=("items",),
)


class _Errors(InTime):
    service: Name | None = None
    order: failures.Order = Field("times", description="Most frequent, seen last, or first seen last, on top.")
    limit: int = Field(20, ge=1, le=100)


async def _errors(asker: Asker, question: _Errors) -> dict[str, Any]:
    start, end = question.between(asker.now)
    found = await asker.parts.store_workers(
        failures.errors,
        asker.parts.store,
        asker.apps,
        start,
        end,
        service=question.service,
        order=question.order,
        limit=question.limit,
    )
    return found.model_dump(mode="json", by_alias=True) | {
        "link": asker.links.at(start, end, "errors", service=question.service)
    }


LIST_ERRORS = Tool(
    "list_errors",
    "List errors",
    "Failures grouped by type and place in the code: how often, first and last seen, whether new since a deploy, "
    "and traces of them.",
    _Errors,
    _errors,
    lists=("items",),
)


async def _alarms(asker: Asker, _: Question) -> dict[str, Any]:
    found = await asker.parts.account_workers(asker.parts.alarms.history.current, asker.apps)
    return {"alarms": [alarm.model_dump(mode="json") for alarm in found], "link": asker.links.page("alarms")}


LIST_ALARMS = Tool(
    "list_alarms",
    "List alarms",
    "What fires or is about to, the worst first: the rule, since when, the value and its threshold.",
    Question,
    _alarms,
    lists=("alarms",),
)
