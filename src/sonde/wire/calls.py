"""calls.json, format `sonde.calls.v1` (docs/debugger.md): what can be said of one.

Pure functions over the decoded document. The inclusive time of an edge is that of calls whose callee was not running
already further out, so the inclusive times of all edges to a function sum to its own: recursion counts once.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Figures = list[int]

FORMAT = "sonde.calls.v1"

CALLS, INCLUSIVE, EXCLUSIVE, WAITING = range(4)
"""Of the figures of a function; times in nanoseconds."""


def totals(graph: Mapping[str, Any]) -> list[Figures]:
    """For each function: calls, inclusive, exclusive and waiting nanoseconds."""
    waiting = graph.get("waiting_ns") or [0] * len(graph["functions"])
    found = [[0, 0, 0, wait] for wait in waiting]
    for _, callee, calls, inclusive, exclusive in graph["edges"]:
        figures = found[callee]
        figures[CALLS] += calls
        figures[INCLUSIVE] += inclusive
        figures[EXCLUSIVE] += exclusive
    return found


def top(graph: Mapping[str, Any], rows: int) -> dict[str, list[dict[str, Any]]]:
    """The first functions by time of their own and by time with what they call."""
    found = totals(graph)

    def first(figure: int) -> list[dict[str, Any]]:
        order = sorted(range(len(found)), key=lambda at: found[at][figure], reverse=True)[:rows]
        return [_row(graph["functions"][at], found[at]) for at in order]

    return {"top_exclusive": first(EXCLUSIVE), "top_inclusive": first(INCLUSIVE)}


def _row(function: list[Any], figures: Figures) -> dict[str, Any]:
    calls = figures[CALLS]
    return {
        "name": function[0],
        "file": function[1],
        "line": function[2],
        "calls": calls,
        "inclusive_ns": figures[INCLUSIVE],
        "exclusive_ns": figures[EXCLUSIVE],
        "average_ns": figures[INCLUSIVE] // calls if calls else 0,
        "waiting_ns": figures[WAITING],
    }
