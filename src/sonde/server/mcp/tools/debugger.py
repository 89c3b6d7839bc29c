"""What the debugger's tools found. They are started by people, in the console."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from sonde.server.control.jobs import JobFilter
from sonde.server.mcp.tool import Asker, InTime, Name, NotAnswered, Question, Tool

_SHOWN = (
    "id app node host pid service instance tool options seconds state created_at started_at ended_at".split()  # noqa: SIM905
)


class _Runs(InTime):
    service: Name | None = None
    tool: str | None = Field(None, pattern="^[a-z][a-z_]{0,31}$", description="cpu, calls, leaks, stalls, heap …")
    limit: int = Field(20, ge=1, le=200)


async def _runs(asker: Asker, question: _Runs) -> dict[str, Any]:
    start, end = question.between(asker.now)
    wanted = JobFilter(apps=asker.apps, service=question.service, tool=question.tool, start=start, end=end)
    views, _ = await asker.parts.control.search(wanted, question.limit, None)
    return {
        "from": start,
        "to": end,
        "runs": [
            {name: getattr(view.job, name) for name in _SHOWN}
            | {"link": asker.links.page("tools", "runs", view.job.id)}
            for view in views
        ],
        "link": asker.links.page("tools"),
    }


DEBUGGER_RUNS = Tool(
    "debugger_runs",
    "Runs of the debugger",
    "Profiles, leak checks and other runs of tools in processes, the newest first.",
    _Runs,
    _runs,
    lists=("runs",),
)


class _Run(Question):
    id: str = Field(pattern="^[0-9a-f]{1,32}$", description="As debugger_runs gives it.")


async def _run(asker: Asker, question: _Run) -> dict[str, Any]:
    view = await asker.parts.control.find(question.id)
    if view is None or (asker.apps is not None and view.job.app not in asker.apps):
        raise NotAnswered("there is no run with that id")
    job = view.job
    return {name: getattr(job, name) for name in _SHOWN} | {
        "failure": job.failure.message if job.failure else None,
        "result": job.document,
        "link": asker.links.page("tools", "runs", job.id),
    }


DEBUGGER_RUN = Tool(
    "debugger_run",
    "A run of the debugger",
    "What one run found, in short: the whole profile is at the link.",
    _Run,
    _run,
)
