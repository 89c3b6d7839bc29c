"""calls.json, format `sonde.calls.v1` (docs/debugger.md): what can be said of one, and of two beside each other.

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


def diff(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Functions of both, those first whose own time changed most; one that is in one graph only counts 0 in the other.

    Functions are the same where name and file are: a first line moves with every change above it. Figures are per
    second of the run, so that runs of different lengths can be compared.
    """
    sides = [_by_name(graph) for graph in (before, after)]
    seconds = [max(graph["duration_ns"], 1) / 1e9 for graph in (before, after)]
    rows: list[dict[str, Any]] = []
    for name, file in sides[0].keys() | sides[1].keys():
        per_s = [[figure / seconds[side] for figure in sides[side].get((name, file), [0] * 4)] for side in range(2)]
        rows.append({"name": name, "file": file, "before": _per_s(per_s[0]), "after": _per_s(per_s[1])})
    key = "exclusive_ns_per_s"
    rows.sort(key=lambda row: (-abs(row["after"][key] - row["before"][key]), row["name"], row["file"]))
    return rows


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


def _by_name(graph: Mapping[str, Any]) -> dict[tuple[str, str], Figures]:
    found: dict[tuple[str, str], Figures] = {}
    for function, figures in zip(graph["functions"], totals(graph), strict=True):
        sums = found.setdefault((function[0], function[1]), [0] * 4)
        for at, figure in enumerate(figures):
            sums[at] += figure
    return found


def _per_s(figures: list[float]) -> dict[str, float]:
    return {
        "calls_per_s": round(figures[CALLS], 3),
        "inclusive_ns_per_s": round(figures[INCLUSIVE], 1),
        "exclusive_ns_per_s": round(figures[EXCLUSIVE], 1),
    }
